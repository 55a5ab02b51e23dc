//! What was asked for on the command line.

use std::fs;
use std::path::{Path, PathBuf};

use crate::backend::Behind;
use crate::case::{Case, cases};
use crate::words::no_such;

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
    /// Reads the arguments. Those that any test program may be called with are understood, or
    /// passed over where they mean nothing here; all others are refused.
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
            // Cargo's own options may be written in one word.
            let (option, given) = match argument.split_once('=') {
                Some((option, value)) if option.starts_with("--") => {
                    (option, Some(value.to_owned()))
                }
                Some(_) | None => (argument.as_str(), None),
            };
            let mut value = || {
                let value = given.clone().or_else(|| arguments.next());
                value.ok_or_else(|| format!("{option} what?\n{USAGE}"))
            };
            match option {
                "--behind" => asked.behind = behind(&value()?)?,
                "--times" => {
                    let times = value()?.parse().ok().filter(|it| 0 < *it);
                    asked.times = times.ok_or_else(|| format!("how often?\n{USAGE}"))?;
                }
                "--list" => asked.list = true,
                "--full" => asked.full = true,
                "--exact" => exact = true,
                "--help" | "-h" => return Err(USAGE.to_owned()),
                _ if OF_ALL_WITH_VALUES.contains(&option) => drop(value()?),
                _ if OF_ALL.contains(&option) => (),
                _ if option.starts_with('-') => {
                    return Err(format!("{}\n{USAGE}", no_such("option", option, &OURS)));
                }
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
    let (mut files, mut filters) = (Vec::new(), Vec::new());
    for word in words {
        match place(word)? {
            Some(place) => files.extend(texts(&place)?),
            None => filters.push(word),
        }
    }
    if files.is_empty() {
        files = texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("attacks/cases"))?;
    }
    let mut found = Vec::new();
    for file in files {
        let name = file.display().to_string();
        let text = fs::read_to_string(&file).map_err(|error| format!("{name}: {error}"))?;
        let cases = cases(&name, &text, full)?;
        if cases.is_empty() {
            return Err(format!("{name}: no case is there"));
        }
        found.extend(cases);
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
    // Whoever asks for what is not there must not take it for played.
    if let Some(word) = filters.iter().find(|word| !found.iter().any(|it| is_about(it, word))) {
        return Err(format!("no case is about {word:?}"));
    }
    found.retain(|case| filters.is_empty() || filters.iter().any(|it| is_about(case, it)));
    Ok(found)
}

/// The file or folder that a word names, if it names one: from where this program was started, which
/// cargo does in the package's folder; from where cargo was; or from the top of the project.
fn place(word: &str) -> Result<Option<PathBuf>, String> {
    let stands = std::env::var_os("PWD").map(PathBuf::from).unwrap_or_default();
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let found = [PathBuf::new(), stands, top].into_iter().map(|it| it.join(word));
    match found.into_iter().find(|it| it.exists()) {
        Some(place) => Ok(Some(place)),
        None if word.contains('/') || word.ends_with(".txt") => {
            Err(format!("{word}: no such file or folder, here or at the top of the project"))
        }
        None => Ok(None),
    }
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
    if files.is_empty() {
        return Err(format!("{}: no file of cases (.txt) is there", place.display()));
    }
    files.sort();
    Ok(files)
}

fn behind(word: &str) -> Result<Vec<Behind>, String> {
    let all = Behind::ALL.into_iter();
    let chosen: Vec<_> = all.filter(|it| word == "all" || word == it.as_str()).collect();
    if chosen.is_empty() { Err(format!("behind whom?\n{USAGE}")) } else { Ok(chosen) }
}

/// What only this program knows.
const OURS: [&str; 6] = ["--behind", "--times", "--list", "--full", "--exact", "--help"];

/// What cargo may tell any test program, and means nothing here.
const OF_ALL: [&str; 13] = [
    "--nocapture",
    "--no-capture",
    "--quiet",
    "-q",
    "--verbose",
    "-v",
    "--show-output",
    "--include-ignored",
    "--ignored",
    "--test",
    "--bench",
    "--fail-fast",
    "--shuffle",
];

/// The same, with a value.
const OF_ALL_WITH_VALUES: [&str; 7] =
    ["--test-threads", "--format", "--color", "--skip", "--logfile", "--shuffle-seed", "-Z"];

const USAGE: &str = "usage: attacks [--behind recorder|prosody|ejabberd|all] [--times N] [--full] [--list] \
                     [FOLDER | FILE.txt | CASE | WORD ...]";
