use std::time::{Duration, Instant};

use tracing::Level;

use super::{Levels, Order, TARGETS};
use crate::config::LogLevel;

/// The most that is let through of each of these.
#[track_caller]
fn check(levels: &Levels, expect: &[(&str, Level)]) {
    let filter = levels.filter();
    for (target, most) in expect {
        for it in [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
            assert_eq!(filter.would_enable(target, &it), it <= *most, "{target} {it}");
        }
    }
}

fn order(level: LogLevel, target: Option<&'static str>, seconds: Option<u64>) -> Order {
    Order { level, target, lasts: seconds.map(Duration::from_secs) }
}

#[expect(clippy::disallowed_methods, reason = "a time to begin with")]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn others_are_logged_one_degree_less() {
    let check = |level, ours, theirs| {
        let expect = [("ligase::net", ours), ("ligase_verifier", ours), ("rustls", theirs)];
        check(&Levels::new(level), &expect);
        assert!(!Levels::new(level).filter().would_enable("hickory_proto::x", &Level::ERROR));
    };
    check(LogLevel::Error, Level::ERROR, Level::ERROR);
    check(LogLevel::Warn, Level::WARN, Level::ERROR);
    check(LogLevel::Info, Level::INFO, Level::WARN);
    check(LogLevel::Debug, Level::DEBUG, Level::INFO);
    check(LogLevel::Trace, Level::TRACE, Level::DEBUG);
}

#[test]
fn one_part_may_say_more_or_less_than_the_rest() {
    let mut levels = Levels::new(LogLevel::Info);
    levels.order(&order(LogLevel::Debug, Some("ligase::stream"), None), now());
    levels.order(&order(LogLevel::Error, Some("ligase::capture"), None), now());
    levels.order(&order(LogLevel::Trace, Some("rustls"), None), now());
    let expect = [
        ("ligase::stream", Level::DEBUG),
        ("ligase::stream::open", Level::DEBUG),
        ("ligase::capture::dns", Level::ERROR),
        ("ligase::observe", Level::INFO),
        ("rustls::client", Level::DEBUG),
        ("webpki", Level::WARN),
    ];
    check(&levels, &expect);
    // The rest may be changed without them.
    levels.order(&order(LogLevel::Warn, None, None), now());
    check(&levels, &[("ligase::observe", Level::WARN), ("ligase::stream", Level::DEBUG)]);
    assert!(!levels.filter().would_enable("hickory_proto", &Level::ERROR));
}

#[test]
fn what_was_asked_for_ends_by_itself() {
    let start = now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut levels = Levels::new(LogLevel::Warn);
    levels.order(&order(LogLevel::Debug, None, Some(60)), start);
    levels.order(&order(LogLevel::Trace, Some("ligase::net"), Some(10)), start);
    levels.order(&order(LogLevel::Info, Some("ligase::app"), None), start);
    assert_eq!(levels.next_end(), Some(at(10)));
    assert!(!levels.expire(at(9)));
    check(&levels, &[("ligase::net", Level::TRACE), ("ligase::stream", Level::DEBUG)]);
    assert!(levels.expire(at(10)));
    check(&levels, &[("ligase::net", Level::DEBUG), ("ligase::stream", Level::DEBUG)]);
    assert_eq!(levels.next_end(), Some(at(60)));
    assert!(levels.expire(at(61)));
    check(&levels, &[("ligase::net", Level::WARN), ("ligase::app", Level::INFO)]);
    assert_eq!(levels.next_end(), None);
}

#[test]
fn a_reload_ends_what_has_no_end_of_its_own() {
    let start = now();
    let mut levels = Levels::new(LogLevel::Info);
    levels.order(&order(LogLevel::Debug, None, None), start);
    levels.order(&order(LogLevel::Debug, Some("ligase::net"), None), start);
    levels.order(&order(LogLevel::Trace, Some("ligase::stream"), Some(60)), start);
    levels.configure(LogLevel::Warn);
    let expect = [
        ("ligase::app", Level::WARN),
        ("ligase::net", Level::WARN),
        ("ligase::stream", Level::TRACE),
    ];
    check(&levels, &expect);
}

#[test]
fn there_are_no_more_orders_than_targets() {
    let mut levels = Levels::new(LogLevel::Info);
    for target in TARGETS.iter().cycle().take(1_000) {
        levels.order(&order(LogLevel::Debug, Some(target), Some(86_400)), now());
    }
    assert_eq!(levels.targets().len(), TARGETS.len());
}
