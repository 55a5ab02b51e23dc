use std::collections::HashSet;
use std::time::Duration;

use super::*;
use crate::tests::{grounds, proof};

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

fn pair(sender: &str, target: &str) -> DomainPair {
    DomainPair::new(domain(sender), domain(target))
}

fn stream(text: &str) -> StreamId {
    StreamId(text.into())
}

const PEER: ConnectionId = ConnectionId(7);
const OTHER: ConnectionId = ConnectionId(8);
const BACKEND: ConnectionId = ConnectionId(9);

/// A peer and another that are proven for a.test, and our own server, which is for l.test.
fn table() -> Table {
    let mut table = Table::default();
    for (id, side, name, grounds) in [
        (PEER, Side::Public, "a.test", Grounds::Dialback),
        (OTHER, Side::Public, "a.test", Grounds::Dialback),
        (BACKEND, Side::Backend, "l.test", Grounds::Configured),
    ] {
        table.open(id, side);
        table.prove(id, domain(name), grounds);
    }
    table
}

#[test]
fn a_stanza_passes_by_the_entrance_of_its_pair_and_by_no_other_connection() {
    let mut table = table();
    let in_bound = pair("a.test", "l.test");
    assert_eq!(table.passage(&in_bound, PEER), Passage::Forbidden);
    table.let_in(&in_bound, PEER).unwrap();
    assert_eq!(table.passage(&in_bound, PEER), Passage::Wait);
    table.let_out(&in_bound, BACKEND).unwrap();
    assert_eq!(table.passage(&in_bound, PEER), Passage::Exit(BACKEND));

    // M03: the right pair on the wrong connection.
    assert_eq!(table.passage(&in_bound, OTHER), Passage::Forbidden);
    // D-03, D-09: neither the opposite pair, nor another target or sender.
    for (sender, target) in
        [("l.test", "a.test"), ("a.test", "l2.test"), ("sub.a.test", "l.test"), ("test", "l.test")]
    {
        let other = pair(sender, target);
        assert_eq!(table.passage(&other, PEER), Passage::Forbidden, "{other}");
    }
}

#[test]
fn nobody_is_let_in_or_out_who_is_not_proven_for_it() {
    let mut table = table();
    let strange = pair("v.test", "l.test");
    assert_eq!(table.let_in(&strange, PEER), Err(NotProven));
    // Who is proven for the sender takes nothing out to the target, and the other way round.
    assert_eq!(table.let_out(&pair("a.test", "l.test"), PEER), Err(NotProven));
    assert_eq!(table.let_in(&pair("a.test", "l.test"), BACKEND), Err(NotProven));
    // Nor anybody who is gone.
    table.close(PEER);
    assert_eq!(table.let_in(&pair("a.test", "l.test"), PEER), Err(NotProven));
    table.prove(PEER, domain("a.test"), Grounds::Dialback);
    assert_eq!(table.let_in(&pair("a.test", "l.test"), PEER), Err(NotProven));
    assert!(table.row(PEER).is_none());
}

#[test]
fn the_eldest_exit_carries_and_the_next_takes_over_when_it_is_gone() {
    let mut table = table();
    let out = pair("l.test", "a.test");
    assert_eq!(table.exit(&out), None);
    table.let_out(&out, OTHER).unwrap();
    table.let_out(&out, PEER).unwrap();
    assert_eq!(table.exit(&out), Some(OTHER));
    // To be let out twice is to be let out once, and makes nobody younger.
    table.let_out(&out, OTHER).unwrap();
    assert_eq!(table.exit(&out), Some(OTHER));
    assert!(table.shut_out(&out, OTHER));
    assert!(!table.shut_out(&out, OTHER));
    assert_eq!(table.exit(&out), Some(PEER));
    table.let_out(&out, OTHER).unwrap();
    table.close(PEER);
    assert_eq!(table.exit(&out), Some(OTHER));
    table.close(OTHER);
    assert_eq!(table.exit(&out), None);
}

#[test]
fn whoever_comes_later_queues_up_behind_those_that_wait() {
    let mut table = table();
    let in_bound = pair("a.test", "l.test");
    table.let_in(&in_bound, PEER).unwrap();
    table.set_waiting(&in_bound, true);
    table.let_out(&in_bound, BACKEND).unwrap();
    assert_eq!(table.passage(&in_bound, PEER), Passage::Wait);
    assert_eq!(table.way_out(&in_bound), Passage::Wait);
    // The search looks for an exit, whoever waits.
    assert_eq!(table.exit(&in_bound), Some(BACKEND));
    table.set_waiting(&in_bound, false);
    assert_eq!(table.passage(&in_bound, PEER), Passage::Exit(BACKEND));
}

#[test]
fn a_key_is_good_only_on_the_live_stream_it_was_made_for() {
    let mut table = table();
    let out = pair("l.test", "a.test");
    let asked = |table: &Table, id: &str| table.is_asked(Side::Public, &stream(id), &out);
    table.set_stream(PEER, Some(stream("s1")));
    assert!(!asked(&table, "s1"), "nothing was asked yet");
    table.ask(&out, PEER);
    assert!(asked(&table, "s1"));
    assert!(!asked(&table, "s2"), "another stream");
    assert!(!table.is_asked(Side::Backend, &stream("s1"), &out), "another side (R-05)");
    assert!(!table.is_asked(Side::Public, &stream("s1"), &out.reversed()), "another pair");

    // Two far ends may choose the same id (D-01); one of them leaves, the other stays asked.
    table.set_stream(OTHER, Some(stream("s1")));
    table.ask(&out, OTHER);
    table.close(PEER);
    assert!(asked(&table, "s1"));
    // A restart of the stream makes what was asked before it void.
    table.set_stream(OTHER, Some(stream("s3")));
    assert!(!asked(&table, "s1"));
    assert!(!asked(&table, "s3"));
    table.ask(&out, OTHER);
    table.close(OTHER);
    assert!(!asked(&table, "s3"), "a kept key of a closed stream (B03)");
}

#[test]
fn a_stream_without_an_id_vouches_for_no_key() {
    let mut table = table();
    let out = pair("l.test", "a.test");
    table.set_stream(PEER, None);
    table.ask(&out, PEER);
    assert!(!table.is_asked(Side::Public, &stream(""), &out));
}

#[test]
fn asking_tells_where_an_answer_is_still_due() {
    let mut table = table();
    let out = pair("l.test", "a.test");
    assert_eq!(table.asking(Side::Public, &out), None);
    table.ask(&out, PEER);
    assert_eq!(table.asking(Side::Public, &out), Some(PEER));
    assert_eq!(table.asking(Side::Backend, &out), None);
    table.let_out(&out, PEER).unwrap();
    assert_eq!(table.asking(Side::Public, &out), None);
}

/// F-50: each proof is taken once when it has ended, and not before; a later one replaces it.
#[test]
fn proofs_that_have_ended_are_looked_at_once() {
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let mut table = table();
    assert_eq!(table.next_end(), None);
    for (id, name, lifetime) in [(PEER, "a.test", 1), (PEER, "b.test", 3), (OTHER, "a.test", 2)] {
        table.prove(id, domain(name), grounds(name, minutes(lifetime)));
    }
    assert_eq!(table.next_end(), Some(proof::noon() + minutes(1)));
    assert!(table.take_ended(proof::noon() + minutes(1) - Duration::from_secs(1)).is_empty());
    assert_eq!(table.take_ended(proof::noon() + minutes(1)), [(PEER, domain("a.test").into())]);
    assert!(table.take_ended(proof::noon() + minutes(1)).is_empty());
    assert!(table.is_proven(PEER, &domain("a.test")), "what rests on it has a grace");

    table.prove(OTHER, domain("a.test"), grounds("a.test", minutes(5)));
    assert_eq!(table.next_end(), Some(proof::noon() + minutes(3)));
    table.disprove(PEER, &domain("b.test").into());
    assert_eq!(table.next_end(), Some(proof::noon() + minutes(5)));
    table.close(OTHER);
    assert_eq!(table.next_end(), None);
}

/// D-07: what a connection was, it is no more when it is opened anew.
#[test]
fn a_connection_that_is_opened_anew_begins_with_nothing() {
    let mut table = table();
    let (inbound, out) = (pair("a.test", "l.test"), pair("l.test", "a.test"));
    table.prove(PEER, domain("a.test"), grounds("a.test", Duration::from_secs(60)));
    table.let_in(&inbound, PEER).unwrap();
    table.let_out(&out, PEER).unwrap();
    table.ask(&out, PEER);
    table.open(PEER, Side::Public);
    assert_eq!(table.passage(&inbound, PEER), Passage::Forbidden);
    assert_eq!(table.exit(&out), None);
    assert_eq!(table.next_end(), None);
}

/// What the table should say, kept in the dullest way there is.
#[derive(Default)]
struct Model {
    open: Vec<ConnectionId>,
    names: HashSet<(ConnectionId, Domain)>,
    entrances: Vec<(DomainPair, ConnectionId)>,
    exits: Vec<(DomainPair, ConnectionId)>,
    asked: Vec<(DomainPair, ConnectionId)>,
    waiting: HashSet<DomainPair>,
}

/// How often each thing happened, so that the test cannot pass by doing nothing.
#[derive(Debug, Default)]
struct Tally {
    bound: u32,
    refused: u32,
    exits: u32,
    waits: u32,
    forbidden: u32,
}

#[test]
fn no_order_of_events_breaks_the_table() {
    let mut tally = Tally::default();
    let ending = [60, 120].map(|seconds| grounds("a.test", Duration::from_secs(seconds)));
    for seed in 1..=150 {
        walk(&mut Dice(seed), 250, &ending, &mut tally);
    }
    let Tally { bound, refused, exits, waits, forbidden } = tally;
    let rarest = [bound, refused, exits, waits, forbidden].into_iter().min();
    assert!(Some(100) < rarest, "something hardly ever happens");
}

fn walk(dice: &mut Dice, steps: u32, ending: &[Grounds], tally: &mut Tally) {
    let mut table = Table::default();
    let mut model = Model::default();
    let mut last = 0;
    for _ in 0..steps {
        operate(dice, &mut last, &mut table, &mut model, ending, tally);
        check(&table, &model);
        compare(&table, &model, tally);
    }
    for id in model.open {
        table.close(id);
    }
    let Table { rows, entrances, exits, asked, waiting: _, closed: _, ends } = table;
    assert!(rows.is_empty() && entrances.is_empty() && exits.is_empty() && asked.is_empty());
    assert!(ends.is_empty());
}

fn operate(
    dice: &mut Dice,
    last: &mut u64,
    table: &mut Table,
    model: &mut Model,
    ending: &[Grounds],
    tally: &mut Tally,
) {
    let pair = DomainPair::new(dice.domain(), dice.domain());
    // Ids that never were, that are, and that are no more.
    let id = ConnectionId(dice.roll(*last + 2));
    let is_open = model.open.contains(&id);
    match dice.roll(11) {
        0 => {
            *last += 1;
            let side = if dice.roll(2) == 0 { Side::Public } else { Side::Backend };
            table.open(ConnectionId(*last), side);
            model.open.push(ConnectionId(*last));
        }
        1 | 2 => {
            // The table does not ask for whom a proof was made.
            let grounds = usize::try_from(dice.roll(3)).unwrap();
            let grounds = ending.get(grounds).cloned().unwrap_or(Grounds::Dialback);
            table.prove(id, pair.sender.clone(), grounds);
            if is_open {
                model.names.insert((id, pair.sender));
            }
        }
        3 => {
            let proven = model.names.contains(&(id, pair.sender.clone()));
            assert_eq!(table.let_in(&pair, id).is_ok(), proven);
            note(&mut model.entrances, pair, id, proven, tally);
        }
        4 | 5 => {
            let proven = model.names.contains(&(id, pair.target.clone()));
            assert_eq!(table.let_out(&pair, id).is_ok(), proven);
            note(&mut model.exits, pair, id, proven, tally);
        }
        6 => {
            let had = model.exits.contains(&(pair.clone(), id));
            assert_eq!(table.shut_out(&pair, id), had);
            model.exits.retain(|it| *it != (pair.clone(), id));
            let had = model.entrances.contains(&(pair.clone(), id));
            assert_eq!(table.shut_in(&pair, id), had);
            model.entrances.retain(|it| *it != (pair.clone(), id));
        }
        7 => {
            table.ask(&pair, id);
            note(&mut model.asked, pair, id, is_open, &mut Tally::default());
        }
        8 => {
            table.disprove(id, &pair.sender.clone().into());
            model.names.remove(&(id, pair.sender.clone()));
            let rests_in = |it: &(DomainPair, _)| it.1 == id && it.0.sender == pair.sender;
            let rests_out = |it: &(DomainPair, _)| it.1 == id && it.0.target == pair.sender;
            model.entrances.retain(|it| !rests_in(it));
            model.exits.retain(|it| !rests_out(it));
        }
        9 => {
            let waits = dice.roll(2) == 0;
            table.set_waiting(&pair, waits);
            match waits {
                true => model.waiting.insert(pair),
                false => model.waiting.remove(&pair),
            };
        }
        _ if dice.roll(3) == 0 => {
            table.close(id);
            model.open.retain(|it| *it != id);
            model.names.retain(|it| it.0 != id);
            for list in [&mut model.entrances, &mut model.exits, &mut model.asked] {
                list.retain(|it| it.1 != id);
            }
        }
        _ => {
            table.set_stream(id, Some(stream("s")));
            model.asked.retain(|it| it.1 != id);
        }
    }
}

fn note(
    list: &mut Vec<(DomainPair, ConnectionId)>,
    pair: DomainPair,
    id: ConnectionId,
    done: bool,
    tally: &mut Tally,
) {
    if !done {
        tally.refused += 1;
        return;
    }
    tally.bound += 1;
    if !list.contains(&(pair.clone(), id)) {
        list.push((pair, id));
    }
}

/// D-06, D-07, D-12: nothing dangles, nothing is unproven, nothing is empty, both books agree.
#[track_caller]
fn check(table: &Table, model: &Model) {
    let open: HashSet<_> = model.open.iter().copied().collect();
    assert_eq!(table.rows.keys().copied().collect::<HashSet<_>>(), open);
    for (book, of_row) in [
        (&table.entrances, (|row| &row.entrances) as fn(&Row) -> &HashSet<DomainPair>),
        (&table.exits, |row| &row.exits),
        (&table.asked, |row| &row.asked),
    ] {
        let mut entries = 0;
        for (pair, ids) in book {
            assert!(!ids.is_empty(), "an empty list for {pair}");
            let distinct: HashSet<_> = ids.iter().collect();
            assert_eq!(distinct.len(), ids.len(), "a connection twice for {pair}");
            for id in ids {
                assert!(of_row(&table.rows[id]).contains(pair), "{id} dangles for {pair}");
                entries += 1;
            }
        }
        let in_rows: usize = table.rows.values().map(|row| of_row(row).len()).sum();
        assert_eq!(entries, in_rows, "a row knows of something that the book does not");
    }
    let names = |(id, row): (&ConnectionId, &Row)| {
        let id = *id;
        let end = move |(domain, grounds): (&Name, &Grounds)| {
            grounds.ends().map(|end| (end, id, domain.clone()))
        };
        row.names.iter().filter_map(end).collect::<Vec<_>>()
    };
    assert_eq!(table.ends, table.rows.iter().flat_map(names).collect());
    for row in table.rows.values() {
        assert!(row.entrances.iter().all(|it| row.speaks_for(&it.sender).is_some()));
        assert!(row.exits.iter().all(|it| row.speaks_for(&it.target).is_some()));
    }
}

/// The table says what the model says, about every pair and every connection.
fn compare(table: &Table, model: &Model, tally: &mut Tally) {
    for pair in NAMES.iter().flat_map(|sender| {
        let pair = move |target: &&str| pair(sender, target);
        NAMES.iter().map(pair)
    }) {
        let exit = model.exits.iter().find(|it| it.0 == pair).map(|it| it.1);
        assert_eq!(table.exit(&pair), exit, "{pair}");
        assert_eq!(table.has_entrance(&pair), model.entrances.iter().any(|it| it.0 == pair));
        for id in &model.open {
            let expect = if !model.entrances.contains(&(pair.clone(), *id)) {
                tally.forbidden += 1;
                Passage::Forbidden
            } else if model.waiting.contains(&pair) {
                tally.waits += 1;
                Passage::Wait
            } else if let Some(exit) = exit {
                tally.exits += 1;
                Passage::Exit(exit)
            } else {
                Passage::Wait
            };
            assert_eq!(table.passage(&pair, *id), expect, "{pair} by {id}");
        }
    }
}

const NAMES: [&str; 4] = ["a.test", "b.test", "l.test", "m.test"];

/// Chance that is the same every time (xorshift64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % sides
    }

    fn domain(&mut self) -> Domain {
        let names = NAMES.len() as u64;
        domain(NAMES[usize::try_from(self.roll(names)).unwrap()])
    }
}
