//! The log: to standard error, a line an event.
//!
//! Fields may quote what a peer said. Every value is escaped and cut where it is written, in both
//! formats, so no caller has to think of it: a log is read by terminals and by programs, and both
//! can be attacked through it.

mod escape;
mod lines;
mod throttle;

use std::io::{self, Write as _};
use std::time::SystemTime;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, reload};

use crate::config::{Log, LogFormat, LogLevel};
use lines::{Lines, Look};

pub use throttle::{Admitted, Throttle};

/// The log of this process, once it has been started.
#[derive(Clone, Debug)]
pub struct Logging {
    level: reload::Handle<Targets, Registry>,
}

/// The log was started already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AlreadyStarted;

impl Logging {
    /// Starts the log of this process. `color` says whether standard error is a terminal whose
    /// owner likes color; JSON never has any.
    ///
    /// # Errors
    /// When there is one already: a process has one log.
    pub fn start(log: Log, color: bool) -> Result<Self, AlreadyStarted> {
        let look = match (log.format, color) {
            (LogFormat::Json, _) => Look::Json,
            (LogFormat::Plain, true) => Look::Color,
            (LogFormat::Plain, false) => Look::Plain,
        };
        let (filter, level) = reload::Layer::new(targets(log.level));
        Registry::default()
            .with(filter)
            .with(Lines::new(look, clock, write))
            .try_init()
            .map_err(|_| AlreadyStarted)?;
        Ok(Self { level })
    }

    /// Logs more or less from now on.
    pub fn set_level(&self, level: LogLevel) {
        // It fails when the log is gone, and the log goes last.
        let _ = self.level.reload(targets(level));
    }
}

/// What is logged at a level: ours as it says, and one degree less of what our dependencies say,
/// who talk to themselves.
fn targets(level: LogLevel) -> Targets {
    let (ours, theirs) = match level {
        LogLevel::Error => (LevelFilter::ERROR, LevelFilter::ERROR),
        LogLevel::Warn => (LevelFilter::WARN, LevelFilter::ERROR),
        LogLevel::Info => (LevelFilter::INFO, LevelFilter::WARN),
        LogLevel::Debug => (LevelFilter::DEBUG, LevelFilter::INFO),
        LogLevel::Trace => (LevelFilter::TRACE, LevelFilter::DEBUG),
    };
    // Names that peers chose stand in the messages of these, where only our own words may.
    let resolver = ["hickory_net", "hickory_proto", "hickory_resolver"];
    Targets::new()
        .with_default(theirs)
        .with_target(OURS, ours)
        .with_targets(resolver.map(|name| (name, LevelFilter::OFF)))
}

/// How the targets of our own events begin.
const OURS: &str = "ligase";

#[expect(
    clippy::disallowed_methods,
    reason = "a log line tells when it was written; nothing is decided by it"
)]
fn clock() -> SystemTime {
    SystemTime::now()
}

/// One line in one write, so that lines of several threads do not mix.
fn write(line: &[u8]) {
    // There is nobody left to tell when standard error is gone.
    let _ = io::stderr().lock().write_all(line);
}

#[cfg(test)]
mod tests;
