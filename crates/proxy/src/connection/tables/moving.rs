//! How stanzas are moved: into outboxes, to those who wait, and back to their senders.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Inner, Step};
use crate::binding::{ConnectionId, DomainPair, Passage, Side};
use crate::stream::{Stanza, StanzaError};

impl Inner {
    /// Lets out what waits for `pair`. Tells whether nothing waits any more.
    pub(super) fn let_go(&mut self, pair: &DomainPair, step: &mut Step) -> bool {
        let Some(exit) = self.table.exit(pair).filter(|_| !self.held.holds(pair)) else {
            return !self.queue.holds(pair);
        };
        self.table.set_waiting(pair, false);
        for stanza in self.queue.take(pair) {
            self.forward(exit, stanza, step);
        }
        self.count_queue();
        true
    }

    /// Has pairs wait for a connection that was closed and has not left yet, where another would
    /// take them already: what it has in its hands comes first.
    pub(super) fn hold_back(&mut self) {
        for (id, pairs) in self.table.take_closed() {
            if !self.entries.contains_key(&id) {
                continue;
            }
            for pair in pairs {
                if self.table.exit(&pair).is_some() {
                    self.table.set_waiting(&pair, true);
                    self.held.hold(id, pair);
                }
            }
        }
    }

    /// Lets go what waited for that connection to leave.
    pub(super) fn release(&mut self, id: ConnectionId, step: &mut Step) {
        for pair in self.held.release(id) {
            if self.table.exit(&pair).is_some() {
                self.let_go(&pair, step);
            } else if self.queue.holds(&pair) {
                step.seek.push(pair);
            } else {
                self.table.set_waiting(&pair, false);
            }
        }
    }

    pub(super) fn forward(&mut self, exit: ConnectionId, stanza: Stanza, step: &mut Step) {
        let kind = stanza.kind as usize;
        let Some(entry) = self.entries.get(&exit) else {
            return self.hold(stanza, step);
        };
        match entry.outbox.push(stanza) {
            Ok(()) => {
                match entry.facts.side {
                    Side::Public => step.passed.public[kind] += 1,
                    Side::Backend => step.passed.backend[kind] += 1,
                }
                let known = step.full.last().is_some_and(|(last, _)| *last == exit);
                if !known && entry.outbox.is_full() {
                    step.full.push((exit, Arc::clone(&entry.outbox)));
                }
            }
            Err(stanza) => self.hold(stanza, step),
        }
    }

    pub(super) fn hold(&mut self, mut stanza: Stanza, step: &mut Step) {
        // What waits is counted by its bytes, so it must not keep a whole read alive.
        stanza.detach();
        let pair = stanza.pair.clone();
        // Whatever waits goes back to its sender before the kernel takes it, and us.
        let pushed = match self.queued.budget().is_full() {
            true => Err(stanza),
            false => self.queue.push(stanza),
        };
        match pushed {
            Ok(first) => {
                self.count_queue();
                self.table.set_waiting(&pair, true);
                // What is held back is let go by the connection that has to leave first.
                if first && !self.held.holds(&pair) {
                    step.seek.push(pair);
                }
            }
            Err(stanza) => self.bounce(&stanza, &StanzaError::ResourceConstraint, step),
        }
    }

    /// Takes out of the outbox of `id` what it may not carry any more, and seeks another way for it.
    pub(super) fn take_back(&mut self, id: ConnectionId, pair: &DomainPair, step: &mut Step) {
        let taken = self.entries.get(&id).map(|entry| entry.outbox.take(pair)).unwrap_or_default();
        if !taken.is_empty() {
            step.seek.extend(self.rescue(taken.into()));
        }
    }

    /// Sends the error where the stanza came from, if it may have one (P-12).
    pub(super) fn bounce(&mut self, stanza: &Stanza, error: &StanzaError, step: &mut Step) {
        let Some(bounce) = stanza.bounce(error.condition(), error.kind(), error.text()) else {
            return;
        };
        step.bounced.push((error.condition(), bounce.pair.clone()));
        match self.table.way_out(&bounce.pair) {
            Passage::Exit(exit) => self.forward(exit, bounce, step),
            Passage::Wait | Passage::Forbidden => self.hold(bounce, step),
        }
    }

    /// Puts stanzas that a connection did not get to write before those that came later. Tells
    /// which pairs are to be sought a way out for.
    pub(super) fn rescue(&mut self, stanzas: VecDeque<Stanza>) -> Vec<DomainPair> {
        let mut pairs: Vec<(DomainPair, Vec<Stanza>)> = Vec::new();
        for stanza in stanzas {
            match pairs.iter_mut().find(|(pair, _)| *pair == stanza.pair) {
                Some((_, rest)) => rest.push(stanza),
                None => pairs.push((stanza.pair.clone(), vec![stanza])),
            }
        }
        let put_back = |(pair, rest): (DomainPair, Vec<Stanza>)| {
            self.table.set_waiting(&pair, true);
            self.queue.put_back(&pair, rest);
            pair
        };
        let pairs = pairs.into_iter().map(put_back).collect();
        self.count_queue();
        pairs
    }

    /// Counts what waits in the queue, as it is now.
    pub(super) fn count_queue(&mut self) {
        self.queued.hold(self.queue.bytes());
    }
}
