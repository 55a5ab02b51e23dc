//! The file exactly as it is written. The only room that has heard of YAML.
//!
//! A mapping is read key by key, not by a derived type, because the operator is owed *every*
//! problem at once and each by its full key: a derived type stops at the first. What nobody has
//! read in the end is an unknown key.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::RangeInclusive;

use serde_yaml::{Mapping, Value};

use super::Error;

/// The problems found so far, in the order of the file's keys as we read them.
#[derive(Debug, Default)]
pub(super) struct Problems(RefCell<Vec<Error>>);

impl Problems {
    /// Adds one.
    pub(super) fn add(&self, key: impl Into<String>, problem: impl Display) {
        self.0.borrow_mut().push(Error::at(key, problem));
    }

    /// Whether there are any.
    pub(super) fn any(&self) -> bool {
        !self.0.borrow().is_empty()
    }

    /// All of them.
    pub(super) fn into_vec(self) -> Vec<Error> {
        self.0.into_inner()
    }
}

/// One mapping of the file, and what of it nobody has read yet.
#[derive(Debug)]
pub(super) struct Section<'a> {
    path: String,
    entries: Mapping,
    known: Vec<&'static str>,
    problems: &'a Problems,
}

impl<'a> Section<'a> {
    /// The whole file. Text that is no mapping is a problem, and reads as an empty one.
    pub(super) fn parse(text: &str, problems: &'a Problems) -> Self {
        let value = match serde_yaml::from_str(text) {
            Ok(value) => value,
            Err(error) => {
                problems.add(FILE, format!("{error}: {YAML}"));
                Value::Null
            }
        };
        Self::of(String::new(), value, problems)
    }

    fn of(path: String, value: Value, problems: &'a Problems) -> Self {
        let entries = match value {
            Value::Mapping(entries) => entries,
            Value::Null => Mapping::new(),
            Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Sequence(_)
            | Value::Tagged(_) => {
                let key = if path.is_empty() { FILE } else { &path };
                problems.add(key, "write `key: value` lines here");
                Mapping::new()
            }
        };
        Self { path, entries, known: Vec::new(), problems }
    }

    /// The full name of a key.
    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Adds a problem with a key.
    pub(super) fn problem(&self, key: &str, problem: impl Display) {
        self.problems.add(self.path(key), problem);
    }

    /// Takes what is written for a key. Nothing, `null` and `~` are the same: not written.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.entries.shift_remove(key).filter(|it| !it.is_null())
    }

    /// The mapping below a key; empty if there is none.
    pub(super) fn section(&mut self, key: &'static str) -> Self {
        let value = self.take(key).unwrap_or(Value::Null);
        Self::of(self.path(key), value, self.problems)
    }

    /// A mapping that stands somewhere else in this one.
    pub(super) fn within(&self, path: String, value: Value) -> Self {
        Self::of(path, value, self.problems)
    }

    /// Reads text as a value of its own type; a problem is reported and reads as nothing.
    pub(super) fn text<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.take(key)?;
        match written(&value).and_then(|text| read(&text)) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.problem(key, problem);
                None
            }
        }
    }

    /// Like [`text`](Self::text), for a key that must be written; `cure` says what.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        cure: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if self.entries.get(key).is_none_or(Value::is_null) {
            self.known.push(key);
            self.problem(key, format!("is missing: {cure}"));
            self.entries.shift_remove(key);
            return None;
        }
        self.text(key, read)
    }

    /// Reads one text or a list of them; `None` when nothing is written at all.
    pub(super) fn texts<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let value = self.take(key)?;
        Some(self.each(&self.path(key), value, read))
    }

    /// Reads one text or a list of them, reporting each that is wrong.
    pub(super) fn each<T>(
        &self,
        path: &str,
        value: Value,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let (values, single) =
            if let Value::Sequence(values) = value { (values, false) } else { (vec![value], true) };
        let mut read_so_far = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            match written(value).and_then(|text| read(&text)) {
                Ok(value) => read_so_far.push(value),
                Err(problem) if single => self.problems.add(path, problem),
                Err(problem) => self.problems.add(format!("{path}[{index}]"), problem),
            }
        }
        read_so_far
    }

    /// Reads a word of a closed list.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: &'static str,
        all: &[T],
        as_str: fn(T) -> &'static str,
        default: T,
    ) -> T {
        self.text(key, |text| one_of(text, all, as_str)).unwrap_or(default)
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let Some(value) = self.take(key) else {
            return default;
        };
        value.as_bool().unwrap_or_else(|| {
            self.problem(key, "write true or false");
            default
        })
    }

    /// Reads a whole number within bounds.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        default: u64,
        bounds: RangeInclusive<u64>,
    ) -> u64 {
        let Some(value) = self.take(key) else {
            return default;
        };
        match value.as_u64().filter(|number| bounds.contains(number)) {
            Some(number) => number,
            None => {
                let (min, max) = bounds.into_inner();
                self.problem(key, format!("must be a whole number from {min} to {max}"));
                default
            }
        }
    }

    /// Whether anything is written for a key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.get(key).is_some_and(|it| !it.is_null())
    }

    /// Whether `null` is written for a key, and not nothing.
    pub(super) fn is_null(&self, key: &str) -> bool {
        self.entries.get(key).is_some_and(Value::is_null)
    }

    /// What is left, as pairs of texts, for a mapping whose keys the operator chooses.
    pub(super) fn pairs(&mut self) -> Vec<(String, String)> {
        let mut pairs = Vec::with_capacity(self.entries.len());
        for (key, value) in std::mem::take(&mut self.entries) {
            match (written(&key), written(&value)) {
                (Ok(key), Ok(value)) => pairs.push((key, value)),
                (Ok(key), Err(problem)) => self.problem(&format!("{key:?}"), problem),
                (Err(_), _) => self.problems.add(&self.path, "write a name before the colon"),
            }
        }
        pairs
    }

    /// Reports every key that nobody has read.
    pub(super) fn finish(self) {
        for key in self.entries.keys() {
            let Ok(key) = written(key) else {
                self.problem("?", "write a name before the colon");
                continue;
            };
            let known = self.known.join(", ");
            let problem = match nearest(&key, &self.known) {
                Some(meant) => format!("unknown key; did you mean `{}`?", self.path(meant)),
                None => format!("unknown key; known are {known}"),
            };
            // An operator's own words, but they may have been pasted from anywhere.
            self.problem(&key.escape_debug().to_string(), problem);
        }
    }
}

/// What is mostly wrong with text that is no YAML.
const YAML: &str = "mind the indentation, and quote what has `*`, `: ` or ` #` in it";

/// What stands for the key when the file as a whole is wrong.
pub(super) const FILE: &str = "(file)";

/// A scalar as text, so that `address: 5` and `"5"` read alike.
fn written(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => {
            Err("write one text here, no list or mapping".to_owned())
        }
    }
}

/// Reads a word of a closed list.
pub(super) fn one_of<T: Copy>(
    text: &str,
    all: &[T],
    as_str: fn(T) -> &'static str,
) -> Result<T, String> {
    all.iter().copied().find(|it| as_str(*it) == text).ok_or_else(|| {
        let words: Vec<_> = all.iter().map(|it| as_str(*it)).collect();
        format!("{text:?} is not one of {}", words.join(", "))
    })
}

/// The known key that differs least, if it differs little.
fn nearest(key: &str, known: &[&'static str]) -> Option<&'static str> {
    known
        .iter()
        .map(|it| (distance(key, it), *it))
        .min()
        .filter(|(distance, it)| distance * 2 <= it.len())
        .map(|(_, it)| it)
}

/// The number of letters to change, add or drop (Levenshtein); keys are short.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().take(DISTANCE_LETTERS_MAX).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[right.len()]
}

/// More letters than any key of ours has; a longer word is no slip of the pen.
const DISTANCE_LETTERS_MAX: usize = 64;
