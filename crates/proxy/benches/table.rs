//! What the table costs: `cargo bench -p ligase --bench table`.
//!
//! A binding is what one pair has: a way in by one connection, by which a peer brings it, and a way
//! out by another, to our own server. Each of the two has names of its own in memory, as when both
//! are read off a wire, and neither shares them with another pair. Ends with an error if a binding
//! takes more than [`BYTES_MAX`], a look-up more than [`LOOK_UP_MAX`], or the step of one stanza more
//! than [`STEP_MAX`].
//!
//! `cargo bench -p ligase --bench table -- --events 10000000` has so many events happen to a table
//! instead, in an order that chance chooses, and ends with an error if it is wrong after any of them.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]

use std::alloc::System;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use ligase::binding::{
    ConnectionId, DomainPair, Far, Finding, Grounds, Home, Hosted, Level, Mode, Name, Passage,
    Policy, Residents, Side, StreamId, Table,
};
use ligase::stream::{
    Action, Answer, Bounds, Channels, Dialback, Frame, Header, Ids, Input, Keys, Limits, Part,
    Reader, Receiving, Terms, Word,
};
use ligase_verifier::{Domain, Finding as Found, Reason, Verdict};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[path = "../tests/support/events.rs"]
mod events;
#[path = "../tests/support/proof.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod proof;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The most memory that a binding may take (N-06).
const BYTES_MAX: usize = 1024;

/// The most time that all but one in a hundred look-ups may take (D-11).
const LOOK_UP_MAX: Duration = Duration::from_micros(5);

/// The most time that a stanza may keep the table to itself.
const STEP_MAX: Duration = Duration::from_micros(1);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|it| it == "--events") {
        return events(arguments.get(at + 1).unwrap().parse().unwrap());
    }
    let kept = [measure(100_000, 10), measure(1_000_000, 10), measure(1_000_000, 1000)];
    match kept.into_iter().all(|kept| kept) {
        true => ExitCode::SUCCESS,
        false => {
            println!("a bound is not kept");
            ExitCode::FAILURE
        }
    }
}

/// Measures a table of so many bindings on so many connections. Tells whether it keeps the bounds.
fn measure(bindings: u64, connections: u64) -> bool {
    println!("{bindings} bindings on {connections} connections to peers");
    let region = Region::new(ALLOCATOR);
    let mut table = Table::default();
    fill(&mut table, bindings, connections);
    let stats = region.change();
    let bytes = (stats.bytes_allocated - stats.bytes_deallocated) / bindings as usize;
    println!("  memory   {bytes:>7} bytes a binding");
    let ways = ways(bindings, connections);
    let (median, late) = look_up(&table, &ways);
    println!(
        "  look-up  {:>7} ns, and {} ns for the slowest in a hundred",
        nanos(median),
        nanos(late)
    );
    let (step, allocations) = step(&mut table, bindings, connections);
    println!("  stanza   {:>7} ns, {allocations:.1} allocations", nanos(step));
    bytes <= BYTES_MAX && late <= LOOK_UP_MAX && step <= STEP_MAX
}

fn nanos(time: Duration) -> u128 {
    time.as_nanos()
}

/// Peers as domains of servers, each on one connection; every pair comes in by it and leaves by the
/// backend's.
fn fill(table: &mut Table, bindings: u64, connections: u64) {
    table.open(BACKEND, Side::Backend);
    for number in 1..=connections {
        table.open(ConnectionId(number), Side::Public);
    }
    for number in 0..bindings {
        let (entrance, exit) = (pair(number), pair(number));
        let id = connection(number, connections);
        table.prove(id, entrance.sender.clone(), Grounds::Dialback);
        table.let_in(&entrance, id).unwrap();
        table.prove(BACKEND, exit.target.clone(), Grounds::Configured);
        table.let_out(&exit, BACKEND).unwrap();
    }
}

/// A pair whose names nobody else has in memory: one of many peers, to one of a thousand domains of
/// ours.
fn pair(number: u64) -> DomainPair {
    let (peer, ours) = (number / 1000, number % 1000);
    let domain = |text: String| text.parse::<Domain>().unwrap();
    DomainPair::new(
        domain(format!("conference{peer}.peer.example")),
        domain(format!("tenant{ours}.hosting.example")),
    )
}

/// All pairs of one peer share its connection.
fn connection(number: u64, connections: u64) -> ConnectionId {
    ConnectionId(1 + number / 1000 % connections)
}

/// Pairs as they come, each by its connection.
fn ways(bindings: u64, connections: u64) -> Vec<(DomainPair, ConnectionId)> {
    let mut chance = Chance(1);
    let way = |_| {
        let number = chance.below(bindings);
        (pair(number), connection(number, connections))
    };
    (0..LOOK_UPS).map(way).collect()
}

/// How long a look-up takes, by the median and by the slowest in a hundred.
#[expect(clippy::disallowed_methods, reason = "a bench reads the clock, and nothing else")]
fn look_up(table: &Table, ways: &[(DomainPair, ConnectionId)]) -> (Duration, Duration) {
    let mut times = Vec::with_capacity(ways.len());
    for (pair, id) in ways {
        let started = Instant::now();
        let passage = table.passage(pair, *id);
        times.push(started.elapsed());
        assert_eq!(passage, Passage::Exit(BACKEND));
    }
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

/// How long one stanza takes from its stream to the outbox that it is for, and what it allocates.
#[expect(clippy::disallowed_methods, reason = "a bench reads the clock, and nothing else")]
fn step(table: &mut Table, bindings: u64, connections: u64) -> (Duration, f64) {
    let id = ConnectionId(connections + 1);
    let mut stream = open(id, table);
    let mut stanzas = Vec::new();
    let mut chance = Chance(2);
    for _ in 0..BATCH {
        let pair = pair(chance.below(bindings));
        table.prove(id, pair.sender.clone(), Grounds::Dialback);
        table.let_in(&pair, id).unwrap();
        stanzas.push(stanza(&pair));
    }
    let mut out = Vec::with_capacity(4);
    let mut times = Vec::with_capacity(BATCHES);
    let region = Region::new(ALLOCATOR);
    let mut cloned = 0;
    for _ in 0..BATCHES {
        let before = region.change().allocations;
        let inputs: Vec<_> = stanzas.iter().cloned().map(Input::Frame).collect();
        cloned += region.change().allocations - before;
        let started = Instant::now();
        for input in inputs {
            stream.handle(input, Duration::ZERO, table, &mut out);
            assert!(matches!(out.pop(), Some(Action::Forward(BACKEND, _))));
        }
        times.push(started.elapsed());
    }
    let allocations = region.change().allocations - cloned;
    times.sort_unstable();
    let steps = (BATCH * BATCHES) as f64;
    table.close(id);
    (times[BATCHES / 2] / BATCH as u32, allocations as f64 / steps)
}

/// A stream on which a peer has been granted a pair.
fn open(id: ConnectionId, table: &mut Table) -> Receiving {
    let pair = pair(0);
    let terms = terms(&pair.target);
    let (mut stream, mut out) = Receiving::new(id, terms, Ids::seeded([1; 32]), false, table);
    let (from, to) = (Some(pair.sender.clone()), Some(pair.target.clone()));
    let header = Header { from, to, id: None, version_1: true };
    let word = Word::Request("a key".to_owned());
    let request = Dialback { part: Part::Result, pair: pair.clone(), word };
    let unproven = Verdict::Unproven(Reason { prooftype: None, finding: Found::NoCertificate });
    for input in [
        Input::Frame(Frame::Header(header)),
        Input::Frame(Frame::Dialback(request)),
        Input::Found(Name::Service(pair.sender.clone()), Finding::Verdict(unproven)),
        Input::Authority(pair.clone(), Answer::Valid),
        Input::Reached(pair.clone(), Ok(())),
    ] {
        stream.handle(input, Duration::ZERO, table, &mut out);
    }
    assert_eq!(table.passage(&pair, id), Passage::Exit(BACKEND));
    stream
}

/// As little as is needed to be granted a pair.
fn terms(hosted: &Domain) -> Arc<Terms> {
    let patience = Duration::from_secs(30);
    Arc::new(Terms {
        side: Side::Public,
        hosted: Arc::new(Hosted::Only(Residents::of([hosted.clone()], &home()))),
        policy: Arc::new(Policy { default: Level::Any, ..Policy::default() }),
        tls: false,
        server_name: "ligase.example".parse().unwrap(),
        keys: Arc::new(Keys::new(&[b"a secret".to_vec()])),
        channels: Channels::default(),
        bounds: Bounds {
            preauth: patience,
            preauth_elements_max: 32,
            step: patience,
            answer: patience,
            idle: patience,
            claims_max: 16,
            pairs_max: 20_000,
        },
    })
}

/// A message of that pair, as it is read off a stream.
fn stanza(pair: &DomainPair) -> Frame {
    let text = format!(
        "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>\
         <message from='romeo@{}/orchard' to='juliet@{}' type='chat'>\
         <body>Lady, by yonder blessed moon I swear</body></message>",
        pair.sender, pair.target
    );
    let mut bytes = BytesMut::from(text.as_str());
    let mut reader = Reader::new(Limits { element: 8192, depth: 128, attributes: 256 });
    reader.next(&mut bytes).unwrap().unwrap();
    reader.next(&mut bytes).unwrap().unwrap()
}

/// Has so many events happen to tables, each a thousand.
#[expect(clippy::disallowed_methods, reason = "a bench reads the clock, and nothing else")]
fn events(count: u64) -> ExitCode {
    let lifetimes = [60, 120].map(Duration::from_secs);
    let ending = lifetimes.map(|lifetime| match proof::proven_for("a.test", lifetime) {
        Verdict::Proven(association) => Grounds::Proven(association),
        found @ (Verdict::Unproven(_) | Verdict::Refuted(_) | Verdict::Undetermined(_)) => {
            panic!("{found:?}")
        }
    });
    let cast = events::Cast::new(ending, proof::noon());
    let mut tally = events::Tally::default();
    let started = Instant::now();
    for seed in 1..=count.div_ceil(1000) {
        events::happen(seed, 1000, &cast, &mut tally, &mut |_| ());
    }
    println!("{count} events in {:.1?}, and the table held: {tally:#?}", started.elapsed());
    match count / 10_000 < u64::from(tally.rarest()) {
        true => ExitCode::SUCCESS,
        false => {
            println!("something hardly ever happened");
            ExitCode::FAILURE
        }
    }
}

/// The connection to our own server.
const BACKEND: ConnectionId = ConnectionId(0);

/// How many look-ups are timed, one by one.
const LOOK_UPS: u64 = 200_000;

/// Stanzas between two looks at the clock.
const BATCH: usize = 1000;

/// So many that the median is not moved by whoever else uses the machine.
const BATCHES: usize = 101;

/// Chance that is the same every time (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}

fn home() -> Home {
    std::net::SocketAddr::from(([127, 0, 0, 1], 5269)).into()
}
