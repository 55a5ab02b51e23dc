use std::collections::HashMap;
use std::time::{Duration, Instant};

use ligase_metrics::Proof;
use ligase_verifier::Domain;

/// With what each peer was met of late that was better than dialback.
#[derive(Debug, Default)]
pub(super) struct Met(HashMap<Domain, (Proof, Instant)>);

impl Met {
    /// Takes note of how a peer is met now. Tells what it was met with before, where it has fallen
    /// to dialback from that.
    pub(super) fn meet(&mut self, peer: &Domain, proof: Proof, now: Instant) -> Option<Proof> {
        let is_fresh = |at: Instant| now < at + REMEMBERED;
        if proof == Proof::Dialback {
            return self.0.get(peer).filter(|(_, at)| is_fresh(*at)).map(|(from, _)| *from);
        }
        if PEERS_MAX <= self.0.len() && !self.0.contains_key(peer) {
            self.0.retain(|_, (_, at)| is_fresh(*at));
            if PEERS_MAX <= self.0.len() {
                // Whose they are does not matter: what is forgotten is not counted.
                self.0.clear();
            }
        }
        self.0.insert(peer.clone(), (proof, now));
        None
    }
}

/// How long a peer that shows less than it did is one that has fallen: whoever has taken its records
/// back is the same peer a day later.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// Peers that are remembered: as many as a busy server talks to in a day.
const PEERS_MAX: usize = 16_384;

#[cfg(test)]
mod tests;
