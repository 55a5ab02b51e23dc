//! Rules of the house that a program can check.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The proxy's rooms from the ground up. A room may look into its own floor along the arrows, and
/// into those below; nothing looks up.
const FLOORS: [&[&str]; 6] = [
    &["binding"],
    &["stream"],
    &["establish"],
    &["net", "tls", "capture"],
    &["connection"],
    &[
        "admin",
        "app",
        "args",
        "command",
        "config",
        "drain",
        "logging",
        "observe",
        "posh",
        "published",
        "reload",
        "web",
    ],
];

/// Where nothing may wait, read a clock, draw chance or touch the world.
const PURE: [&str; 3] = ["binding", "stream", "establish"];
const WORLDLY: [&str; 11] = [
    "tokio",
    "async fn",
    ".await",
    "std::io",
    "std::fs",
    "std::env",
    "std::thread",
    "TcpStream",
    "::now(",
    "rand::",
    "tracing::",
];

const LINES_MAX: usize = 400;

/// Words that belong to one room each, or to few: swapping a library must be a one-room job, and
/// what is dangerous must be found in one place.
const ROOMS: [(&str, &[&str]); 8] = [
    ("dangerous()", &["crates/proxy/src/tls/unverified.rs"]),
    ("Deserialize", &["crates/proxy/src/config/file.rs", "crates/proxy/src/config/file/"]),
    // The demo raises a nameserver of its own, and the log keeps the resolver's words out of ours.
    (
        "hickory",
        &["crates/verifier/src/gather/resolver", DEMO, "crates/proxy/src/logging/levels.rs"],
    ),
    ("quick_xml::events", &["crates/proxy/src/stream/element.rs"]),
    ("quick_xml::reader", &["crates/proxy/src/stream/element.rs"]),
    // Configurations are read by serde_yaml; manifests are to be written again as they were read.
    ("saphyr_parser", &["crates/proxy/src/command/inject/yaml.rs"]),
    ("prometheus", &["crates/metrics/"]),
    ("hyper::client", &["crates/verifier/src/gather/https", DEMO]),
];

/// A world of its own, for people to look at.
const DEMO: &str = "crates/proxy/src/command/demo";

/// What no file of the project says: it is to be read elsewhere than where it was written.
const FOREIGN: [&str; 2] = ["/root/", "/home/"];

/// What is left for later is written down elsewhere, or not left.
const UNFINISHED: [&str; 6] = ["todo!(", "unimplemented!(", "#[ignore", "TODO", "FIXME", "for now"];

#[test]
fn no_room_looks_upstairs() {
    let mut faults = Vec::new();
    let mut checked = 0;
    for (path, text) in sources("crates/proxy/src") {
        let Some(floor) = floor_of(&path) else {
            continue;
        };
        checked += 1;
        for room in FLOORS.iter().skip(floor + 1).copied().flatten() {
            if looks_into(&text, room) {
                faults.push(format!("{path} looks up at {room}"));
            }
        }
    }
    assert!(50 < checked, "the rooms have got lost");
    assert_eq!(faults, [""; 0]);
}

#[test]
fn every_room_of_the_proxy_is_on_a_floor() {
    let text = read("crates/proxy/src/lib.rs");
    let rooms = text
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod ")))
        .filter_map(|line| line.strip_suffix(';'))
        .filter(|room| *room != "tests");
    for room in rooms {
        let known = FLOORS.iter().any(|floor| floor.contains(&room));
        assert!(known, "{room} is on no floor");
    }
}

#[test]
fn the_verifier_and_the_metrics_know_neither_the_proxy_nor_each_other() {
    for (path, text) in sources("crates/verifier/src") {
        assert!(!text.contains("ligase_metrics"), "{path}");
        assert!(!text.contains("ligase::"), "{path}");
    }
    for (path, text) in sources("crates/metrics/src") {
        assert!(!text.contains("ligase_verifier"), "{path}");
        assert!(!text.contains("ligase::"), "{path}");
    }
}

#[test]
fn what_decides_never_waits_nor_looks_at_the_world() {
    let mut faults = Vec::new();
    for (path, text) in sources("crates/proxy/src") {
        let is_pure = PURE.iter().any(|room| is_in(&path, room)) && !is_test(&path);
        let code = without_comments(&text);
        let worldly = WORLDLY.iter().filter(|word| has_word(&code, word));
        faults.extend(worldly.filter(|_| is_pure).map(|it| format!("{path}: {it}")));
    }
    assert_eq!(faults, [""; 0]);
}

#[test]
fn rooms_stay_small() {
    let mut faults = Vec::new();
    for folder in ["crates", "tests"] {
        for (path, text) in sources(folder) {
            let lines = text.lines().count();
            if LINES_MAX < lines && !is_test(&path) {
                faults.push(format!("{path} has {lines} lines"));
            }
        }
    }
    assert_eq!(faults, [""; 0]);
}

#[test]
fn what_belongs_to_one_room_is_in_no_other() {
    let mut faults = Vec::new();
    for (path, text) in sources("crates").filter(|(path, _)| !is_test(path)) {
        let code = without_comments(&text);
        for (word, rooms) in ROOMS {
            let at_home = rooms.iter().any(|room| path.starts_with(room));
            if code.contains(word) && !at_home && !path.contains("/fuzz/") {
                faults.push(format!("{path}: {word}"));
            }
        }
    }
    assert_eq!(faults, [""; 0]);
}

#[test]
fn every_door_says_what_is_behind_it() {
    let mut faults = Vec::new();
    for (path, text) in sources("crates") {
        let room = path.strip_suffix(".rs").unwrap_or(&path);
        let is_door = root().join(room).is_dir() && !is_test(&path)
            || path.ends_with("/lib.rs")
            || path.ends_with("/main.rs");
        let public = text.lines().any(|line| line.starts_with("pub mod "));
        if (is_door && public || path.ends_with("/lib.rs")) && !text.starts_with("//! ") {
            faults.push(path);
        }
    }
    assert_eq!(faults, [""; 0]);
}

/// The workspace forbids it to all; a root that forbids it itself keeps it so wherever it is built.
#[test]
fn no_program_or_library_of_ours_is_unsafe() {
    let roots: Vec<_> = ["crates", "tests"]
        .into_iter()
        .flat_map(sources)
        .filter(|(path, _)| {
            path.ends_with("/src/lib.rs") || path.ends_with("/main.rs") && !path.contains("/tests/")
        })
        .filter(|(path, _)| path.contains("/src/") || path == "tests/peer/main.rs")
        // What fuzzes is never shipped, and speaks to a library in C.
        .filter(|(path, _)| !path.contains("/fuzz/"))
        .collect();
    assert_eq!(roots.len(), 6, "{:?}", roots.iter().map(|(path, _)| path).collect::<Vec<_>>());
    for (path, text) in roots {
        assert!(text.lines().any(|line| line == "#![forbid(unsafe_code)]"), "{path}");
    }
}

#[test]
fn nothing_is_left_unfinished() {
    let mut faults = Vec::new();
    for folder in ["crates", "tests"] {
        for (path, text) in sources(folder).filter(|(path, _)| !path.ends_with("tests/tidy.rs")) {
            let unfinished = UNFINISHED.iter().filter(|word| text.contains(**word));
            faults.extend(unfinished.map(|word| format!("{path}: {word}")));
        }
    }
    assert_eq!(faults, [""; 0]);
}

#[test]
fn no_file_tells_where_it_was_written() {
    let mut faults = Vec::new();
    let mut read = 0;
    for path in tracked().into_iter().filter(|it| it != "tests/tidy.rs") {
        // What is no text says nothing that anyone reads.
        let Ok(text) = fs::read_to_string(root().join(&path)) else {
            continue;
        };
        read += 1;
        // ejabberd's own image has its files there.
        let text = text.replace("/home/ejabberd/", "");
        for word in FOREIGN {
            if text.contains(word) {
                faults.push(format!("{path}: {word}"));
            }
        }
        let is_prose = path.ends_with(".rs") || path.ends_with(".md");
        if is_prose && let Some(number) = issue_number(&text) {
            faults.push(format!("{path}: an issue number, #{number}"));
        }
    }
    assert!(100 < read, "the files have got lost");
    assert_eq!(faults, [""; 0]);
}

/// A number behind `#`, as trackers write it.
fn issue_number(text: &str) -> Option<String> {
    text.split(&[' ', '(', '\n'][..]).find_map(|word| {
        let number = word.strip_prefix('#')?;
        let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
        let rest = number[digits.len()..].trim_end_matches(&[')', '.', ',', ';', ':'][..]);
        (!digits.is_empty() && rest.is_empty()).then_some(digits)
    })
}

/// Whether code looks into another room of its crate.
fn looks_into(text: &str, room: &str) -> bool {
    let code = without_comments(text);
    has_word(&code, &format!("crate::{room}"))
}

/// Whether text holds a word that is not part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let goes_on = |it: char| it.is_ascii_alphanumeric() || it == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back().filter(|_| word.starts_with(goes_on));
        let after = text[at + word.len()..].chars().next().filter(|_| word.ends_with(goes_on));
        !before.is_some_and(goes_on) && !after.is_some_and(goes_on)
    })
}

fn without_comments(text: &str) -> String {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

fn floor_of(path: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.iter().any(|room| is_in(path, room)))
}

fn is_in(path: &str, room: &str) -> bool {
    let path = path.strip_prefix("crates/proxy/src/").unwrap_or_default();
    path == format!("{room}.rs") || path.starts_with(&format!("{room}/"))
}

/// Tests may be as long as their tables, and wait for what they test.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.starts_with("tests/")
}

/// The tracked source files below a folder, and what they say.
fn sources(folder: &str) -> impl Iterator<Item = (String, String)> {
    let below = format!("{folder}/");
    tracked().into_iter().filter(move |path| path.starts_with(&below) && path.ends_with(".rs")).map(
        |path| {
            let text = read(&path);
            (path, text)
        },
    )
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Every file that belongs to the project.
fn tracked() -> Vec<String> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().unwrap();
    assert!(listed.status.success(), "git does not list the files");
    let listed = String::from_utf8(listed.stdout).unwrap();
    let files = listed.split('\0').filter(|path| !path.is_empty());
    // A file that is about to be deleted is tracked still.
    let files = files.filter(|path| root().join(path).exists());
    files.map(str::to_owned).collect()
}

#[test]
fn the_fuzzers_say_what_is_wrong_before_anything_is_built() {
    let cases: [(&[&str], &str); 6] = [
        (&[], "run.sh smoke"),
        (&["smok"], "run.sh smoke"),
        (&["long", "soon"], "run.sh long SECONDS"),
        (&["one"], "TARGET is one of admin certificate"),
        (&["one", "frame"], "no such target: frame\nTARGET is one of admin certificate"),
        (&["one", "framer", "nothing"], "no such file: nothing"),
    ];
    let script = root().join("crates/proxy/fuzz/run.sh");
    for (arguments, expect) in cases {
        // Cargo, which would build, is not found there.
        let mut command = Command::new("/bin/sh");
        let done = command.arg(&script).args(arguments).env("PATH", "/usr/bin:/bin").output();
        let done = done.unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(said.contains(expect), "{arguments:?}: {said}");
        assert_eq!(done.status.code(), Some(2), "{arguments:?}: {said}");
    }
}

fn root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.parent().unwrap().to_owned()
}
