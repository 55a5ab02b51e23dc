//! Peers that could not be reached are left alone for a while, each time longer.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use ligase_verifier::Domain;
use tokio::time::Instant;

use crate::connection::rooms::{Rooms, Unreached};
use crate::stream::Setback;

impl Rooms {
    #[expect(clippy::disallowed_methods, reason = "back-off is about time")]
    pub(super) fn still_unreached(&self, peer: &Domain) -> Option<Setback> {
        let unreached = self.unreached();
        let known = unreached.get(peer).filter(|known| Instant::now() < known.until)?;
        Some(known.setback.clone())
    }

    /// Doubles the time until the next try, and spreads it, so that what failed together does not
    /// come back together.
    #[expect(clippy::disallowed_methods, reason = "back-off is about time")]
    pub(super) fn note_unreached(&self, peer: &Domain, setback: &Setback) {
        let mut unreached = self.unreached();
        if UNREACHED_MAX <= unreached.len() {
            let now = Instant::now();
            unreached.retain(|_, known| now < known.until);
        }
        let times = unreached.get(peer).map_or(0, |known| known.times.saturating_add(1));
        let pause = BACK_OFF_MIN.saturating_mul(1 << times.min(5)).min(BACK_OFF_MAX);
        let mut chance = [0];
        // Without chance there is no spread, which is no reason to fail.
        let _ = aws_lc_rs::rand::fill(&mut chance);
        let until = Instant::now() + pause.mul_f32(0.75 + f32::from(chance[0]) / 512.0);
        // Whoever is not remembered is tried again, which is bounded in other ways.
        if unreached.len() < UNREACHED_MAX || unreached.contains_key(peer) {
            let known = Unreached { times, until, setback: setback.clone() };
            unreached.insert(peer.clone(), known);
        }
    }

    /// Forgets that a peer could not be reached, which of our pairs it would not have beside others,
    /// and what was looked up of it; the operator knows that something has changed. Tells how much
    /// there was to forget.
    ///
    /// On which rungs its places were met is not forgotten: that keeps others from taking them down
    /// (M-06).
    pub fn retry(&self, peer: &Domain) -> usize {
        let alone = usize::from(self.unreached().remove(peer).is_some());
        let mut unshared = self.unshared.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = unshared.forget(|(_, pair)| pair.target == *peer);
        alone + refused + self.verifier.load().forget(peer)
    }

    /// How many peers are left alone, because they could not be reached.
    #[expect(clippy::disallowed_methods, reason = "back-off is about time")]
    pub fn left_alone(&self) -> usize {
        let now = Instant::now();
        self.unreached().values().filter(|known| now < known.until).count()
    }

    pub(super) fn unreached(&self) -> MutexGuard<'_, HashMap<Domain, Unreached>> {
        self.unreached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From one try to reach a peer to the next, at least and at most (RFC 6120 §3.3).
const BACK_OFF_MIN: Duration = Duration::from_secs(1);
const BACK_OFF_MAX: Duration = Duration::from_secs(30);
/// Peers that are remembered as unreached.
const UNREACHED_MAX: usize = 4096;
