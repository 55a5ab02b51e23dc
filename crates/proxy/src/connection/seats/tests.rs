use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::*;

fn at(address: &str) -> Party {
    Party { subscriber: subscriber(ip(address)), is_known: false }
}

fn known(address: &str) -> Party {
    Party { is_known: true, ..at(address) }
}

fn ip(address: &str) -> IpAddr {
    address.parse().unwrap()
}

/// Addresses of so many networks, so many of each.
fn v4(networks: u8, hosts: u8) -> Vec<Party> {
    let hosts = |network| (1..=hosts).map(move |host| at(&format!("198.18.{network}.{host}")));
    (0..networks).flat_map(hosts).collect()
}

/// The /64s of a network.
fn v6(subscribers: u16) -> Vec<Party> {
    (0..subscribers).map(|it| at(&format!("2001:db8:0:{it:x}::1"))).collect()
}

#[test]
fn whoever_has_many_addresses_leaves_seats_to_who_is_new() {
    for (who, crowd, taken, neighbour, stranger) in [
        // who asks without end; how many of 128 seats they get; who else still gets one at once:
        // somebody from the network of the first, somebody from elsewhere
        ("one address", v4(1, 1), 14, true, true),
        ("two addresses", v4(1, 2), 20, true, true),
        ("a dozen", v4(1, 12), 30, true, true),
        ("a /24", v4(1, 200), 32, false, true),
        ("a /60", v6(16), 31, true, true),
        ("a /48", v6(1000), 32, false, true),
        ("one each of a dozen networks", v4(12, 1), 66, true, true),
        ("a dozen each of four networks", v4(4, 12), 65, false, true),
        ("a dozen each of a dozen networks", v4(12, 12), 95, false, true),
        ("two hundred networks", v4(200, 2), 96, false, false),
    ] {
        let mut table = Table::new(128);
        for party in crowd.iter().cycle().take(crowd.len() * 128) {
            let _ = table.ask(*party, ());
        }
        let next = match crowd[0].subscriber {
            IpAddr::V4(_) => "198.18.0.250",
            IpAddr::V6(_) => "2001:db8:0:ffff::1",
        };
        assert_eq!(table.taken, taken, "{who}");
        assert_eq!(table.may(at(next)), neighbour, "beside {who}");
        assert_eq!(table.may(at("192.0.2.1")), stranger, "{who}");
        assert!(table.may(known("192.0.2.1")), "a part is kept for who is known: {who}");
    }
}

#[test]
fn nor_do_they_get_more_one_after_the_other() {
    for (who, crowd, taken) in [
        ("one address", v4(1, 1), 14),
        ("two addresses", v4(1, 2), 22),
        ("a dozen", v4(1, 12), 32),
        ("one each of a dozen networks", v4(12, 1), 84),
        ("a dozen each of four networks", v4(4, 12), 78),
        ("a dozen each of ten networks", v4(10, 12), 95),
    ] {
        let mut table = Table::new(128);
        for party in crowd {
            for _ in 0..128 {
                let _ = table.ask(party, ());
            }
        }
        assert_eq!(table.taken, taken, "{who}");
        assert!(table.may(at("192.0.2.1")) && table.may(known("192.0.2.1")), "{who}");
    }
}

#[test]
fn few_seats_are_handed_out_as_well() {
    for (size, one, many) in [(1, 1, 1), (2, 1, 2), (3, 1, 3), (4, 1, 3), (8, 1, 6)] {
        for (crowd, taken) in [(v4(1, 1), one), (v4(30, 1), many)] {
            let mut table = Table::new(size);
            for party in crowd.iter().cycle().take(crowd.len() * size) {
                let _ = table.ask(*party, ());
            }
            assert_eq!(table.taken, taken, "{} of {size}", crowd.len());
        }
    }
}

#[test]
fn those_who_have_fewest_are_next() {
    let mut table = Table::new(1);
    let (busy, idle, other) = (at("198.18.0.1"), at("198.18.0.2"), at("198.18.1.1"));
    assert_eq!(table.ask(busy, "first"), Ok("first"));
    for (whose, who) in [(busy, "second"), (idle, "third"), (other, "fourth"), (other, "fifth")] {
        assert!(table.ask(whose, who).is_err());
    }
    table.size = 16;
    let order: Vec<_> = std::iter::from_fn(|| table.next()).map(|(_, who)| who).collect();
    assert_eq!(order, ["fourth", "third", "fifth"], "networks first, then who is in them");
    for whose in [busy, idle, other, other] {
        table.leave(whose);
    }
    assert_eq!(table.next(), Some((busy, "second")));
    table.leave(busy);
    let held = (table.taken, table.by_network.len(), table.by_subscriber.len());
    assert_eq!((held, table.waiting.len()), ((0, 0, 0), 0), "nobody is remembered");
}

#[test]
fn a_party_is_served_in_the_order_in_which_it_asked() {
    let mut table = Table::new(1);
    let one = at("198.18.0.1");
    assert_eq!(table.ask(one, 0), Ok(0));
    let numbers: Vec<_> = (1..=3).map(|it| table.ask(one, it).unwrap_err()).collect();
    table.give_up(one, numbers[0]);
    table.leave(one);
    assert_eq!(table.next(), Some((one, 2)));
    assert_eq!(table.next(), None);
    table.leave(one);
    assert_eq!(table.next(), Some((one, 3)));
}

#[tokio::test]
async fn a_seat_goes_to_who_waits_when_it_is_left() {
    let seats = Seats::new(1);
    let held = seats.take(ip("198.18.0.1"), false).await;
    let mut waiting = JoinSet::new();
    waiting.spawn({
        let seats = seats.clone();
        async move { seats.take(ip("198.18.0.2"), false).await }
    });
    // Who stops waiting is in nobody's way.
    let impatient = timeout(Duration::from_millis(1), seats.take(ip("198.18.0.3"), false)).await;
    assert!(impatient.is_err());
    drop(held);
    drop(waiting.join_next().await.unwrap().unwrap());
    drop(seats.take(ip("198.18.0.1"), false).await);
    let table = seats.table();
    assert_eq!((table.taken, table.waiting.len()), (0, 0));
}
