use std::time::Duration;

use super::*;

#[test]
fn time_goes_in_circles() {
    for (now, from, to, expect) in [
        (100, 50, 150, true),
        (100, 100, 100, true),
        (100, 101, 150, false),
        (100, 50, 99, false),
        // In 2106.
        (u32::MAX, u32::MAX - 5, 5, true),
        (3, u32::MAX - 5, 5, true),
        (6, u32::MAX - 5, 5, false),
        // No signature lasts 68 years, whatever it says.
        (100, 50, 50 + HALF + 100, false),
    ] {
        let is_between = Seconds(now).is_between(Seconds(from), Seconds(to));
        assert_eq!(is_between, expect, "{now} {from} {to}");
    }
    let at = UNIX_EPOCH + Duration::from_secs((1 << 32) + 7);
    assert_eq!(Seconds::of(at), Seconds(7));
    let now = Seconds(u32::MAX);
    assert_eq!(now.until(Seconds(4)), 5);
    assert_eq!(now.until(Seconds(u32::MAX - 1)), 0);
    assert_eq!(Seconds(9).or_earlier(Seconds(3), now), Seconds(3));
    assert_eq!(now.farthest().or_earlier(Seconds(3), now), Seconds(3));
}

#[test]
fn effort_has_an_end() {
    let effort = Effort::new();
    let signatures = std::iter::repeat_with(|| effort.allows_signature());
    assert_eq!(signatures.take_while(|it| *it).count(), 128);
    assert!(!effort.allows_signature());
    let questions = std::iter::repeat_with(|| effort.allows_question());
    assert_eq!(questions.take_while(|it| *it).count(), 64);
    assert!(!effort.allows_question());
}
