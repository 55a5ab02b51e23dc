use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use ligase_verifier::Domain;

use super::grounds::Grounds;
use super::mode::Mode;
use super::name::Name;
use super::pair::DomainPair;

/// Names a connection for as long as the process lives; never a stream id, which the far end
/// chooses (D-01).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId(pub u64);

/// The two sides of the proxy.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Side {
    /// Towards peers.
    Public,
    /// Towards our own server.
    Backend,
}

/// The id of a stream, as the receiving entity chose it (RFC 6120 §4.7.3).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct StreamId(pub Arc<str>);

/// What is known of one connection.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which side it is on.
    pub side: Side,
    /// The names it was proven for, and how.
    pub names: HashMap<Name, Grounds>,
    /// The server that the far end has authenticated itself as, on a stream between servers (D-08).
    pub server: Option<Domain>,
    /// The id of its stream, where we may ask on it: what our dialback keys are bound to.
    pub stream: Option<StreamId>,
    /// By whose names it was opened.
    pub mode: Mode,
    /// What the far end knows and does.
    pub far: Far,
    /// The pairs that it brings in.
    pub entrances: HashSet<DomainPair>,
    /// The pairs that it takes out.
    pub exits: HashSet<DomainPair>,
    /// The pairs that we asked the far end for by dialback on this stream, answered or not.
    pub asked: HashSet<DomainPair>,
}

/// What the far end of a connection has told of itself.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Far {
    /// It understands dialback errors, so that a pair may fail without ending the others
    /// (XEP-0220 §2.5).
    pub errors: bool,
    /// Both ends may ask and send (XEP-0288).
    pub bidi: bool,
    /// It knows what we know of channels, revocation among it.
    pub dna: bool,
    /// Both confirm what they take (XEP-0198).
    pub confirms: bool,
}

impl Row {
    /// On what the far end speaks for `domain`, if it does.
    pub fn speaks_for(&self, domain: &Domain) -> Option<&Grounds> {
        self.names.get(&Name::Service(domain.clone()))
    }

    /// Whether the far end has shown itself that it speaks for `domain`. A key has not: it says who
    /// wants to send and not who is there, and whoever stands between can hand one on.
    pub fn has_shown(&self, domain: &Domain) -> bool {
        self.speaks_for(domain).is_some_and(|it| !matches!(it, Grounds::Dialback))
    }

    /// Whether the far end has proven to be this server.
    pub fn is_server(&self, name: &Domain) -> bool {
        self.names.contains_key(&Name::Server(name.clone()))
    }

    /// Whether the far end is authorized for anything.
    pub fn is_authorized(&self) -> bool {
        !self.entrances.is_empty() || !self.exits.is_empty() || self.server.is_some()
    }
}

impl Side {
    /// As metrics and logs name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Backend => "backend",
        }
    }

    /// The other side.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Public => Self::Backend,
            Self::Backend => Self::Public,
        }
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
