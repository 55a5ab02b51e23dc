mod held;
mod moving;
mod proofs;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use ligase_verifier::{Endpoint, Presented, Transport};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use self::held::Held;
use super::budget::{Budget, Share};
use super::driver::Order;
use super::event::Facts;
use super::outbox::Outbox;
use crate::binding::{ConnectionId, DomainPair, Side, Table};
use crate::establish::{Bounds, Queue};
use crate::stream::{Action, Input, Kind, Stanza, StanzaError};

pub use proofs::Ended;

/// The table, the outboxes and what waits, shared by all connections.
///
/// The lock is held for one pure step at a time, and never across an `await`. Stanzas are put into
/// outboxes and the queue under the same lock that told where they go, so none overtakes another
/// of its pair.
#[derive(Debug)]
pub struct Tables {
    inner: Mutex<Inner>,
    outbox_bytes_max: usize,
    budget: Arc<Budget>,
    /// A proof ends sooner than all that were known.
    sooner: Notify,
}

#[derive(Debug)]
struct Inner {
    table: Table,
    entries: HashMap<ConnectionId, Entry>,
    queue: Queue,
    /// What waits in it, counted.
    queued: Share,
    last: u64,
    held: Held,
    /// Whether all proofs are to be looked at, ended or not.
    doubted: bool,
}

/// A connection as others see it.
#[derive(Debug)]
pub struct Entry {
    /// The way in.
    pub outbox: Arc<Outbox>,
    /// Tells its driver what to do.
    pub orders: mpsc::Sender<Order>,
    /// What it is.
    pub facts: Facts,
    /// When it was opened.
    pub opened: SystemTime,
    /// The place that we dialed, where we did.
    pub endpoint: Option<Endpoint>,
    /// What the far end presented.
    pub presented: Option<Presented>,
    /// Whether it was told to make room for another.
    makes_room: bool,
    /// Pairs whose stanzas were taken out of its outbox when it ended. They go on when it has left:
    /// what it had in its hands and did not write comes first.
    rescued: Vec<DomainPair>,
}

/// What a step leaves to do for those who may wait.
#[derive(Debug, Default)]
pub struct Step {
    /// What the machine wants of its driver.
    pub actions: VecDeque<Action>,
    /// Pairs that began to wait for a way out.
    pub seek: Vec<DomainPair>,
    /// Outboxes that have had enough.
    pub full: Vec<(ConnectionId, Arc<Outbox>)>,
    /// How many stanzas went into outboxes on each side, by kind.
    pub passed: Passed,
    /// Bounces that were made, by condition.
    pub bounced: Vec<(&'static str, DomainPair)>,
}

/// How many stanzas went out on each side, by kind in the order of [`KINDS`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Passed {
    /// Towards peers.
    pub public: [u64; 3],
    /// Towards our own server.
    pub backend: [u64; 3],
}

impl Tables {
    /// Empty ones. What is in them is held in that memory.
    pub fn new(bounds: Bounds, outbox_bytes_max: usize, budget: Arc<Budget>) -> Self {
        let inner = Inner {
            table: Table::default(),
            entries: HashMap::new(),
            queue: Queue::new(bounds),
            queued: budget.share(),
            last: 0,
            held: Held::default(),
            doubted: false,
        };
        Self { inner: Mutex::new(inner), outbox_bytes_max, budget, sooner: Notify::new() }
    }

    /// The memory that connections have among them.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// An id that no connection has had.
    pub fn issue(&self) -> ConnectionId {
        let mut inner = self.lock();
        inner.last += 1;
        ConnectionId(inner.last)
    }

    /// Makes a connection known, and tells where to find its outbox.
    pub fn enter(
        &self,
        facts: Facts,
        opened: SystemTime,
        endpoint: Option<Endpoint>,
        orders: mpsc::Sender<Order>,
    ) -> Arc<Outbox> {
        let outbox = Outbox::new(self.outbox_bytes_max).held_by(self.budget.share());
        let outbox = Arc::new(outbox);
        let entry = Entry {
            outbox: Arc::clone(&outbox),
            orders,
            facts,
            opened,
            endpoint,
            presented: None,
            makes_room: false,
            rescued: Vec::new(),
        };
        self.lock().entries.insert(facts.id, entry);
        outbox
    }

    /// Notes how TLS came up and what the far end presented.
    pub fn secured(&self, id: ConnectionId, transport: Transport, presented: Option<Presented>) {
        if let Some(entry) = self.lock().entries.get_mut(&id) {
            entry.facts.transport = Some(transport);
            entry.presented = presented;
        }
    }

    /// Looks at the table.
    pub fn look<R>(&self, look: impl FnOnce(&Table) -> R) -> R {
        look(&self.lock().table)
    }

    /// Looks at the table and at the connections.
    pub fn look_around<R>(
        &self,
        look: impl FnOnce(&Table, &HashMap<ConnectionId, Entry>) -> R,
    ) -> R {
        let inner = self.lock();
        look(&inner.table, &inner.entries)
    }

    /// Changes the table.
    pub fn change<R>(&self, change: impl FnOnce(&mut Table) -> R) -> R {
        let mut inner = self.lock();
        let result = change(&mut inner.table);
        inner.hold_back();
        result
    }

    /// Takes a step of the machine of `id` with the table in hand, and moves the stanzas that it
    /// lets through. Where the machine has ended, so has its connection.
    pub fn advance(
        &self,
        id: ConnectionId,
        machine: impl FnOnce(&mut Table, &mut Vec<Action>),
    ) -> Step {
        let mut actions = Vec::new();
        let mut step = Step::default();
        let mut inner = self.lock();
        let end = inner.table.next_end();
        machine(&mut inner.table, &mut actions);
        inner.hold_back();
        if inner.table.next_end().is_some_and(|sooner| end.is_none_or(|end| sooner < end)) {
            self.sooner.notify_one();
        }
        for action in actions {
            match action {
                Action::Forward(exit, stanza) => inner.forward(exit, stanza, &mut step),
                Action::Hold(stanza) => inner.hold(stanza, &mut step),
                Action::Bounce(stanza, error) => inner.bounce(&stanza, &error, &mut step),
                Action::Lost(pair, way, loss) => {
                    inner.take_back(id, &pair, &mut step);
                    step.actions.push_back(Action::Lost(pair, way, loss));
                }
                Action::Send(_)
                | Action::StartTls(_)
                | Action::Restart
                | Action::Judge(..)
                | Action::AskAuthority(..)
                | Action::Reach(_)
                | Action::Repeat(..)
                | Action::Tell(_)
                | Action::Keep(_)
                | Action::Acknowledged(_)
                | Action::Trust
                | Action::Barred(_)
                | Action::Answered(..)
                | Action::Refused(..)
                | Action::Count(_)
                | Action::SetTimer(_)
                | Action::End(_)
                | Action::Close(_) => step.actions.push_back(action),
            }
        }
        if inner.table.row(id).is_none()
            && let Some(entry) = inner.entries.get(&id)
        {
            let rest = entry.outbox.close();
            let rescued = inner.rescue(rest);
            if let Some(entry) = inner.entries.get_mut(&id) {
                entry.rescued.extend(rescued);
            }
        }
        step
    }

    /// Takes a connection out for good. `unsent` had left its outbox and not reached the network;
    /// `unconfirmed` had, and the far end was to acknowledge it and did not.
    pub fn leave(&self, id: ConnectionId, unsent: Vec<Stanza>, unconfirmed: Vec<Stanza>) -> Step {
        let mut step = Step::default();
        let mut inner = self.lock();
        inner.table.close(id);
        let mut lost = VecDeque::from(unsent);
        let mut pairs = Vec::new();
        if let Some(entry) = inner.entries.remove(&id) {
            crate::binding::give_back(&mut inner.entries);
            lost.extend(entry.outbox.close());
            pairs = entry.rescued;
        }
        pairs.extend(inner.rescue(lost));
        inner.hold_back();
        inner.release(id, &mut step);
        // It may have arrived. Whoever sent it can ask, and a second copy could not be taken back.
        let error = StanzaError::RemoteServerTimeout(UNCONFIRMED.to_owned());
        for stanza in unconfirmed {
            inner.bounce(&stanza, &error, &mut step);
        }
        for pair in pairs {
            let gone = inner.let_go(&pair, &mut step);
            if !gone && !step.seek.contains(&pair) {
                step.seek.push(pair);
            }
        }
        step
    }

    /// Lets out what waits for `pair`, if there is a way out now. Tells whether nothing waits.
    pub fn let_go(&self, pair: &DomainPair) -> (bool, Step) {
        let mut step = Step::default();
        let mut inner = self.lock();
        let gone = inner.let_go(pair, &mut step);
        (gone, step)
    }

    /// Gives back what waits for `pair`.
    pub fn give_back(&self, pair: &DomainPair, error: &StanzaError) -> Step {
        let mut step = Step::default();
        let mut inner = self.lock();
        inner.table.set_waiting(pair, false);
        for stanza in inner.queue.take(pair) {
            inner.bounce(&stanza, error, &mut step);
        }
        inner.count_queue();
        step
    }

    /// Has a connection do something. An order to a connection that has ended, or that has more
    /// orders than it should, is dropped, and with it whatever waits for its answer.
    pub fn order(&self, id: ConnectionId, order: Order) {
        if let Some(entry) = self.lock().entries.get(&id) {
            let _ = entry.orders.try_send(order);
        }
    }

    /// The way in which a connection is told what to do, for those who may wait.
    pub fn orders(&self, id: ConnectionId) -> Option<mpsc::Sender<Order>> {
        self.lock().entries.get(&id).map(|entry| entry.orders.clone())
    }

    /// Has that way to our own server end that has carried nothing for longest, to make room for
    /// another: peers claim pairs, and each has one for as long as it is of use. None is spared twice,
    /// and none is ended that was of use a moment ago.
    pub fn make_room(&self, now: Duration, at: Instant) -> bool {
        let mut inner = self.lock();
        let idle = inner.entries.values_mut().filter(|entry| {
            let leads_home = entry.facts.side == Side::Backend && entry.facts.outbound;
            let rests = entry.outbox.moved() + RESTS <= now && entry.outbox.is_empty();
            leads_home && rests && !entry.makes_room
        });
        let Some(longest) = idle.min_by_key(|entry| entry.outbox.moved()) else {
            return false;
        };
        longest.makes_room = longest.orders.try_send(Order::Leave(at)).is_ok();
        longest.makes_room
    }

    /// Has every connection that brings a pair in take that right back from its far end.
    pub fn withdraw(&self, pair: &DomainPair) {
        let inner = self.lock();
        for id in inner.table.entrances(pair) {
            if let Some(entry) = inner.entries.get(&id) {
                // One that does not listen is told when the next stanza finds no way.
                let _ = entry.orders.try_send(Order::say(Input::Withdraw(pair.clone())));
            }
        }
    }

    /// Tells all connections of something. One that does not listen may carry nothing any more.
    pub fn tell_all(&self, input: impl Fn(&Facts) -> Input) {
        let mut inner = self.lock();
        let inner = &mut *inner;
        for (id, entry) in &inner.entries {
            if entry.orders.try_send(Order::say(input(&entry.facts))).is_err() {
                inner.table.close(*id);
            }
        }
        inner.hold_back();
    }

    /// The pairs that wait for a way out.
    pub fn waiting(&self) -> Vec<DomainPair> {
        self.lock().queue.pairs()
    }

    /// How many stanzas of `pair` wait for a way out.
    pub fn count(&self, pair: &DomainPair) -> usize {
        self.lock().queue.count(pair)
    }

    /// How many stanzas, and how many bytes, wait for a way out.
    pub fn queued(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.queue.len(), inner.queue.bytes())
    }

    /// Whether no stanza is on its way anywhere.
    pub fn is_quiet(&self) -> bool {
        let inner = self.lock();
        inner.queue.is_empty() && inner.entries.values().all(|entry| entry.outbox.is_empty())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a way to our own server has carried nothing before it has to make room: longer than an
/// answer takes.
const RESTS: Duration = Duration::from_secs(1);

/// What the sender of a stanza hears of which nobody knows whether it arrived.
const UNCONFIRMED: &str =
    "The connection broke before the server confirmed that it has the message";

/// The kinds of stanzas, in the order in which they are counted.
pub const KINDS: [Kind; 3] = Kind::ALL;

#[cfg(test)]
mod tests;
