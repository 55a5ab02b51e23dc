use std::collections::HashSet;

use ligase_verifier::Domain;

/// The domains that our own server serves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Hosted {
    /// Exactly these.
    Only(HashSet<Domain>),
    /// Whatever our server says it serves when a stream to it is opened: it alone knows.
    Ask,
}

impl Hosted {
    /// Whether `domain` is served here for certain.
    pub fn contains(&self, domain: &Domain) -> bool {
        match self {
            Self::Only(domains) => domains.contains(domain),
            Self::Ask => false,
        }
    }

    /// Whether a stream for `domain` may be offered to our server.
    pub fn may_contain(&self, domain: &Domain) -> bool {
        match self {
            Self::Only(domains) => domains.contains(domain),
            Self::Ask => true,
        }
    }
}

#[cfg(test)]
mod tests;
