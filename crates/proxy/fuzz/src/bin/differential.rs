//! Reads very many streams with ligase and with expat, and compares: see docs/fuzzing.md.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use ligase_fuzz::chance::Chance;
use ligase_fuzz::compare::{Comparison, Outcome};
use ligase_fuzz::division::{Division, Framed};
use ligase_fuzz::generate;
use ligase_fuzz::minimise::minimise;

const USAGE: &str =
    "differential [--seed N] [--count N] [--jobs N] [--only NUMBER] [--files FOLDER]";

/// Inputs that a job takes at a time.
const SHARE: u64 = 2_048;

/// If less than this is accepted, in percent, what passes is hardly looked at.
const ACCEPTED_MIN: f64 = 30.0;

/// What is asked for.
struct Wanted {
    seed: u64,
    count: u64,
    jobs: usize,
    only: Option<u64>,
    files: Option<PathBuf>,
}

/// What came of many inputs.
#[derive(Default)]
struct Sum {
    inputs: u64,
    bytes: u64,
    accepted: u64,
    elements: u64,
    forwarded: u64,
    refused: BTreeMap<&'static str, u64>,
}

/// An input that is read in two ways.
struct Found {
    number: u64,
    input: Vec<u8>,
    what: String,
}

fn main() -> ExitCode {
    let Some(wanted) = wanted() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    // Whatever panics is reported with what it was, once.
    std::panic::set_hook(Box::new(|_| ()));
    if let Err(what) = notices() {
        eprintln!("the comparison does not notice {what}: it would prove nothing");
        return ExitCode::FAILURE;
    }
    let done = match (&wanted.files, wanted.only) {
        (Some(folder), _) => files(folder),
        (None, Some(number)) => only(wanted.seed, number),
        (None, None) => many(&wanted),
    };
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn wanted() -> Option<Wanted> {
    let jobs = thread::available_parallelism().map_or(1, usize::from);
    let mut wanted = Wanted { seed: 1, count: 1_000_000, jobs, only: None, files: None };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next()?;
        let number = value.replace('_', "").parse::<u64>().ok();
        match name.as_str() {
            "--seed" => wanted.seed = number?,
            "--count" => wanted.count = number?,
            "--jobs" => wanted.jobs = usize::try_from(number?).ok()?,
            "--only" => wanted.only = Some(number?),
            "--files" => wanted.files = Some(value.into()),
            _ => return None,
        }
    }
    (0 < wanted.jobs).then_some(wanted)
}

/// Shows the comparison differences that it must see, before it is believed to see any: what ligase
/// would have read, and what the servers are given instead.
fn notices() -> Result<(), &'static str> {
    const STREAM: &str = "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' \
        xmlns='jabber:server' xmlns:e='urn:e'><message from='a.test' to='b.test' id='1'><e:x k='1'>\
        text</e:x></message>";
    let mut comparison = Comparison::default();
    let framed = Framed::of(STREAM.as_bytes(), Division::Whole);
    if !matches!(comparison.agree(STREAM.as_bytes(), &framed, true), Ok(it) if it.forwarded == 1) {
        return Err("that a stream agrees with itself");
    }
    // Each is as long as what it stands for, so that pieces end where they did.
    let changes = [
        ("another sender", "from='a.test'", "from='m.test'"),
        ("another namespace", "xmlns='jabber:server'", "xmlns='jabber:client'"),
        ("the namespace of a prefix", "urn:e", "urn:f"),
        ("another value", "k='1'", "k='2'"),
        ("other text", "text", "tent"),
        ("another element", "<message from", "<massage from"),
        ("a comment", "text", "<!---->"),
        ("what is not well-formed", "</e:x>", "</e:y>"),
        ("an attribute that is gone", "id='1'", "      "),
    ];
    for (what, from, to) in changes {
        let other = STREAM.replace(from, to);
        if comparison.agree(other.as_bytes(), &framed, true).is_ok() {
            return Err(what);
        }
    }
    Ok(())
}

/// Compares one input; a panic is a difference too.
fn compare(comparison: &mut Comparison, input: &[u8], chance: &Chance) -> Result<Outcome, String> {
    let compared =
        catch_unwind(AssertUnwindSafe(|| comparison.compare(input, &mut chance.clone())));
    compared.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned()));
        Err(format!("panic: {}", text.unwrap_or_default()))
    })
}

fn many(wanted: &Wanted) -> bool {
    let begun = Instant::now();
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let results: Vec<_> = thread::scope(|scope| {
        let job = || run(wanted, &next, &stop);
        let jobs: Vec<_> = (0..wanted.jobs).map(|_| scope.spawn(job)).collect();
        jobs.into_iter().filter_map(|job| job.join().ok()).collect()
    });
    let took = begun.elapsed().as_secs_f64();
    let mut sum = Sum::default();
    let mut all_found = Vec::new();
    let finished = results.len() == wanted.jobs;
    for (other, found) in results {
        sum.add(other);
        all_found.extend(found);
    }
    sum.tell(wanted, took);
    for found in &all_found {
        tell(wanted.seed, found);
    }
    println!("disagreements: {}", all_found.len());
    let enough = ACCEPTED_MIN <= sum.share();
    if !enough {
        println!("too little was accepted for this to prove anything");
    }
    finished && enough && all_found.is_empty() && sum.inputs == wanted.count
}

/// One job: shares of the inputs, until there are no more or somebody found something.
fn run(wanted: &Wanted, next: &AtomicU64, stop: &AtomicBool) -> (Sum, Option<Found>) {
    let mut comparison = Comparison::default();
    let mut sum = Sum::default();
    let mut input = Vec::with_capacity(4_096);
    loop {
        let first = next.fetch_add(SHARE, Ordering::Relaxed);
        if wanted.count <= first || stop.load(Ordering::Relaxed) {
            return (sum, None);
        }
        for number in first..wanted.count.min(first + SHARE) {
            let mut chance = Chance::new(wanted.seed, number);
            generate::stream(&mut chance, &mut input);
            match compare(&mut comparison, &input, &chance) {
                Ok(outcome) => sum.note(&input, &outcome),
                Err(what) => {
                    stop.store(true, Ordering::Relaxed);
                    return (sum, Some(Found { number, input, what }));
                }
            }
        }
    }
}

/// One input again, shown.
fn only(seed: u64, number: u64) -> bool {
    let mut chance = Chance::new(seed, number);
    let mut input = Vec::new();
    generate::stream(&mut chance, &mut input);
    println!("{}", input.escape_ascii());
    match compare(&mut Comparison::default(), &input, &chance) {
        Ok(outcome) => {
            println!("{outcome:?}");
            true
        }
        Err(what) => {
            tell(seed, &Found { number, input, what });
            false
        }
    }
}

fn tell(seed: u64, found: &Found) {
    println!("input {} of seed {seed}: {}", found.number, found.what);
    let mut chance = Chance::new(seed, found.number);
    generate::stream(&mut chance, &mut Vec::new());
    let mut comparison = Comparison::default();
    let differs = |input: &[u8]| compare(&mut comparison, input, &chance).is_err();
    let least = minimise(&found.input, differs);
    println!("least that does it: {}", least.escape_ascii());
    if let Err(what) = compare(&mut Comparison::default(), &least, &chance) {
        println!("  {what}");
    }
    println!("again: differential --seed {seed} --only {}", found.number);
}

/// Stanzas of a folder's files, each file as a stream of its own. All must pass.
fn files(folder: &Path) -> bool {
    const HEADER: &[u8] = b"<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
        xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback'>";
    let Ok(entries) = std::fs::read_dir(folder) else {
        println!("there is no folder {}", folder.display());
        return false;
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut comparison = Comparison::default();
    let (mut stanzas, mut fine) = (0, true);
    for path in paths {
        let Ok(text) = std::fs::read(&path) else {
            continue;
        };
        let stream = [HEADER, &text].concat();
        // Looked at in every way: one of so many chances is thorough.
        let wrong = (0..16).find_map(|number| {
            match compare(&mut comparison, &stream, &Chance::new(0, number)) {
                Ok(Outcome { refused: None, elements, forwarded }) if elements == forwarded => {
                    stanzas += if number == 0 { forwarded } else { 0 };
                    None
                }
                other => Some(format!("{other:?}")),
            }
        });
        if let Some(wrong) = wrong {
            println!("{}: {wrong}", path.display());
            fine = false;
        }
    }
    println!("{stanzas} stanzas of {} are sent on as they were meant", folder.display());
    fine && 0 < stanzas
}

impl Sum {
    fn note(&mut self, input: &[u8], outcome: &Outcome) {
        self.inputs += 1;
        self.bytes += input.len() as u64;
        self.elements += outcome.elements;
        self.forwarded += outcome.forwarded;
        match outcome.refused {
            None => self.accepted += u64::from(0 < outcome.elements),
            Some(because) => *self.refused.entry(because).or_default() += 1,
        }
    }

    fn add(&mut self, other: Self) {
        self.inputs += other.inputs;
        self.bytes += other.bytes;
        self.accepted += other.accepted;
        self.elements += other.elements;
        self.forwarded += other.forwarded;
        for (because, count) in other.refused {
            *self.refused.entry(because).or_default() += count;
        }
    }

    /// How much was accepted to its last byte, in percent.
    fn share(&self) -> f64 {
        100.0 * self.accepted as f64 / self.inputs.max(1) as f64
    }

    fn tell(&self, wanted: &Wanted, took: f64) {
        let speed = self.inputs as f64 / took;
        println!("inputs: {} of seed {} in {took:.1} s", self.inputs, wanted.seed);
        println!(
            "speed: {speed:.0}/s in {} jobs, {:.0}/s each",
            wanted.jobs,
            speed / wanted.jobs as f64
        );
        println!("length: {} bytes on average", self.bytes / self.inputs.max(1));
        println!("accepted to the last byte: {:.1} %", self.share());
        println!("elements read: {}, stanzas sent on: {}", self.elements, self.forwarded);
        let mut refused: Vec<_> = self.refused.iter().collect();
        refused.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        println!("refused in {} ways:", refused.len());
        for (because, count) in refused {
            println!("{count:>10}  {because}");
        }
    }
}

/// The crates that count where they have been look for a fuzzer to tell; there is none here.
mod nobody_counts {
    #[unsafe(no_mangle)]
    extern "C" fn __sanitizer_cov_8bit_counters_init(_start: *mut u8, _stop: *mut u8) {}

    #[unsafe(no_mangle)]
    extern "C" fn __sanitizer_cov_pcs_init(_start: *const usize, _stop: *const usize) {}
}
