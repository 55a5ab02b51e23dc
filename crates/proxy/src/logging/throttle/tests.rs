use std::time::{Duration, Instant};

use super::{Admitted, Throttle};
use crate::stream::Violation;

/// A clock that stands still until it is told.
struct Clock(Instant);

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "there is no other way to make one")]
    fn new() -> Self {
        Self(Instant::now())
    }

    fn at(&self, milliseconds: u64) -> Instant {
        self.0 + Duration::from_millis(milliseconds)
    }
}

#[test]
fn no_second_has_more_lines_than_it_may() {
    let clock = Clock::new();
    let mut throttle = Throttle::new(10);
    let mut written = Vec::new();
    for millisecond in 0..5_000 {
        if throttle.admit(Violation::XmlDepth, clock.at(millisecond)).is_some() {
            written.push(millisecond);
        }
    }
    assert_eq!(written.len(), 50);
    for window in written.windows(11) {
        assert!(1_000 <= window[10] - window[0], "{window:?}");
    }
}

#[test]
fn what_was_suppressed_is_told_with_the_next_line() {
    let clock = Clock::new();
    let mut throttle = Throttle::new(2);
    let admitted = |suppressed| Some(Admitted { suppressed });
    assert_eq!(throttle.admit(Violation::XmlDepth, clock.at(0)), admitted(0));
    assert_eq!(throttle.admit(Violation::XmlDepth, clock.at(1)), admitted(0));
    assert_eq!(throttle.admit(Violation::XmlDepth, clock.at(2)), None);
    assert_eq!(throttle.admit(Violation::XmlDepth, clock.at(999)), None);
    assert_eq!(throttle.admit(Violation::XmlDepth, clock.at(1_000)), admitted(2));
    assert_eq!(throttle.admit(Violation::XmlDepth, clock.at(1_001)), admitted(0));
    assert_eq!(throttle.admit(Violation::XmlDepth, clock.at(1_002)), None);
}

#[test]
fn one_kind_does_not_silence_another() {
    let clock = Clock::new();
    let mut throttle = Throttle::new(1);
    assert!(throttle.admit(Violation::XmlDepth, clock.at(0)).is_some());
    assert!(throttle.admit(Violation::XmlDepth, clock.at(0)).is_none());
    assert!(throttle.admit(Violation::TlsFlood, clock.at(0)).is_some());
}

#[test]
fn a_clock_that_goes_back_opens_nothing() {
    let clock = Clock::new();
    let mut throttle = Throttle::new(1);
    assert!(throttle.admit(Violation::XmlDepth, clock.at(5_000)).is_some());
    assert!(throttle.admit(Violation::XmlDepth, clock.at(0)).is_none());
}
