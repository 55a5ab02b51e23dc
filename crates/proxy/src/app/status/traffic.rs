use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use ligase_metrics::Proof;
use ligase_verifier::Domain;
use serde_json::{Map, Value, json};

use crate::app::views::timestamp;
use crate::binding::{ConnectionId, DomainPair, Mode, Row, Side, Table};
use crate::connection::event::Facts;
use crate::connection::tables::Entry;
use crate::observe::{direction, transport};

/// The connections with peers, and the pairs that they carry, as they were at one moment.
///
/// Taken under the lock that all connections wait for, so it is a bare copy; everything that takes
/// time comes after.
#[derive(Debug)]
pub(super) struct Traffic {
    /// How many connections there are, on both sides.
    connections: usize,
    public: HashMap<ConnectionId, Connection>,
    legs: Vec<Leg>,
}

/// A connection with a peer.
#[derive(Debug)]
struct Connection {
    facts: Facts,
    mode: Mode,
    bidi: bool,
    server: Option<Domain>,
    opened: SystemTime,
}

/// One direction of a pair on one connection.
#[derive(Debug)]
struct Leg {
    local: Domain,
    remote: Domain,
    id: ConnectionId,
    /// Whether it leads to the peer.
    sends: bool,
    /// Whether it is the one that is used; others stand by.
    used: bool,
    /// On what the far end speaks for the peer: a proof, or dialback.
    proof: Option<Proof>,
    expires: Option<SystemTime>,
}

/// The same, as JSON.
#[derive(Debug)]
pub(super) struct Told {
    /// How many of everything.
    pub(super) counts: Map<String, Value>,
    pub(super) pairs: Vec<Value>,
    pub(super) pairs_left_out: usize,
    pub(super) channels: Vec<Value>,
    pub(super) channels_left_out: usize,
}

impl Traffic {
    /// A copy of what there is now.
    pub(super) fn copy(table: &Table, entries: &HashMap<ConnectionId, Entry>) -> Self {
        let mut public = HashMap::new();
        let mut legs = Vec::new();
        for (id, row) in table.rows().filter(|(_, row)| row.side == Side::Public) {
            let Some(entry) = entries.get(&id) else {
                continue;
            };
            let connection = Connection {
                facts: entry.facts,
                mode: row.mode,
                bidi: row.far.bidi,
                server: row.server.clone(),
                opened: entry.opened,
            };
            public.insert(id, connection);
            for pair in &row.exits {
                let used = table.exit(pair) == Some(id);
                legs.push(Leg::new(row, id, pair, true, used));
            }
            let each = row.entrances.iter();
            legs.extend(each.map(|pair| Leg::new(row, id, &pair.reversed(), false, false)));
        }
        Self { connections: entries.len(), public, legs }
    }

    /// All of it, as JSON; of long lists the beginning.
    pub(super) fn tell(mut self) -> Told {
        // What is used to reach a peer comes first of its pair, then the eldest.
        self.legs.sort_by(|a, b| a.rank().cmp(&b.rank()));
        let mut carried: HashMap<ConnectionId, usize> = HashMap::new();
        let mut by_proof: BTreeMap<&str, usize> =
            Proof::ALL.iter().map(|it| (it.as_str(), 0)).collect();
        let (mut pairs, mut count) = (Vec::new(), 0);
        for legs in self.legs.chunk_by(|a, b| a.ends() == b.ends()) {
            count += 1;
            for id in ids(legs) {
                *carried.entry(id).or_default() += 1;
            }
            if let Some(proof) = legs.first().and_then(|leg| leg.proof) {
                *by_proof.entry(proof.as_str()).or_default() += 1;
            }
            if pairs.len() < PAIRS_MAX {
                pairs.extend(self.pair(legs));
            }
        }
        let mut channels: Vec<_> = carried.into_iter().collect();
        channels.sort_by_key(|(id, carried)| (Reverse(*carried), *id));
        let shown = channels.iter().take(CHANNELS_MAX);
        let counts = json!({
            "pairs": count,
            "channels": channels.len(),
            "connections": self.connections,
            "by_proof": by_proof,
        });
        Told {
            counts: counts.as_object().cloned().unwrap_or_default(),
            pairs_left_out: count - pairs.len(),
            pairs,
            channels: shown.filter_map(|(id, carried)| self.channel(*id, *carried)).collect(),
            channels_left_out: channels.len().saturating_sub(CHANNELS_MAX),
        }
    }

    /// All that there is of one pair: at least one leg.
    fn pair(&self, legs: &[Leg]) -> Option<Value> {
        let first = legs.first()?;
        let connection = self.public.get(&first.id)?;
        let shown: Vec<_> = ids(legs).take(CONNECTIONS_MAX).map(|id| id.0).collect();
        Some(json!({
            "local": first.local.as_str(),
            "remote": first.remote.as_str(),
            "proof": first.proof.map(Proof::as_str),
            "send": legs.iter().any(|leg| leg.sends),
            "receive": legs.iter().any(|leg| !leg.sends),
            "mode": connection.mode.as_str(),
            "transport": transport(&connection.facts).as_str(),
            "connections": shown,
            "since": timestamp(connection.opened),
            "expires_at": first.expires.and_then(timestamp),
        }))
    }

    fn channel(&self, id: ConnectionId, carried: usize) -> Option<Value> {
        let Connection { facts, mode, bidi, server, opened } = self.public.get(&id)?;
        Some(json!({
            "id": id.0,
            "direction": direction(facts).as_str(),
            "peer_address": facts.peer.to_string(),
            "server": server.as_ref().map(Domain::as_str),
            "mode": mode.as_str(),
            "transport": transport(facts).as_str(),
            "bidi": bidi,
            "pairs": carried,
            "opened_at": timestamp(*opened),
        }))
    }
}

impl Leg {
    /// The pair is as it goes out, whichever way the leg leads.
    fn new(row: &Row, id: ConnectionId, pair: &DomainPair, sends: bool, used: bool) -> Self {
        let grounds = row.speaks_for(&pair.target);
        Self {
            local: pair.sender.clone(),
            remote: pair.target.clone(),
            id,
            sends,
            used,
            proof: grounds.and_then(|it| Proof::read(it.as_str())),
            expires: grounds.and_then(|it| it.ends()),
        }
    }

    fn ends(&self) -> (&Domain, &Domain) {
        (&self.local, &self.remote)
    }

    fn rank(&self) -> (&Domain, &Domain, bool, bool, ConnectionId) {
        (&self.local, &self.remote, !self.used, !self.sends, self.id)
    }
}

/// The connections of a pair, each once, the one in use first.
fn ids(legs: &[Leg]) -> impl Iterator<Item = ConnectionId> {
    let each = legs.iter().enumerate();
    each.filter(|(place, leg)| !legs.iter().take(*place).any(|other| other.id == leg.id))
        .map(|(_, leg)| leg.id)
}

/// More than a page shows; whoever wants all asks for `/bindings`.
const PAIRS_MAX: usize = 500;

/// More than a page shows; whoever wants all asks for `/connections`.
const CHANNELS_MAX: usize = 200;

/// Connections of one pair that are told of; more than a few is rare, and peers choose how many.
const CONNECTIONS_MAX: usize = 16;

#[cfg(test)]
mod tests;
