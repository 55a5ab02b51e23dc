//! What the POSH listener shows of the configuration and the certificates.

use std::sync::Arc;

use ligase_verifier::Domain;

use crate::binding::{Hosted, Side};
use crate::connection::event::Event;
use crate::connection::rooms::Rooms;
use crate::posh::{Site, fingerprints};
use crate::tls::identity::Identities;

/// The documents of all hosted domains, and that of our own name, which others may refer to.
pub(super) fn site(rooms: &Arc<Rooms>) -> Site {
    let (for_documents, for_turned_away) = (Arc::clone(rooms), Arc::clone(rooms));
    Site {
        tls: rooms.tls.clone(),
        document: Box::new(move |domain| {
            let terms = &for_documents.settings.load().public;
            let identities = for_documents.tls.identities();
            let ours = is_ours(&terms.hosted, &terms.server_name, identities, &domain);
            ours.then(|| fingerprints(identities, &terms.server_name, &domain))
        }),
        turned_away: Box::new(move |violation, peer| {
            let (side, connection, peer) = (Side::Public, None, Some(peer));
            (for_turned_away.tell)(Event::Broke { violation, side, connection, peer });
        }),
    }
}

/// Whether a domain has a document here.
fn is_ours(
    hosted: &Hosted,
    server_name: &Domain,
    identities: &Identities,
    domain: &Domain,
) -> bool {
    domain == server_name
        || match hosted {
            Hosted::Only(domains) => domains.contains(domain),
            // Whoever can be shown no certificate of the domain believes no page of it.
            Hosted::Ask => identities.names(domain),
        }
}

#[cfg(test)]
mod tests;
