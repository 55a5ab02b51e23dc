use std::fmt;

use crate::gather::{Data, Records, Security};
use crate::{Domain, Finding, Service};

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

/// What the SRV records of both of a service's names say together (XEP-0368 §3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Delegation {
    /// The service is offered here.
    Offered(Vec<Offer>),
    /// The domain decidedly does not offer it.
    Declined,
    /// Nothing is published, so the domain's own addresses may be tried.
    Unpublished,
}

/// One SRV record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Offer {
    priority: u16,
    weight: u16,
    pub(crate) endpoint: Endpoint,
}

impl Delegation {
    /// Reads the records of the STARTTLS and the direct TLS name of a service together.
    pub(crate) fn read(starttls: &Records, direct_tls: &Records) -> Self {
        let both = [(starttls, Transport::StartTls), (direct_tls, Transport::DirectTls)];
        let is_published = both.iter().any(|(records, _)| !records.data.is_empty());
        let offers: Vec<Offer> =
            both.iter().flat_map(|(it, transport)| read(it, *transport)).collect();
        let says_no = |it: &Data| matches!(it, Data::Srv { target, .. } if target.is_empty());
        if !offers.is_empty() {
            Self::Offered(offers)
        } else if both.iter().any(|(records, _)| records.data.iter().any(says_no)) {
            Self::Declined
        } else if is_published {
            // Targets that are no host names lead nowhere, and not to the domain's own address
            // either: an answer was received (RFC 6120 §3.2.1).
            Self::Offered(Vec::new())
        } else {
            Self::Unpublished
        }
    }
}

fn read(records: &Records, transport: Transport) -> Vec<Offer> {
    let secure = records.security == Security::Secure;
    let offer = |it: &Data| match it {
        Data::Srv { priority, weight, port, target } if *port != 0 => Some(Offer {
            priority: *priority,
            weight: *weight,
            endpoint: Endpoint { target: target.parse().ok()?, port: *port, transport, secure },
        }),
        Data::Srv { .. } | Data::Address(_) | Data::Tlsa(_) => None,
    };
    records.data.iter().filter_map(offer).collect()
}

/// Puts offers in the order in which they are to be tried: by priority, and within one priority by
/// lot, each with a chance by its weight (RFC 2782).
///
/// `draw` returns a number from 0 up to and including the one it is given.
pub(crate) fn order(mut offers: Vec<Offer>, mut draw: impl FnMut(u32) -> u32) -> Vec<Endpoint> {
    // Those without weight come first in their priority, so that a draw of zero is theirs.
    offers.sort_by_key(|it| (it.priority, it.weight != 0));
    let mut ordered = Vec::new();
    while let Some(first) = offers.first() {
        let priority = first.priority;
        let peers = || offers.iter().take_while(|it| it.priority == priority);
        let total = peers().map(|it| u32::from(it.weight)).sum();
        let lot = draw(total);
        let mut sum = 0;
        let drawn = peers().position(|it| {
            sum += u32::from(it.weight);
            lot <= sum
        });
        ordered.push(offers.remove(drawn.unwrap_or(0)).endpoint);
    }
    ordered.truncate(ENDPOINTS_MAX);
    ordered
}

/// Where a service is when nothing says so: at the domain's own addresses (RFC 6120 §3.2.2).
pub(crate) fn fallback(domain: &Domain, service: Service) -> Endpoint {
    Endpoint {
        target: domain.clone(),
        port: service.port(),
        transport: Transport::StartTls,
        // No signed record says that this is the place.
        secure: false,
    }
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
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Declined,
        Self::NotFound,
        Self::Bogus,
        Self::Failed,
        Self::TimedOut,
        Self::Forbidden,
    ];

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

/// How many endpoints are worth trying; nobody waits for the seventeenth.
pub(crate) const ENDPOINTS_MAX: usize = 16;

#[cfg(test)]
mod tests;
