use std::path::Path;
use std::time::SystemTime;

use super::{examine, report};
use crate::config::{Error, Findings, Overrides};

fn error(key: &str, problem: &str) -> Error {
    let (key, problem) = (key.to_owned(), problem.to_owned());
    Error { key, problem }
}

/// What is printed, and what is said aside.
fn printed(found: &Findings) -> (String, String) {
    let (mut out, mut aside) = (Vec::new(), Vec::new());
    report(found, Path::new("a.yaml"), (&mut out, false), (&mut aside, false)).unwrap();
    (String::from_utf8(out).unwrap(), String::from_utf8(aside).unwrap())
}

#[test]
fn each_problem_is_a_line() {
    let found = Findings {
        problems: vec![error("hosts", "is missing"), error("limits.depth", "is odd")],
        warnings: vec![error("listen.dns", "is open")],
    };
    let expect = "hosts: is missing\nlimits.depth: is odd\n".to_owned();
    let aside = "warning: listen.dns: is open\n\
                 2 problems, 1 warning; docs/configuration.md says what every key may be\n";
    assert_eq!(printed(&found), (expect, aside.to_owned()));
}

#[test]
fn what_is_painted_reads_the_same() {
    let found = Findings {
        problems: vec![error("hosts", "is missing")],
        warnings: vec![error("listen.dns", "is open"), error("server_name", "is odd")],
    };
    let (mut out, mut aside) = (Vec::new(), Vec::new());
    report(&found, Path::new("a.yaml"), (&mut out, true), (&mut aside, true)).unwrap();
    let (out, aside) = (String::from_utf8(out).unwrap(), String::from_utf8(aside).unwrap());
    assert_eq!(out, "\x1b[31mhosts\x1b[0m: is missing\n");
    let bare = aside.replace("\x1b[33m", "").replace("\x1b[1m", "").replace("\x1b[2m", "");
    assert_ne!(bare, aside);
    assert_eq!(bare.replace("\x1b[0m", ""), printed(&found).1);
}

#[test]
fn what_is_sound_is_called_so() {
    assert_eq!(printed(&Findings::default()), ("a.yaml: no problem\n".to_owned(), String::new()));
}

#[test]
fn a_file_that_is_not_there_is_a_problem() {
    let path = Path::new("/nonexistent/ligase.yaml");
    let found = examine(path, &Overrides::default(), SystemTime::UNIX_EPOCH);
    assert_eq!(found.problems[0].key, "(file)");
}
