use std::fs;
use std::time::Duration;

use super::*;
use crate::binding::{Far, Grounds, Name};
use crate::connection::tables::Tables;
use crate::establish::Bounds;

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

fn pair(local: &str, remote: &str) -> DomainPair {
    DomainPair::new(domain(local), domain(remote))
}

fn tables() -> Tables {
    Tables::new(
        Bounds { pair_stanzas_max: 1, pair_bytes_max: 1, bytes_max: 1 },
        1,
        crate::connection::budget::Budget::new(usize::MAX),
    )
}

/// A connection whose far end speaks for `remotes` by dialback.
fn open(tables: &Tables, number: u64, side: Side, remotes: &[&str]) {
    let id = ConnectionId(number);
    let facts = Facts {
        id,
        side,
        outbound: side == Side::Public,
        transport: Some(ligase_verifier::Transport::DirectTls),
        peer: "192.0.2.7:5270".parse().unwrap(),
    };
    let (orders, _) = tokio::sync::mpsc::channel(1);
    tables.enter(facts, SystemTime::UNIX_EPOCH + Duration::from_secs(number), None, orders);
    tables.change(|table| {
        table.open(id, side);
        for remote in remotes {
            table.prove(id, domain(remote), Grounds::Dialback);
        }
    });
}

fn told(tables: &Tables) -> Told {
    tables.look_around(Traffic::copy).tell()
}

#[test]
fn a_pair_is_told_by_the_connection_that_it_leaves_by() {
    let tables = tables();
    open(&tables, 1, Side::Public, &["capulet.example", "escalus.example"]);
    open(&tables, 2, Side::Public, &["capulet.example"]);
    open(&tables, 3, Side::Backend, &[]);
    let out = pair("montague.example", "capulet.example");
    tables.change(|table| {
        let [one, two] = [1, 2].map(ConnectionId);
        table.prove(one, Name::Server(domain("xmpp.capulet.example")), Grounds::Dialback);
        table.admit(one, &domain("xmpp.capulet.example")).unwrap();
        table.set_mode(one, Mode::ServerName);
        table.set_far(one, Far { bidi: true, ..Far::default() });
        table.let_in(&out.reversed(), one).unwrap();
        table.let_in(&pair("escalus.example", "montague.example"), one).unwrap();
        // Later than the first connection, but it is the one in use.
        table.let_out(&out, two).unwrap();
        table.let_out(&out, one).unwrap();
    });
    let told = told(&tables);
    let expect = json!({
        "local": "montague.example",
        "remote": "capulet.example",
        "proof": "dialback",
        "send": true,
        "receive": true,
        "mode": "domain-name",
        "transport": "direct-tls",
        "connections": [2, 1],
        "since": "1970-01-01T00:00:02Z",
        "expires_at": null,
    });
    assert_eq!(told.pairs[0], expect);
    let documented = crate::app::documented::documented("status");
    assert_eq!(
        [&told.pairs[0], &told.channels[0]],
        [&documented["pairs"][0], &documented["channels"][0],]
    );
    let escalus = &told.pairs[1];
    assert_eq!([&escalus["remote"], &escalus["mode"]], ["escalus.example", "server-name"]);
    assert_eq!([&escalus["send"], &escalus["receive"]], [&json!(false), &json!(true)]);
    let expect = json!({
        "id": 1,
        "direction": "outbound",
        "peer_address": "192.0.2.7:5270",
        "server": "xmpp.capulet.example",
        "mode": "server-name",
        "transport": "direct-tls",
        "bidi": true,
        "pairs": 2,
        "opened_at": "1970-01-01T00:00:01Z",
    });
    assert_eq!(told.channels[0], expect);
    assert_eq!(told.channels[1]["id"], 2);
    let expect = json!({
        "pairs": 2,
        "channels": 2,
        "connections": 3,
        "by_proof": {"dane": 0, "posh": 0, "pkix": 0, "dialback": 2},
    });
    assert_eq!(Value::Object(told.counts), expect);
    assert_eq!((told.pairs_left_out, told.channels_left_out), (0, 0));
}

#[test]
fn an_empty_table_has_nothing_to_tell() {
    let told = told(&tables());
    assert_eq!((told.pairs, told.channels), (Vec::new(), Vec::new()));
    assert_eq!([&told.counts["pairs"], &told.counts["connections"]], [0, 0]);
}

/// Ten thousand pairs on five hundred connections: the beginning is told and the rest counted, and
/// neither those who wait for the table nor whoever asked waits for long.
#[test]
fn however_much_there_is_the_answer_is_small_and_comes_soon() {
    let tables = tables();
    for connection in 0..500_u64 {
        let remotes: Vec<_> =
            (0..20).map(|it| format!("d{connection:03}-{it:02}.example")).collect();
        let remotes: Vec<_> = remotes.iter().map(String::as_str).collect();
        open(&tables, connection, Side::Public, &remotes);
        tables.change(|table| {
            for remote in &remotes {
                let out = pair("montague.example", remote);
                table.let_out(&out, ConnectionId(connection)).unwrap();
                table.let_in(&out.reversed(), ConnectionId(connection)).unwrap();
            }
        });
    }
    let took = || {
        let begun = spent();
        let traffic = tables.look_around(Traffic::copy);
        let copied = spent() - begun;
        (traffic.tell(), copied, spent() - begun)
    };
    let (told, copied, all) = (0..5).map(|_| took()).min_by_key(|(.., all)| *all).unwrap();
    assert_eq!([&told.counts["pairs"], &told.counts["channels"]], [10_000, 500]);
    assert_eq!((told.pairs.len(), told.pairs_left_out), (500, 9_500));
    assert_eq!((told.channels.len(), told.channels_left_out), (200, 300));
    assert_eq!(told.pairs[0]["remote"], "d000-00.example");
    assert!(all < Duration::from_millis(50), "{all:?}, {copied:?} of it with the lock held");
}

/// How much processor time this thread has had: others use the machine, too (proc(5), `schedstat`).
fn spent() -> Duration {
    let told = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap())
}
