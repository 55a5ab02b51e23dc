//! Attacks: what a hostile server, or a program beside our own, may try; and that it gets nothing.
//!
//! ```text
//! cargo test --workspace --test attacks -- [OPTION ...] [FOLDER | FILE | WORD ...]
//! ```
//!
//! Cases are data ([`case`]; `README.md` beside this file has the format), a file for each group.
//! Each is played in a [`lab`] and judged twice: it is *safe* if nothing came of it ([`watch`]),
//! and *exact* if also just those answers came, and just those rules were counted, that it names.

mod admin;
mod asked;
mod backend;
mod begin;
mod bytes;
mod called;
mod calls;
mod canary;
mod case;
mod crowd;
mod deeds;
mod figures;
mod forge;
mod heard;
mod hello;
mod house;
mod kept;
mod lab;
mod middle;
mod negotiate;
mod openssl;
mod oracle;
mod proof;
mod report;
mod resident;
mod revoked;
mod said;
mod server;
mod sites;
mod terms;
mod throng;
mod unit;
mod victims;
mod watch;
mod words;
mod wrong;
mod zones;

use std::fs::File;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;
use std::{panic, thread};

use ligase_tests::process::keep_quiet;

use crate::asked::Asked;
use crate::report::Report;
use crate::unit::{Unit, units};

fn main() -> ExitCode {
    if let Err(problem) = wrong::check() {
        eprintln!("{problem}");
        return ExitCode::FAILURE;
    }
    let asked = match Asked::read(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    if asked.list {
        for case in &asked.cases {
            println!("{} {}: test", case.id, case.title);
        }
        return ExitCode::SUCCESS;
    }
    if units(&asked).is_empty() {
        eprintln!("nothing to play: these cases are played behind the recorder only");
        return ExitCode::from(2);
    }
    // What fails is told case by case, and cut; a panic of a step is one way to fail.
    panic::set_hook(Box::new(|_| ()));
    keep_quiet();
    let file = report::file();
    // Whatever a proxy remembers, it is not what it was told in an earlier round.
    let rounds = (0..asked.times).map(|_| play(&asked, &file));
    let failed = rounds.filter(|is_well| !is_well).count();
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays every case in labs of its own, and tells what came of it; whether all is well.
#[expect(clippy::disallowed_methods, reason = "how long a round takes is told")]
fn play(asked: &Asked, file: &File) -> bool {
    let start = Instant::now();
    let report = Mutex::new(Report::new(&asked.cases, file));
    let units = Mutex::new(units(asked));
    thread::scope(|scope| {
        for _ in 0..LABS_MAX {
            scope.spawn(|| {
                while let Some(unit) = next(&units) {
                    unit.play(&report);
                }
            });
        }
    });
    let report = report.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    report.finish(start.elapsed())
}

fn next<'a>(units: &Mutex<Vec<Unit<'a>>>) -> Option<Unit<'a>> {
    units.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop()
}

/// Labs at a time: as many as two processors bear without making answers late.
const LABS_MAX: usize = 2;
