use std::time::SystemTime;

use ligase_verifier::{Association, Reason, Verdict};

use super::policy::Level;

/// On whose word a connection speaks for a domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Grounds {
    /// A domain name association, proven (RFC 7712).
    Proven(Association),
    /// The domain's authoritative server confirmed a key, or DNS led us there and policy lets that
    /// do (XEP-0220).
    Dialback,
    /// The operator told us where our own server is.
    Configured,
}

impl Grounds {
    /// When it is to be looked at again; never, where it holds for as long as the connection.
    pub fn ends(&self) -> Option<SystemTime> {
        match self {
            Self::Proven(association) => Some(association.expires()),
            Self::Dialback | Self::Configured => None,
        }
    }

    /// As metrics, logs and the admin port name it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Proven(association) => association.prooftype().as_str(),
            Self::Dialback => "dialback",
            Self::Configured => "configured",
        }
    }
}

/// What was found out about who speaks on a stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Finding {
    /// The verifier's word about a peer.
    Verdict(Verdict),
    /// Whether the certificate is the very one that our own server shows at its configured
    /// address.
    OurServer(bool),
}

/// What we do about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// It may speak for the domain.
    Bind(Grounds),
    /// It may, if the domain's authoritative server confirms its key (XEP-0220).
    AskAuthority(Option<Reason>),
    /// It may not.
    Refuse(Reason),
    /// We could not find out, so it may not now.
    TryLater(Reason),
}

/// Turns what we found into what we do.
///
/// Only an *unproven* peer may fall back. A refuted one has been caught out, and an undetermined
/// one may be an attacker who starves us of evidence in the hope of exactly this.
pub fn decide(finding: Finding, level: Level) -> Decision {
    match finding {
        Finding::OurServer(true) => Decision::Bind(Grounds::Configured),
        Finding::OurServer(false) => Decision::AskAuthority(None),
        Finding::Verdict(Verdict::Proven(association)) => {
            Decision::Bind(Grounds::Proven(association))
        }
        Finding::Verdict(Verdict::Unproven(reason)) if level.allows_dialback() => {
            Decision::AskAuthority(Some(reason))
        }
        Finding::Verdict(Verdict::Unproven(reason) | Verdict::Refuted(reason)) => {
            Decision::Refuse(reason)
        }
        Finding::Verdict(Verdict::Undetermined(reason)) => Decision::TryLater(reason),
    }
}

#[cfg(test)]
mod tests;
