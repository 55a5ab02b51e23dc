use std::fmt;
use std::time::SystemTime;

use crate::Domain;

/// A domain name association: proof that a stream's peer speaks for a domain (RFC 7712).
///
/// Nothing outside this crate can make one, and inside it only `evaluate` does.
/// Whoever holds an `Association` may rely on the check having been made, at the time that was
/// asked about; it is worth nothing once it [expires](Self::expires).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Association {
    domain: Domain,
    prooftype: Prooftype,
    expires: SystemTime,
}

impl Association {
    pub(crate) fn witness(domain: Domain, prooftype: Prooftype, expires: SystemTime) -> Self {
        Self { domain, prooftype, expires }
    }

    /// The domain that the peer speaks for.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// How it was proven.
    pub fn prooftype(&self) -> Prooftype {
        self.prooftype
    }

    /// When the first fact that the proof rests on goes stale, and the question is to be asked
    /// again (RFC 7671 §5.1, RFC 7711 §6).
    pub fn expires(&self) -> SystemTime {
        self.expires
    }
}

/// A way to prove an association (RFC 7712 §7).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Prooftype {
    /// TLSA records in signed DNS (RFC 7673).
    Dane,
    /// A document on the domain's web server (RFC 7711).
    Posh,
    /// A certificate authority (RFC 6120 §13.7.1).
    Pkix,
}

impl Prooftype {
    /// The prooftype in lower case, as configuration, metrics and logs write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dane => "dane",
            Self::Posh => "posh",
            Self::Pkix => "pkix",
        }
    }
}

impl fmt::Display for Prooftype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
