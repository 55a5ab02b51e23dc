//! One connection for many pairs, and one dialing at a time to each place.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use ligase_verifier::{Endpoint, Service};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use crate::binding::{ConnectionId, DomainPair, Side};
use crate::connection::driver::Order;
use crate::connection::rooms::Rooms;
use crate::establish::{Candidate, may_share};

impl Rooms {
    /// Whether somebody at these addresses is known to want a connection for each pair.
    pub(super) fn is_unshared(&self, addresses: &[SocketAddr]) -> bool {
        self.tables.look_around(|table, entries| {
            entries.values().any(|entry| {
                let row = table.row(entry.facts.id);
                entry.facts.outbound
                    && addresses.contains(&entry.facts.peer)
                    && row.is_some_and(|row| !row.errors && !row.exits.is_empty())
            })
        })
    }

    /// The right to dial a place, which one has at a time.
    pub(super) fn turn(&self, endpoint: &Endpoint) -> Arc<Semaphore> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if PLACES_MAX <= places.len() {
            places.retain(|_, place| 1 < Arc::strong_count(place));
        }
        let key = (endpoint.target.clone(), endpoint.port);
        Arc::clone(places.entry(key).or_insert_with(|| Arc::new(Semaphore::new(1))))
    }

    /// A connection to one of these addresses that may carry the pair too (B-03).
    pub(super) fn candidate(
        &self,
        pair: &DomainPair,
        addresses: &[SocketAddr],
    ) -> Option<ConnectionId> {
        self.tables.look_around(|table, entries| {
            let mut fit: Vec<_> = entries
                .values()
                .filter(|entry| entry.facts.side == Side::Public && entry.facts.outbound)
                .filter(|entry| {
                    let row = table.row(entry.facts.id);
                    let presented = entry.presented.as_ref();
                    let candidate = Candidate {
                        address: entry.facts.peer,
                        errors: row.is_some_and(|row| row.errors && !row.exits.is_empty()),
                        names_target: presented
                            .is_some_and(|it| it.is_for(&pair.target, Service::Server)),
                    };
                    may_share(&candidate, addresses)
                })
                .map(|entry| entry.facts.id)
                .collect();
            // The eldest, so that all agree on one.
            fit.sort_unstable();
            fit.first().copied()
        })
    }

    /// Asks for the pair on a connection that was opened for another; a "no" only means that it
    /// needs one of its own (I-03).
    pub(super) async fn share(&self, pair: &DomainPair, id: ConnectionId) -> bool {
        let (waits, answer) = oneshot::channel();
        self.tables.order(id, Order::Ask(pair.clone(), waits));
        // It need not cost the time that a connection of its own would take.
        matches!(timeout(SHARE, answer).await, Ok(Ok(Ok(()))))
    }
}

/// Places whose dialing is remembered; those that nobody dials are forgotten beyond it.
const PLACES_MAX: usize = 4096;
/// How long a peer may think about a further pair before it is asked on a connection of its own.
const SHARE: Duration = Duration::from_secs(10);
