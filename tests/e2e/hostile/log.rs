//! Log: what was written while strangers did as they liked.

use std::collections::BTreeMap;

use ligase_tests::flood::FORGED;
use serde_json::{Map, Value};

/// Every line of a log, read.
pub(super) struct Audit(Vec<Map<String, Value>>);

impl Audit {
    /// Reads the lines, each of which must be one JSON object of printable ASCII, and short.
    pub(super) fn of(lines: &[String]) -> Self {
        let read = lines.iter().map(|line| {
            assert!(line.len() < LINE_BYTES_MAX, "{} bytes: {line:.200}", line.len());
            assert!(line.bytes().all(|it| (b' '..=b'~').contains(&it)), "{line:?}");
            match serde_json::from_str(line) {
                Ok(Value::Object(fields)) => fields,
                read => panic!("no object: {read:?}: {line}"),
            }
        });
        let read: Vec<_> = read.collect();
        assert!(100 < read.len(), "only {} lines", read.len());
        Self(read)
    }

    /// Whatever a name said, no line, level, message or field came of it.
    pub(super) fn nothing_is_forged(&self) {
        for line in &self.0 {
            let ours = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default();
            assert_ne!(ours("level"), "ERROR", "{line:?}");
            for key in ["timestamp", "level", "target", "message", "reason"] {
                assert!(!ours(key).contains(FORGED), "{key}: {line:?}");
            }
            for (key, value) in line {
                assert!(!key.contains(FORGED), "{line:?}");
                let length = value.as_str().map_or(0, str::len);
                assert!(length <= VALUE_BYTES_MAX, "{key} has {length} bytes: {line:?}");
            }
        }
    }

    /// Counts the lines of each reason in each second of their own times; those without a reason go by
    /// their message. Which of them come first is nobody's business.
    pub(super) fn no_second_has_too_many(&self) {
        let mut counts = BTreeMap::<(String, String), u32>::new();
        for line in &self.0 {
            let text = |key: &str| line.get(key).and_then(Value::as_str);
            let second = text("timestamp").and_then(|it| it.split('.').next()).unwrap_or_default();
            let about = text("reason").or_else(|| text("message")).unwrap_or_default();
            *counts.entry((second.to_owned(), about.to_owned())).or_default() += 1;
        }
        let most = counts.iter().max_by_key(|(_, count)| **count);
        assert!(most.is_some_and(|(_, count)| *count <= LINES_MAX), "{most:?}");
    }

    /// Whatever rule was broken, there is a line about it, and no more was left out than there was.
    pub(super) fn nobody_is_silenced(&self, counted: &BTreeMap<String, f64>) {
        for (reason, count) in counted {
            let lines = self.0.iter().filter(|line| {
                line.get("message").is_some_and(|it| it == "violation")
                    && line.get("reason").is_some_and(|it| it == reason.as_str())
            });
            let told: u64 = lines
                .map(|line| 1 + line.get("suppressed").and_then(Value::as_u64).unwrap_or_default())
                .sum();
            assert!(0 < told, "not a word of {reason}");
            assert!(told as f64 <= *count, "{reason}: {told} were told, {count} counted");
        }
    }
}

/// Lines a second about one thing.
const LINES_MAX: u32 = 10;

/// Of one line, its end included.
const LINE_BYTES_MAX: usize = 4_096;

/// Of one value, as it was before it was escaped.
const VALUE_BYTES_MAX: usize = 256;
