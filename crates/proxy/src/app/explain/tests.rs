use super::fixtures::{at, doubt};
use super::*;
use crate::binding::Grounds;

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

fn judged(side: Side, outbound: bool, proof: Option<&'static str>) -> Event {
    let (result, reason) = match proof {
        Some(_) => ("proven", ""),
        None => ("unproven", "cert.expired"),
    };
    Event::Judged { side, outbound, domain: domain("capulet.example"), proof, result, reason }
}

#[test]
fn those_who_come_and_are_not_believed_are_remembered_until_they_are() {
    let witness = Witness::default();
    let known = || witness.lock().of(&domain("capulet.example"));
    // Whom we called, and our own server, are told of elsewhere.
    for (side, outbound) in [(Side::Public, true), (Side::Backend, false)] {
        witness.see(&judged(side, outbound, None), at(30));
        assert_eq!(known(), None);
    }
    witness.see(&judged(Side::Public, false, None), at(30));
    assert_eq!(known(), Some(doubt()));
    witness.see(&Event::Panicked, at(31));
    witness.see(&judged(Side::Public, true, Some("dane")), at(31));
    assert_eq!(known(), Some(doubt()));
    witness.see(&judged(Side::Public, false, Some("dane")), at(31));
    assert_eq!(known(), None);
}

#[test]
fn each_side_is_told_by_its_own_connections() {
    let tables = crate::connection::tables::Tables::new(
        crate::establish::Bounds { pair_stanzas_max: 1, pair_bytes_max: 1, bytes_max: 1 },
        1,
        crate::connection::budget::Budget::new(usize::MAX),
    );
    let pair = DomainPair::new(domain("montague.example"), domain("capulet.example"));
    for (number, side) in [(1, Side::Public), (2, Side::Public), (3, Side::Backend)] {
        let id = ConnectionId(number);
        let facts = crate::connection::event::Facts {
            id,
            side,
            outbound: true,
            transport: None,
            peer: "192.0.2.7:5269".parse().unwrap(),
        };
        let (orders, _) = tokio::sync::mpsc::channel(1);
        tables.enter(facts, at(60), None, orders);
        tables.change(|table| {
            table.open(id, side);
            table.prove(id, domain("capulet.example"), Grounds::Dialback);
            table.prove(id, domain("montague.example"), Grounds::Configured);
        });
    }
    tables.change(|table| {
        table.let_out(&pair, ConnectionId(2)).unwrap();
        table.let_out(&pair, ConnectionId(1)).unwrap();
        table.let_in(&pair, ConnectionId(3)).unwrap();
        table.let_in(&pair.reversed(), ConnectionId(1)).unwrap();
    });
    let told = |pair: &DomainPair, side, towards| -> Vec<_> {
        let found =
            tables.look_around(|table, entries| carriers(table, entries, pair, side, towards));
        let each = found.into_iter();
        each.map(|it| (it.facts.id.0, it.grounds.map(|it| it.as_str()))).collect()
    };
    let (dialback, configured) = (Some("dialback"), Some("configured"));
    let out = told(&pair, Side::Public, Side::Public);
    assert_eq!(out, [(2, dialback), (1, dialback)]);
    assert_eq!(told(&pair, Side::Backend, Side::Public), [(3, configured)]);
    let back = &pair.reversed();
    assert_eq!(told(back, Side::Public, Side::Backend), [(1, dialback)]);
    assert_eq!(told(back, Side::Backend, Side::Backend), []);
}
