use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use tracing::Metadata;
use tracing::callsite::Identifier;

/// Lets so many lines a second through for each reason, and counts the others.
///
/// Whoever can have us write a line for each of their packets fills our disk. Each reason has
/// places of its own, so that no noise about one thing hides another; and no line takes all of
/// them, so that what is said of one reason by one part is not silenced by another that is loud.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    /// What is said at the levels that are for every day, by reason.
    news: HashMap<String, Places>,
    /// What is said at the levels that somebody has asked for.
    details: HashMap<String, Places>,
}

/// A line that may be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Admitted {
    /// How many like it were not, since the last that was.
    pub(super) suppressed: u64,
}

/// What is remembered of one reason.
#[derive(Debug, Default)]
struct Places {
    /// Which lines were written in the last second, and when; no more than a second may have.
    written: Vec<(SystemTime, Identifier)>,
    /// How often each line was not, of which there are no more than the program has.
    suppressed: HashMap<Identifier, u64>,
}

impl Throttle {
    /// Whether a line about `reason` may be written `now`.
    pub(super) fn admit(
        &mut self,
        reason: &str,
        line: &Metadata<'_>,
        now: SystemTime,
    ) -> Option<Admitted> {
        let is_news = *line.level() <= tracing::Level::INFO;
        let (reasons, most) = match is_news {
            true => (&mut self.news, NEWS_MAX),
            false => (&mut self.details, DETAILS_MAX),
        };
        // Reasons are words of ours. Should they ever not be, all that are too many share one place.
        let known = reasons.contains_key(reason) || reasons.len() < REASONS_MAX;
        let reason = if known { reason } else { "" };
        if !reasons.contains_key(reason) {
            reasons.insert(reason.to_owned(), Places::default());
        }
        reasons.get_mut(reason)?.admit(&line.callsite(), most, now)
    }
}

impl Places {
    fn admit(&mut self, line: &Identifier, most: usize, now: SystemTime) -> Option<Admitted> {
        // A clock that was set back is no reason to be silent until it catches up.
        self.written.retain(|(then, _)| now.duration_since(*then).is_ok_and(|age| age < SECOND));
        let is_loud = self.written.iter().any(|(_, it)| it == line);
        let most = if is_loud { most - KEPT } else { most };
        if most <= self.written.len() {
            *self.suppressed.entry(line.clone()).or_default() += 1;
            return None;
        }
        self.written.push((now, line.clone()));
        Some(Admitted { suppressed: self.suppressed.remove(line).unwrap_or_default() })
    }
}

/// Lines a second about one reason: enough to see what goes on, and who does it.
const NEWS_MAX: usize = 10;

/// The same for what somebody has asked for, who wants to see more of it.
const DETAILS_MAX: usize = 100;

/// Of these, so many are for lines that have not been written in this second.
const KEPT: usize = 2;

/// Several times as many as we have.
const REASONS_MAX: usize = 1_024;

const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
