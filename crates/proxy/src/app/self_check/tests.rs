use super::*;

#[test]
fn what_starts_together_does_not_ask_together() {
    let spread: std::collections::HashSet<_> = (0..100).map(|_| jitter(START_MIN)).collect();
    assert!(1 < spread.len());
    assert!(spread.iter().all(|it| (START_MIN..START_MIN * 2).contains(it)), "{spread:?}");
}
