use std::collections::{HashMap, HashSet};

use ligase_verifier::Domain;

use super::{DomainPair, Home};

/// The domains that our own servers serve, and which of them serves which.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Hosted {
    /// Exactly these.
    Only(Residents),
    /// Whatever our server, of which there is only one then, says it serves when a stream to it is
    /// opened: it alone knows.
    Ask,
}

/// Domains, each with the server of ours that it is at home on.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Residents {
    homes: HashMap<Domain, Home>,
    are_apart: bool,
}

impl Residents {
    /// All of them on one server.
    pub fn of(domains: impl IntoIterator<Item = Domain>, home: &Home) -> Self {
        domains.into_iter().map(|domain| (domain, home.clone())).collect()
    }

    /// Whether `domain` is one of them.
    pub fn contains(&self, domain: &Domain) -> bool {
        self.homes.contains_key(domain)
    }
}

impl FromIterator<(Domain, Home)> for Residents {
    fn from_iter<T: IntoIterator<Item = (Domain, Home)>>(residents: T) -> Self {
        let homes: HashMap<_, _> = residents.into_iter().collect();
        let are_apart = 1 < homes.values().collect::<HashSet<_>>().len();
        Self { homes, are_apart }
    }
}

impl Hosted {
    /// Whether `domain` is served here for certain.
    pub fn contains(&self, domain: &Domain) -> bool {
        match self {
            Self::Only(residents) => residents.contains(domain),
            Self::Ask => false,
        }
    }

    /// Whether a stream for `domain` may be offered to a server of ours.
    pub fn may_contain(&self, domain: &Domain) -> bool {
        match self {
            Self::Only(residents) => residents.contains(domain),
            Self::Ask => true,
        }
    }

    /// The server that serves `domain`, where the operator named one.
    pub fn home(&self, domain: &Domain) -> Option<&Home> {
        match self {
            Self::Only(residents) => residents.homes.get(domain),
            Self::Ask => None,
        }
    }

    /// Whether there are servers of ours that have to go through us to reach each other.
    pub fn are_apart(&self) -> bool {
        match self {
            Self::Only(residents) => residents.are_apart,
            Self::Ask => false,
        }
    }

    /// Whether both ends of a pair are at home here, and on one server: it has no need of us.
    pub fn is_domestic(&self, pair: &DomainPair) -> bool {
        let home = self.home(&pair.sender);
        home.is_some() && home == self.home(&pair.target)
    }

    /// Whether both ends of a pair are at home here, on two servers.
    pub fn is_between_homes(&self, pair: &DomainPair) -> bool {
        match (self.home(&pair.sender), self.home(&pair.target)) {
            (Some(from), Some(to)) => from != to,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
