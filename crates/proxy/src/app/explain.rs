//! Why a pair passes or does not, told from what all rooms know of it.
//!
//! Only DNS is asked anew, and only about the peer; nobody is connected to.

pub(super) mod advice;
mod doubts;
#[cfg(test)]
mod fixtures;
mod told;
mod way;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use ligase_verifier::{Domain, Service};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use self::doubts::{Doubt, Doubts};
use self::told::Asked;
use self::way::{Carrier, Way};
use crate::binding::{ConnectionId, DomainPair, Rule, Side, Table};
use crate::connection::establish::Hosting;
use crate::connection::event::Event;
use crate::connection::rooms::Rooms;
use crate::connection::tables::Entry;

/// Explains what becomes of pairs, to operators.
#[derive(Debug)]
pub(super) struct Explainer {
    rooms: Arc<Rooms>,
    witness: Arc<Witness>,
    /// Questions to DNS at a time: whoever reaches the admin port chooses whom we ask about.
    seats: Semaphore,
}

/// Sees who is believed and who is not.
#[derive(Debug, Default)]
pub(super) struct Witness(Mutex<Doubts>);

impl Witness {
    /// Takes note of an event.
    pub(super) fn see(&self, event: &Event, at: SystemTime) {
        let Event::Judged { side: Side::Public, outbound: false, domain, proof, result, reason } =
            event
        else {
            return;
        };
        match proof {
            Some(_) => self.lock().settle(domain),
            None => self.lock().note(domain, Doubt { at, result, reason }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Doubts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Explainer {
    /// One that knows these rooms.
    pub(super) fn new(rooms: Arc<Rooms>, witness: Arc<Witness>) -> Self {
        Self { rooms, witness, seats: Semaphore::new(SEATS) }
    }

    /// All there is to say about a domain of ours and a peer, both ways.
    pub(super) async fn explain(&self, local: Domain, remote: Domain) -> Value {
        let rooms = &self.rooms;
        let (here, there) = (rooms.hosting(&local), rooms.hosting(&remote));
        let is_ours = may_be_ours(here) && !is_ours(there);
        let pair = DomainPair::new(local, remote);
        let asked = if is_ours { self.ask(&pair).await } else { Asked::Spared };
        let ways = [(&pair, Side::Public), (&pair.reversed(), Side::Backend)]
            .map(|(it, towards)| told::way(&self.way(it, towards, is_ours), &asked));
        let policy = Arc::clone(&rooms.terms(Side::Public).policy);
        let (level, rule) = policy.rule(&pair.target);
        let rule = match rule {
            Rule::Exact => format!("policy.peers.{}", pair.target),
            Rule::Below(suffix) => format!("policy.peers.*.{suffix}"),
            Rule::Default => "policy.default".to_owned(),
        };
        json!({
            "version": 1,
            "local": pair.sender.as_str(),
            "remote": pair.target.as_str(),
            "hosted": {"local": told::hosting(here), "remote": told::hosting(there)},
            "policy": told::policy(level, &rule),
            "directions": ways,
            "dns": told::dns(&asked, rooms.now()),
        })
    }

    /// Asks DNS where the peer is.
    async fn ask(&self, pair: &DomainPair) -> Asked {
        let asked = timeout(PATIENCE, async {
            let _seat = self.seats.acquire().await.ok()?;
            let verifier = self.rooms.verifier.load_full();
            let peer = &pair.target;
            let endpoints = match verifier.delegation(peer, Service::Server).await {
                Ok(endpoints) => endpoints,
                Err(error) => return Some(Err(error)),
            };
            // Where nothing else is published the peer is at its own name, if that exists.
            for at_home in endpoints.iter().filter(|it| it.target == *peer).take(1) {
                if let Err(error) = verifier.addresses(at_home).await {
                    return Some(Err(error));
                }
            }
            Some(Ok(endpoints))
        });
        match asked.await.ok().flatten() {
            Some(Ok(endpoints)) => {
                let each = endpoints.into_iter();
                let prospects = each.map(|it| {
                    let prospect = self.rooms.prospect(pair, &it);
                    (it, prospect)
                });
                Asked::Endpoints(prospects.collect())
            }
            Some(Err(error)) => Asked::Unresolved(error),
            None => Asked::Late,
        }
    }

    /// One direction, as it stands.
    fn way(&self, pair: &DomainPair, towards: Side, is_ours: bool) -> Way {
        let carriers = self.rooms.tables.look_around(|table, entries| {
            [Side::Public, Side::Backend].map(|side| carriers(table, entries, pair, side, towards))
        });
        let [public, backend] = carriers;
        let peer = if towards == Side::Public { &pair.target } else { &pair.sender };
        Way {
            pair: pair.clone(),
            towards,
            public,
            backend,
            pursuit: self.rooms.pursuit(pair),
            doubt: self.witness.lock().of(peer),
            is_ours,
        }
    }
}

/// The connections of a side that may carry a pair, in the order in which they are used.
fn carriers(
    table: &Table,
    entries: &HashMap<ConnectionId, Entry>,
    pair: &DomainPair,
    side: Side,
    towards: Side,
) -> Vec<Carrier> {
    let (ids, speaks_for): (Vec<_>, _) = if side == towards {
        (table.exits(pair).collect(), &pair.target)
    } else {
        (table.entrances(pair).collect(), &pair.sender)
    };
    let known = ids.into_iter().filter_map(|id| Some((table.row(id)?, entries.get(&id)?)));
    let carrier = |(row, entry): (&crate::binding::Row, &Entry)| Carrier {
        facts: entry.facts,
        opened: entry.opened,
        mode: row.mode,
        far: row.far,
        server: row.server.clone(),
        grounds: row.speaks_for(speaks_for).cloned(),
    };
    known.filter(|(row, _)| row.side == side).map(carrier).collect()
}

fn is_ours(hosting: Hosting) -> bool {
    matches!(hosting, Hosting::Listed | Hosting::Proven)
}

fn may_be_ours(hosting: Hosting) -> bool {
    is_ours(hosting) || hosting == Hosting::Unasked
}

/// Enough for two operators at a time; a script that asks about thousands has to wait its turn.
const SEATS: usize = 2;

/// How long DNS may take, the wait for a seat included: people wait for the answer.
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
