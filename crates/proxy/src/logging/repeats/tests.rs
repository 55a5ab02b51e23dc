use std::time::{Duration, Instant};

use super::{AGAIN, KEYS_MAX, LINES_MAX, REASONS_MAX, Repeats, SECOND, Worth};

#[expect(clippy::disallowed_methods, reason = "a time to begin with")]
fn now() -> Instant {
    Instant::now()
}

const FIRST: Worth = Worth::First { repeated: 0 };

#[test]
fn the_first_is_news_and_the_others_are_counted() {
    let (mut repeats, start) = (Repeats::default(), now());
    let at = |seconds| start + Duration::from_secs(seconds);
    assert_eq!(repeats.fails(&"capulet", "connect", start), FIRST);
    assert_eq!(repeats.fails(&"capulet", "connect", at(1)), Worth::Again { repeated: 1 });
    assert_eq!(repeats.fails(&"capulet", "connect", at(299)), Worth::Again { repeated: 2 });
    // For another reason, or of somebody else, it is news.
    assert_eq!(repeats.fails(&"capulet", "timeout", at(299)), FIRST);
    assert_eq!(repeats.fails(&"paris", "connect", at(299)), FIRST);
    // After five minutes it is told again, and how often it was not.
    assert_eq!(repeats.fails(&"capulet", "connect", at(300)), Worth::First { repeated: 2 });
    assert_eq!(repeats.fails(&"capulet", "connect", at(301)), Worth::Again { repeated: 1 });
}

#[test]
fn what_has_worked_in_between_is_news() {
    let (mut repeats, start) = (Repeats::default(), now());
    assert_eq!(repeats.fails(&"capulet", "connect", start), FIRST);
    assert_eq!(repeats.fails(&"paris", "connect", start), FIRST);
    repeats.works(&"capulet");
    assert_eq!(repeats.fails(&"capulet", "connect", start), FIRST);
    assert_eq!(repeats.fails(&"paris", "connect", start), Worth::Again { repeated: 1 });
}

#[test]
fn ever_new_failures_fill_neither_disk_nor_memory() {
    let (mut repeats, start) = (Repeats::default(), now());
    let mut news = 0;
    for key in 0..100_000_u32 {
        // A hundred a second.
        let at = start + Duration::from_millis(u64::from(key) * 10);
        news += usize::from(repeats.fails(&key, "connect", at) == FIRST);
    }
    assert!(news <= LINES_MAX * 1_001, "{news}");
    assert_eq!(repeats.known.len(), KEYS_MAX);
    // Who was met last is remembered still.
    let last = repeats.known.values().filter_map(|all| all.first()).map(|it| it.first).max();
    assert!(last.is_some_and(|it| start + Duration::from_secs(999) - SECOND <= it));
    assert!(start + AGAIN < last.unwrap());
}

#[test]
fn one_with_many_reasons_is_bounded_too() {
    const REASONS: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let (mut repeats, start) = (Repeats::default(), now());
    for reason in REASONS {
        assert_eq!(repeats.fails(&"capulet", reason, start), FIRST);
    }
    assert_eq!(repeats.known["capulet"].len(), REASONS_MAX);
    assert_eq!(repeats.fails(&"capulet", "l", start), Worth::Again { repeated: 1 });
    assert_eq!(repeats.fails(&"capulet", "a", start), FIRST);
}

#[test]
fn one_reason_does_not_silence_another() {
    let (mut repeats, now) = (Repeats::default(), now());
    let news = (0..100).filter(|key| repeats.fails(key, "connect", now) == FIRST).count();
    assert_eq!(news, LINES_MAX);
    assert_eq!(repeats.fails(&100, "timeout", now), FIRST);
}
