use std::collections::HashSet;
use std::time::Duration;

use super::*;
use crate::tests::{grounds, proof};

#[path = "../../../tests/support/events.rs"]
mod events;

use events::{Cast, Tally, happen};

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
fn a_proof_alone_is_no_right_and_rights_are_listed_as_they_were_given() {
    let mut table = table();
    let in_bound = pair("a.test", "l.test");
    let ways = |table: &Table| -> [Vec<ConnectionId>; 2] {
        [table.entrances(&in_bound).collect(), table.exits(&in_bound).collect()]
    };
    assert!(!table.brings(PEER, &in_bound) && !table.takes(BACKEND, &in_bound));
    assert_eq!(ways(&table), [vec![], vec![]]);
    for id in [OTHER, PEER] {
        table.let_in(&in_bound, id).unwrap();
    }
    table.let_out(&in_bound, BACKEND).unwrap();
    assert!(table.brings(PEER, &in_bound) && table.takes(BACKEND, &in_bound));
    assert!(!table.brings(BACKEND, &in_bound) && !table.takes(PEER, &in_bound));
    assert_eq!(ways(&table), [vec![OTHER, PEER], vec![BACKEND]]);
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

/// D-04, D-13: the example of draft-ietf-xmpp-dna-01 §4. Its printed tables contradict each other and
/// its own words; these are corrected.
#[test]
fn the_first_and_the_last_proof_to_end_are_known() {
    let mut table = table();
    assert_eq!((table.next_end(), table.last_end()), (None, None));
    let ends = [20, 10, 30].map(|seconds| {
        let grounds = grounds("a.test", Duration::from_secs(seconds));
        let end = grounds.ends().unwrap();
        table.prove(ConnectionId(7 + seconds / 20), domain(&format!("{seconds}.test")), grounds);
        end
    });
    assert_eq!((table.next_end(), table.last_end()), (Some(ends[1]), Some(ends[2])));
}

/// D-07: what was to leave by a connection that is gone has to find another way out, so nothing that
/// it carried is forgotten, and nothing is told twice.
#[test]
fn what_went_out_by_a_connection_that_closed_is_told_once() {
    let mut table = table();
    let out = pair("l.test", "a.test");
    table.let_in(&out.reversed(), OTHER).unwrap();
    table.let_out(&out, PEER).unwrap();
    table.close(OTHER);
    assert_eq!(table.take_closed(), [], "nothing went out by it");
    table.close(PEER);
    assert_eq!(table.take_closed(), [(PEER, HashSet::from([out]))]);
    assert_eq!(table.take_closed(), []);
}

#[test]
fn a_row_says_by_whose_names_it_was_opened() {
    let mut table = table();
    for (mode, text) in [
        (Mode::ServerName, "server-name"),
        (Mode::DomainName, "domain-name"),
        (Mode::Legacy, "legacy"),
    ] {
        table.set_mode(PEER, mode);
        assert_eq!(table.row(PEER).map(|row| row.mode), Some(mode));
        assert_eq!(mode.as_str(), text);
    }
    for (id, text) in [(PEER, "public"), (BACKEND, "backend")] {
        assert_eq!(table.row(id).map(|row| row.side.as_str()), Some(text));
    }
}

#[test]
fn the_tables_of_the_draft_route_as_it_says() {
    let (xxx, yyy, aaa) = (ConnectionId(1), ConnectionId(2), ConnectionId(3));
    let connections: [(_, _, &[&str]); 3] = [
        (xxx, "xmpp1.provider.com", &["capulet"]),
        (yyy, "xmpp2.provider.com", &["capulet", "paris"]),
        (aaa, "paris.example", &["paris", "capulet"]),
    ];
    let bindings: [(_, _, &[ConnectionId]); 4] = [
        ("montague", "capulet", &[xxx, yyy]),
        ("laurence", "capulet", &[aaa]),
        ("laurence", "paris", &[yyy, aaa]),
        ("escalus", "capulet", &[aaa, yyy]),
    ];
    let example = |name: &str| domain(&format!("{name}.example"));
    let outbound = |ours: &str, theirs: &str| DomainPair::new(example(ours), example(theirs));

    let mut table = Table::default();
    table.open(BACKEND, Side::Backend);
    for (id, server, delegated) in connections {
        table.open(id, Side::Public);
        table.set_mode(id, Mode::ServerName);
        table.prove(id, Name::Server(domain(server)), Grounds::Dialback);
        table.admit(id, &domain(server)).unwrap();
        delegated.iter().for_each(|name| table.prove(id, example(name), Grounds::Dialback));
    }
    for (ours, theirs, ids) in bindings {
        let out = outbound(ours, theirs);
        table.prove(BACKEND, example(ours), Grounds::Configured);
        table.let_in(&out, BACKEND).unwrap();
        table.let_out(&out.reversed(), BACKEND).unwrap();
        for id in ids {
            table.let_out(&out, *id).unwrap();
            table.let_in(&out.reversed(), *id).unwrap();
        }
    }
    // To be the server of a name is not to serve the domain of that name (K-09), and nobody brings
    // or takes what was not delegated to them.
    table.disprove(aaa, &Name::Service(example("paris")));
    assert_eq!(table.let_out(&outbound("laurence", "paris"), aaa), Err(NotProven));
    table.prove(aaa, example("paris"), Grounds::Dialback);
    table.let_out(&outbound("laurence", "paris"), aaa).unwrap();
    table.let_in(&outbound("laurence", "paris").reversed(), aaa).unwrap();
    assert_eq!(table.let_out(&outbound("montague", "paris"), xxx), Err(NotProven));

    // One after the other is lost: routing moves on down each list, and asks nobody anew.
    for lost in [None, Some(yyy), Some(aaa), Some(xxx)] {
        lost.into_iter().for_each(|id| table.close(id));
        check(&table);
        for (ours, theirs, ids) in bindings {
            let out = outbound(ours, theirs);
            let mut left = ids.iter().copied().filter(|id| table.row(*id).is_some());
            let expect = left.next().map_or(Passage::Wait, Passage::Exit);
            assert_eq!(table.passage(&out, BACKEND), expect, "{out} without {lost:?}");
            for id in [xxx, yyy, aaa] {
                let listed = ids.contains(&id) && table.row(id).is_some();
                let expect = if listed { Passage::Exit(BACKEND) } else { Passage::Forbidden };
                assert_eq!(table.passage(&out.reversed(), id), expect, "{out} by {id}");
            }
        }
    }
    table.close(BACKEND);
    check(&table);
    assert!(table.rows.is_empty());
}

/// D-07: what a connection was, it is no more when it is opened anew.
#[test]
fn a_server_whose_name_is_taken_back_is_admitted_no_more() {
    let mut table = table();
    let (server, other) = (domain("xmpp.a.test"), domain("xmpp.b.test"));
    for name in [&server, &other] {
        table.prove(PEER, Name::Server(name.clone()), Grounds::Dialback);
    }
    table.admit(PEER, &server).unwrap();
    table.disprove(PEER, &Name::Server(other));
    assert_eq!(table.row(PEER).unwrap().server, Some(server.clone()));
    table.disprove(PEER, &Name::Server(server.clone()));
    assert_eq!(table.row(PEER).unwrap().server, None);
    assert_eq!(table.admit(PEER, &server), Err(NotProven));
}

#[test]
fn a_connection_that_is_opened_anew_begins_with_nothing() {
    let mut table = table();
    let (inbound, out) = (pair("a.test", "l.test"), pair("l.test", "a.test"));
    table.prove(PEER, domain("a.test"), grounds("a.test", Duration::from_secs(60)));
    table.let_in(&inbound, PEER).unwrap();
    table.let_out(&out, PEER).unwrap();
    table.ask(&out, PEER);
    table.open(PEER, Side::Public);
    check(&table);
    assert_eq!(table.passage(&inbound, PEER), Passage::Forbidden);
    assert_eq!(table.exit(&out), None);
    assert_eq!(table.next_end(), None);
}

/// D-06, D-07, D-12. Ten million events: `cargo bench -p ligase --bench table -- --events 10000000`.
#[test]
fn no_order_of_events_breaks_the_table() {
    let ending = [60, 120].map(|seconds| grounds("a.test", Duration::from_secs(seconds)));
    let cast = Cast::new(ending, proof::noon());
    let mut tally = Tally::default();
    for seed in 1..=300 {
        happen(seed, 1000, &cast, &mut tally, &mut check);
    }
    assert!(500 < tally.rarest(), "something hardly ever happens: {tally:?}");
}

/// D-06, D-07, D-12: nothing dangles, nothing is unproven, nothing is empty, both books agree.
#[track_caller]
fn check(table: &Table) {
    for (of_pair, of_row) in [
        (
            (|ways| &ways.entrances) as fn(&Ways) -> &Vec<ConnectionId>,
            (|row| &row.entrances) as fn(&Row) -> &HashSet<DomainPair>,
        ),
        (|ways| &ways.exits, |row| &row.exits),
        (|ways| &ways.asked, |row| &row.asked),
    ] {
        let mut entries = 0;
        for (pair, ways) in &table.bindings.0 {
            let ids = of_pair(ways);
            let distinct: HashSet<_> = ids.iter().collect();
            assert_eq!(distinct.len(), ids.len(), "a connection twice for {pair}");
            for id in ids {
                assert!(of_row(&table.rows[id]).contains(pair), "{id} dangles for {pair}");
                entries += 1;
            }
        }
        let in_rows: usize = table.rows.values().map(|row| of_row(row).len()).sum();
        assert_eq!(entries, in_rows, "a row knows of something that its pair does not");
    }
    for (pair, ways) in &table.bindings.0 {
        let Ways { entrances, exits, asked, waits } = ways;
        let ids = entrances.len() + exits.len() + asked.len();
        assert!(0 < ids || *waits, "{pair} goes nowhere");
    }
    // One that was taken is looked at already, so not every proof that ends is here.
    for (end, id, name) in &table.ends {
        assert_eq!(table.rows[id].names[name].ends(), Some(*end), "{name} of {id} dangles");
    }
    for row in table.rows.values() {
        assert!(row.entrances.iter().all(|it| row.speaks_for(&it.sender).is_some()));
        assert!(row.exits.iter().all(|it| row.speaks_for(&it.target).is_some()));
    }
}
