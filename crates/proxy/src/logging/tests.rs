use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tracing::{debug, info, warn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Registry, reload};

use super::lines::{Lines, Look};
use super::{Levels, Logging, Order};
use crate::config::LogLevel;

/// A log that begins at `level`, for as long as the guard lives; and what is written to it.
fn log(level: LogLevel) -> (Logging, Arc<Mutex<String>>, tracing::subscriber::DefaultGuard) {
    let written = Arc::<Mutex<String>>::default();
    let sink = Arc::clone(&written);
    let write =
        move |line: &[u8]| sink.lock().unwrap().push_str(std::str::from_utf8(line).unwrap());
    let levels = Levels::new(level);
    let (layer, filter) = reload::Layer::new(levels.filter());
    let lines = Lines::new(Look::Plain, || SystemTime::UNIX_EPOCH, write);
    let guard = tracing::subscriber::set_default(Registry::default().with(layer).with(lines));
    (Logging::with(filter, levels), written, guard)
}

/// What is logged while `act` goes on: level, message and fields of each line.
pub(crate) fn said_by(act: impl FnOnce()) -> Vec<String> {
    let (_, written, _guard) = log(LogLevel::Trace);
    act();
    said(&written)
}

fn say(when: &'static str) {
    warn!(when, "a warning");
    info!(when, "a note");
    debug!(when, "a detail");
}

/// What was said, without the time.
fn said(written: &Mutex<String>) -> Vec<String> {
    let written = written.lock().unwrap();
    written.lines().map(|line| line.split_once("Z ").unwrap().1.to_owned()).collect()
}

#[test]
fn the_level_can_be_changed_while_we_run() {
    let (logging, written, _guard) = log(LogLevel::Warn);
    say("first");
    logging.order(&Order { level: LogLevel::Debug, target: None, lasts: None });
    say("then");
    logging.configure(LogLevel::Info);
    say("last");
    assert_eq!(
        said(&written),
        [
            "WARN  a warning when=first",
            "INFO  log level changed log_level=debug",
            "WARN  a warning when=then",
            "INFO  a note when=then",
            "DEBUG a detail when=then",
            "WARN  a warning when=last",
            "INFO  a note when=last",
        ]
    );
}

#[tokio::test]
async fn a_level_that_was_ordered_for_a_while_goes_back_by_itself() {
    let (logging, written, _guard) = log(LogLevel::Info);
    let mut time = tokio::task::JoinSet::new();
    time.spawn(logging.clone().keep_time());
    let here = Some("ligase::logging::tests");
    let lasts = Some(Duration::from_millis(20));
    logging.order(&Order { level: LogLevel::Debug, target: here, lasts });
    say("then");
    while !said(&written).iter().any(|line| line.contains("is back")) {
        tokio::task::yield_now().await;
    }
    say("last");
    assert_eq!(
        said(&written),
        [
            "INFO  log level changed log_level=debug of=ligase::logging::tests seconds=0",
            "WARN  a warning when=then",
            "INFO  a note when=then",
            "DEBUG a detail when=then",
            "INFO  log level is back log_level=info",
            "WARN  a warning when=last",
            "INFO  a note when=last",
        ]
    );
    assert_eq!(logging.levels().next_end(), None);
}

/// What is found where something goes wrong may be a stanza; a line of ours holds none.
#[test]
fn a_panic_is_one_line_that_quotes_nobody() {
    let secret = "<body>the letter</body>\n{\"level\":\"ERROR\"}";
    let (_, written, _guard) = log(LogLevel::Info);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(super::panicked));
    let ours = std::panic::catch_unwind(|| panic!("the table is not as it was"));
    let theirs = std::panic::catch_unwind(|| panic!("cannot read {secret}"));
    std::panic::set_hook(before);
    assert!(ours.is_err() && theirs.is_err());
    let said = said(&written);
    assert_eq!(said.len(), 2, "{said:?}");
    let here = "ERROR panicked at=crates/proxy/src/logging/tests.rs:";
    assert!(said[0].starts_with(here) && said[1].starts_with(here), "{said:?}");
    assert!(said[0].ends_with("cause=\"the table is not as it was\""), "{said:?}");
    assert!(!said[1].contains("letter") && !said[1].contains("cause"), "{said:?}");
}
