use std::fmt;

use ligase_verifier::Domain;

/// What a far end says it is.
///
/// A server that has proven its own name speaks for no domain by that, not even for one of the same
/// name: whom a domain has delegated its service to, only the domain can tell (K-09).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Name {
    /// A domain that it serves.
    Service(Domain),
    /// The server itself, by the name at which SRV records point (draft-ietf-xmpp-dna-01 §2).
    Server(Domain),
}

impl Name {
    /// The text of it.
    pub fn domain(&self) -> &Domain {
        match self {
            Self::Service(domain) | Self::Server(domain) => domain,
        }
    }

    /// Whether it is a server's.
    pub fn is_server(&self) -> bool {
        matches!(self, Self::Server(_))
    }
}

impl From<Domain> for Name {
    fn from(domain: Domain) -> Self {
        Self::Service(domain)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.domain().as_str())
    }
}
