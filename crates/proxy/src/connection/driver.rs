mod effects;
mod machine;
mod orders;
mod waiting;

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;

use ligase_verifier::{Domain, Endpoint};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep_until};

pub use self::machine::Machine;
pub use self::orders::{Found, Order, Start};
use self::waiting::Happened;
use super::budget::Share;
use super::event::{Ending, Event, Facts, Totals};
use super::flow::Meter;
use super::outbox::Outbox;
use super::pace::Pace;
use super::rooms::{Rooms, Settings};
use super::tables::Step;
use super::wire::Wire;
use crate::binding::{ConnectionId, DomainPair, Side, Table};
use crate::stream::{Action, Frame, Input, Reader, Setback};

/// Drives one stream, until either side ends it.
///
/// A driver decides nothing. It turns events into inputs and actions into effects; every choice
/// between the two is the stream's.
pub struct Driver {
    rooms: Arc<Rooms>,
    settings: Arc<Settings>,
    facts: Facts,
    machine: Machine,
    wire: Wire,
    reader: Reader,
    outbox: Arc<Outbox>,
    orders: mpsc::Receiver<Order>,
    /// Look-ups on behalf of the stream; they die with it.
    answers: JoinSet<Input>,
    waiting: HashMap<DomainPair, Vec<oneshot::Sender<Result<(), Setback>>>>,
    /// Who waits for an answer that is no pair's.
    errand: Option<oneshot::Sender<Found>>,
    timer: Pin<Box<Sleep>>,
    /// When something last went over the wire.
    moved: Instant,
    meter: Meter,
    pace: Pace,
    /// Outboxes that have had enough of us, and since when.
    full: VecDeque<(ConnectionId, Arc<Outbox>)>,
    full_since: Instant,
    /// What the connection holds in memory.
    held: Share,
    /// Since when it is not read because memory is scarce.
    unread_since: Option<Instant>,
    /// Given back at the first word of the far end, or when that takes too long.
    seat: Option<OwnedSemaphorePermit>,
    /// Its place among the connections to our own servers, where it is one.
    _place: Option<OwnedSemaphorePermit>,
    opened: Instant,
    trusted: bool,
    /// By when the stream is to be ended, where that may wait for a lull.
    leave_by: Option<Instant>,
    /// Whether our half of the stream has ended; nothing may follow its closing tag.
    ended: bool,
    /// How the connection ended; broken, unless something better is known.
    ending: Ending,
    endpoint: Option<Endpoint>,
    /// The name at which the endpoint's TLSA records stand, if any do.
    base: Option<Domain>,
    /// The domain that we speak for, where we opened the connection.
    local: Option<Domain>,
}

impl Driver {
    /// A driver for a fresh connection; `make` makes its machine.
    #[expect(clippy::disallowed_methods, reason = "a driver is where the clock is read")]
    pub fn new(
        rooms: Arc<Rooms>,
        start: Start,
        make: impl FnOnce(&mut Table) -> (Machine, Vec<Action>),
    ) -> (Box<Self>, Vec<Action>) {
        let Start { socket, opening, facts, endpoint, base, local, waits, errand, seat, place } =
            start;
        let settings = rooms.settings.load_full();
        let (sender, orders) = mpsc::channel(ORDERS_MAX);
        let opened = rooms.now();
        let outbox = rooms.tables.enter(facts, opened, endpoint.clone(), sender);
        let (machine, first) = rooms.tables.change(make);
        (rooms.tell)(Event::Opened(facts));
        let now = Instant::now();
        let speed = (facts.side == Side::Public).then_some(settings.speed);
        let waiting = waits.map(|(pair, answer)| (pair, vec![answer])).into_iter().collect();
        // What is moved into a future has its place there twice; what it points to has not.
        let driver = Box::new(Self {
            wire: Wire::resume(socket, opening.incoming, opening.bytes),
            reader: opening.reader,
            settings,
            facts,
            machine,
            outbox,
            orders,
            answers: JoinSet::new(),
            waiting,
            errand,
            timer: Box::pin(sleep_until(now)),
            moved: now,
            meter: Meter::new(facts.side),
            pace: Pace::new(speed, now),
            full: VecDeque::new(),
            full_since: now,
            held: rooms.tables.budget().share(),
            unread_since: None,
            seat,
            _place: place,
            opened: now,
            trusted: false,
            leave_by: None,
            ended: false,
            ending: Ending::Broken,
            endpoint,
            base,
            local,
            rooms,
        });
        (driver, first)
    }

    /// Drives the stream to its end.
    pub async fn run(mut self: Box<Self>, first: Vec<Action>) {
        self.ending = self.live(first).await;
    }

    async fn live(&mut self, first: Vec<Action>) -> Ending {
        if let Some(ending) = self.carry_out(first.into()).await {
            return ending;
        }
        loop {
            if self.full.is_empty()
                && let Some(ending) = self.hear().await
            {
                return ending;
            }
            // Only now is it known whether there is room for more; the wait for it is counted.
            self.tally();
            let input = match self.next().await {
                Happened::Nothing => continue,
                Happened::Input(input) => input,
                Happened::Broken => {
                    self.rooms.tables.change(|table| table.close(self.facts.id));
                    return Ending::Broken;
                }
            };
            let was_of_use = matches!(input, Input::TimedOut { .. }) && self.is_authorized();
            let actions = self.step(input);
            if let Some(ending) = self.carry_out(actions).await {
                let is_idle = was_of_use && ending == Ending::Closed;
                return if is_idle { Ending::Idle } else { ending };
            }
        }
    }

    /// Understands what was read, a run of stanzas at a time, until an outbox has had enough.
    async fn hear(&mut self) -> Option<Ending> {
        while self.full.is_empty() && (self.reader.is_ahead() || !self.wire.incoming.is_empty()) {
            let mut stanzas = Vec::new();
            let mut bytes = 0;
            let other = loop {
                if RUN_MAX <= bytes {
                    break None;
                }
                let frame = match self.reader.next(&mut self.wire.incoming) {
                    Ok(Some(frame)) => frame,
                    Ok(None) => break None,
                    Err(error) => break Some(Input::Refuse(error)),
                };
                self.pace.hear(&frame);
                if let Frame::Stanza(stanza) = frame {
                    bytes += stanza.bytes().len();
                    stanzas.push(stanza);
                } else {
                    break Some(Input::Frame(frame));
                }
            };
            if stanzas.is_empty() && other.is_none() {
                return None;
            }
            self.wire.totals.stanzas_in += stanzas.len() as u64;
            let stanzas = stanzas.into_iter().map(|stanza| Input::Frame(Frame::Stanza(stanza)));
            let actions = self.steps(stanzas.chain(other));
            if let Some(ending) = self.carry_out(actions).await {
                return Some(ending);
            }
        }
        if self.wire.incoming.is_empty() {
            // A connection with nothing half read keeps no buffer.
            self.wire.incoming = bytes::BytesMut::new();
        }
        None
    }

    fn step(&mut self, input: Input) -> VecDeque<Action> {
        self.steps(std::iter::once(input))
    }

    fn steps(&mut self, inputs: impl Iterator<Item = Input>) -> VecDeque<Action> {
        let at = self.rooms.elapsed();
        let machine = &mut self.machine;
        let mut step = self.rooms.tables.advance(self.facts.id, |table, out| {
            for input in inputs {
                machine.handle(input, at, table, out);
            }
        });
        self.rooms.follow(&mut step);
        let Step { actions, full, .. } = step;
        if !full.is_empty() {
            self.note_full(full);
        }
        actions
    }

    #[expect(clippy::disallowed_methods, reason = "a driver is where the clock is read")]
    fn note_full(&mut self, full: Vec<(ConnectionId, Arc<Outbox>)>) {
        self.full_since = Instant::now();
        self.full.extend(full);
    }

    async fn carry_out(&mut self, mut todo: VecDeque<Action>) -> Option<Ending> {
        while let Some(action) = todo.pop_front() {
            match action {
                Action::Send(text) => self.say(&text),
                Action::StartTls(addressed) => {
                    // What a handshake needs is not kept for all the time after it.
                    let input = Box::pin(self.start_tls(addressed)).await;
                    todo.extend(self.step(input));
                }
                Action::Restart => {
                    self.reader = Reader::new(self.limits());
                    self.answers = JoinSet::new();
                }
                Action::Judge(name, presented) => self.judge(name, presented),
                Action::AskAuthority(pair, id, key) => {
                    let (rooms, facts) = (Arc::clone(&self.rooms), self.facts);
                    self.answers.spawn(async move {
                        let answer = rooms.ask_authority(facts, &pair, id, key).await;
                        Input::Authority(pair, answer)
                    });
                }
                Action::Reach(pair) => {
                    let rooms = Arc::clone(&self.rooms);
                    self.answers.spawn(async move {
                        let result = rooms.reach(&pair).await;
                        Input::Reached(pair, result)
                    });
                }
                Action::Repeat(id, pair) => {
                    self.rooms.tables.order(id, Order::say(Input::Repeat(pair)));
                }
                Action::Tell(tidings) => self.tell(tidings),
                Action::Keep(keep) => self.wire.keep(keep),
                Action::Acknowledged(count) => todo.extend(self.acknowledged(count)),
                Action::Trust => {
                    self.trusted = true;
                    self.reader.set_limits(self.limits());
                }
                Action::Answered(role, valid) if self.facts.side == Side::Public => {
                    (self.rooms.tell)(Event::Dialback { role, valid });
                }
                Action::Lost(pair, way, loss) => {
                    (self.rooms.tell)(Event::lost(self.facts, pair, way, loss));
                }
                Action::Barred(level) if self.facts.side == Side::Public => {
                    let outbound = self.facts.outbound;
                    (self.rooms.tell)(Event::Barred { outbound, level });
                }
                Action::Refused(pair, denial) => {
                    (self.rooms.tell)(Event::Refused { facts: self.facts, pair, denial });
                }
                Action::Count(violation) => self.broke(violation),
                Action::SetTimer(patience) => self.set_timer(patience),
                Action::End(error) => self.end(&error),
                Action::Close(error) => return Some(Box::pin(self.close(error)).await),
                // Stanzas are moved under the lock that decides where to.
                // What our own server answers, or does without, is no news.
                Action::Forward(..)
                | Action::Hold(_)
                | Action::Bounce(..)
                | Action::Answered(..)
                | Action::Barred(_) => (),
            }
        }
        None
    }
}

/// However a driver ends, even by a mistake of ours, its connection leaves nothing behind: no right
/// in the table, no stanza unaccounted for, nobody who waits in vain.
impl Drop for Driver {
    fn drop(&mut self) {
        self.full.clear();
        self.tally();
        let unconfirmed = self.wire.unconfirmed();
        let unsent = self.wire.unsent().collect();
        let mut step = self.rooms.tables.leave(self.facts.id, unsent, unconfirmed);
        self.rooms.follow(&mut step);
        for answer in self.waiting.drain().flat_map(|(_, answers)| answers) {
            let _ = answer.send(Err(Setback::Stream(None)));
        }
        if std::thread::panicking() {
            (self.rooms.tell)(Event::Panicked);
        }
        let totals = Totals { lasted: self.opened.elapsed(), ..self.wire.totals };
        (self.rooms.tell)(Event::Ended(self.facts, self.ending, totals));
    }
}

/// Orders that may wait for a driver; more would mean that it is stuck.
const ORDERS_MAX: usize = 256;
/// How many bytes go on before it is looked at whether those who take them have had enough. What is
/// read at once is half of this; but a stanza may be sent on longer than it came.
const RUN_MAX: usize = 64 * 1024;
/// What a timer is set to that is not needed.
const FOREVER: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 3600);
