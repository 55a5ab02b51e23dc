use std::time::Duration;

use super::{FRAMES, beat};

#[test]
fn the_sign_turns_and_the_seconds_are_counted() {
    let shown = |milliseconds| beat("both proxies get ready", Duration::from_millis(milliseconds));
    assert_eq!(shown(0), "⠋ both proxies get ready");
    assert_eq!(shown(100), "⠙ both proxies get ready");
    assert_eq!(shown(999), "⠙ both proxies get ready");
    assert_eq!(shown(2_000), "⠦ both proxies get ready, 2 s");
    let all: Vec<_> = (0..8).map(|it| shown(it * 100).chars().next().unwrap()).collect();
    assert_eq!(all, FRAMES);
}
