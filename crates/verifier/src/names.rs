use crate::{Domain, Service};

/// The identifiers that a certificate presents, as written in it (RFC 9525 §2).
///
/// The common name is not among them (RFC 9525 §2, against RFC 6125 §6.4.4).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Names {
    /// DNS-IDs: `capulet.example`, `*.capulet.example`.
    pub dns: Vec<String>,
    /// SRV-IDs (RFC 4985): `_xmpp-server.capulet.example`.
    pub srv: Vec<String>,
    /// XmppAddrs (RFC 6120 §13.7.1.4): `capulet.example`.
    pub xmpp: Vec<String>,
}

impl Names {
    /// Tells whether any identifier names `domain` as the provider of `service`.
    pub fn name(&self, domain: &Domain, service: Service) -> bool {
        self.name_host(domain, service) || self.xmpp.iter().any(|it| is_address_of(it, domain))
    }

    /// Tells whether a DNS-ID or an SRV-ID names `host`. A host is no XMPP address.
    pub(crate) fn name_host(&self, host: &Domain, service: Service) -> bool {
        self.name_by_dns(host)
            || self.srv.iter().any(|it| {
                let name = it.split_once('.');
                name.is_some_and(|(label, name)| {
                    label.eq_ignore_ascii_case(service.label()) && matches(name, host)
                })
            })
    }

    /// Tells whether a DNS-ID names `host`.
    pub(crate) fn name_by_dns(&self, host: &Domain) -> bool {
        self.dns.iter().any(|it| matches(it, host))
    }
}

/// Compares a presented DNS name to a reference, label by label (RFC 9525 §6.3).
///
/// A wildcard is the whole left-most label and stands for exactly one label. Below it there must
/// be at least two, since nobody owns all of a top-level domain.
fn matches(presented: &str, reference: &Domain) -> bool {
    let presented = presented.strip_suffix('.').unwrap_or(presented);
    let reference = reference.ascii();
    match presented.strip_prefix("*.") {
        Some(parent) => {
            let of_reference = reference.split_once('.').map(|(_, parent)| parent);
            parent.contains('.') && of_reference.is_some_and(|it| it.eq_ignore_ascii_case(parent))
        }
        // Any other asterisk is compared to a domain, which has none.
        None => presented.eq_ignore_ascii_case(reference),
    }
}

/// Compares an XmppAddr to a domain. It is UTF-8 and has no wildcards (RFC 6120 §13.7.1.4).
fn is_address_of(address: &str, domain: &Domain) -> bool {
    // An address with a local part or a resource is a user's, and parses to no domain.
    address.parse::<Domain>().is_ok_and(|it| it == *domain)
}

#[cfg(test)]
mod tests;
