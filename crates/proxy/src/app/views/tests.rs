use super::*;
use crate::binding::{Mode, Name};

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

#[test]
fn connections_of_a_pair_stand_in_the_order_in_which_they_are_used() {
    let out = DomainPair::new(domain("montague.example"), domain("capulet.example"));
    let mut table = Table::default();
    // The third is let out before the first: it is the one in use.
    for (id, side) in [(1, Side::Public), (2, Side::Public), (3, Side::Public), (4, Side::Backend)]
    {
        let id = ConnectionId(id);
        table.open(id, side);
        table.prove(id, domain("capulet.example"), Grounds::Dialback);
        table.prove(id, domain("montague.example"), Grounds::Configured);
    }
    table.let_out(&out, ConnectionId(3)).unwrap();
    table.let_out(&out, ConnectionId(1)).unwrap();
    table.let_in(&out.reversed(), ConnectionId(1)).unwrap();
    table.let_in(&out.reversed(), ConnectionId(2)).unwrap();
    table.let_in(&out, ConnectionId(4)).unwrap();
    let expect = json!([{
        "local": "montague.example",
        "remote": "capulet.example",
        "connections": [
            {"id": 3, "send": true, "receive": false},
            {"id": 1, "send": true, "receive": true},
            {"id": 2, "send": false, "receive": true},
        ],
    }]);
    assert_eq!(bound(&table), expect);
    assert_eq!(bound(&Table::default()), json!([]));
}

#[test]
fn what_a_server_is_called_and_what_it_shows_are_two_things() {
    let (server, id) = (domain("xmpp.capulet.example"), ConnectionId(1));
    let mut table = Table::default();
    table.open(id, Side::Public);
    table.prove(id, Name::Server(server.clone()), Grounds::Dialback);
    table.prove(id, domain("capulet.example"), Grounds::Dialback);
    table.admit(id, &server).unwrap();
    table.set_mode(id, Mode::ServerName);
    let told = names(table.row(id), None);
    let expect = json!({
        "server_names": ["xmpp.capulet.example"],
        "presented_names": [],
        "authenticated_server": "xmpp.capulet.example",
        "delegated": [
            {"domain": "capulet.example", "prooftype": "dialback", "expires_at": null},
        ],
    });
    assert_eq!(told, expect);
}

#[test]
fn days_that_are_left_are_rounded_down() {
    let at = |second: u64| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second);
    let day = 24 * 3600;
    for (now, end, expect) in
        [(0, 30 * day, 30), (1, 30 * day, 29), (0, 0, 0), (day, day - 1, -1), (day, 0, -1)]
    {
        assert_eq!(days(at(now), at(end)), expect, "{now} {end}");
    }
}
