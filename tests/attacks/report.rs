//! Report: what came of every run, told by case and by group.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::time::Duration;

use ligase_tests::OrFail;
use serde_json::json;

use crate::backend::Behind;
use crate::case::Case;
use crate::deeds::{Door, Told};

/// What came of one run.
pub(crate) struct Played {
    behind: Behind,
    door: Door,
    place: usize,
    /// Why there was no lab to play it in.
    missing: Option<String>,
    /// What does not hold.
    unsafe_now: Vec<String>,
    /// What was seen instead of what the case says.
    inexact: Option<String>,
    pub(crate) took: Duration,
}

/// What came of all runs till now.
pub(crate) struct Report<'a> {
    groups: BTreeMap<String, Sum>,
    /// The cases that have been told of already, by id, title and server.
    told: BTreeSet<(String, String, Behind)>,
    /// What has been told already: where there is no lab, one line is enough.
    seen: BTreeSet<String>,
    /// For whoever wants to know more.
    file: &'a File,
}

#[derive(Default)]
struct Sum {
    cases: usize,
    runs: usize,
    /// Those of which nobody knows, as there was no lab.
    missing: usize,
    safe: usize,
    exact: usize,
    took: Duration,
}

impl Played {
    /// A run that has not been judged yet.
    pub(crate) fn of(behind: Behind, door: Door, place: usize) -> Self {
        let (missing, unsafe_now, inexact) = (None, Vec::new(), None);
        Self { behind, door, place, missing, unsafe_now, inexact, took: Duration::ZERO }
    }

    /// It could not be played.
    pub(crate) fn without_lab(mut self, why: &str) -> Self {
        self.missing = Some(format!("there is no lab: {why}"));
        self
    }

    /// It is not played any more, as so many runs of the case have failed.
    pub(crate) fn given_up(mut self) -> Self {
        self.inexact = Some("the case is given up".to_owned());
        self
    }

    pub(crate) fn judge(&mut self, unsafe_now: Vec<String>, told: Told) {
        self.unsafe_now = unsafe_now;
        self.inexact = told.err();
    }

    /// Turns it round for a case that is wrong itself: what is wrong with it has to be seen.
    pub(crate) fn must_be_seen(&mut self, wrong: &str) {
        let seen = self.seen();
        self.unsafe_now.clear();
        self.inexact =
            (!seen.contains(wrong)).then(|| format!("{wrong:?} is not seen, but {seen:?}"));
        if self.inexact.is_some() {
            // Whoever watches and sees nothing is of no use.
            self.unsafe_now.push("what is wrong goes unseen".to_owned());
        }
    }

    /// Whether nothing came of it; nobody knows if it was not played.
    pub(crate) fn is_safe(&self) -> bool {
        self.missing.is_none() && self.unsafe_now.is_empty()
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.is_safe() && self.inexact.is_none()
    }

    /// Everything that is wrong.
    fn seen(&self) -> String {
        let all = self.unsafe_now.iter().map(|it| format!("UNSAFE {it}"));
        self.missing
            .iter()
            .cloned()
            .chain(all)
            .chain(self.inexact.clone())
            .collect::<Vec<_>>()
            .join("; ")
    }
}

impl<'a> Report<'a> {
    /// An empty one.
    pub(crate) fn new(cases: &[Case], file: &'a File) -> Self {
        let mut groups = BTreeMap::<String, Sum>::new();
        for case in cases {
            groups.entry(case.group().to_owned()).or_default().cases += 1;
        }
        Self { groups, told: BTreeSet::new(), seen: BTreeSet::new(), file }
    }

    /// Keeps what came of a run, and tells it if it is not well.
    pub(crate) fn keep(&mut self, case: &Case, played: Played) {
        let sum = self.groups.entry(case.group().to_owned()).or_default();
        sum.runs += 1;
        sum.missing += usize::from(played.missing.is_some());
        sum.safe += usize::from(played.is_safe());
        sum.exact += usize::from(played.is_exact());
        sum.took += played.took;
        let (behind, door) = (played.behind.as_str(), played.door.as_str());
        let seen = played.seen();
        let line = json!({
            "case": case.id, "title": case.title, "file": case.file, "behind": behind,
            "door": door, "place": played.place,
            "lab": played.missing.is_none(), "safe": played.is_safe(),
            "exact": played.is_exact(), "seen": seen, "seconds": played.took.as_secs_f64(),
        });
        let mut file = self.file;
        writeln!(file, "{line}").or_fail("write down what came of an attack");
        let key = (case.id.clone(), case.title.clone(), played.behind);
        if !played.is_exact() && self.told.insert(key) && self.seen.insert(seen.clone()) {
            let (id, title, place) = (&case.id, &case.title, played.place);
            let seen = seen.replace('\n', " ");
            // The last words of a program that did not start take more.
            let most = if played.missing.is_some() { 1500 } else { 300 };
            println!("{id} {title} [{behind}, {door}, {place}]: {seen:.most$}");
        }
    }

    /// Tells the sums, and how long it took in all; whether all is well.
    pub(crate) fn finish(&self, took: Duration) -> bool {
        let mut all = Sum::default();
        for (group, sum) in self.groups.iter().filter(|(_, sum)| 0 < sum.runs) {
            sum.tell(&format!("group {group}"));
            all.cases += sum.cases;
            all.runs += sum.runs;
            all.missing += sum.missing;
            all.safe += sum.safe;
            all.exact += sum.exact;
            all.took += sum.took;
        }
        all.tell("all");
        let failed = all.runs - all.missing - all.exact;
        let took = took.as_secs();
        match all.missing {
            0 => println!("{} passed, {failed} failed, in {took} s", all.exact),
            some => {
                println!(
                    "{} passed, {failed} failed, {some} without a lab, in {took} s",
                    all.exact
                );
            }
        }
        0 < all.runs && all.safe == all.runs && EXACT_MIN * all.runs <= 100 * all.exact
    }
}

impl Sum {
    fn tell(&self, name: &str) {
        let played = self.runs - self.missing;
        if played == 0 {
            println!("{name:<8} {:>4} cases {:>5} runs  NO LAB", self.cases, self.runs);
            return;
        }
        let share = |of: usize| 100.0 * of as f64 / played as f64;
        println!(
            "{name:<8} {:>4} cases {:>5} runs  SAFE {:>5.1} %  EXACT {:>5.1} %  {:>6.1} s",
            self.cases,
            played,
            share(self.safe),
            share(self.exact),
            self.took.as_secs_f64(),
        );
    }
}

/// A file to write down what comes of attacks, beside the programs that were built.
pub(crate) fn file() -> File {
    let here = std::env::current_exe().or_fail("find out where this program is");
    let folder = here.parent().and_then(|it| it.parent()).or_fail("find the folder of programs");
    File::create(folder.join("attacks.jsonl")).or_fail("write down what comes of the attacks")
}

/// So many of a hundred runs have to be exact; all have to be safe.
const EXACT_MIN: usize = 98;
