//! Which rungs there are for a pair at a place, and what is remembered of them.

use std::sync::{Arc, MutexGuard, PoisonError};

use ligase_verifier::{Domain, Endpoint};

use super::Place;
use super::sharing::key;
use crate::binding::{ConnectionId, DomainPair, Side};
use crate::connection::rooms::{PlaceKey, Rooms};
use crate::establish::{Ladder, Memory};
use crate::stream::{Rung, Setback};

impl Rooms {
    /// Where to begin, and how it may go on.
    pub(super) fn ladder(&self, pair: &DomainPair, endpoint: &Endpoint) -> (Rung, Ladder) {
        let terms = self.terms(Side::Public);
        let sender_certificate = self.has_certificate(&pair.sender);
        // Only those who are securely delegated to can be asked for by the name of their server, and
        // only where we have a name to show for ourselves (B-04, B-05).
        let servers = terms.channels.server_names && endpoint.secure;
        let named = servers && self.tls.identities().names(&terms.server_name);
        let best = if named { Rung::ServerName } else { Rung::DomainName };
        let (memory, key, now) = (self.memory(), key(endpoint), self.elapsed());
        let mut start = memory.start(&key, best, now);
        if start == Rung::SenderCertificate && !sender_certificate {
            start = Rung::DomainName;
        }
        let level = terms.level(Some(&pair.target));
        (start, Ladder { level, sender_certificate, floor: memory.floor(&key, now) })
    }

    /// Whether an endpoint took TLS lately, and has not failed often since: then it has TLS still,
    /// whatever an attacker takes out of its features (M-06).
    pub(super) fn had_tls(&self, endpoint: &Endpoint) -> bool {
        self.memory().floor(&key(endpoint), self.elapsed()) < Rung::Plain
    }

    /// Notes on which rung a place was met by a connection that was opened to it.
    pub(super) fn note_met(&self, place: &Place, rung: Rung, id: ConnectionId) {
        let (key, now) = (place.key(), self.elapsed());
        let met = self.tables.look_around(|table, entries| {
            let knows = table.row(id).is_some_and(|row| row.far.dna);
            entries.get(&id).map(|entry| (entry.presented.is_some(), knows))
        });
        // A connection that is gone again has taught us nothing.
        let Some((secured, knows)) = met else { return };
        // Where TLS was not offered, the stream went on in the clear.
        let rung = if secured { rung } else { Rung::Plain };
        let mut memory = self.memory();
        let forgotten = Rung::ServerName < rung && memory.met(&key, now).is_some();
        memory.took(&key, rung, now);
        if knows && forgotten {
            memory.learn(&key);
        }
    }

    /// Notes that a place did not take a rung.
    pub(super) fn note_missed(&self, place: &Place, rung: Rung) {
        self.memory().failed(&place.key(), rung);
    }

    /// The setback with all that we know of it: some refuse a certificate that is for servers alone,
    /// and few say why.
    pub(super) fn explained(&self, setback: Setback, sender: &Domain, rung: Rung) -> Setback {
        let server = &self.terms(Side::Public).server_name;
        let shown = if rung < Rung::SenderCertificate { server } else { sender };
        if setback == Setback::Sasl && self.tls.identities().is_for_servers_alone(shown) {
            return Setback::Usage;
        }
        setback
    }

    /// Of how many places is remembered how they were met.
    pub fn places_known(&self) -> usize {
        let now = self.elapsed();
        self.memory().count(now)
    }

    /// Whether a domain has a certificate of its own, other than our server's.
    pub(super) fn has_certificate(&self, domain: &Domain) -> bool {
        let identities = self.tls.identities();
        let server = identities.for_domain(&self.terms(Side::Public).server_name);
        identities.names(domain) && !Arc::ptr_eq(&identities.for_domain(domain), &server)
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory<PlaceKey>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
