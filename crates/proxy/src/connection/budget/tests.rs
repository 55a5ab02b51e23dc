use super::*;

const MIB: usize = 1024 * 1024;

#[test]
fn what_is_held_is_counted_once_and_given_back() {
    let budget = Budget::new(1000);
    let (mut first, mut second) = (budget.share(), budget.share());
    first.hold(400);
    second.hold(500);
    first.hold(300);
    assert_eq!((budget.held(), first.bytes(), budget.is_full()), (800, 300, false));
    second.hold(700);
    assert!(budget.is_full());
    drop(first);
    assert_eq!((budget.held(), budget.is_full()), (700, false));
    drop(second);
    assert_eq!(budget.held(), 0);
}

/// How much a connection may hold and be read all the same, while so many MiB of 256 are held.
#[track_caller]
fn check(held: usize, authorized: bool, expect: usize) {
    let suffices = |own| suffices(held * MIB, 256 * MIB, own, authorized);
    assert!(suffices(expect), "{held} MiB, authorized {authorized}");
    assert!(!suffices(expect + 1), "{held} MiB, authorized {authorized}");
}

#[test]
fn those_who_hold_most_go_without_first() {
    for own in [0, 1, MIB, 300 * MIB] {
        assert!(suffices(192 * MIB, 256 * MIB, own, false));
    }
    check(224, false, STRANGER_MAX / 2);
    check(224, true, OWN_MAX / 2);
    check(252, false, STRANGER_MAX / 16);
    check(252, true, OWN_MAX / 16);
    // With nothing left, those who are known go on by small pieces.
    check(256, false, 0);
    check(256, true, OWN_FEW);
    check(1000, false, 0);
    check(1000, true, OWN_FEW);
}

#[test]
fn it_is_scarce_before_it_is_full() {
    let budget = Budget::new(1000);
    let mut share = budget.share();
    for (held, expect) in [(750, (false, false)), (751, (true, false)), (1000, (true, true))] {
        share.hold(held);
        assert_eq!((budget.is_scarce(), budget.is_full()), expect, "{held}");
    }
}
