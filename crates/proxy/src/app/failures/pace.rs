use std::time::{Duration, SystemTime};

use ligase_verifier::Domain;

use super::memory::parent;

/// Lets so many lines a second through, and one a second about the names below one parent.
///
/// Whoever gives out names without end has ever new ones that fail. What gets no line is
/// remembered like all others.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// What the last lines were about, and when; at most as many as a second may have.
    told: Vec<(String, SystemTime)>,
}

impl Pace {
    /// Lines a second: more than anybody reads, and far less than a disk holds.
    const LINES_MAX: usize = 20;

    /// Whether there may be a line about this domain, which is then counted as written.
    pub(super) fn admits(&mut self, domain: &Domain, at: SystemTime) -> bool {
        // A clock that was set back is no reason to be silent until it catches up.
        self.told.retain(|(_, then)| at.duration_since(*then).is_ok_and(|age| age < SECOND));
        let parent = parent(domain);
        if Self::LINES_MAX <= self.told.len() || self.told.iter().any(|(it, _)| it == parent) {
            return false;
        }
        self.told.push((parent.to_owned(), at));
        true
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
