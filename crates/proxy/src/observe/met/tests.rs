#![expect(clippy::disallowed_methods, reason = "time has to begin somewhere")]

use super::*;

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

#[test]
fn a_peer_falls_from_what_it_showed_last_for_a_day() {
    let (mut met, start) = (Met::default(), Instant::now());
    let mut meet = |peer: &str, proof, hours: u64| {
        let at = start + Duration::from_secs(3600 * hours);
        met.meet(Direction::Inbound, &domain(peer), proof, at)
    };
    assert_eq!(meet("a.test", Proof::Dialback, 0), None, "it never showed more");
    assert_eq!(meet("a.test", Proof::Dane, 1), None);
    assert_eq!(meet("a.test", Proof::Pkix, 2), None, "better than dialback still");
    assert_eq!(meet("b.test", Proof::Dialback, 3), None, "that was another");
    assert_eq!(meet("a.test", Proof::Dialback, 3), Some(Proof::Pkix));
    assert_eq!(meet("a.test", Proof::Dialback, 25), Some(Proof::Pkix), "again");
    assert_eq!(meet("a.test", Proof::Dialback, 26), None, "a day later");
}

/// Many show a good certificate to those who call them, and none where they call.
#[test]
fn what_a_peer_shows_when_called_is_not_asked_of_it_when_it_calls() {
    use Direction::{Inbound, Outbound};
    let (mut met, now) = (Met::default(), Instant::now());
    let mut meet = |direction, proof| met.meet(direction, &domain("a.test"), proof, now);
    assert_eq!(meet(Outbound, Proof::Pkix), None);
    assert_eq!(meet(Inbound, Proof::Dialback), None);
    assert_eq!(meet(Inbound, Proof::Dane), None);
    assert_eq!(meet(Inbound, Proof::Dialback), Some(Proof::Dane));
    assert_eq!(meet(Outbound, Proof::Dialback), Some(Proof::Pkix));
}

/// Whoever has a certificate for any name below theirs can be met as very many peers.
#[test]
fn the_peers_that_were_not_met_for_longest_make_room_for_others() {
    use Direction::{Inbound, Outbound};
    let (mut met, now) = (Met::default(), Instant::now());
    let numbered = |number: usize| domain(&format!("a{number}.test"));
    met.meet(Outbound, &numbered(1), Proof::Pkix, now);
    for number in 0..PEERS_MAX {
        met.meet(Inbound, &numbered(number), Proof::Dane, now);
    }
    // The first comes back, and so the second is the one that makes room.
    met.meet(Inbound, &numbered(0), Proof::Posh, now);
    met.meet(Inbound, &numbered(PEERS_MAX), Proof::Dane, now);
    let mut fallen =
        |direction, number| met.meet(direction, &numbered(number), Proof::Dialback, now);
    assert_eq!(fallen(Inbound, 0), Some(Proof::Posh));
    assert_eq!(fallen(Inbound, 1), None, "forgotten");
    assert_eq!(fallen(Inbound, 2), Some(Proof::Dane));
    assert_eq!(fallen(Inbound, PEERS_MAX), Some(Proof::Dane));
    assert_eq!(fallen(Outbound, 1), Some(Proof::Pkix), "those who call push out no one we call");
    let seen = &met.0[&Inbound];
    assert_eq!((seen.peers.len(), seen.turns.len()), (PEERS_MAX, PEERS_MAX));
}
