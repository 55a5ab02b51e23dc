//! One connection for many pairs, and one dialing at a time to each place.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use ligase_verifier::{Endpoint, Service};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::{Missed, Place};
use crate::binding::{ConnectionId, DomainPair, Side};
use crate::connection::driver::Order;
use crate::connection::rooms::{PlaceKey, Rooms};
use crate::establish::{Candidate, may_share};
use crate::stream::{DialbackError, Rung, Setback};

impl Rooms {
    /// Whether somebody at these addresses is known to want a connection for each pair.
    pub(super) fn is_unshared(&self, addresses: &[SocketAddr]) -> bool {
        self.tables.look_around(|table, entries| {
            entries.values().any(|entry| {
                let row = table.row(entry.facts.id);
                entry.facts.outbound
                    && addresses.contains(&entry.facts.peer)
                    && row.is_some_and(|row| !row.far.errors && !row.exits.is_empty())
            })
        })
    }

    /// The right to dial a place, which one has at a time.
    pub(super) fn turn(&self, endpoint: &Endpoint) -> Arc<Semaphore> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if PLACES_MAX <= places.len() {
            places.retain(|_, place| 1 < Arc::strong_count(place));
        }
        Arc::clone(places.entry(key(endpoint)).or_insert_with(|| Arc::new(Semaphore::new(1))))
    }

    /// A connection that may carry the pair too (B-02, B-03): the eldest, so that all agree on one.
    pub(super) fn candidate(
        &self,
        pair: &DomainPair,
        place: &Place,
        rung: Rung,
        tried: &[ConnectionId],
    ) -> Option<ConnectionId> {
        if Rung::Dialback <= rung || self.is_refused(pair, place) {
            return None;
        }
        let pairs_max = self.terms(Side::Public).bounds.pairs_max;
        let server = place.endpoint.secure.then_some(&place.endpoint.target);
        self.tables.look_around(|table, entries| {
            let fit = entries.values().filter(|entry| {
                let facts = entry.facts;
                let row = table.row(facts.id).filter(|row| row.is_authorized());
                let Some(row) = row.filter(|_| facts.side == Side::Public) else {
                    return false;
                };
                // Who came to us has to know that both may ask, and what a pair is.
                let may_ask = facts.outbound || row.far.bidi && row.far.dna;
                let dialed = entry.endpoint.as_ref();
                let is_dialed = dialed.is_some_and(|it| {
                    it.target == place.endpoint.target && it.port == place.endpoint.port
                });
                let names =
                    entry.presented.as_ref().map(|it| it.is_for(&pair.target, Service::Server));
                let candidate = Candidate {
                    address: facts.outbound.then_some(facts.peer),
                    errors: may_ask && row.far.errors,
                    names_target: names.unwrap_or_default(),
                    is_server: server.is_some_and(|server| {
                        is_dialed && entry.presented.is_some() || row.is_server(server)
                    }),
                    is_proven: row.has_shown(&pair.target),
                    is_full: pairs_max <= row.exits.len(),
                };
                !tried.contains(&facts.id) && may_share(&candidate, &place.addresses)
            });
            fit.map(|entry| entry.facts.id).min()
        })
    }

    /// Asks for the pair on a connection that was opened for another. Tells whether it may leave by
    /// it; a "no" only means that it needs one of its own (I-03).
    ///
    /// # Errors
    /// The peer knows what it was asked, so that asking it again elsewhere would be in vain.
    pub(super) async fn share(
        &self,
        pair: &DomainPair,
        place: &Place,
        id: ConnectionId,
    ) -> Result<bool, Missed> {
        let Err(setback) = self.ask_on(pair, id).await else {
            return Ok(true);
        };
        match self.weigh(pair, place, id, setback) {
            Missed::Failed(_) => Ok(false),
            settled @ Missed::Settled(_) => Err(settled),
        }
    }

    /// What a setback on a connection that others may share means for the pair: it is not asked for
    /// again where it was just refused.
    pub(super) fn weigh(
        &self,
        pair: &DomainPair,
        place: &Place,
        id: ConnectionId,
        setback: Setback,
    ) -> Missed {
        let lasts = |error: &Option<_>| *error != Some(DialbackError::ResourceConstraint);
        if !matches!(&setback, Setback::Refused(error) if lasts(error)) {
            return Missed::Failed(setback);
        }
        if self.knows_channels(id) && !self.has_certificate(&pair.sender) {
            return Missed::Settled(setback);
        }
        self.note_refused(pair, place);
        Missed::Failed(setback)
    }

    /// Asks for the pair on that connection.
    pub(super) async fn ask_on(&self, pair: &DomainPair, id: ConnectionId) -> Result<(), Setback> {
        let (waits, answer) = oneshot::channel();
        let orders = self.tables.orders(id).ok_or(Setback::Stream(None))?;
        // It need not cost the time that a connection of its own would take; but who knows channels
        // may be asked for thousands of pairs, which it answers in turn.
        let patience = if self.knows_channels(id) { self.settings.load().ladder } else { SHARE };
        let answered = timeout(patience, async {
            orders
                .send(Order::Ask(Box::new((pair.clone(), waits))))
                .await
                .map_err(|_| Setback::Stream(None))?;
            answer.await.unwrap_or(Err(Setback::Stream(None)))
        });
        answered.await.unwrap_or(Err(Setback::TimedOut))
    }

    /// Whether the far end knows what we know of channels.
    fn knows_channels(&self, id: ConnectionId) -> bool {
        self.tables.look(|table| table.row(id).is_some_and(|row| row.far.dna))
    }

    /// A stream to our own server that the pair may share, where the operator allows that: the
    /// eldest that understands dialback errors.
    pub(super) fn shared_home(&self, pair: &DomainPair) -> Option<ConnectionId> {
        let settings = self.settings.load();
        if !settings.share_backend {
            return None;
        }
        let pairs_max = settings.backend.bounds.pairs_max;
        let home = self.home(&pair.target);
        self.tables.look(|table| {
            let fit = table.rows().filter(|(_, row)| {
                row.side == Side::Backend
                    && row.far.errors
                    && row.exits.len() < pairs_max
                    && !row.exits.contains(pair)
                    && row.exits.iter().next().is_some_and(|it| self.home(&it.target) == home)
            });
            fit.map(|(id, _)| id).min()
        })
    }

    fn is_refused(&self, pair: &DomainPair, place: &Place) -> bool {
        let unshared = self.unshared.lock().unwrap_or_else(PoisonError::into_inner);
        unshared.holds(&(place.key(), pair.clone()))
    }

    fn note_refused(&self, pair: &DomainPair, place: &Place) {
        let mut unshared = self.unshared.lock().unwrap_or_else(PoisonError::into_inner);
        unshared.note((place.key(), pair.clone()));
    }
}

impl Place {
    /// By what the place is remembered.
    pub(super) fn key(&self) -> PlaceKey {
        key(&self.endpoint)
    }
}

/// By what the place of an endpoint is remembered.
pub(super) fn key(endpoint: &Endpoint) -> PlaceKey {
    (endpoint.target.clone(), endpoint.port)
}

/// Places whose dialing is remembered; those that nobody dials are forgotten beyond it.
const PLACES_MAX: usize = 4096;
/// How long a peer may think about a further pair before it is asked on a connection of its own.
const SHARE: Duration = Duration::from_secs(10);
