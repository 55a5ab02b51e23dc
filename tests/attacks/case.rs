//! Cases as data: an id, a title, what is done, and what must come of it.
//!
//! A case is a block of lines, each a word and the rest. [`words`](crate::words) has all words;
//! `README.md` tells what each means.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::deeds::{Deed, Door};
use crate::words;

/// One attack.
pub(crate) struct Case {
    /// What the catalogue calls it: the letter of its group, and a number.
    pub(crate) id: String,
    pub(crate) title: String,
    /// The file it stands in.
    pub(crate) file: String,
    /// What is done, one after the other.
    pub(crate) deeds: Vec<Deed>,
    pub(crate) terms: Terms,
}

/// What holds for a case as a whole.
#[derive(Default)]
pub(crate) struct Terms {
    /// The rules that must be counted, each once for every time it stands here: one of these
    /// reasons, at least and at most so often.
    pub(crate) counts: Vec<Count>,
    /// Keys of the proxy's configuration that are set otherwise: it is played in a lab of its own.
    pub(crate) settings: BTreeMap<String, String>,
    /// Where what is said is divided; the case is played once for each.
    pub(crate) places: Vec<usize>,
    /// Whether it can be played at either door, by STARTTLS and by TLS from the first byte.
    pub(crate) has_doors: bool,
    /// The only door that it is played at.
    pub(crate) door: Option<Door>,
    /// Whether somebody plays the part of our own server, so that no real one can be behind.
    pub(crate) is_scripted: bool,
    /// Whom the proxy may call on account of it, besides its server and its resolver: addresses,
    /// or hosts of the lab.
    pub(crate) calls: BTreeSet<String>,
    /// The pairs that are still granted when it is over, senders first; the lab ends with it.
    pub(crate) stays: BTreeSet<(String, String)>,
    /// How much processor time the proxy may take.
    pub(crate) processor: Option<Duration>,
    /// What must be seen to be wrong with it.
    pub(crate) seen: Option<String>,
    /// By how many bytes the proxy may have grown half a minute later.
    pub(crate) memory: Option<u64>,
}

/// How often one of some rules must have been broken.
pub(crate) struct Count {
    pub(crate) reasons: Vec<String>,
    pub(crate) times: std::ops::RangeInclusive<u64>,
}

impl Case {
    /// The letters of its id.
    pub(crate) fn group(&self) -> &str {
        self.id.trim_end_matches(|it: char| it.is_ascii_digit())
    }

    /// Adds something to do.
    pub(crate) fn then(&mut self, deed: Deed) {
        self.deeds.push(deed);
    }
}

/// The cases of a file, in full or in the size that is played every day.
pub(crate) fn cases(file: &str, text: &str, full: bool) -> Result<Vec<Case>, String> {
    let mut cases: Vec<Case> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = sized(line.trim_end(), full);
        let line = line.as_str();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let wrong = |problem: &str| Err(format!("{file}:{}: {problem}: {line}", number + 1));
        if word == "case" {
            let Some((id, title)) = rest.split_once(' ') else {
                return wrong("a case has an id and a title");
            };
            cases.push(Case {
                id: id.to_owned(),
                title: title.to_owned(),
                file: file.to_owned(),
                deeds: Vec::new(),
                terms: Terms::default(),
            });
            continue;
        }
        let Some(case) = cases.last_mut() else {
            return wrong("a line outside of a case");
        };
        let Some(reads) = words::reads(word) else {
            return wrong(&words::no_such("word", word, &words::all()));
        };
        if let Err(problem) = reads(case, rest) {
            return wrong(&problem);
        }
    }
    Ok(cases)
}

/// A line in which each `A|B` of two numbers is the first of them, or the second in full.
fn sized(line: &str, full: bool) -> String {
    let is_part = |it: char| it.is_ascii_digit() || it == '.';
    let mut parts = line.split('|');
    let mut sized = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let day = sized.len() - sized.trim_end_matches(is_part).len();
        let whole = part.len() - part.trim_start_matches(is_part).len();
        if day == 0 || whole == 0 {
            sized.push('|');
            sized.push_str(part);
            continue;
        }
        let (number, rest) = part.split_at(whole);
        if full {
            sized.truncate(sized.len() - day);
            sized.push_str(number);
        }
        sized.push_str(rest);
    }
    sized
}

/// So many arguments, divided by spaces; the last takes the rest.
pub(crate) fn arguments<const COUNT: usize>(rest: &str) -> Result<[String; COUNT], String> {
    let parts: Vec<_> = rest.splitn(COUNT, ' ').map(str::to_owned).collect();
    parts.try_into().map_err(|_| format!("it takes {COUNT} arguments"))
}

/// The parts of a text, divided by another.
pub(crate) fn divide(text: &str, by: &str) -> Vec<String> {
    text.split(by).map(str::to_owned).collect()
}
