//! `ligase run`: the proxy itself.

use std::path::Path;

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::app::{App, Signals};
use crate::args::{Exit, likes_color, overrides};
use crate::capture::user;
use crate::config::Config;
use crate::logging::Logging;
use crate::net::inherited::Inherited;

/// Runs the proxy until it is asked to end; tells how it ended. What is wrong goes to stderr.
#[must_use]
pub fn run(path: &Path) -> Exit {
    leave_no_core();
    // First of all, while there is no other thread.
    let inherited = match Inherited::take_over() {
        Ok(inherited) => inherited,
        Err(error) => {
            eprintln!("listen: {error}");
            return Exit::Config;
        }
    };
    let overrides = overrides();
    let config = match Config::read(path, &overrides) {
        Ok(config) => config,
        Err(problems) => {
            for problem in problems {
                eprintln!("{problem}");
            }
            return Exit::Config;
        }
    };
    if let Some(problem) = config.foreign_user(user::ours()) {
        eprintln!("{problem}");
        return Exit::Config;
    }
    let Ok(logging) = Logging::start(config.log, likes_color()) else {
        return Exit::Failed;
    };
    // Two workers carry more than a server behind can take; more only share its cores.
    let workers = std::thread::available_parallelism().map_or(1, |it| it.get().min(WORKERS_MAX));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build();
    let Ok(runtime) = runtime else {
        return Exit::Unavailable;
    };
    runtime.block_on(async {
        let Ok(signals) = Signals::listen() else {
            return Exit::Unavailable;
        };
        match App::build(path.to_owned(), config, overrides, logging, inherited).await {
            Ok(app) => app.run(signals).await,
            Err(error) => {
                eprintln!("{error}");
                error.exit()
            }
        }
    })
}

/// Keeps what is in memory, keys and stanzas among it, from being written to a file if this process is
/// ended by a signal or by a mistake.
///
/// The limit is one byte, which no such file has room in. That is also how the kernel is told to call
/// no collector, which zero would not keep it from (core(5)).
fn leave_no_core() {
    // Where it fails there is a limit already that is as low, and not ours to raise.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(1), maximum: Some(1) });
}

const WORKERS_MAX: usize = 2;
