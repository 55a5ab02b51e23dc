//! What an operator is told of a failure, wherever he looks.

use std::time::Duration;

use ligase_tests::peer::program;
use ligase_tests::{Ligase, OrFail};
use serde_json::Value;

use super::Failure;

/// What is told of one failure, word for word.
pub(super) struct Told {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    /// What mends it, in the document's words.
    pub(super) done: &'static str,
    pub(super) local: String,
    pub(super) remote: String,
    /// What the sender's client showed.
    pub(super) heard: String,
    /// The line of the log, and the one that follows it.
    pub(super) log: String,
    pub(super) cure: String,
    /// What `ligase explain` prints for people.
    pub(super) text: String,
    /// The direction that fails, as `ligase explain` tells it to programs.
    way: Value,
    /// The entry of `/failures`, and that of `/status`.
    entries: [Value; 2],
}

impl Told {
    /// Looks everywhere.
    pub(super) fn collect(ligase: &Ligase, failure: &Failure, heard: String) -> Self {
        let (local, remote) = (failure.local, failure.remote);
        let line = format!("local={local} remote={remote} reason=");
        let side = if failure.is_outbound { "side=public" } else { "side=backend" };
        let log = ligase.log().hear(&format!("no way out for a pair {side} {line}"), SOON);
        let cure = ligase.log().hear(&format!("what to do about it {side} {line}"), SOON);
        let explain = |more: &[&str]| {
            let arguments = [&["explain", local, remote], more].concat();
            ligase.host().run(&program("ligase"), &arguments)
        };
        let text = explain(&[]);
        let json: Value = serde_json::from_str(&explain(&["-o", "json"])).or_fail("read JSON");
        let way = json["directions"][usize::from(!failure.is_outbound)].clone();
        let entries = ["/failures", "/status"].map(|path| entry(&ligase.json(path), failure));
        let [local, remote] = [local, remote].map(str::to_owned);
        let Failure { name, label, done, .. } = *failure;
        Self { name, label, done, local, remote, heard, log, cure, text, way, entries }
    }

    /// All of it tells the true cause, and the cure.
    pub(super) fn assert_true(&self, failure: &Failure) {
        let label = failure.label;
        assert!(self.heard.contains(failure.heard), "{}", self.heard);
        assert!(self.log.ends_with(&format!("reason={label}")), "{label}: {}", self.log);
        let search = &self.way["last_search"];
        assert_eq!(search["reason"]["label"], label, "{:#}", self.way);
        let advice = self.advice();
        for word in failure.advice {
            assert!(advice.contains(word), "{label}: {word:?} is not in: {advice}");
        }
        for place in [&self.text, &self.cure] {
            assert!(place.contains(advice), "{advice:?} is not in:\n{place}");
        }
        for entry in &self.entries {
            assert_eq!(entry["reason"]["label"], label, "{entry:#}");
            assert_eq!(entry["advice"], advice, "{entry:#}");
            assert_ne!(entry["count"], 0, "{entry:#}");
        }
    }

    /// What the operator is told to do.
    pub(super) fn advice(&self) -> &str {
        self.way["advice"].as_str().unwrap_or_default()
    }

    /// Nothing is told of it any more.
    pub(super) fn assert_over(&self, ligase: &Ligase, failure: &Failure) {
        let path = format!("/explain?local={}&remote={}", self.local, self.remote);
        let told = ligase.json(&path);
        let way = &told["directions"][usize::from(!failure.is_outbound)];
        assert_eq!(way["state"], "carried", "{way:#}");
        assert_eq!(way["advice"], Value::Null, "{way:#}");
        for path in ["/failures", "/failures"] {
            let left = find(&ligase.json(path), failure);
            assert_eq!(left, None, "{path}");
        }
    }
}

/// Enough for a line to be heard.
const SOON: Duration = Duration::from_secs(5);

fn entry(told: &Value, failure: &Failure) -> Value {
    find(told, failure).or_fail(&format!("find {} in {told:#}", failure.remote))
}

/// What is told of the failing direction of a pair.
fn find(told: &Value, failure: &Failure) -> Option<Value> {
    let direction = if failure.is_outbound { "outbound" } else { "inbound" };
    let mut all = told["failures"].as_array().into_iter().flatten();
    let found = all.find(|it| {
        it["local"] == failure.local
            && it["remote"] == failure.remote
            && it["direction"] == direction
    });
    found.cloned()
}
