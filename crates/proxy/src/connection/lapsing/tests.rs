use std::time::Duration;

use tokio::time::advance;

use super::Lapsing;

#[tokio::test(start_paused = true)]
async fn what_is_noted_lapses_and_makes_room() {
    let mut lapsing = Lapsing::new(Duration::from_secs(10), 2);
    lapsing.note("a");
    advance(Duration::from_secs(5)).await;
    lapsing.note("b");
    lapsing.note("c");
    assert_eq!(["a", "b", "c"].map(|it| lapsing.holds(&it)), [true, true, false]);
    advance(Duration::from_secs(5)).await;
    assert_eq!(["a", "b", "c"].map(|it| lapsing.holds(&it)), [false, true, false]);
    lapsing.note("c");
    assert_eq!(["a", "b", "c"].map(|it| lapsing.holds(&it)), [false, true, true]);
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_holds_no_more() {
    let mut lapsing = Lapsing::new(Duration::from_secs(10), 3);
    for key in ["a", "b", "c"] {
        lapsing.note(key);
    }
    assert_eq!(lapsing.forget(|key| *key != "b"), 2);
    assert_eq!(lapsing.forget(|key| *key != "b"), 0);
    assert_eq!(["a", "b", "c"].map(|it| lapsing.holds(&it)), [false, true, false]);
}
