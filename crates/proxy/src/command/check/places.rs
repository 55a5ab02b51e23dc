//! Where a service is to be looked for.

use std::cmp::Reverse;

use ligase_verifier::{Domain, Endpoint, Service, Transport, Unresolved};

use super::facts::{Rrset, Srv, State};

/// The names of both SRV records of a service (XEP-0368 §3).
pub(super) fn labels(service: Service) -> [&'static str; 2] {
    match service {
        Service::Server => ["_xmpp-server", "_xmpps-server"],
        Service::Client => ["_xmpp-client", "_xmpps-client"],
    }
}

/// A place before anybody has looked.
pub(super) struct Place {
    /// Where.
    pub(super) endpoint: Endpoint,
    /// Whether nothing says so but the lack of SRV records (RFC 6120 §3.2.2).
    pub(super) is_fallback: bool,
}

/// Where to look, in the order in which others try, and how many more places there are.
pub(super) fn places(
    domain: &Domain,
    service: Service,
    starttls: &Rrset<Srv>,
    direct_tls: &Rrset<Srv>,
) -> (Vec<Place>, usize) {
    if starttls.is_absent() && direct_tls.is_absent() {
        let endpoint = Endpoint {
            target: domain.clone(),
            port: service.port(),
            transport: Transport::StartTls,
            // No signed record says that this is the place.
            secure: false,
        };
        return (vec![Place { endpoint, is_fallback: true }], 0);
    }
    let both = [(starttls, Transport::StartTls), (direct_tls, Transport::DirectTls)];
    let mut offers: Vec<(&Srv, Endpoint)> = Vec::new();
    for (found, transport) in both {
        let secure = found.state == State::Secure;
        for srv in found.records.iter().filter(|it| it.port != 0) {
            let Ok(target) = srv.target.parse() else { continue };
            let endpoint = Endpoint { target, port: srv.port, transport, secure };
            if !offers.iter().any(|(_, it)| *it == endpoint) {
                offers.push((srv, endpoint));
            }
        }
    }
    offers.sort_by_key(|(srv, _)| (srv.priority, Reverse(srv.weight)));
    let beyond = offers.len().saturating_sub(TARGETS_MAX);
    offers.truncate(TARGETS_MAX);
    let place = |endpoint| Place { endpoint, is_fallback: false };
    (offers.into_iter().map(|(_, endpoint)| place(endpoint)).collect(), beyond)
}

/// Why nobody may go where the records lead: one half of them could not be had, which may have
/// been the better one (RFC 7673 §3.1).
pub(super) fn blocked(starttls: &Rrset<Srv>, direct_tls: &Rrset<Srv>) -> Option<Unresolved> {
    match starttls.state.max(direct_tls.state) {
        State::Bogus => Some(Unresolved::Bogus),
        State::Indeterminate => Some(Unresolved::Failed),
        State::Insecure | State::Secure => None,
    }
}

/// As many places as a peer tries (RFC 2782 sets no limit; nobody waits for the seventeenth).
const TARGETS_MAX: usize = 16;

#[cfg(test)]
mod tests;
