//! Which domains are our own server's: those that are listed, and those that it has proven.

use std::sync::{Arc, PoisonError};

use ligase_verifier::Domain;

use crate::binding::{DomainPair, Home, Hosted, Side};
use crate::connection::rooms::Rooms;

impl Rooms {
    /// Which side a pair leaves on.
    pub(in crate::connection) fn side_of_target(&self, pair: &DomainPair) -> Side {
        let hosted = Arc::clone(&self.settings.load().public.hosted);
        let leads_home = hosted.may_contain(&pair.target) && !self.is_hosted(&pair.sender);
        if leads_home || hosted.is_between_homes(pair) { Side::Backend } else { Side::Public }
    }

    /// The server of ours that serves a domain, or would if any did.
    pub(in crate::connection) fn home(&self, domain: &Domain) -> Home {
        let settings = self.settings.load();
        settings.public.hosted.home(domain).unwrap_or(&settings.homes[0]).clone()
    }

    /// Whether a domain is our own server's: the operator said so, or the server has proven it.
    pub(super) fn is_hosted(&self, domain: &Domain) -> bool {
        let own = || self.own.lock().unwrap_or_else(PoisonError::into_inner);
        self.settings.load().public.hosted.contains(domain) || own().contains(domain)
    }

    /// The domains that our own server has proven to serve, so many at most.
    pub fn proven(&self, most: usize) -> Vec<Domain> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.iter().take(most).cloned().collect()
    }

    /// Remembers that our own server has proven to serve a domain; the operator need not list it.
    pub(in crate::connection) fn note_own(&self, domain: &Domain) {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if own.len() < OWN_MAX {
            own.insert(domain.clone());
        }
    }
}

impl Rooms {
    /// Whether our own server said a moment ago that it does not serve a domain; asked only where it
    /// alone knows.
    pub(super) fn is_disowned(&self, domain: &Domain) -> bool {
        self.disowned.lock().unwrap_or_else(PoisonError::into_inner).holds(domain)
    }

    /// Remembers for a moment that our own server does not serve a domain: strangers may ask for any
    /// number of them, and each question is a connection to it.
    pub(super) fn note_disowned(&self, domain: &Domain) {
        if *self.settings.load().public.hosted == Hosted::Ask {
            let mut disowned = self.disowned.lock().unwrap_or_else(PoisonError::into_inner);
            disowned.note(domain.clone());
        }
    }
}

/// Domains of our own server that it has proven and nobody listed.
const OWN_MAX: usize = 65_536;
