use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::budget::Share;
use crate::binding::DomainPair;
use crate::stream::Stanza;

/// The way into a connection: a queue of stanzas that its driver empties.
///
/// It never refuses one for being full, because whoever brings one holds the table and must not
/// wait; it says instead that it has had enough, and then the bringer reads no more from its own
/// far end until there is room. So it holds at most its limit and what each of its entrances reads
/// in one go.
#[derive(Debug)]
pub struct Outbox {
    pending: Mutex<Pending>,
    bytes_max: usize,
    /// When something last went over its connection, in milliseconds since the process started.
    moved: AtomicU64,
    wake: Notify,
    room: Notify,
}

#[derive(Debug, Default)]
struct Pending {
    stanzas: VecDeque<Stanza>,
    bytes: usize,
    closed: bool,
    held: Option<Share>,
}

impl Outbox {
    /// An empty one that has had enough at `bytes_max`.
    pub fn new(bytes_max: usize) -> Self {
        let pending = Mutex::new(Pending::default());
        let moved = AtomicU64::default();
        Self { pending, bytes_max, moved, wake: Notify::new(), room: Notify::new() }
    }

    /// What is in it is counted there; where memory is scarce it has had enough sooner.
    pub fn held_by(self, share: Share) -> Self {
        self.pending().held = Some(share);
        self
    }

    /// Something goes over its connection now, a time after the process started.
    pub fn touch(&self, at: Duration) {
        let millis = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        self.moved.store(millis, Ordering::Relaxed);
    }

    /// When something last went over its connection.
    pub fn moved(&self) -> Duration {
        Duration::from_millis(self.moved.load(Ordering::Relaxed))
    }

    /// Puts a stanza in.
    ///
    /// # Errors
    /// The connection has ended; the stanza comes back.
    pub fn push(&self, stanza: Stanza) -> Result<(), Stanza> {
        let mut pending = self.pending();
        if pending.closed {
            return Err(stanza);
        }
        pending.bytes += stanza.bytes().len();
        pending.stanzas.push_back(stanza);
        pending.count();
        drop(pending);
        self.wake.notify_one();
        Ok(())
    }

    /// Takes stanzas out, in order, until `take` has had enough.
    pub fn pop_while(&self, mut take: impl FnMut(Stanza) -> bool) {
        let mut pending = self.pending();
        let was_full = self.is_much(pending.bytes);
        while let Some(stanza) = pending.stanzas.pop_front() {
            pending.bytes -= stanza.bytes().len();
            if !take(stanza) {
                break;
            }
        }
        if pending.stanzas.is_empty() && KEPT_MAX < pending.stanzas.capacity() {
            // An idle connection keeps no buffers.
            pending.stanzas = VecDeque::new();
        }
        pending.count();
        if was_full && !pending.is_full(self.bytes_max) {
            drop(pending);
            self.room.notify_waiters();
        }
    }

    /// Takes out what is of this pair, in order.
    pub fn take(&self, pair: &DomainPair) -> Vec<Stanza> {
        let mut pending = self.pending();
        let was_full = self.is_much(pending.bytes);
        let (taken, rest): (VecDeque<_>, VecDeque<_>) =
            mem::take(&mut pending.stanzas).into_iter().partition(|it| it.pair == *pair);
        pending.stanzas = rest;
        pending.bytes -= taken.iter().map(|it| it.bytes().len()).sum::<usize>();
        pending.count();
        if was_full && !pending.is_full(self.bytes_max) {
            drop(pending);
            self.room.notify_waiters();
        }
        taken.into()
    }

    /// Whether it has had enough.
    pub fn is_full(&self) -> bool {
        let pending = self.pending();
        !pending.closed && pending.is_full(self.bytes_max)
    }

    /// Whether so much may have been enough, then or now: how scarce memory is changes meanwhile.
    fn is_much(&self, bytes: usize) -> bool {
        SCARCE.min(self.bytes_max) <= bytes
    }

    /// Whether nothing waits in it.
    pub fn is_empty(&self) -> bool {
        self.pending().stanzas.is_empty()
    }

    /// Waits until something was put in. Cancel-safe.
    pub async fn filled(&self) {
        self.wake.notified().await;
    }

    /// Waits until there is room again. Cancel-safe.
    pub async fn drained(&self) {
        loop {
            let mut room = std::pin::pin!(self.room.notified());
            // Enlisted before looking, so that no wake-up falls between the two.
            room.as_mut().enable();
            if !self.is_full() {
                return;
            }
            room.await;
        }
    }

    /// Takes no more, and gives back what nobody will write any more.
    pub fn close(&self) -> VecDeque<Stanza> {
        let mut pending = self.pending();
        pending.closed = true;
        pending.bytes = 0;
        let rest = mem::take(&mut pending.stanzas);
        pending.count();
        drop(pending);
        self.room.notify_waiters();
        self.wake.notify_one();
        rest
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn is_full(&self, bytes_max: usize) -> bool {
        let is_scarce = || self.held.as_ref().is_some_and(|held| held.budget().is_scarce());
        bytes_max <= self.bytes || SCARCE <= self.bytes && is_scarce()
    }

    fn count(&mut self) {
        let bytes = self.bytes + self.stanzas.capacity() * size_of::<Stanza>();
        if let Some(held) = &mut self.held {
            held.hold(bytes);
        }
    }
}

/// For how many stanzas an empty outbox keeps room.
const KEPT_MAX: usize = 16;
/// What is enough where memory is scarce: one good write.
const SCARCE: usize = 64 * 1024;

#[cfg(test)]
mod tests;
