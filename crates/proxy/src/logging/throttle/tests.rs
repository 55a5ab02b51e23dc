use std::cell::Cell;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tracing::{debug, info, warn};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

use super::{DETAILS_MAX, KEPT, NEWS_MAX, REASONS_MAX};
use crate::logging::lines::{Lines, Look};

thread_local! {
    /// The time, in milliseconds, until it is told to be another.
    static NOW: Cell<u64> = const { Cell::new(0) };
}

fn clock() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) + Duration::from_millis(NOW.get())
}

/// The lines that are written while `act` goes on.
fn lines(act: impl FnOnce()) -> Vec<Value> {
    NOW.set(0);
    let written = Arc::<Mutex<Vec<Value>>>::default();
    let sink = Arc::clone(&written);
    let write = move |line: &[u8]| sink.lock().unwrap().push(serde_json::from_slice(line).unwrap());
    let subscriber = Registry::default().with(Lines::new(Look::Json, clock, write));
    tracing::subscriber::with_default(subscriber, act);
    let mut written = written.lock().unwrap();
    std::mem::take(&mut *written)
}

fn violate(reason: &str) {
    warn!(reason, who = "mallory", "violation");
}

fn end(reason: &str) {
    info!(target: "ligase::connection", reason, "connection ended");
}

fn count(lines: &[Value], key: &str, value: &str) -> usize {
    lines.iter().filter(|it| it[key] == value).count()
}

#[test]
fn no_second_has_more_lines_of_a_reason_than_it_may() {
    let lines = lines(|| {
        for millisecond in 0..5_000 {
            NOW.set(millisecond);
            violate("xml.depth");
            end("xml.depth");
        }
    });
    let times: Vec<_> = lines.iter().map(|it| it["timestamp"].as_str().unwrap()).collect();
    for second in 0..5 {
        let start = format!("2027-01-15T08:00:0{second}.");
        let of_second = times.iter().filter(|it| it.starts_with(&start)).count();
        assert!((NEWS_MAX - KEPT..=NEWS_MAX).contains(&of_second), "{times:?}");
    }
    // Neither of the two silences the other.
    assert!(5 <= count(&lines, "message", "violation"), "{lines:?}");
    assert!(5 <= count(&lines, "message", "connection ended"), "{lines:?}");
}

#[test]
fn what_was_suppressed_is_told_with_the_next_line_of_its_kind() {
    let lines = lines(|| {
        (0..100).for_each(|_| violate("xml.depth"));
        end("xml.depth");
        NOW.set(999);
        violate("xml.depth");
        NOW.set(1_000);
        end("xml.depth");
        violate("xml.depth");
        violate("xml.depth");
    });
    let suppressed: Vec<_> = lines.iter().map(|it| it["suppressed"].as_u64()).collect();
    let most = NEWS_MAX - KEPT;
    let (first, rest) = suppressed.split_at(most);
    assert!(first.iter().all(Option::is_none), "{suppressed:?}");
    let missed = 101 - most as u64;
    assert_eq!(rest, [None, None, Some(missed), None], "{lines:?}");
}

#[test]
fn one_reason_does_not_silence_another() {
    let lines = lines(|| {
        (0..1_000).for_each(|_| violate("xml.depth"));
        violate("tls.flood");
        (0..1_000).for_each(|_| debug!(reason = "tls.flood", "judged a peer"));
        // Details have places of their own, and there are more of them.
        violate("tls.flood");
    });
    assert_eq!(count(&lines, "reason", "xml.depth"), NEWS_MAX - KEPT);
    assert_eq!(count(&lines, "level", "DEBUG"), DETAILS_MAX - KEPT);
    assert_eq!(count(&lines, "message", "violation"), NEWS_MAX - KEPT + 2);
}

#[test]
fn what_has_no_reason_counts_by_what_it_says() {
    let lines = lines(|| {
        for number in 0..1_000 {
            info!(number, "pair authenticated");
            warn!(number, "connection opened");
        }
    });
    assert_eq!(lines.len(), 2 * (NEWS_MAX - KEPT));
}

#[test]
fn what_no_stranger_causes_is_told_whole() {
    let lines = lines(|| {
        for number in 0..100 {
            warn!(target: "ligase::app::reload", number, "not reloaded");
        }
    });
    assert_eq!(lines.len(), 100);
}

/// What our dependencies say may quote a peer, who is not to have places without end.
#[test]
fn what_others_say_counts_by_who_they_are() {
    let lines = lines(|| {
        for number in 0..1_000 {
            warn!(target: "rustls::conn", reason = format!("{number}"), "alert {number}");
        }
    });
    assert_eq!(lines.len(), NEWS_MAX - KEPT);
}

#[test]
fn reasons_without_end_fill_neither_memory_nor_disk() {
    let lines = lines(|| {
        for number in 0..10 * REASONS_MAX {
            violate(&format!("reason{number}"));
        }
    });
    assert_eq!(lines.len(), REASONS_MAX + NEWS_MAX - KEPT);
}

#[test]
fn a_clock_that_is_set_back_keeps_nothing_back() {
    let lines = lines(|| {
        NOW.set(60_000);
        (0..NEWS_MAX).for_each(|_| violate("xml.depth"));
        NOW.set(1);
        violate("xml.depth");
    });
    assert_eq!(lines.len(), NEWS_MAX - KEPT + 1);
}
