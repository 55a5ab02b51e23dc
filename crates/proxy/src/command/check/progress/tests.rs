use std::time::Duration;

use super::bar;

#[track_caller]
fn check(done: usize, total: usize, milliseconds: u64, expect: &str) {
    assert_eq!(bar(done, 3, total, Duration::from_millis(milliseconds)), expect);
}

#[test]
fn the_bar_is_as_full_as_the_work_is_done() {
    check(0, 1000, 0, "[------------------------------] 0/1000, 3 not proven");
    check(500, 1000, 0, "[###############---------------] 500/1000, 3 not proven");
    check(1000, 1000, 0, "[##############################] 1000/1000, 3 not proven");
    // A count that is off by one is no reason to fall.
    assert_eq!(bar(2, 0, 0, Duration::ZERO).len(), bar(0, 0, 0, Duration::ZERO).len());
}

#[test]
fn the_bar_tells_how_fast_it_goes_and_for_how_long() {
    let half = "[###############---------------]";
    check(500, 1000, 40_000, &format!("{half} 500/1000, 3 not proven, 12.5/s, 40 s left"));
    check(500, 1000, 200_000, &format!("{half} 500/1000, 3 not proven, 2.5/s, 4 min left"));
    check(5, 10, 30_000_000, &format!("{half} 5/10, 3 not proven, 0.0/s, 9 h left"));
    let all = "[##############################]";
    check(1000, 1000, 40_000, &format!("{all} 1000/1000, 3 not proven, 25.0/s"));
    check(1001, 1000, 40_000, &format!("{all} 1001/1000, 3 not proven, 25.0/s"));
    // Nothing is promised before there is something to go by.
    check(5, 10, 999, &format!("{half} 5/10, 3 not proven"));
    check(0, 10, 60_000, "[------------------------------] 0/10, 3 not proven");
}
