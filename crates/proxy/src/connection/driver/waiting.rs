//! What a driver waits for, between one step of its stream and the next.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use super::effects::now;
use super::{Driver, FOREVER, Order};
use crate::binding::{ConnectionId, Side};
use crate::connection::outbox::Outbox;
use crate::connection::wire::Turn;
use crate::stream::{Frame, Input, Violation};
use crate::tls;

impl Driver {
    /// Waits for something to happen. Everything it waits for is cancel-safe.
    pub(super) async fn next(&mut self) -> Happened {
        let reading = self.full.is_empty() && self.pace.until().is_none() && self.has_memory();
        let (due, before) = (self.due(), self.wire.totals.bytes_in);
        tokio::select! {
            // Nothing may follow our closing tag: what is in the outbox then finds another way.
            turn = self.wire.turn((!self.ended).then_some(&*self.outbox), reading) => {
                self.touch();
                self.seat = None;
                match turn {
                    Ok(Turn::Read) => {
                        // Whoever always has more to say is not heard while others wait (N-07).
                        if before + GREEDY <= self.wire.totals.bytes_in {
                            yield_now().await;
                        }
                        Happened::Nothing
                    }
                    Ok(Turn::Ended) => Happened::Input(Input::Frame(Frame::Close)),
                    Err(error) => {
                        // What breaks TLS that had come up is no accident of the network.
                        tls::violation_within(&error).into_iter().for_each(|it| self.broke(it));
                        Happened::Broken
                    }
                }
            }
            () = self.outbox.filled() => {
                self.touch();
                Happened::Nothing
            }
            Some(order) = self.orders.recv() => match order {
                Order::Say(input) => Happened::Input(*input),
                Order::Ask(ask) => {
                    let (pair, answer) = *ask;
                    self.waiting.entry(pair.clone()).or_default().push(answer);
                    Happened::Input(Input::Ask(pair))
                }
                Order::Leave(latest) => {
                    self.leave_by = Some(latest);
                    Happened::Nothing
                }
                Order::Abort => Happened::Broken,
            },
            Some(answer) = self.answers.join_next() => match answer {
                Ok(input) => Happened::Input(input),
                // A look-up that panicked has no answer, and the stream would wait for ever.
                Err(_) => Happened::Broken,
            },
            () = &mut self.timer => {
                // A timer that has fired is never polled again without a new time.
                self.set_timer(FOREVER);
                let quiet = self.moved.elapsed();
                Happened::Input(Input::TimedOut { quiet })
            }
            () = room(self.full.front()) => {
                self.full.pop_front();
                Happened::Nothing
            }
            () = sleep_until(due.unwrap_or(self.moved)), if due.is_some() => self.on_due(),
        }
    }

    /// When something is due that no far end brings about.
    fn due(&self) -> Option<Instant> {
        let seat = self.seat.is_some().then(|| self.opened + SEATED);
        let stalled = (!self.full.is_empty()).then(|| self.stalled());
        let memory = self.unread_since.is_some().then(|| now() + BREATH);
        [self.lull(), seat, stalled, memory, self.pace.until()].into_iter().flatten().min()
    }

    fn on_due(&mut self) -> Happened {
        let now = now();
        let is_over = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_over(self.pace.until()) {
            self.pace.resume();
        }
        if self.opened + SEATED <= now {
            self.seat = None;
        }
        if self.stalled() <= now {
            for (exit, _) in self.full.drain(..) {
                self.rooms.tables.order(exit, Order::Abort);
            }
        }
        if is_over(self.unread_since.map(|since| since + self.settings.stall)) {
            // What it holds is needed, and it has had its time.
            self.broke(Violation::LimitMemory);
            return Happened::Broken;
        }
        if is_over(self.lull()) {
            self.leave_by = None;
            return Happened::Input(Input::Drain);
        }
        Happened::Nothing
    }

    /// By when outboxes that have had enough of us shall have room.
    fn stalled(&self) -> Instant {
        self.full_since + self.settings.stall
    }

    /// When the far end has taken the breath that it was to be left at.
    fn lull(&self) -> Option<Instant> {
        self.leave_by.map(|latest| latest.min(self.moved + LULL))
    }

    /// Whether there is memory for what the far end may say. Our own server's is always heard: it
    /// cannot know, and what it says to those who are not there goes back to it.
    fn has_memory(&mut self) -> bool {
        let budget = self.rooms.tables.budget();
        let has = self.facts.side == Side::Backend
            || !budget.is_scarce()
            || budget.suffices_for(self.held.bytes(), self.is_authorized());
        if has {
            self.unread_since = None;
        } else {
            self.unread_since.get_or_insert_with(now);
        }
        has
    }
}

/// What a driver waited for.
pub(super) enum Happened {
    /// Nothing that the stream has to know of.
    Nothing,
    Input(Input),
    /// The network failed.
    Broken,
}

/// Waits until this outbox has room; for ever, where there is none to wait for.
async fn room(full: Option<&(ConnectionId, Arc<Outbox>)>) {
    match full {
        Some((_, outbox)) => outbox.drained().await,
        None => pending().await,
    }
}

/// How long a connection holds its place in a queue at most: one that is not taken up at all keeps
/// the others waiting no longer.
const SEATED: Duration = Duration::from_secs(1);
/// How long a far end says nothing that takes a breath: many times longer than it takes a server to
/// let go of a stream, and a moment to people.
const LULL: Duration = Duration::from_millis(200);
/// As many bytes in one read as nobody brings who has a word for somebody now and then.
const GREEDY: u64 = 8 * 1024;
/// How often a connection that is not read for want of memory looks whether there is some.
const BREATH: Duration = Duration::from_millis(250);
