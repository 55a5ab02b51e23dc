use std::fmt;

use crate::{Domain, Finding};

/// A place where a domain's service is offered: one SRV record, or the fallback (RFC 6120 §3.2).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Endpoint {
    /// The host that offers it.
    pub target: Domain,
    /// The TCP port.
    pub port: u16,
    /// How TLS begins there.
    pub transport: Transport,
    /// Whether the SRV record and every alias on the way to it are DNSSEC-secure. Only then is the
    /// target a name that the domain may be known by (RFC 7673 §4.1).
    pub secure: bool,
}

impl Endpoint {
    /// Tells whether both are the same port of the same host.
    pub(crate) fn is_at(&self, other: &Self) -> bool {
        self.target == other.target && self.port == other.port
    }
}

/// How TLS begins on a connection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Transport {
    /// After negotiation in the clear (RFC 6120 §5).
    StartTls,
    /// With the first byte (XEP-0368).
    DirectTls,
}

/// Why there is nowhere to connect to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unresolved {
    /// The domain says that it decidedly does not offer the service (RFC 2782, target ".").
    Declined,
    /// There is no such domain, or it has no address.
    NotFound,
    /// An answer failed its signature. Nothing may be tried instead (RFC 7673 §3.1).
    Bogus,
    /// DNS could not be asked.
    Failed,
    /// DNS took longer than we wait.
    TimedOut,
    /// Every address is one that peers may not send us to.
    Forbidden,
}

impl Unresolved {
    /// The reason as metrics and logs name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Declined => "dns.declined",
            Self::NotFound => "dns.not_found",
            Self::Bogus => Finding::DnsBogus.label(),
            Self::Failed => Finding::DnsFailure.label(),
            Self::TimedOut => Finding::DnsLimit.label(),
            Self::Forbidden => Finding::ForbiddenTarget.label(),
        }
    }
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Declined => "the domain does not offer the service",
            Self::NotFound => "the domain or its addresses do not exist",
            Self::Bogus => Finding::DnsBogus.text(),
            Self::Failed => Finding::DnsFailure.text(),
            Self::TimedOut => Finding::DnsLimit.text(),
            Self::Forbidden => Finding::ForbiddenTarget.text(),
        })
    }
}

impl std::error::Error for Unresolved {}
