//! What was asked for on the command line.

use std::fs;
use std::path::{Path, PathBuf};

use crate::backend::Behind;
use crate::case::{Case, cases};

/// The cases to play, behind whom, and how often.
pub(crate) struct Asked {
    pub(crate) cases: Vec<Case>,
    pub(crate) behind: Vec<Behind>,
    pub(crate) times: usize,
    /// Whether the cases are only to be named.
    pub(crate) list: bool,
    /// Whether crowds have their full size.
    full: bool,
}

impl Asked {
    /// Reads the arguments. Those that every test program is called with are understood, or passed
    /// over where they mean nothing here.
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut asked = Self {
            cases: Vec::new(),
            behind: Behind::ALL.to_vec(),
            times: 1,
            list: false,
            full: false,
        };
        let (mut words, mut exact) = (Vec::new(), false);
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} what?\n{USAGE}"));
            match argument.as_str() {
                "--behind" => asked.behind = behind(&value()?)?,
                "--times" => {
                    asked.times = value()?.parse().map_err(|_| format!("how often?\n{USAGE}"))?;
                }
                "--list" => asked.list = true,
                "--full" => asked.full = true,
                "--exact" => exact = true,
                "--test-threads" | "--format" | "--color" | "--skip" | "-Z" => drop(value()?),
                "--help" => return Err(USAGE.to_owned()),
                _ if argument.starts_with('-') => (),
                _ => words.push(argument),
            }
        }
        asked.cases = find(&words, exact, asked.full)?;
        Ok(asked)
    }
}

/// The cases of all files and folders among these words that the other words are about: each is an
/// id (`X04`), the beginning of one (`X`), or part of a title.
fn find(words: &[String], exact: bool, full: bool) -> Result<Vec<Case>, String> {
    let (places, filters): (Vec<_>, Vec<_>) =
        words.iter().partition(|it| it.contains('/') || it.ends_with(".txt"));
    let mut files = Vec::new();
    for place in places {
        files.extend(texts(Path::new(place))?);
    }
    if files.is_empty() {
        files = texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("attacks/cases"))?;
    }
    let mut found = Vec::new();
    for file in files {
        let name = file.display().to_string();
        let text = fs::read_to_string(&file).map_err(|error| format!("{name}: {error}"))?;
        found.extend(cases(&name, &text, full)?);
    }
    let is_about = |case: &Case, word: &str| {
        let whole = format!("{} {}", case.id, case.title);
        let is_id = word.chars().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit());
        match (exact, is_id) {
            (true, _) => whole == word,
            (false, true) => case.id.starts_with(word),
            (false, false) => whole.contains(word),
        }
    };
    found.retain(|case| filters.is_empty() || filters.iter().any(|it| is_about(case, it)));
    Ok(found)
}

/// A file, or all files of cases in a folder, in the order of their names.
fn texts(place: &Path) -> Result<Vec<PathBuf>, String> {
    let told = |error| format!("{}: {error}", place.display());
    if !place.is_dir() {
        return Ok(vec![place.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(place).map_err(told)? {
        let file = entry.map_err(told)?.path();
        if file.extension().is_some_and(|it| it == "txt") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn behind(word: &str) -> Result<Vec<Behind>, String> {
    let all = Behind::ALL.into_iter();
    let chosen: Vec<_> = all.filter(|it| word == "all" || word == it.as_str()).collect();
    if chosen.is_empty() { Err(format!("behind whom?\n{USAGE}")) } else { Ok(chosen) }
}

const USAGE: &str = "usage: attacks [--behind recorder|prosody|ejabberd|all] [--times N] [--full] [--list] \
                     [FOLDER | FILE.txt | CASE | WORD ...]";
