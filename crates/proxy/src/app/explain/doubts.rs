use std::collections::HashMap;
use std::time::SystemTime;

use ligase_verifier::Domain;

/// Why those were not believed who came and claimed to be somebody, domain by domain.
///
/// Whoever comes chooses the domain, so no more are kept than [`DOUBTS_MAX`]; the oldest is
/// forgotten first.
#[derive(Clone, Debug, Default)]
pub(super) struct Doubts {
    known: HashMap<Domain, (u64, Doubt)>,
    count: u64,
}

/// Why somebody was not believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Doubt {
    /// When.
    pub(super) at: SystemTime,
    /// What was found: `unproven`, `refuted` or `undetermined`.
    pub(super) result: &'static str,
    /// Why, of a closed set.
    pub(super) reason: &'static str,
}

impl Doubts {
    /// Notes that somebody who claimed to be `domain` was not believed.
    pub(super) fn note(&mut self, domain: &Domain, doubt: Doubt) {
        if DOUBTS_MAX <= self.known.len() && !self.known.contains_key(domain) {
            let oldest = self.known.iter().min_by_key(|(_, (number, _))| *number);
            if let Some(oldest) = oldest.map(|(domain, _)| domain.clone()) {
                self.known.remove(&oldest);
            }
        }
        self.count += 1;
        self.known.insert(domain.clone(), (self.count, doubt));
    }

    /// Notes that `domain` was proven: what was doubted before is settled.
    pub(super) fn settle(&mut self, domain: &Domain) {
        self.known.remove(domain);
    }

    /// Why whoever claimed to be `domain` was not believed last.
    pub(super) fn of(&self, domain: &Domain) -> Option<Doubt> {
        self.known.get(domain).map(|(_, doubt)| *doubt)
    }
}

/// Domains at a time, at some 200 bytes each: more than an operator asks for.
const DOUBTS_MAX: usize = 1024;

#[cfg(test)]
mod tests;
