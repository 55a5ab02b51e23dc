//! Names: whatever we take for a domain, the servers behind us take for the same; and what may be read
//! in two ways is refused wherever it comes in.

mod entrances;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ligase_tests::OrFail;
use ligase_verifier::Domain;

/// What a server makes of a name.
#[derive(Debug, Eq, PartialEq)]
struct Reading {
    /// As part of an address; nothing if it refuses it.
    prepared: Option<String>,
    /// What it would ask DNS for; nothing if it would not.
    ascii: Option<String>,
}

/// Every character that we take in a name, alone and among others, is read by Prosody and ejabberd
/// as we read it: the servers themselves are asked, by the libraries that are installed with them.
#[test]
fn servers_read_what_we_accept_as_we_do() {
    let names: Vec<Domain> = ('\0'..=char::MAX)
        .flat_map(|it| [format!("{it}.{it}"), format!("a{it}b.test"), format!("A{it}.Test")])
        .filter_map(|it| it.parse().ok())
        .collect();
    assert!(100_000 < names.len(), "only {} are taken", names.len());
    for server in [prosody, ejabberd] {
        let mut faults = Vec::new();
        for (name, reading) in names.iter().zip(server(names.iter().map(Domain::as_str))) {
            let same_in_dns = reading.ascii.as_deref().is_none_or(|it| it == name.ascii());
            if reading.prepared.as_deref() != Some(name.as_str()) || !same_in_dns {
                faults.push(format!("{name}, {}: {reading:?}", name.ascii()));
            }
        }
        faults.truncate(20);
        assert_eq!(faults, [""; 0]);
    }
}

/// What we refuse is what it was refused for: both servers read it as somebody else's name.
#[test]
fn servers_read_what_we_refuse_as_somebody_else() {
    let names = [
        ("fa\u{df}.test", "fass.test"),
        ("\u{ff56}.test", "v.test"),
        ("v.t\u{ad}est", "v.test"),
        ("a\u{200d}b.test", "ab.test"),
        ("v\u{2024}test", "v.test"),
    ];
    for (name, _) in names {
        assert!(name.parse::<Domain>().is_err(), "{name}");
    }
    for server in [prosody, ejabberd] {
        for ((_, other), reading) in names.iter().zip(server(names.iter().map(|(name, _)| *name))) {
            assert_eq!(reading.prepared.as_deref(), Some(*other));
        }
    }
}

fn prosody<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Reading> {
    ask("lua5.4", "prosody.lua", names)
}

fn ejabberd<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Reading> {
    ask("escript", "ejabberd.escript", names)
}

/// What a server's libraries say about each name.
fn ask<'a>(program: &str, script: &str, names: impl Iterator<Item = &'a str>) -> Vec<Reading> {
    let folder = Folder::new();
    let mut lines = String::new();
    let count = names.map(|name| writeln!(lines, "{name}")).count();
    let file = folder.0.join("names");
    fs::write(&file, lines).or_fail("write names");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/names").join(script);
    let said = Command::new(program).arg(script).arg(&file).output().or_fail("ask a server");
    let complaint = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{program}: {complaint}");
    let said = String::from_utf8(said.stdout).or_fail("read what a server said");
    let readings: Vec<_> = said.lines().map(reading).collect();
    assert_eq!(readings.len(), count, "{complaint}");
    readings
}

fn reading(line: &str) -> Reading {
    let (prepared, ascii) = line.split_once('\t').or_fail("read what a server said");
    let bytes = prepared.as_bytes().chunks(2).map(|digits| {
        let digits = std::str::from_utf8(digits).or_fail("read a byte");
        u8::from_str_radix(digits, 16).or_fail("read a byte")
    });
    let prepared = String::from_utf8(bytes.collect()).or_fail("read a prepared name");
    let unless_empty = |text: String| (!text.is_empty()).then_some(text);
    Reading { prepared: unless_empty(prepared), ascii: unless_empty(ascii.to_owned()) }
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ligase-names-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).or_fail("make a folder");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}
