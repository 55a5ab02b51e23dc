use std::time::Duration;

use tokio::time::Instant;

use super::event::Totals;
use crate::net::rate::{Bucket, Rate};
use crate::stream::Frame;

/// How much a second is read from one connection.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    /// Bytes, as they are inside TLS.
    pub bytes: Rate,
    /// Stanzas.
    pub stanzas: Rate,
    /// Elements of dialback: each is worth a look-up, or a question to somebody else.
    pub assertions: Rate,
}

/// What has been read of a connection, and how long it is left alone for that.
#[derive(Debug)]
pub(super) struct Pace {
    speed: Option<Speed>,
    since: Instant,
    bytes: Owed,
    stanzas: Owed,
    assertions: Owed,
    /// By how many bytes stanzas grew when they were made to stand alone.
    grown: u64,
    /// Elements of dialback that were heard in all.
    asserted: u64,
    /// Until when nothing is read.
    until: Option<Instant>,
}

/// What has been charged of a sum that only grows, and what is owed for it.
#[derive(Debug, Default)]
struct Owed {
    charged: u64,
    bucket: Bucket,
}

impl Pace {
    /// For a connection that was opened `now`; as fast as may be, where there is no speed.
    pub(super) fn new(speed: Option<Speed>, now: Instant) -> Self {
        let [bytes, stanzas, assertions] = [(); 3].map(|()| Owed::default());
        Self { speed, since: now, bytes, stanzas, assertions, grown: 0, asserted: 0, until: None }
    }

    /// Takes note of what the far end has said. What it makes us write more than it wrote itself is
    /// charged to it as if it had.
    pub(super) fn hear(&mut self, frame: &Frame) {
        if let Frame::Stanza(stanza) = frame {
            self.grown += stanza.grown() as u64;
        }
        self.asserted += u64::from(matches!(frame, Frame::Dialback(_)));
    }

    /// Takes note of what has been read in all by `now`.
    pub(super) fn read(&mut self, totals: &Totals, now: Instant) {
        let Some(speed) = self.speed else { return };
        let at = now.saturating_duration_since(self.since);
        let waits = [
            self.bytes.charge(totals.bytes_in + self.grown, speed.bytes, at),
            self.stanzas.charge(totals.stanzas_in, speed.stanzas, at),
            self.assertions.charge(self.asserted, speed.assertions, at),
        ];
        let wait = waits.into_iter().max().unwrap_or_default();
        self.until = (!wait.is_zero()).then(|| now + wait);
    }

    /// Until when nothing is read, if it has been read too fast.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// It has been left alone for long enough.
    pub(super) fn resume(&mut self) {
        self.until = None;
    }
}

impl Owed {
    fn charge(&mut self, sum: u64, rate: Rate, at: Duration) -> Duration {
        let new = sum.saturating_sub(self.charged);
        self.charged = sum;
        self.bucket.owe(rate, at, new)
    }
}

#[cfg(test)]
mod tests;
