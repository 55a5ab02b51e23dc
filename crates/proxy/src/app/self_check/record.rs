use std::collections::BTreeMap;
use std::time::SystemTime;

use ligase_verifier::Domain;
use serde_json::{Value, json};

use super::judgment::{Check, Kind, Outcome};
use crate::app::views::timestamp;

/// What came of looking at our own domains.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    /// When all were looked at last; none if they never were.
    pub(super) at: Option<SystemTime>,
    /// When they will be again; none if they will not.
    pub(super) next: Option<SystemTime>,
    domains: BTreeMap<Domain, Vec<Check>>,
    /// What was told to be wrong and is not known to be right since.
    warned: BTreeMap<Domain, Vec<(Kind, Outcome)>>,
}

/// What there is to say of a domain or of all.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum State {
    /// Somebody has to do something.
    Failing,
    /// Something could not be looked up.
    Unknown,
    /// All is well.
    Ok,
}

/// What has changed with a domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Change {
    /// This is wrong now, and was not before.
    Broken(Domain, Vec<Check>),
    /// Nothing is wrong any more.
    Mended(Domain),
}

impl Record {
    /// Notes what was found out about all domains, and tells what has changed since.
    ///
    /// What could not be looked up this time is neither broken nor mended.
    pub(super) fn note(&mut self, found: BTreeMap<Domain, Vec<Check>>) -> Vec<Change> {
        self.warned.retain(|domain, _| found.contains_key(domain));
        let mut changes = Vec::new();
        for (domain, checks) in &found {
            let wrong: Vec<_> = checks.iter().filter(|it| it.outcome.is_failure()).collect();
            let is: Vec<_> = wrong.iter().map(|it| (it.kind, it.outcome)).collect();
            if !is.is_empty() {
                let was = self.warned.insert(domain.clone(), is.clone()).unwrap_or_default();
                if is.iter().any(|it| !was.contains(it)) {
                    let wrong = wrong.into_iter().cloned().collect();
                    changes.push(Change::Broken(domain.clone(), wrong));
                }
            } else if state(checks) == State::Ok && self.warned.remove(domain).is_some() {
                changes.push(Change::Mended(domain.clone()));
            }
        }
        self.domains = found;
        changes
    }

    /// In how many domains something is wrong of this kind.
    pub(super) fn failures(&self, kind: Kind) -> usize {
        let wrong = |it: &&Check| it.kind == kind && it.outcome.is_failure();
        self.domains.values().filter(|checks| checks.iter().any(|it| wrong(&it))).count()
    }

    /// Whether something could not be looked up.
    pub(super) fn is_unknown(&self) -> bool {
        self.domains.values().flatten().any(|it| it.outcome == Outcome::Unknown)
    }

    /// All of it as JSON, the failing first.
    pub(super) fn show(&self) -> Value {
        let mut domains: Vec<_> = self.domains.iter().collect();
        domains.sort_by_key(|(_, checks)| state(checks));
        let all = match domains.first() {
            None => "not-run",
            Some((_, checks)) => state(checks).as_str(),
        };
        let shown: Vec<_> = domains
            .iter()
            .take(DOMAINS_MAX)
            .map(|(domain, checks)| {
                json!({
                    "domain": domain.as_str(),
                    "result": state(checks).as_str(),
                    "checks": checks.iter().map(check).collect::<Vec<_>>(),
                })
            })
            .collect();
        json!({
            "version": VERSION,
            "at": self.at.and_then(timestamp),
            "next_at": self.next.and_then(timestamp),
            "result": all,
            "domains": shown,
            "left_out": domains.len().saturating_sub(DOMAINS_MAX),
        })
    }
}

fn check(check: &Check) -> Value {
    json!({
        "check": check.kind.as_str(),
        "result": check.outcome.as_str(),
        "text": check.text,
        "fix": check.fix,
    })
}

fn state(checks: &[Check]) -> State {
    if checks.iter().any(|it| it.outcome.is_failure()) {
        State::Failing
    } else if checks.is_empty() || checks.iter().any(|it| it.outcome == Outcome::Unknown) {
        State::Unknown
    } else {
        State::Ok
    }
}

impl State {
    /// As programs read it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Unknown => "unknown",
            Self::Ok => "ok",
        }
    }
}

/// Of the form. One that lacks or renames a field would be another.
const VERSION: u32 = 1;

/// More than anybody mends in a day.
const DOMAINS_MAX: usize = 200;

#[cfg(test)]
mod tests;
