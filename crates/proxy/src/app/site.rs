//! What the POSH listener shows of the configuration and the certificates.

use std::sync::Arc;

use crate::binding::{Hosted, Side};
use crate::connection::event::Event;
use crate::connection::rooms::Rooms;
use crate::posh::{Site, fingerprints};

/// The documents of all hosted domains, and that of our own name, which others may refer to.
pub(super) fn site(rooms: &Arc<Rooms>) -> Site {
    let (for_documents, for_turned_away) = (Arc::clone(rooms), Arc::clone(rooms));
    Site {
        tls: rooms.tls.clone(),
        document: Box::new(move |domain| {
            let settings = for_documents.settings.load();
            let server_name = &settings.public.server_name;
            let identities = for_documents.tls.identities();
            let ours = domain == *server_name
                || match &*settings.public.hosted {
                    Hosted::Only(domains) => domains.contains(&domain),
                    // Whoever can be shown no certificate of the domain believes no page of it.
                    Hosted::Ask => identities.names(&domain),
                };
            ours.then(|| fingerprints(identities, server_name, &domain))
        }),
        turned_away: Box::new(move |violation, peer| {
            let (side, connection, peer) = (Side::Public, None, Some(peer));
            (for_turned_away.tell)(Event::Broke { violation, side, connection, peer });
        }),
    }
}
