use super::*;

const HOUR: Duration = Duration::from_secs(3600);
const PLACE: &str = "xmpp1.hosting.example";

fn met(rung: Rung) -> Memory<&'static str> {
    let mut memory = Memory::new(8);
    memory.took(&PLACE, rung, HOUR);
    memory
}

#[test]
fn a_place_is_begun_with_as_it_was_met() {
    let start = |rung, best, now| met(rung).start(&PLACE, best, now);
    for (rung, after, expect) in [
        (Rung::ServerName, 23 * HOUR, Rung::ServerName),
        // It takes no streams between servers, but that is asked anew before long (B-04).
        (Rung::DomainName, HOUR / 2, Rung::DomainName),
        (Rung::DomainName, 2 * HOUR, Rung::ServerName),
        (Rung::SenderCertificate, HOUR / 2, Rung::SenderCertificate),
        // Whoever broke the better ones once shall not have us do without them.
        (Rung::Dialback, HOUR / 2, Rung::ServerName),
        (Rung::Plain, HOUR / 2, Rung::ServerName),
    ] {
        assert_eq!(start(rung, Rung::ServerName, HOUR + after), expect, "{rung:?} {after:?}");
    }
    // Without a signed delegation there is no better one.
    assert_eq!(start(Rung::ServerName, Rung::DomainName, HOUR), Rung::DomainName);
    assert_eq!(Memory::new(8).start(&PLACE, Rung::ServerName, HOUR), Rung::ServerName);
}

/// M-06: who resets the better rungs does not bring us to the worse.
#[test]
fn what_a_place_took_it_takes_until_it_has_failed_often() {
    for (rung, expect) in [
        (Rung::ServerName, Rung::ServerName),
        (Rung::DomainName, Rung::Dialback),
        (Rung::SenderCertificate, Rung::Dialback),
        (Rung::Dialback, Rung::Dialback),
        (Rung::Plain, Rung::Plain),
    ] {
        let mut memory = met(rung);
        assert_eq!(memory.floor(&PLACE, 2 * HOUR - HOUR / 2), expect, "{rung:?}");
        for other in [Rung::ServerName, Rung::DomainName, Rung::Dialback, Rung::Plain] {
            // Failures on other rungs are not about this one.
            (0..FAILURES_MAX).filter(|_| other != rung).for_each(|_| memory.failed(&PLACE, other));
        }
        for _ in 0..FAILURES_MAX {
            assert_eq!(memory.floor(&PLACE, HOUR), expect, "{rung:?}");
            memory.failed(&PLACE, rung);
        }
        assert_eq!(memory.floor(&PLACE, HOUR), Rung::Plain, "{rung:?} has failed often");
        assert_eq!(met(rung).floor(&PLACE, 26 * HOUR), Rung::Plain, "{rung:?} was long ago");
    }
    assert_eq!(Memory::new(8).floor(&PLACE, HOUR), Rung::Plain);
}

#[test]
fn what_one_domain_does_not_get_another_may() {
    let mut memory = met(Rung::ServerName);
    memory.took(&PLACE, Rung::Dialback, HOUR);
    assert_eq!(memory.met(&PLACE, HOUR), Some(Rung::ServerName));
    for _ in 0..FAILURES_MAX {
        memory.failed(&PLACE, Rung::ServerName);
    }
    memory.took(&PLACE, Rung::Dialback, HOUR);
    assert_eq!(memory.met(&PLACE, HOUR), Some(Rung::Dialback));
    // Better is always believed, and wipes the slate.
    memory.took(&PLACE, Rung::ServerName, HOUR);
    assert_eq!(memory.floor(&PLACE, HOUR), Rung::ServerName);
}

#[test]
fn a_place_that_has_learned_is_asked_again() {
    let mut memory = met(Rung::DomainName);
    memory.learn(&PLACE);
    assert_eq!(memory.start(&PLACE, Rung::ServerName, HOUR), Rung::ServerName);
    let mut memory = met(Rung::ServerName);
    memory.learn(&PLACE);
    assert_eq!(memory.floor(&PLACE, HOUR), Rung::ServerName);
}

#[test]
fn no_more_is_remembered_than_there_is_room_for() {
    let mut memory = Memory::new(8);
    for place in 0..1000 {
        memory.took(&place, Rung::ServerName, HOUR);
        assert!(memory.places.len() <= 8);
        assert_eq!(memory.met(&place, HOUR), Some(Rung::ServerName));
    }
}

#[test]
fn what_tells_least_is_forgotten_first() {
    let mut memory = Memory::new(16);
    for place in 0..8 {
        memory.took(&place, Rung::Dialback, place * Duration::from_secs(1));
    }
    for place in 8..1008 {
        memory.took(&place, Rung::Plain, HOUR / 2);
    }
    for place in 0..8 {
        assert_eq!(memory.floor(&place, HOUR / 2), Rung::Dialback, "the clear drives nobody out");
    }
    for place in 2000..2015 {
        memory.took(&place, Rung::ServerName, HOUR / 2);
    }
    assert_eq!(memory.floor(&0, HOUR / 2), Rung::Plain);
    assert_eq!(memory.floor(&7, HOUR / 2), Rung::Dialback, "the oldest go first");
}

#[test]
fn what_is_remembered_can_be_told() {
    let mut memory = met(Rung::DomainName);
    memory.failed(&PLACE, Rung::DomainName);
    let expect = Recalled { rung: Rung::DomainName, failures: 1 };
    assert_eq!(memory.recall(&PLACE, HOUR), Some(expect));
    assert_eq!(memory.recall(&"xmpp2.hosting.example", HOUR), None);
    assert_eq!(memory.recall(&PLACE, 3 * HOUR), None);
}
