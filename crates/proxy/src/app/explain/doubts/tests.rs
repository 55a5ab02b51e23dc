use std::time::Duration;

use super::*;

fn domain(number: usize) -> Domain {
    format!("peer{number}.example").parse().unwrap()
}

fn doubt(second: u64, reason: &'static str) -> Doubt {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
    Doubt { at, result: "unproven", reason }
}

#[test]
fn the_last_doubt_is_told_until_it_is_settled() {
    let mut doubts = Doubts::default();
    assert_eq!(doubts.of(&domain(1)), None);
    doubts.note(&domain(1), doubt(1, "cert.chain"));
    doubts.note(&domain(1), doubt(2, "cert.expired"));
    doubts.note(&domain(2), doubt(3, "cert.name"));
    assert_eq!(doubts.of(&domain(1)), Some(doubt(2, "cert.expired")));
    doubts.settle(&domain(1));
    assert_eq!(doubts.of(&domain(1)), None);
    assert_eq!(doubts.of(&domain(2)), Some(doubt(3, "cert.name")));
}

#[test]
fn whoever_claims_many_names_takes_no_more_room() {
    let mut doubts = Doubts::default();
    for number in 0..=DOUBTS_MAX + 5 {
        doubts.note(&domain(number), doubt(1, "cert.chain"));
    }
    assert_eq!(doubts.known.len(), DOUBTS_MAX);
    let kept = [5, 6, DOUBTS_MAX + 5].map(|number| doubts.of(&domain(number)).is_some());
    assert_eq!(kept, [false, true, true]);
}
