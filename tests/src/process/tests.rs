use std::process::Command;
use std::time::Duration;

use super::*;

const SOON: Duration = Duration::from_secs(10);

#[test]
fn what_is_said_is_heard() {
    let mut cat = Process::start("cat", Command::new("cat"));
    cat.tell("but soft");
    cat.tell("what light");
    assert_eq!(cat.hear("light", SOON), "what light");
    assert_eq!(cat.hear_after(0, "soft", SOON), (1, "but soft".to_owned()));
    cat.hush();
    assert!(cat.end(SOON).success());
}

#[test]
#[should_panic(expected = "never said \"light\"")]
fn what_is_not_said_is_not_heard() {
    let mut cat = Process::start("cat", Command::new("cat"));
    cat.tell("but soft");
    cat.hush();
    cat.hear("light", SOON);
}

#[test]
fn a_signal_ends_a_process() {
    let mut cat = Process::start("cat", Command::new("cat"));
    cat.signal("TERM");
    assert!(!cat.end(SOON).success());
}
