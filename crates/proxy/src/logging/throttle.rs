use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::stream::Violation;

/// Lets so many lines a second through for each kind of violation, and counts the others.
///
/// Whoever can make us write a line for each of their packets fills our disk. The kinds are a
/// closed list, so this does not grow.
#[derive(Clone, Debug)]
pub struct Throttle {
    lines_max: usize,
    kinds: HashMap<Violation, Kind>,
}

/// A line that may be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "the line is counted as written"]
pub struct Admitted {
    /// How many lines of its kind were not, since the last that was.
    pub suppressed: u64,
}

/// What is remembered of one kind.
#[derive(Clone, Debug, Default)]
struct Kind {
    /// When the last lines were written; at most as many as a second may have.
    written: VecDeque<Instant>,
    suppressed: u64,
}

impl Throttle {
    /// Lets `lines_max` lines of each kind through in any one second.
    pub fn new(lines_max: usize) -> Self {
        Self { lines_max, kinds: HashMap::new() }
    }

    /// Whether a line about `violation` may be written `now`.
    pub fn admit(&mut self, violation: Violation, now: Instant) -> Option<Admitted> {
        let kind = self.kinds.entry(violation).or_default();
        while let Some(first) = kind.written.front()
            && SECOND <= now.saturating_duration_since(*first)
        {
            kind.written.pop_front();
        }
        if self.lines_max <= kind.written.len() {
            kind.suppressed += 1;
            return None;
        }
        kind.written.push_back(now);
        let suppressed = std::mem::take(&mut kind.suppressed);
        Some(Admitted { suppressed })
    }
}

impl Default for Throttle {
    /// Ten lines a second: enough to see what goes on, and who does it.
    fn default() -> Self {
        Self::new(10)
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
