use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use ligase_verifier::Domain;

use super::memory::parent;

/// Lets so many lines a second through for each reason, and one of them about the names below one
/// parent.
///
/// Whoever gives out names without end has ever new ones that fail. What gets no line is
/// remembered like all others.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// What the last lines were about, by reason, and when; at most as many as a second may have.
    told: HashMap<&'static str, Vec<(String, SystemTime)>>,
}

impl Pace {
    /// Lines a second for a reason, of which there are a few dozen. It is half of what a reason may
    /// have altogether, so that what is let through is written, too.
    const LINES_MAX: usize = 5;

    /// Whether there may be a line about this domain, which is then counted as written.
    pub(super) fn admits(&mut self, reason: &'static str, domain: &Domain, at: SystemTime) -> bool {
        let told = self.told.entry(reason).or_default();
        // A clock that was set back is no reason to be silent until it catches up.
        told.retain(|(_, then)| at.duration_since(*then).is_ok_and(|age| age < SECOND));
        let parent = parent(domain);
        if Self::LINES_MAX <= told.len() || told.iter().any(|(it, _)| it == parent) {
            return false;
        }
        told.push((parent.to_owned(), at));
        true
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
