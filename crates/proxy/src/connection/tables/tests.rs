use std::time::Duration;

use super::*;
use crate::binding::{Finding, Grounds, Passage, Side};
use crate::stream::{Loss, Way};
use crate::tests::{domain, grounds, message, pair, proof};

/// More than any of these tests holds unless it means to.
const MEMORY: usize = 1 << 20;

const PEER: ConnectionId = ConnectionId(1);
const BACKEND: ConnectionId = ConnectionId(2);
const SPARE: ConnectionId = ConnectionId(3);

/// Tables with three connections: a peer that is proven for a.test, and two ways to our own server.
struct World {
    tables: Tables,
    outboxes: HashMap<ConnectionId, Arc<Outbox>>,
    orders: HashMap<ConnectionId, mpsc::Receiver<Order>>,
}

fn world() -> World {
    let bounds = Bounds { pair_stanzas_max: 4, pair_bytes_max: 10_000, bytes_max: 20_000 };
    let mut world = World {
        tables: Tables::new(bounds, 150, Budget::new(MEMORY)),
        outboxes: HashMap::new(),
        orders: HashMap::new(),
    };
    for (side, name) in
        [(Side::Public, "a.test"), (Side::Backend, "l.test"), (Side::Backend, "l.test")]
    {
        let id = world.tables.issue();
        let facts = Facts {
            id,
            side,
            outbound: side == Side::Backend,
            transport: None,
            peer: "192.0.2.1:5269".parse().unwrap(),
        };
        let (sender, orders) = mpsc::channel(1);
        let outbox = world.tables.enter(facts, SystemTime::UNIX_EPOCH, None, sender);
        world.tables.change(|table| {
            table.open(id, side);
            table.prove(id, domain(name), Grounds::Dialback);
        });
        world.outboxes.insert(id, outbox);
        world.orders.insert(id, orders);
    }
    world
}

fn inbound() -> DomainPair {
    pair("a.test", "l.test")
}

fn stanza(id: &str) -> Stanza {
    message("a.test", "l.test", id)
}

impl World {
    /// What its machine lets through, from this connection.
    fn act(&self, id: ConnectionId, actions: Vec<Action>) -> Step {
        self.tables.advance(id, |_, out| out.extend(actions))
    }

    fn let_out(&self, pair: &DomainPair, id: ConnectionId) {
        self.tables.change(|table| table.let_out(pair, id)).unwrap();
    }

    /// The ids of what waits in an outbox, which is emptied.
    fn sent(&self, id: ConnectionId) -> Vec<String> {
        let mut sent = Vec::new();
        self.outboxes[&id].pop_while(|stanza| {
            let text = String::from_utf8_lossy(stanza.bytes()).into_owned();
            let (_, rest) = text.split_once(" id='").unwrap();
            sent.push(rest.split('\'').next().unwrap().to_owned());
            true
        });
        sent
    }
}

fn forward(exit: ConnectionId, id: &str) -> Action {
    Action::Forward(exit, stanza(id))
}

#[test]
fn stanzas_go_into_outboxes_and_the_rest_to_the_driver() {
    let world = world();
    world.let_out(&inbound(), BACKEND);
    let step = world.act(
        PEER,
        vec![forward(BACKEND, "1"), Action::Restart, forward(BACKEND, "2"), Action::Trust],
    );
    let mut actions = step.actions;
    let actions = actions.make_contiguous();
    assert!(matches!(actions, [Action::Restart, Action::Trust]), "{actions:?}");
    assert_eq!(step.passed, Passed { backend: [2, 0, 0], ..Passed::default() });
    assert!(step.seek.is_empty() && step.full.is_empty());
    assert!(!world.tables.is_quiet());
    assert_eq!(world.sent(BACKEND), ["1", "2"]);
    assert!(world.tables.is_quiet());
}

#[test]
fn what_has_no_way_out_waits_and_is_sought_for_once() {
    let world = world();
    let step = world.act(PEER, vec![Action::Hold(stanza("1")), Action::Hold(stanza("2"))]);
    assert_eq!(step.seek, [inbound()]);
    assert_eq!(step.passed, Passed::default());
    let step = world.act(PEER, vec![Action::Hold(stanza("3"))]);
    assert!(step.seek.is_empty(), "somebody seeks already");
    assert_eq!(world.tables.waiting(), [inbound()]);
    assert_eq!(world.tables.queued().0, 3);

    // Nothing is let go while there is no way out.
    assert!(!world.tables.let_go(&inbound()).0);
    world.let_out(&inbound(), BACKEND);
    // Until what waits has gone, what comes later queues up behind it.
    let passage = world.tables.look(|table| table.way_out(&inbound()));
    assert_eq!(passage, Passage::Wait);
    let (gone, step) = world.tables.let_go(&inbound());
    assert!(gone);
    assert_eq!(step.passed, Passed { backend: [3, 0, 0], ..Passed::default() });
    assert_eq!(world.sent(BACKEND), ["1", "2", "3"]);
    let passage = world.tables.look(|table| table.way_out(&inbound()));
    assert_eq!(passage, Passage::Exit(BACKEND));
    assert_eq!(world.tables.queued(), (0, 0));
    assert!(world.tables.let_go(&inbound()).0, "nothing waits");
}

#[test]
fn what_finds_no_room_comes_back_to_its_sender() {
    let world = world();
    world.let_out(&inbound().reversed(), PEER);
    let holds = (0..6).map(|id| Action::Hold(stanza(&id.to_string())));
    let step = world.act(PEER, holds.collect());
    assert_eq!(world.tables.queued().0, 4);
    let refused = ("resource-constraint", inbound().reversed());
    assert_eq!(step.bounced, [refused.clone(), refused]);
    // They go back to the peer, though it was the peer's own driver that sent them.
    assert_eq!(step.passed, Passed { public: [2, 0, 0], ..Passed::default() });
    assert_eq!(world.sent(PEER), ["4", "5"]);
}

#[test]
fn what_is_given_back_waits_for_a_way_to_its_sender() {
    let world = world();
    world.act(PEER, vec![Action::Hold(stanza("1"))]);
    let error = StanzaError::RemoteServerTimeout("why".into());
    let step = world.tables.give_back(&inbound(), &error);
    let back = inbound().reversed();
    assert_eq!(step.bounced, [("remote-server-timeout", back.clone())]);
    assert_eq!(step.seek, std::slice::from_ref(&back));
    assert_eq!(world.tables.waiting(), std::slice::from_ref(&back));
    // If there is none, it is the end of it: errors never come back.
    let step = world.tables.give_back(&back, &error);
    assert!(step.bounced.is_empty() && step.seek.is_empty());
    assert!(world.tables.is_quiet());
}

#[test]
fn our_own_server_hears_what_it_may_not_send() {
    let world = world();
    world.let_out(&inbound().reversed(), PEER);
    let bounce = Action::Bounce(stanza("1"), StanzaError::NotAuthorized);
    let step = world.act(PEER, vec![bounce]);
    assert_eq!(step.bounced, [("not-authorized", inbound().reversed())]);
    assert_eq!(world.sent(PEER), ["1"]);
}

#[test]
fn a_full_outbox_is_told_of_once() {
    let world = world();
    let size = stanza("1").bytes().len();
    let enough = 150_usize.div_ceil(size);
    let forwards = (0..enough + 2).map(|id| forward(BACKEND, &(id % 10).to_string()));
    let step = world.act(PEER, forwards.collect());
    assert_eq!(step.full.len(), 1);
    assert_eq!(step.full[0].0, BACKEND);
    assert!(step.full[0].1.is_full());
    assert_eq!(world.sent(BACKEND).len(), enough + 2);
}

#[test]
fn what_a_closed_connection_did_not_write_goes_first_on_the_next() {
    let world = world();
    world.let_out(&inbound(), BACKEND);
    world.act(PEER, vec![forward(BACKEND, "2"), forward(BACKEND, "3")]);
    // Its machine ends. What it has in its hands is not known before it has left, and goes first.
    let step = world.tables.advance(BACKEND, |table, _| table.close(BACKEND));
    assert!(step.seek.is_empty(), "what is younger must not overtake what is older");
    let step = world.act(PEER, vec![Action::Hold(stanza("4"))]);
    assert!(step.seek.is_empty());
    let step = world.tables.leave(BACKEND, vec![stanza("1")], Vec::new());
    assert_eq!(step.seek, [inbound()]);

    world.let_out(&inbound(), SPARE);
    assert!(world.tables.let_go(&inbound()).0);
    assert_eq!(world.sent(SPARE), ["1", "2", "3", "4"]);
}

#[test]
fn a_connection_that_leaves_takes_its_rights_along_and_no_stanza() {
    let world = world();
    let back = inbound().reversed();
    world.let_out(&inbound(), BACKEND);
    world.let_out(&back, PEER);
    let other = message("l.test", "a.test", "5");
    world.act(BACKEND, vec![Action::Forward(PEER, other)]);
    let step = world.tables.leave(PEER, Vec::new(), Vec::new());
    assert_eq!(step.seek, std::slice::from_ref(&back));
    assert_eq!(world.tables.look(|table| table.exit(&back)), None);
    assert_eq!(world.tables.look(|table| table.exit(&inbound())), Some(BACKEND));
    assert!(world.tables.look_around(|_, entries| !entries.contains_key(&PEER)));
    // It may leave twice, and be asked for something when it has left.
    assert!(world.tables.leave(PEER, Vec::new(), Vec::new()).seek.is_empty());
    world.tables.order(PEER, Order::Abort);
}

#[test]
fn what_is_forwarded_to_a_connection_that_has_ended_waits() {
    let world = world();
    world.let_out(&inbound(), BACKEND);
    world.outboxes[&BACKEND].close();
    let step = world.act(PEER, vec![forward(BACKEND, "1"), forward(BACKEND, "2")]);
    assert_eq!(step.seek, [inbound()]);
    assert_eq!(step.passed, Passed::default());
    assert_eq!(world.tables.queued().0, 2);
    let step = world.act(PEER, vec![forward(ConnectionId(99), "3")]);
    assert!(step.seek.is_empty());
    assert_eq!(world.tables.queued().0, 3);
}

/// What was to leave for a domain by one connection does not leave by it once the proof is gone.
#[test]
fn what_may_not_leave_any_more_is_taken_back() {
    let world = world();
    let other = pair("b.test", "l.test");
    world.let_out(&inbound(), BACKEND);
    world.let_out(&other, BACKEND);
    let stranger = Action::Forward(BACKEND, message("b.test", "l.test", "9"));
    world.act(PEER, vec![forward(BACKEND, "1"), stranger, forward(BACKEND, "2")]);
    let step = world.act(BACKEND, vec![Action::Lost(inbound(), Way::Outbound, Loss::ProofFailed)]);
    assert_eq!(step.seek, [inbound()]);
    assert!(matches!(step.actions.front(), Some(Action::Lost(..))));
    assert_eq!(world.sent(BACKEND), ["9"]);
    world.act(PEER, vec![Action::Hold(stanza("3"))]);
    world.let_out(&inbound(), SPARE);
    world.tables.change(|table| table.shut_out(&inbound(), BACKEND));
    assert!(world.tables.let_go(&inbound()).0);
    assert_eq!(world.sent(SPARE), ["1", "2", "3"]);
}

/// F-50: whoever watches over the ends of proofs is woken by the sooner ones, and a connection that
/// does not listen loses what it had.
#[test]
fn proofs_end_even_where_nobody_listens() {
    let minute = Duration::from_secs(60);
    let mut world = world();
    let prove = |seconds| {
        let grounds = grounds("a.test", Duration::from_secs(seconds));
        world.tables.advance(PEER, |table, _| {
            table.prove(PEER, domain("a.test"), grounds);
        });
    };
    prove(60);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(world.tables.sooner());
    prove(120);
    assert_eq!(world.tables.look(Table::next_end), Some(proof::noon() + 2 * minute));
    assert!(world.tables.take_ended(proof::noon() + minute).is_empty());
    // What proofs are made by may change, and then all have ended.
    world.tables.doubt();
    assert_eq!(world.tables.take_ended(proof::noon() + minute).len(), 1);
    prove(120);
    let ended = world.tables.take_ended(proof::noon() + 2 * minute);
    assert!(
        matches!(&ended[..], [(it, name)] if it.facts.id == PEER && *name == domain("a.test").into())
    );

    let renewed = || world.tables.renewed(PEER, domain("a.test").into(), Finding::OurServer(false));
    renewed();
    let is_proven = || world.tables.look(|table| table.is_proven(PEER, &domain("a.test")));
    assert!(is_proven());
    // There was room for one order.
    renewed();
    assert!(!is_proven());
    let orders = world.orders.get_mut(&PEER).unwrap();
    assert!(
        matches!(orders.try_recv(), Ok(Order::Say(said)) if matches!(*said, Input::Renewed(..)))
    );
}

/// F-50: what waits to be written does not go to whoever has lost the right to it, listening or not.
#[test]
fn what_waits_for_a_connection_that_does_not_listen_is_taken_back() {
    let world = world();
    let back = inbound().reversed();
    world.let_out(&back, PEER);
    let forward = Action::Forward(PEER, message("l.test", "a.test", "1"));
    world.act(BACKEND, vec![forward]);
    let renewed = || world.tables.renewed(PEER, domain("a.test").into(), Finding::OurServer(false));
    let step = renewed();
    assert!(step.seek.is_empty() && step.actions.is_empty());
    // There was room for one order.
    let step = renewed();
    assert_eq!(step.seek, std::slice::from_ref(&back));
    let loss = Loss::ProofEnded;
    assert!(
        matches!(step.actions.front(), Some(Action::Lost(it, Way::Outbound, why)) if *it == back && *why == loss)
    );
    assert!(world.sent(PEER).is_empty());
    assert_eq!(world.tables.waiting(), [back]);
}

#[test]
fn orders_that_nobody_takes_are_dropped() {
    let mut world = world();
    world.tables.order(PEER, Order::Abort);
    world.tables.order(PEER, Order::say(Input::Drain));
    let orders = world.orders.get_mut(&PEER).unwrap();
    assert!(matches!(orders.try_recv(), Ok(Order::Abort)));
    assert!(orders.try_recv().is_err());
}

/// What nobody confirmed may have arrived: its sender hears so, and it is not sent twice.
#[test]
fn what_was_written_and_not_confirmed_goes_back_to_its_sender() {
    let world = world();
    let back = inbound().reversed();
    world.let_out(&inbound(), BACKEND);
    world.let_out(&inbound(), SPARE);
    world.let_out(&back, PEER);
    let step = world.tables.leave(BACKEND, vec![stanza("2")], vec![stanza("1")]);
    let bounced: Vec<_> = step.bounced.iter().map(|(condition, pair)| (*condition, pair)).collect();
    assert_eq!(bounced, [("remote-server-timeout", &back)]);
    assert_eq!(world.sent(PEER).len(), 1);
    assert_eq!(world.sent(SPARE), ["2"]);
}

/// A second connection stands by: what comes while the first still has stanzas in its hands waits
/// until those have been let go.
#[test]
fn nothing_overtakes_on_the_connection_that_stands_by() {
    let world = world();
    world.let_out(&inbound(), BACKEND);
    world.let_out(&inbound(), SPARE);
    world.act(PEER, vec![forward(BACKEND, "2")]);
    // The network fails, and the table knows before the driver has let go.
    world.tables.change(|table| table.close(BACKEND));
    assert_eq!(world.tables.look(|table| table.exit(&inbound())), Some(SPARE));
    assert_eq!(world.tables.look(|table| table.way_out(&inbound())), Passage::Wait);
    let step = world.act(PEER, vec![Action::Hold(stanza("3"))]);
    assert!(step.seek.is_empty(), "there is nothing to seek");
    assert!(!world.tables.let_go(&inbound()).0, "it is not time yet");
    let step = world.tables.leave(BACKEND, vec![stanza("1")], Vec::new());
    assert!(step.seek.is_empty());
    assert_eq!(world.sent(SPARE), ["1", "2", "3"]);
    assert_eq!(world.tables.look(|table| table.way_out(&inbound())), Passage::Exit(SPARE));
}

/// Where nobody can be given any more memory, what would wait goes back to its sender, and what has a
/// way out goes on.
#[test]
fn without_memory_nothing_waits_and_everything_else_goes_on() {
    let world = world();
    let mut others = world.tables.budget().share();
    others.hold(MEMORY);
    world.tables.change(|table| {
        table.let_in(&inbound(), PEER).unwrap();
        table.let_out(&inbound().reversed(), PEER).unwrap();
    });
    let step = world.act(BACKEND, vec![Action::Hold(stanza("1"))]);
    assert_eq!(step.bounced.iter().map(|it| it.0).collect::<Vec<_>>(), ["resource-constraint"]);
    assert_eq!(world.tables.queued(), (0, 0));
    assert!(!world.outboxes[&PEER].is_empty(), "the sender hears of it");

    drop(others);
    let step = world.act(BACKEND, vec![Action::Hold(stanza("2"))]);
    assert_eq!((step.bounced.len(), world.tables.queued().0), (0, 1));
    assert!(stanza("2").bytes().len() <= world.tables.budget().held());
    let bounce = world.tables.give_back(&inbound(), &StanzaError::ResourceConstraint);
    assert_eq!(bounce.bounced.len(), 1);
    for outbox in world.outboxes.values() {
        outbox.close();
    }
    assert!(world.tables.budget().held() < 4096, "{}", world.tables.budget().held());
}

#[tokio::test(start_paused = true)]
async fn the_way_home_that_rests_longest_makes_room_once() {
    let mut world = world();
    let at = tokio::time::sleep(Duration::ZERO).deadline();
    let now = Duration::from_secs(100);
    world.outboxes[&PEER].touch(Duration::ZERO);
    world.outboxes[&BACKEND].touch(Duration::from_secs(50));
    world.outboxes[&SPARE].touch(Duration::from_secs(40));
    let mut left =
        |id| matches!(world.orders.get_mut(&id).unwrap().try_recv(), Ok(Order::Leave(_)));
    assert!(world.tables.make_room(now, at));
    assert!(left(SPARE) && !left(BACKEND) && !left(PEER));
    // What is still to be written, or was of use a moment ago, is no rest.
    world.outboxes[&BACKEND].push(stanza("1")).unwrap();
    assert!(!world.tables.make_room(now, at));
    world.outboxes[&BACKEND].close();
    world.outboxes[&BACKEND].touch(now);
    assert!(!world.tables.make_room(now + Duration::from_millis(999), at));
    assert!(world.tables.make_room(now + Duration::from_secs(1), at));
    assert!(left(BACKEND) && !left(SPARE) && !left(PEER));
    assert!(!world.tables.make_room(now + Duration::from_secs(1000), at), "both leave already");
}
