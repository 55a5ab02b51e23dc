use std::collections::HashMap;

use crate::binding::{ConnectionId, DomainPair};

/// Pairs that have a way out and must not take it yet: a connection that carried them has been closed
/// and still has stanzas of theirs in its hands.
#[derive(Debug, Default)]
pub(super) struct Held {
    by_connection: HashMap<ConnectionId, Vec<DomainPair>>,
    /// How many connections each waits for.
    pairs: HashMap<DomainPair, u32>,
}

impl Held {
    /// The pair waits for that connection to leave.
    pub(super) fn hold(&mut self, id: ConnectionId, pair: DomainPair) {
        *self.pairs.entry(pair.clone()).or_default() += 1;
        self.by_connection.entry(id).or_default().push(pair);
    }

    /// Whether the pair waits for any connection to leave.
    pub(super) fn holds(&self, pair: &DomainPair) -> bool {
        self.pairs.contains_key(pair)
    }

    /// That connection has left: the pairs that wait for no other now.
    pub(super) fn release(&mut self, id: ConnectionId) -> Vec<DomainPair> {
        let pairs = self.by_connection.remove(&id).unwrap_or_default();
        let free = |pair: &DomainPair| {
            let Some(count) = self.pairs.get_mut(pair) else {
                return true;
            };
            *count -= 1;
            *count == 0 && self.pairs.remove(pair).is_some()
        };
        pairs.into_iter().filter(free).collect()
    }
}
