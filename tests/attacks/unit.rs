//! Unit: cases that are played one after the other in one lab.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::asked::Asked;
use crate::backend::Behind;
use crate::case::Case;
use crate::deeds::{Door, Run};
use crate::lab::Lab;
use crate::report::{Played, Report};
use crate::watch::Before;

/// Cases for one lab.
pub(crate) struct Unit<'a> {
    behind: Behind,
    settings: &'a BTreeMap<String, String>,
    cases: Vec<&'a Case>,
}

/// What is to be played, the shortest first: whoever takes a unit takes the last.
pub(crate) fn units(asked: &Asked) -> Vec<Unit<'_>> {
    let mut units: Vec<Unit<'_>> = Vec::new();
    for &behind in &asked.behind {
        for case in &asked.cases {
            if case.terms.is_scripted && behind != Behind::Recorder {
                continue;
            }
            let settings = &case.terms.settings;
            let mut open = units.iter_mut().rev();
            let fit = open
                .find(|it| it.behind == behind && it.settings == settings && it.cost() < COST_MAX);
            match fit {
                Some(unit) => unit.cases.push(case),
                None => units.push(Unit { behind, settings, cases: vec![case] }),
            }
        }
    }
    units.sort_by_key(Unit::cost);
    units
}

impl Unit<'_> {
    /// About how long it takes, in runs.
    fn cost(&self) -> usize {
        self.cases.iter().map(|it| ways(it, self.behind).len()).sum()
    }

    /// Plays all of it.
    pub(crate) fn play(&self, report: &Mutex<Report<'_>>) {
        let mut lab = None;
        let mut missing = None;
        for case in &self.cases {
            let mut failed = 0;
            for (door, place) in ways(case, self.behind) {
                if failed == FAILED_MAX && missing.is_none() {
                    let given_up = Played::of(self.behind, door, place).given_up();
                    lock(report).keep(case, given_up);
                    continue;
                }
                // Where no lab can be made there is none for the rest, either.
                let current = match (lab.take(), missing.clone()) {
                    (Some(lab), _) => Ok(lab),
                    (None, Some(why)) => Err(why),
                    (None, None) => self.lab(),
                };
                let (played, left) = match current {
                    Ok(current) => self.run(current, case, door, place),
                    Err(why) => {
                        missing = Some(why.clone());
                        (Played::of(self.behind, door, place).without_lab(&why), None)
                    }
                };
                failed += u32::from(!played.is_exact());
                lab = left;
                lock(report).keep(case, played);
            }
        }
    }

    /// A lab; where a machine that has too much to do cannot make one in time, at the second try.
    fn lab(&self) -> Result<Lab, String> {
        let new = || without_panic(|| Lab::new(self.behind, self.settings));
        new().or_else(|_| new())
    }

    /// Plays a case, and looks what came of it. The lab is used on only if nothing did.
    #[expect(clippy::disallowed_methods, reason = "how long a case takes is told")]
    fn run(&self, lab: Lab, case: &Case, door: Door, place: usize) -> (Played, Option<Lab>) {
        let start = Instant::now();
        let mut played = Played::of(self.behind, door, place);
        let judged = without_panic(|| {
            let before = Before::look(&lab)?;
            let mut run = Run::new(&lab, case, door, place);
            let told = without_panic(|| run.play());
            let granted = before.granted(&run);
            run.close();
            let mut unsafe_now = before.unsafe_now(&run);
            unsafe_now.extend(granted.err());
            let told = told.and_then(|()| before.is_counted(&run));
            Ok((unsafe_now, told))
        });
        match judged {
            Ok((unsafe_now, told)) => played.judge(unsafe_now, told),
            Err(why) => played.judge(vec![why], Ok(())),
        }
        played.took = start.elapsed();
        let is_sound = played.is_safe() && case.terms.stays.is_empty();
        if let Some(wrong) = &case.terms.seen {
            played.must_be_seen(wrong);
        }
        (played, is_sound.then_some(lab))
    }
}

/// Every way to play a case: by each door, divided at each place.
fn ways(case: &Case, behind: Behind) -> Vec<(Door, usize)> {
    let doors = match (case.terms.door, case.terms.has_doors) {
        (Some(door), _) => vec![door],
        (None, true) => vec![Door::StartTls, Door::Direct],
        (None, false) => vec![Door::StartTls],
    };
    let places = if case.terms.places.is_empty() { vec![0] } else { case.terms.places.clone() };
    // A real server behind the proxy sees what is left when all is put together again.
    let step = if behind == Behind::Recorder { 1 } else { SAMPLE };
    let places: Vec<_> = places.into_iter().step_by(step).collect();
    doors.into_iter().flat_map(|door| places.iter().map(move |place| (door, *place))).collect()
}

/// A panic of a step is one way to tell what is wrong.
fn without_panic<T>(act: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|why| {
        let text = why.downcast_ref::<String>().cloned();
        let text = text.or_else(|| why.downcast_ref::<&str>().map(|&it| it.to_owned()));
        Err(text.unwrap_or_else(|| "something panicked".to_owned()))
    })
}

fn lock<'a, 'b>(report: &'a Mutex<Report<'b>>) -> MutexGuard<'a, Report<'b>> {
    report.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Enough to see what is wrong; each may have taken as long as its patience.
const FAILED_MAX: u32 = 3;

/// Of so many places to divide at, one is tried behind a real server.
const SAMPLE: usize = 3;

/// So many runs fill a lab; with more, nobody else could help.
const COST_MAX: usize = 300;
