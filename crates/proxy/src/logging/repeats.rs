use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Tells the first of equal failures from those that only repeat it for a while.
///
/// A peer that is gone fails as often as anybody writes to it; what an operator wants is one line
/// that says so, and to see that it still says so. Whoever makes us fail in ever new ways gets no
/// more than so many first lines a second for each reason.
#[derive(Clone, Debug)]
pub struct Repeats<K> {
    known: HashMap<K, Vec<Failure>>,
    /// When the last first lines were written, by reason; at most as many as a second may have.
    written: HashMap<&'static str, VecDeque<Instant>>,
}

/// A failure that was told, and how often it was met again.
#[derive(Clone, Copy, Debug)]
struct Failure {
    reason: &'static str,
    first: Instant,
    repeated: u64,
}

/// What a failure is worth.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "the line is counted as written"]
pub enum Worth {
    /// A line that somebody should see. It was met so many times without one.
    First {
        /// How often.
        repeated: u64,
    },
    /// It was told not long ago, and this is the so-manieth time since.
    Again {
        /// How often.
        repeated: u64,
    },
}

impl<K: Clone + Eq + Hash> Repeats<K> {
    /// What it is worth that this fails for this reason `now`.
    pub fn fails(&mut self, key: &K, reason: &'static str, now: Instant) -> Worth {
        let age = |first: Instant| now.saturating_duration_since(first);
        let failures = self.known.get_mut(key);
        let failure = failures.and_then(|all| all.iter_mut().find(|it| it.reason == reason));
        let repeated = match failure {
            Some(failure) if age(failure.first) < AGAIN => {
                failure.repeated += 1;
                return Worth::Again { repeated: failure.repeated };
            }
            Some(failure) => failure.repeated,
            None => 0,
        };
        let written = self.written.entry(reason).or_default();
        while let Some(first) = written.front()
            && SECOND <= age(*first)
        {
            written.pop_front();
        }
        if LINES_MAX <= written.len() {
            return Worth::Again { repeated };
        }
        written.push_back(now);
        self.remember(key, Failure { reason, first: now, repeated: 0 });
        Worth::First { repeated }
    }

    /// It works: when it fails again, that is news.
    pub fn works(&mut self, key: &K) {
        self.known.remove(key);
    }

    fn remember(&mut self, key: &K, failure: Failure) {
        if KEYS_MAX <= self.known.len() && !self.known.contains_key(key) {
            let latest = |all: &[Failure]| all.iter().map(|it| it.first).max();
            let oldest = self.known.iter().min_by_key(|(_, all)| latest(all));
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.known.remove(&oldest);
            }
        }
        let failures = self.known.entry(key.clone()).or_default();
        failures.retain(|it| it.reason != failure.reason);
        if REASONS_MAX <= failures.len() {
            failures.remove(0);
        }
        failures.push(failure);
    }
}

impl<K> Default for Repeats<K> {
    fn default() -> Self {
        Self { known: HashMap::new(), written: HashMap::new() }
    }
}

/// How long it is no news that something fails: five minutes, the time for which a server that
/// cannot reach a peer leaves it alone.
const AGAIN: Duration = Duration::from_secs(300);

const SECOND: Duration = Duration::from_secs(1);

/// First lines a second for a reason, of which there are a few dozen. It is half of what a reason may
/// have altogether, so that what is told first is written, too.
const LINES_MAX: usize = 5;

/// What is known to fail at a time, some 200 bytes each. Of more, the oldest are news again.
const KEYS_MAX: usize = 1_024;

/// Reasons of one: those of each of its servers, and some.
const REASONS_MAX: usize = 8;

#[cfg(test)]
mod tests;
