use super::bar;

#[test]
fn the_bar_is_as_full_as_the_work_is_done() {
    assert_eq!(bar(0, 0, 1000), "[------------------------------] 0/1000, 0 not proven");
    assert_eq!(bar(500, 3, 1000), "[###############---------------] 500/1000, 3 not proven");
    assert_eq!(bar(1000, 3, 1000), "[##############################] 1000/1000, 3 not proven");
    // A count that is off by one is no reason to fall.
    assert_eq!(bar(2, 0, 0).len(), bar(0, 0, 0).len());
}
