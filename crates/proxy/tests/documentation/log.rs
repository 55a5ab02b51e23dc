//! The lines of the log, as the program's text has them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::pages::root;

/// Every line that may be logged, by its level and its message.
pub(crate) fn lines() -> BTreeSet<String> {
    let each = calls().into_iter().map(|(level, _, message)| format!("{level} {message}"));
    each.collect()
}

/// What the lines of the log are about: the part that each names, or else the room that says it.
pub(crate) fn targets() -> BTreeSet<String> {
    calls().into_iter().map(|(_, target, _)| target).collect()
}

/// Level, target and message of every line.
fn calls() -> BTreeSet<(String, String, String)> {
    let mut calls = BTreeSet::new();
    for folder in ["crates/proxy/src", "crates/verifier/src", "crates/metrics/src"] {
        gather(&root().join(folder), &mut calls);
    }
    calls
}

fn gather(folder: &Path, calls: &mut BTreeSet<(String, String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "tests" {
            gather(&path, calls);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let room = path.to_str().unwrap().rsplit_once("src/").unwrap().1;
            let room = room.trim_end_matches(".rs").replace('/', "::");
            read(&fs::read_to_string(&path).unwrap(), &format!("ligase::{room}"), calls);
        }
    }
}

fn read(text: &str, room: &str, calls: &mut BTreeSet<(String, String, String)>) {
    for level in ["error", "warn", "info", "debug", "trace"] {
        for (at, _) in text.match_indices(&format!("{level}!(")) {
            let is_longer = text[..at].ends_with(|it: char| it.is_alphanumeric() || it == '_');
            if !is_longer {
                let rest = &text[at + level.len() + 2..];
                let named = rest.trim_start().strip_prefix("target: \"");
                let target = named.and_then(|it| it.split('"').next()).unwrap_or(room);
                let message = message(rest);
                let message =
                    message.unwrap_or_else(|| panic!("{level}: what is said? {text:.200}"));
                calls.insert((level.to_owned(), target.to_owned(), message));
            }
        }
    }
}

/// The text that is the last argument of a macro, of which this is what follows its parenthesis.
fn message(text: &str) -> Option<String> {
    let (mut depth, mut quoted, mut escaped) = (1, None, false);
    let mut last = None;
    for (at, letter) in text.char_indices() {
        match (letter, quoted) {
            _ if escaped => escaped = false,
            ('\\', Some(_)) => escaped = true,
            ('"', None) => quoted = Some(at + 1),
            ('"', Some(start)) => {
                if depth == 1 {
                    last = Some(&text[start..at]);
                }
                quoted = None;
            }
            ('(', None) => depth += 1,
            (')', None) => depth -= 1,
            _ => (),
        }
        if depth == 0 {
            return last.map(unwrapped);
        }
    }
    None
}

/// A literal without the line ends that it is broken at.
fn unwrapped(literal: &str) -> String {
    let parts = literal.split("\\\n").enumerate();
    parts.map(|(number, it)| if number == 0 { it } else { it.trim_start() }).collect()
}
