use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use tracing::{debug, warn};

use crate::binding::{DomainPair, Side};
use crate::logging::{Repeats, Worth};

/// Tells which pairs find no way out, each once until it works or some time has gone by.
#[derive(Debug, Default)]
pub(super) struct DeadEnds(Mutex<Repeats<(Side, DomainPair)>>);

impl DeadEnds {
    /// A pair works on this side: when it fails again, that is news.
    pub(super) fn mended(&self, pair: &DomainPair, side: Side) {
        let mut repeats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        repeats.works(&(side, pair.clone()));
    }

    /// A pair that was to leave on this side did not.
    #[expect(clippy::disallowed_methods, reason = "lines are counted by the second")]
    pub(super) fn tell(&self, pair: &DomainPair, side: Side, reason: &'static str) {
        let worth = {
            let mut repeats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            repeats.fails(&(side, pair.clone()), reason, Instant::now())
        };
        // What goes to a peer comes from a domain of ours.
        let (local, remote) = match side {
            Side::Backend => (&pair.target, &pair.sender),
            Side::Public => (&pair.sender, &pair.target),
        };
        let (local, remote) = (local.ascii(), remote.ascii());
        let distrusted = side == Side::Backend && DISTRUST.contains(&reason);
        let side = side.as_str();
        let often = |repeated: u64| (0 < repeated).then_some(repeated);
        match worth {
            Worth::First { repeated } if distrusted => warn!(
                target: "ligase::establish",
                side,
                local,
                remote,
                reason,
                repeated = often(repeated),
                "our server refused a pair; does its trust store hold backend.local_ca?"
            ),
            Worth::First { repeated } => warn!(
                target: "ligase::establish",
                side,
                local,
                remote,
                reason,
                repeated = often(repeated),
                "no way out for a pair"
            ),
            Worth::Again { repeated } => debug!(
                target: "ligase::establish",
                side,
                local,
                remote,
                reason,
                repeated = often(repeated),
                "still no way out for a pair"
            ),
        }
    }
}

/// The reasons for which our own server refuses a pair when it does not trust our authority. It may
/// also wait for a key that the peer never sends, because the peer does not trust us either.
const DISTRUST: [&str; 4] = ["sasl", "stream.closed", "timeout", "tls.handshake"];

#[cfg(test)]
mod tests;
