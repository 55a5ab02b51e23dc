use std::fmt;

use ligase_verifier::Domain;

/// A sender domain and a target domain (XEP-0220 §1.3): the unit of authorization, directed.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DomainPair {
    /// The domainpart of the stanza's `from`.
    pub sender: Domain,
    /// The domainpart of the stanza's `to`.
    pub target: Domain,
}

impl DomainPair {
    /// A pair of two domains.
    pub fn new(sender: Domain, target: Domain) -> Self {
        Self { sender, target }
    }

    /// The pair that an answer belongs to.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self { sender: self.target.clone(), target: self.sender.clone() }
    }
}

impl fmt::Display for DomainPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.sender, self.target)
    }
}
