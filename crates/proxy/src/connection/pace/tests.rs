use super::*;
use crate::binding::DomainPair;
use crate::stream::{Dialback, Part, Word};

const SPEED: Speed =
    Speed { bytes: Rate::new(1000, 1), stanzas: Rate::new(10, 1), assertions: Rate::new(5, 1) };

fn sums(bytes_in: u64, stanzas_in: u64) -> Totals {
    Totals { bytes_in, stanzas_in, ..Totals::default() }
}

/// How long it is left alone after so much has come in all, a time after it began.
fn left_alone(pace: &mut Pace, at_millis: u64, totals: &Totals, assertions: u64) -> Duration {
    let now = pace.since + Duration::from_millis(at_millis);
    let frame = Frame::Dialback(Dialback {
        part: Part::Result,
        pair: DomainPair::new("a.test".parse().unwrap(), "l.test".parse().unwrap()),
        word: Word::Request("key".to_owned()),
    });
    while pace.asserted < assertions {
        pace.hear(&frame);
        pace.hear(&Frame::StartTls);
    }
    pace.read(totals, now);
    pace.until().map_or(Duration::ZERO, |until| until - now)
}

#[tokio::test(start_paused = true)]
async fn whoever_sends_faster_is_left_alone_for_as_long_as_that_takes() {
    let mut pace = Pace::new(Some(SPEED), start());
    let mut check = |at, totals: Totals, assertions, expect| {
        let found = left_alone(&mut pace, at, &totals, assertions);
        assert_eq!(found, Duration::from_millis(expect), "{totals:?} {assertions}");
    };
    // A second's worth at once.
    check(0, sums(1000, 10), 5, 0);
    check(500, sums(1500, 15), 7, 0);
    // What takes longest decides.
    check(500, sums(1500, 20), 7, 500);
    check(1000, sums(3500, 20), 7, 1500);
    check(3000, sums(3500, 20), 17, 1000);
    // What was charged for is not charged for again.
    check(4000, sums(3500, 20), 17, 0);
}

#[tokio::test(start_paused = true)]
async fn it_is_read_again_after_that_and_where_there_is_no_speed_at_once() {
    let mut pace = Pace::new(Some(SPEED), start());
    assert!(!left_alone(&mut pace, 0, &sums(10_000, 0), 0).is_zero());
    pace.resume();
    assert_eq!(pace.until(), None);

    let mut home = Pace::new(None, start());
    assert!(left_alone(&mut home, 0, &sums(u64::MAX, u64::MAX), 9_999).is_zero());
}

#[expect(clippy::disallowed_methods, reason = "any time will do, and this one stands still")]
fn start() -> Instant {
    Instant::now()
}

/// What a header lends to short stanzas is paid for like what was said.
#[tokio::test(start_paused = true)]
async fn what_grows_on_its_way_counts_as_long_as_it_leaves() {
    let mut pace = Pace::new(Some(SPEED), start());
    let declaration = format!(" xmlns:p='{}'", "u".repeat(500 - " xmlns:p=''".len()));
    let stanza = "<message from='a.test' to='l.test'><p:x/></message>";
    for _ in 0..2 {
        pace.hear(&crate::tests::frame_behind(&declaration, stanza));
    }
    assert_eq!(left_alone(&mut pace, 0, &sums(0, 2), 0), Duration::ZERO);
    assert_eq!(left_alone(&mut pace, 0, &sums(102, 2), 0), Duration::from_millis(102));
    // One that leaves as it came has been counted already.
    pace.hear(&crate::tests::frame_behind(&declaration, &stanza.replace("p:x", "x")));
    assert_eq!(left_alone(&mut pace, 102, &sums(102, 3), 0), Duration::ZERO);
}
