#![expect(clippy::disallowed_methods, reason = "time has to begin somewhere")]

use super::*;

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

#[test]
fn a_peer_falls_from_what_it_showed_last_for_a_day() {
    let (mut met, start) = (Met::default(), Instant::now());
    let mut meet = |peer: &str, proof, hours: u64| {
        met.meet(&domain(peer), proof, start + Duration::from_secs(3600 * hours))
    };
    assert_eq!(meet("a.test", Proof::Dialback, 0), None, "it never showed more");
    assert_eq!(meet("a.test", Proof::Dane, 1), None);
    assert_eq!(meet("a.test", Proof::Pkix, 2), None, "better than dialback still");
    assert_eq!(meet("b.test", Proof::Dialback, 3), None, "that was another");
    assert_eq!(meet("a.test", Proof::Dialback, 3), Some(Proof::Pkix));
    assert_eq!(meet("a.test", Proof::Dialback, 25), Some(Proof::Pkix), "again");
    assert_eq!(meet("a.test", Proof::Dialback, 26), None, "a day later");
}

#[test]
fn no_more_peers_are_remembered_than_may_be() {
    let (mut met, now) = (Met::default(), Instant::now());
    for number in 0..=PEERS_MAX {
        met.meet(&domain(&format!("a{number}.test")), Proof::Dane, now);
    }
    assert_eq!(met.0.len(), 1);
    assert_eq!(
        met.meet(&domain(&format!("a{PEERS_MAX}.test")), Proof::Dialback, now),
        Some(Proof::Dane)
    );
}
