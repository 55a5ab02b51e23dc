//! Zone: a whole DNS in one zone, signed, with a trust anchor of its own.
//!
//! The root zone holds everything, so that one key vouches for it all. Only names under
//! [`Zone::UNSIGNED`] live in a zone of their own, delegated without a DS record: what they say is
//! insecure, as most of the real world is.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::host::{Host, run};
use crate::{Certificate, OrFail, Process};

/// The records of a world.
#[derive(Clone, Debug)]
pub struct Zone {
    signed: String,
    unsigned: String,
    /// What is changed after it was signed, from and to: a forgery.
    forged: Vec<(String, String)>,
    /// How often it was published.
    serial: u32,
    /// How long each record may be remembered, in seconds.
    pub ttl: u32,
}

impl Default for Zone {
    fn default() -> Self {
        Self {
            signed: String::new(),
            unsigned: String::new(),
            forged: Vec::new(),
            serial: 0,
            ttl: 60,
        }
    }
}

impl Zone {
    /// The top-level domain whose names nobody signs.
    pub const UNSIGNED: &str = "old";

    /// The file that holds the root's keys.
    pub const TRUST_ANCHOR: &str = "root.key";

    /// Adds a record as zone files have it, with its owner's whole name.
    pub fn record(&mut self, name: &str, kind: &str, data: &str) {
        let unsigned = name.ends_with(&format!(".{}", Self::UNSIGNED));
        let zone = if unsigned { &mut self.unsigned } else { &mut self.signed };
        // Writing into a String cannot fail.
        let _ = writeln!(zone, "{name}. IN {kind} {data}");
    }

    /// Takes back all records of a name and type.
    pub fn forget(&mut self, name: &str, kind: &str) {
        let owner = format!("{name}. IN {kind} ");
        for zone in [&mut self.signed, &mut self.unsigned] {
            let kept = zone.lines().filter(|line| !line.starts_with(&owner));
            *zone = kept.map(|line| format!("{line}\n")).collect();
        }
    }

    /// Has a text in the zone changed after it was signed, as a forger would on the way.
    pub fn forge(&mut self, from: &str, to: &str) {
        self.forged.push((from.to_owned(), to.to_owned()));
    }

    /// Has all that was forged be as it was signed.
    pub fn mend(&mut self) {
        self.forged.clear();
    }

    /// Adds records as they stand in a zone file, one a line, each with its owner's whole name, its
    /// lifetime and its class.
    pub fn lines(&mut self, text: &str) {
        for line in text.lines().filter(|it| !it.is_empty() && !it.starts_with(';')) {
            let mut parts = line.splitn(5, ' ');
            let mut part = || parts.next().or_fail(&format!("read the record {line:?}"));
            let (name, _lifetime, _class, kind, data) = (part(), part(), part(), part(), part());
            self.record(name.trim_end_matches('.'), kind, data);
        }
    }

    /// Gives a name the addresses of a host.
    pub fn address(&mut self, name: &str, host: &Host) {
        self.record(name, "A", &host.v4.to_string());
        self.record(name, "AAAA", &host.v6.to_string());
    }

    /// Says that `domain` is served at `port` of `target`, by STARTTLS (RFC 6120 §3.2.1).
    pub fn server(&mut self, domain: &str, port: u16, target: &str) {
        self.record(
            &format!("_xmpp-server._tcp.{domain}"),
            "SRV",
            &format!("0 5 {port} {target}."),
        );
    }

    /// Says that `domain` is served at `port` of `target`, by TLS from the first byte (XEP-0368).
    pub fn direct_server(&mut self, domain: &str, port: u16, target: &str) {
        let data = format!("0 5 {port} {target}.");
        self.record(&format!("_xmpps-server._tcp.{domain}"), "SRV", &data);
    }

    /// Pins the key of whoever answers at `port` of `target` (RFC 6698).
    pub fn tlsa(&mut self, target: &str, port: u16, certificate: &Certificate) {
        self.record(&format!("_{port}._tcp.{target}"), "TLSA", &certificate.tlsa());
    }

    /// Writes and signs the zones, by the keys that the folder has; the first time it makes them.
    /// Returns the serial number.
    pub(crate) fn write(&mut self, folder: &Path) -> u32 {
        self.serial += 1;
        let (unsigned, ttl, serial) = (Self::UNSIGNED, self.ttl, self.serial);
        let head = format!(
            "$TTL {ttl}\n@ IN SOA ns. hostmaster. {serial} 3600 600 86400 5\n@ IN NS ns.\n"
        );
        let root = format!(
            "{head}ns. IN A 198.18.0.1\nns. IN AAAA fd77::1\n{unsigned}. IN NS ns.\n{}",
            self.signed
        );
        fs::write(folder.join("root"), root).or_fail("write the root zone");
        let old = format!("{head}{}", self.unsigned);
        fs::write(folder.join(unsigned), old).or_fail("write the unsigned zone");

        if serial == 1 {
            Self::make_keys(folder);
        }
        let mut sign = Command::new("dnssec-signzone");
        run(sign.current_dir(folder).args(["-q", "-S", "-o", ".", "-f", "draft", "root"]));
        let mut signed = fs::read_to_string(folder.join("draft")).or_fail("read the signed zone");
        for (from, to) in &self.forged {
            assert!(signed.contains(from), "there is no {from:?} to forge");
            signed = signed.replace(from, to);
        }
        fs::write(folder.join("draft"), signed).or_fail("write the signed zone");
        // Whoever reads just now reads the one or the other.
        let published = fs::rename(folder.join("draft"), folder.join("root.signed"));
        published.or_fail("publish the signed zone");
        serial
    }

    fn make_keys(folder: &Path) {
        let keygen = |flags: &[&str]| {
            let mut command = Command::new("dnssec-keygen");
            command.current_dir(folder).args(["-q", "-a", "ECDSAP256SHA256"]).args(flags).arg(".");
            run(&mut command).trim().to_owned()
        };
        let anchor = keygen(&["-f", "KSK"]);
        keygen(&[]);
        let anchor = fs::read(folder.join(format!("{anchor}.key"))).or_fail("read the root's key");
        fs::write(folder.join(Self::TRUST_ANCHOR), anchor).or_fail("write the trust anchor");
    }

    /// Starts the DNS on a host, where it answers whoever asks, recursion or not.
    pub(crate) fn serve(&self, host: &Host, folder: &Path) -> Process {
        let config = folder.join("named.conf");
        let text = NAMED.replace("FOLDER", &folder.display().to_string());
        fs::write(&config, text.replace("UNSIGNED", Self::UNSIGNED)).or_fail("configure named");
        let mut named = host.command("named");
        named.arg("-g").arg("-c").arg(&config);
        let named = Process::start("named", named);
        // It says that it is running on Linux long before it has read any zone.
        named.hear("all zones loaded", Duration::from_secs(20));
        let broken = named.lines().into_iter().find(|line| line.contains("not loaded"));
        assert_eq!(broken, None, "a zone is broken");
        named
    }
}

/// The root is its own primary here, so nothing is ever asked outside.
const NAMED: &str = r#"
options {
    directory "FOLDER";
    pid-file none;
    session-keyfile none;
    listen-on { any; };
    listen-on-v6 { any; };
    recursion yes;
    allow-query { any; };
    allow-recursion { any; };
    dnssec-validation no;
    empty-zones-enable no;
    minimal-responses yes;
    check-names primary ignore;
    max-records-per-type 0;
    querylog yes;
};
controls { };
zone "." { type primary; file "root.signed"; };
zone "UNSIGNED" { type primary; file "UNSIGNED"; };
"#;
