//! How much goes over the wires, and for how long somebody waits: added up by each connection now
//! and then, taken by whoever counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::event::Totals;
use crate::binding::Side;

/// What has come together since somebody last took it, by side.
#[derive(Debug, Default)]
pub struct Flow {
    public: Sums,
    backend: Sums,
}

#[derive(Debug, Default)]
struct Sums {
    received: AtomicU64,
    sent: AtomicU64,
    blocked_micros: AtomicU64,
}

/// What has come together on one side.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Moved {
    /// Which side.
    pub side: Side,
    /// Bytes that came from far ends, as they are inside TLS.
    pub received: u64,
    /// Bytes that were written to them.
    pub sent: u64,
    /// For how long connections were not read, because an outbox on this side was full.
    pub blocked: Duration,
}

impl Flow {
    /// Takes what has come together. Nothing is taken twice, however many take it.
    pub fn take(&self) -> [Moved; 2] {
        [Side::Public, Side::Backend].map(|side| {
            let sums = self.of(side);
            Moved {
                side,
                received: sums.received.swap(0, Ordering::Relaxed),
                sent: sums.sent.swap(0, Ordering::Relaxed),
                blocked: Duration::from_micros(sums.blocked_micros.swap(0, Ordering::Relaxed)),
            }
        })
    }

    fn of(&self, side: Side) -> &Sums {
        match side {
            Side::Public => &self.public,
            Side::Backend => &self.backend,
        }
    }
}

/// What a connection has added to the [`Flow`] so far.
#[derive(Debug)]
pub(super) struct Meter {
    side: Side,
    received: u64,
    sent: u64,
    blocked: Option<Instant>,
}

impl Meter {
    /// For a fresh connection on that side.
    pub(super) fn new(side: Side) -> Self {
        Self { side, received: 0, sent: 0, blocked: None }
    }

    /// Adds what is new in these totals. From now on the connection is read, or `blocked`.
    pub(super) fn read(&mut self, totals: &Totals, blocked: bool, now: Instant, flow: &Flow) {
        let add = |sum: &AtomicU64, new: u64| {
            if 0 < new {
                sum.fetch_add(new, Ordering::Relaxed);
            }
        };
        let near = flow.of(self.side);
        add(&near.received, totals.bytes_in - self.received);
        add(&near.sent, totals.bytes_out - self.sent);
        (self.received, self.sent) = (totals.bytes_in, totals.bytes_out);
        // What a connection brings leaves on the other side, but for what bounces.
        if let Some(since) = self.blocked.take() {
            let waited = now.saturating_duration_since(since).as_micros();
            let far = flow.of(self.side.other());
            add(&far.blocked_micros, u64::try_from(waited).unwrap_or(u64::MAX));
        }
        self.blocked = blocked.then_some(now);
    }
}

#[cfg(test)]
mod tests;
