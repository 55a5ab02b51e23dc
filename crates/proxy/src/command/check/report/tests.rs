use super::Tally;
use crate::args::Exit;

#[track_caller]
fn check([proven, unproven, untested, warnings]: [usize; 4], strict: bool, expect: Exit) {
    let tally = Tally { proven, unproven, untested, warnings, ..Tally::default() };
    assert_eq!(tally.exit(strict), expect);
}

#[test]
fn only_if_all_is_proven_all_is_well() {
    check([3, 0, 0, 0], false, Exit::Done);
    check([3, 0, 0, 2], false, Exit::Done);
    check([3, 0, 0, 2], true, Exit::Failed);
    check([3, 0, 0, 0], true, Exit::Done);
    check([2, 0, 1, 0], false, Exit::Untested);
    check([2, 1, 0, 0], false, Exit::Unproven);
    // What is known to be bad comes before what is not known.
    check([2, 1, 1, 5], true, Exit::Unproven);
    check([0, 0, 0, 0], false, Exit::Untested);
}
