use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use ligase_metrics::{Direction, Proof};
use ligase_verifier::Domain;

/// With what each peer was met of late that was better than dialback, by who had called: many show
/// more to those who call them than where they call. Those who call take no room from those that
/// are called, since strangers choose how many names they call by.
#[derive(Debug, Default)]
pub(super) struct Met(HashMap<Direction, Seen>);

/// Those that were met in one direction.
#[derive(Debug, Default)]
struct Seen {
    peers: HashMap<Domain, (Proof, Instant, u64)>,
    /// Whoever was met last is last.
    turns: BTreeMap<u64, Domain>,
    next: u64,
}

impl Met {
    /// Takes note of how a peer is met now. Tells what it was met with before, where it has fallen
    /// to dialback from that.
    pub(super) fn meet(
        &mut self,
        direction: Direction,
        peer: &Domain,
        proof: Proof,
        now: Instant,
    ) -> Option<Proof> {
        let seen = self.0.entry(direction).or_default();
        if proof == Proof::Dialback {
            let (from, at, _) = seen.peers.get(peer)?;
            return (now < *at + REMEMBERED).then_some(*from);
        }
        seen.note(peer, proof, now);
        None
    }
}

impl Seen {
    fn note(&mut self, peer: &Domain, proof: Proof, now: Instant) {
        let before = self.peers.insert(peer.clone(), (proof, now, self.next));
        if let Some((.., turn)) = before {
            self.turns.remove(&turn);
        }
        self.turns.insert(self.next, peer.clone());
        self.next += 1;
        if PEERS_MAX < self.peers.len()
            && let Some((_, oldest)) = self.turns.pop_first()
        {
            self.peers.remove(&oldest);
        }
    }
}

/// How long a peer that shows less than it did is one that has fallen: whoever has taken its records
/// back is the same peer a day later.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// Peers that are remembered in one direction: as many as a busy server talks to in a day.
const PEERS_MAX: usize = 16_384;

#[cfg(test)]
mod tests;
