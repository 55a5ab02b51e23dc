//! The log: to standard error, a line an event.
//!
//! Fields may quote what a peer said. Every value is escaped and cut where it is written, in both
//! formats, so no caller has to think of it: a log is read by terminals and by programs, and both
//! can be attacked through it. Nor has it more lines a second than somebody could read, whoever has
//! them written.

mod escape;
mod levels;
mod lines;
mod repeats;
mod throttle;

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use tokio::sync::Notify;
use tokio::time::sleep_until;
use tracing::{error, info};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, reload};

use crate::config::{Log, LogFormat, LogLevel};
use lines::{Lines, Look};

pub use levels::{Asked, Levels, Order, TARGETS};
pub use repeats::{Repeats, Worth};

/// The log of this process, once it has been started.
#[derive(Clone, Debug)]
pub struct Logging {
    filter: reload::Handle<Targets, Registry>,
    levels: Arc<Mutex<Levels>>,
    /// Something may end at another time now.
    ordered: Arc<Notify>,
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
        let levels = Levels::new(log.level);
        let (layer, filter) = reload::Layer::new(levels.filter());
        Registry::default()
            .with(layer)
            .with(Lines::new(look, clock, write))
            .try_init()
            .map_err(|_| AlreadyStarted)?;
        std::panic::set_hook(Box::new(panicked));
        Ok(Self::with(filter, levels))
    }

    fn with(filter: reload::Handle<Targets, Registry>, levels: Levels) -> Self {
        Self { filter, levels: Arc::new(Mutex::new(levels)), ordered: Arc::default() }
    }

    /// Logs as the configuration says, which was read again.
    pub fn configure(&self, level: LogLevel) {
        self.change(|levels| levels.configure(level));
    }

    /// Logs more or less from now on.
    #[expect(clippy::disallowed_methods, reason = "what is ordered may have an end")]
    pub fn order(&self, order: &Order) {
        self.change(|levels| levels.order(order, Instant::now()));
        self.ordered.notify_one();
        info!(
            log_level = order.level.as_str(),
            of = order.target,
            seconds = order.lasts.map(|it| it.as_secs()),
            "log level changed"
        );
    }

    /// How much is logged now.
    pub fn levels(&self) -> Levels {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends what was ordered when its time is over, for ever.
    #[expect(clippy::disallowed_methods, reason = "what is ordered may have an end")]
    pub async fn keep_time(self) {
        loop {
            let next = self.levels().next_end();
            let over = async {
                match next {
                    Some(end) => sleep_until(end.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = over => {
                    if self.change(|levels| levels.expire(tokio::time::Instant::now().into())) {
                        info!(log_level = self.levels().level().as_str(), "log level is back");
                    }
                }
                () = self.ordered.notified() => (),
            }
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Levels) -> T) -> T {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut levels);
        // It fails when the log is gone, and the log goes last.
        let _ = self.filter.reload(levels.filter());
        changed
    }
}

/// Says where something went wrong that cannot. What was found there may be what a peer has said,
/// so it is only told if it is a text of ours; as it is, it would be more than one line, too.
fn panicked(found: &std::panic::PanicHookInfo<'_>) {
    let cause = found.payload().downcast_ref::<&'static str>();
    let at = found.location().map(ToString::to_string);
    error!(at, cause, "panicked");
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
pub(crate) mod tests;
