use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::stream::Stanza;

/// Stanzas that were written, and are kept until they are acknowledged (XEP-0198).
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// From which byte on stanzas are kept; not at all, where there is none.
    pub(super) from: Option<u64>,
    pub(super) stanzas: VecDeque<Stanza>,
    pub(super) bytes: usize,
    /// How many have been acknowledged; it wraps around.
    acknowledged: u32,
    /// Since when an answer is due, if one is.
    asked: Option<Instant>,
    /// How long the last answer took, until somebody wants to know.
    took: Option<Duration>,
}

impl Kept {
    /// Nothing is kept yet; from that byte on it will be.
    pub(super) fn beginning(from: Option<u64>) -> Self {
        Self { from, ..Self::default() }
    }

    /// Notes that the far end is asked now. Tells whether it was not being asked already.
    #[expect(clippy::disallowed_methods, reason = "how long an answer takes begins here")]
    pub(super) fn ask(&mut self) -> bool {
        let is_new = self.asked.is_none();
        self.asked.get_or_insert_with(Instant::now);
        is_new
    }

    /// Forgets so many stanzas, counted from the first that was kept. Tells whether that many were
    /// sent.
    pub(super) fn acknowledge(&mut self, count: u32) -> bool {
        let more = count.wrapping_sub(self.acknowledged) as usize;
        if self.stanzas.len() < more {
            return false;
        }
        self.bytes -= self.stanzas.drain(..more).map(|it| it.bytes().len()).sum::<usize>();
        self.acknowledged = count;
        if let Some(asked) = self.asked.take() {
            self.took = Some(asked.elapsed());
        }
        if self.stanzas.is_empty() {
            // An idle connection keeps no buffers.
            self.stanzas = VecDeque::new();
        }
        true
    }

    /// How long the far end took to answer, told once.
    pub(super) fn round_trip(&mut self) -> Option<Duration> {
        self.took.take()
    }
}
