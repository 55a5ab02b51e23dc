use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use tracing::{Level, debug, info, warn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Registry, reload};

use super::lines::{Lines, Look};
use super::{Logging, targets};
use crate::config::LogLevel;

#[test]
fn others_are_logged_one_degree_less() {
    let check = |level, ours: Level, theirs: Level| {
        for (target, most) in [("ligase::net", ours), ("ligase_verifier", ours), ("rustls", theirs)]
        {
            let targets = targets(level);
            for it in [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
                assert_eq!(
                    targets.would_enable(target, &it),
                    it <= most,
                    "{target} {it} at {level:?}"
                );
            }
        }
    };
    check(LogLevel::Error, Level::ERROR, Level::ERROR);
    check(LogLevel::Warn, Level::WARN, Level::ERROR);
    check(LogLevel::Info, Level::INFO, Level::WARN);
    check(LogLevel::Debug, Level::DEBUG, Level::INFO);
    check(LogLevel::Trace, Level::TRACE, Level::DEBUG);
}

#[test]
fn the_level_can_be_changed_while_we_run() {
    let written = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&written);
    let write =
        move |line: &[u8]| sink.lock().unwrap().push_str(std::str::from_utf8(line).unwrap());
    let (filter, level) = reload::Layer::new(targets(LogLevel::Warn));
    let logging = Logging { level };
    let lines = Lines::new(Look::Plain, || SystemTime::UNIX_EPOCH, write);
    tracing::subscriber::with_default(Registry::default().with(filter).with(lines), || {
        let say = |when: &'static str| {
            warn!(when, "a warning");
            info!(when, "a note");
            debug!(when, "a detail");
        };
        say("first");
        logging.set_level(LogLevel::Debug);
        say("then");
        logging.set_level(LogLevel::Info);
        say("last");
    });
    let written = written.lock().unwrap();
    let said: Vec<_> = written.lines().map(|line| line.split_once("Z ").unwrap().1).collect();
    assert_eq!(
        said,
        [
            "WARN  a warning when=first",
            "WARN  a warning when=then",
            "INFO  a note when=then",
            "DEBUG a detail when=then",
            "WARN  a warning when=last",
            "INFO  a note when=last",
        ]
    );
}
