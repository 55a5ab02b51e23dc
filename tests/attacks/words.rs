//! Words: all that the lines of a case may begin with, by the room that knows what they mean.

use ligase_metrics::ViolationReason;

use crate::case::{Case, divide};
use crate::{
    admin, begin, called, crowd, figures, heard, hello, house, middle, openssl, oracle, proof,
    revoked, said, server, sites, terms, throng, zones,
};

/// A word, and what reads the rest of its line into a case.
pub(crate) type Word = (&'static str, Reads);

/// Adds to a case what a line says; an error tells what is wrong with the line.
pub(crate) type Reads = fn(&mut Case, &str) -> Result<(), String>;

/// Every room that knows words. A word belongs to one room only.
const ROOMS: [&[Word]; 19] = [
    &terms::WORDS,
    &begin::WORDS,
    &said::WORDS,
    &heard::WORDS,
    &called::WORDS,
    &crowd::WORDS,
    &zones::WORDS,
    &sites::WORDS,
    &server::WORDS,
    &throng::WORDS,
    &figures::WORDS,
    &house::WORDS,
    &admin::WORDS,
    &oracle::WORDS,
    &proof::WORDS,
    &hello::WORDS,
    &openssl::WORDS,
    &middle::WORDS,
    &revoked::WORDS,
];

/// What reads the lines that begin with this word.
pub(crate) fn reads(word: &str) -> Option<Reads> {
    let mut known = ROOMS.iter().copied().flatten();
    known.find(|(name, _)| *name == word).map(|(_, reads)| *reads)
}

/// All words.
pub(crate) fn all() -> Vec<&'static str> {
    ROOMS.iter().copied().flatten().map(|(name, _)| *name).chain(["case"]).collect()
}

/// Says that there is none of these, and which of the known ones may have been meant.
pub(crate) fn no_such(what: &str, word: &str, known: &[&str]) -> String {
    let near = known.iter().map(|it| (distance(word, it), *it)).min();
    match near {
        Some((far, near)) if far <= FAR_MAX.min(word.len() / 2) => {
            format!("no such {what} as {word}; {near}?")
        }
        Some(_) | None => format!("no such {what} as {word}"),
    }
}

/// Refuses all but rules that are counted, as divided by `/`.
pub(crate) fn rules(text: &str) -> Result<Vec<String>, String> {
    let known: Vec<_> = ViolationReason::ALL.iter().map(|it| it.as_str()).collect();
    let rules = divide(text, "/");
    match rules.iter().find(|it| !known.contains(&it.as_str())) {
        Some(other) => Err(no_such("rule", other, &known)),
        None => Ok(rules),
    }
}

/// How many letters have to be put in, taken out or changed to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (number, letter) in one.chars().enumerate() {
        let mut before = row[0];
        row[0] = number + 1;
        for (place, its) in other.iter().enumerate() {
            let changed = before + usize::from(letter != *its);
            before = row[place + 1];
            row[place + 1] = changed.min(before + 1).min(row[place] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// A word that is further away was hardly meant.
const FAR_MAX: usize = 3;
