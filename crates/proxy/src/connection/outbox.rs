use std::collections::VecDeque;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

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
    wake: Notify,
    room: Notify,
}

#[derive(Debug, Default)]
struct Pending {
    stanzas: VecDeque<Stanza>,
    bytes: usize,
    closed: bool,
}

impl Outbox {
    /// An empty one that has had enough at `bytes_max`.
    pub fn new(bytes_max: usize) -> Self {
        let pending = Mutex::new(Pending::default());
        Self { pending, bytes_max, wake: Notify::new(), room: Notify::new() }
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
        drop(pending);
        self.wake.notify_one();
        Ok(())
    }

    /// Takes stanzas out, in order, until `take` has had enough.
    pub fn pop_while(&self, mut take: impl FnMut(Stanza) -> bool) {
        let mut pending = self.pending();
        let was_full = self.bytes_max <= pending.bytes;
        while let Some(stanza) = pending.stanzas.pop_front() {
            pending.bytes -= stanza.bytes().len();
            if !take(stanza) {
                break;
            }
        }
        if was_full && pending.bytes < self.bytes_max {
            drop(pending);
            self.room.notify_waiters();
        }
    }

    /// Takes out what is of this pair, in order.
    pub fn take(&self, pair: &DomainPair) -> Vec<Stanza> {
        let mut pending = self.pending();
        let was_full = self.bytes_max <= pending.bytes;
        let (taken, rest): (VecDeque<_>, VecDeque<_>) =
            mem::take(&mut pending.stanzas).into_iter().partition(|it| it.pair == *pair);
        pending.stanzas = rest;
        pending.bytes -= taken.iter().map(|it| it.bytes().len()).sum::<usize>();
        if was_full && pending.bytes < self.bytes_max {
            drop(pending);
            self.room.notify_waiters();
        }
        taken.into()
    }

    /// Whether it has had enough.
    pub fn is_full(&self) -> bool {
        let pending = self.pending();
        !pending.closed && self.bytes_max <= pending.bytes
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
        drop(pending);
        self.room.notify_waiters();
        self.wake.notify_one();
        rest
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
