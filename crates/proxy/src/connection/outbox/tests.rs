use std::sync::Arc;

use super::*;
use crate::connection::budget::Budget;
use crate::tests::message;

fn stanza(id: &str) -> Stanza {
    message("a.test", "l.test", id)
}

/// The ids of stanzas, in order.
fn ids<'a>(stanzas: impl IntoIterator<Item = &'a Stanza>) -> Vec<String> {
    let id = |stanza: &Stanza| {
        let text = String::from_utf8_lossy(stanza.bytes()).into_owned();
        text.split('\'').nth(1).unwrap().to_owned()
    };
    stanzas.into_iter().map(id).collect()
}

fn pop(outbox: &Outbox, count: usize) -> Vec<String> {
    let mut taken = Vec::new();
    outbox.pop_while(|stanza| {
        taken.push(stanza);
        taken.len() < count
    });
    ids(&taken)
}

#[test]
fn stanzas_leave_in_the_order_in_which_they_came() {
    let outbox = Outbox::new(10_000);
    assert!(outbox.is_empty());
    for id in ["1", "2", "3"] {
        outbox.push(stanza(id)).unwrap();
    }
    assert_eq!(pop(&outbox, 2), ["1", "2"]);
    outbox.push(stanza("4")).unwrap();
    assert_eq!(pop(&outbox, 9), ["3", "4"]);
    assert!(outbox.is_empty());
    assert_eq!(pop(&outbox, 9), [""; 0]);
}

#[test]
fn it_has_had_enough_at_its_limit_and_still_takes_what_is_brought() {
    let size = stanza("1").bytes().len();
    let outbox = Outbox::new(2 * size);
    outbox.push(stanza("1")).unwrap();
    assert!(!outbox.is_full());
    outbox.push(stanza("2")).unwrap();
    assert!(outbox.is_full());
    outbox.push(stanza("3")).unwrap();
    assert_eq!(pop(&outbox, 1), ["1"]);
    assert!(outbox.is_full());
    assert_eq!(pop(&outbox, 1), ["2"]);
    assert!(!outbox.is_full());
}

#[test]
fn what_nobody_will_write_comes_back() {
    let outbox = Outbox::new(1);
    outbox.push(stanza("1")).unwrap();
    outbox.push(stanza("2")).unwrap();
    assert!(outbox.is_full());
    assert_eq!(ids(&outbox.close()), ["1", "2"]);
    // Whoever waits for room in it need not wait any more.
    assert!(!outbox.is_full() && outbox.is_empty());
    let refused = outbox.push(stanza("3")).unwrap_err();
    assert_eq!(ids([&refused]), ["3"]);
    assert!(outbox.close().is_empty());
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_room_is_told_of_it() {
    let outbox = Arc::new(Outbox::new(1));
    // There is room now, so nobody waits.
    outbox.drained().await;
    for ends in [false, true] {
        outbox.push(stanza("1")).unwrap();
        let mut waits = Box::pin(outbox.drained());
        let early = tokio::time::timeout(PATIENCE, &mut waits).await;
        assert!(early.is_err(), "there is no room yet");
        if ends {
            outbox.close();
        } else {
            pop(&outbox, 1);
        }
        tokio::time::timeout(PATIENCE, waits).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_stanzas_is_told_of_them_however_late_it_asks() {
    let outbox = Outbox::new(1);
    outbox.push(stanza("1")).unwrap();
    tokio::time::timeout(PATIENCE, outbox.filled()).await.unwrap();
    let mut waits = Box::pin(outbox.filled());
    assert!(tokio::time::timeout(PATIENCE, &mut waits).await.is_err());
    outbox.push(stanza("2")).unwrap();
    tokio::time::timeout(PATIENCE, waits).await.unwrap();
}

/// On a clock that stands still unless everybody waits.
const PATIENCE: Duration = Duration::from_secs(1);

#[tokio::test]
async fn where_memory_is_scarce_it_has_had_enough_sooner() {
    let budget = Budget::new(1 << 20);
    let mut others = budget.share();
    let size = stanza("1").bytes().len();
    let outbox = Outbox::new(1 << 20).held_by(budget.share());
    let count = SCARCE.div_ceil(size);
    for _ in 0..count {
        outbox.push(stanza("1")).unwrap();
    }
    assert!(count * size <= budget.held());
    assert!(!outbox.is_full());
    others.hold(1 << 20);
    assert!(outbox.is_full());

    let (wakes, ()) =
        tokio::join!(tokio::time::timeout(Duration::from_secs(5), outbox.drained()), async {
            assert_eq!(pop(&outbox, 1).len(), 1)
        },);
    wakes.unwrap();
    assert!(!outbox.is_full());
    assert_eq!(pop(&outbox, count).len(), count - 1);
    drop(others);
    assert_eq!(budget.held(), 0, "what is empty keeps no buffers");
}
