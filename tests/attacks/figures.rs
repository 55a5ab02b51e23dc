//! Figures: what an attack may cost, from a mark on.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::case::{Case, arguments};
use crate::deeds::{Run, Told};
use crate::kept::Mark;
use crate::lab::Lab;
use crate::watch::{Violations, counted};
use crate::words::{Word, rules};

pub(crate) const WORDS: [Word; 9] = [
    ("mark", mark),
    ("peak", peak),
    ("busy", busy),
    ("slow", slow),
    ("series", series),
    ("scrape", scrape),
    ("accounted", accounted),
    ("lasts", lasts),
    ("counted", breaches),
];

/// `mark`: figures are taken from here on.
fn mark(case: &mut Case, rest: &str) -> Result<(), String> {
    if !rest.is_empty() {
        return Err("it takes no arguments".to_owned());
    }
    case.terms.is_scripted = true;
    case.then(Box::new(take_mark));
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "what is measured begins at a certain time")]
fn take_mark(run: &mut Run<'_>) -> Told {
    let lab = run.lab;
    lab.canary.sing()?;
    // Has the kernel forget the most that it has ever held.
    fs::write(file(lab, "clear_refs"), "5").map_err(|error| format!("no peak: {error}"))?;
    run.kept.mark = Some(Mark {
        since: Instant::now(),
        memory: status(lab, "VmRSS:")?,
        cpu: cpu_seconds(lab)?,
        songs: lab.canary.count(),
        violations: counted(lab)?.0,
        stanzas: stanzas(lab)?,
    });
    Ok(())
}

/// `peak N`: it has never held more than so many KiB more than at the mark.
fn peak(case: &mut Case, rest: &str) -> Result<(), String> {
    let most: u64 = rest.parse().map_err(|_| "how many KiB?")?;
    case.then(Box::new(move |run| {
        let before = run.kept.mark()?.memory;
        let more = status(run.lab, "VmHWM:")?.saturating_sub(before) / 1024;
        judge("KiB more at its peak", more as f64, most as f64)
    }));
    Ok(())
}

/// `busy PERCENT`: of one processor, it has used no greater part of the time.
fn busy(case: &mut Case, rest: &str) -> Result<(), String> {
    let most: f64 = rest.parse().map_err(|_| "what part of the time?")?;
    case.then(Box::new(move |run| {
        let mark = run.kept.mark()?;
        let used = cpu_seconds(run.lab)? - mark.cpu;
        judge("percent of a processor", 100.0 * used / mark.since.elapsed().as_secs_f64(), most)
    }));
    Ok(())
}

/// `slow MS`: of a hundred songs of the canary, ninety-nine took no longer.
fn slow(case: &mut Case, rest: &str) -> Result<(), String> {
    let most: u64 = rest.parse().map_err(|_| "how many milliseconds?")?;
    case.then(Box::new(move |run| {
        run.lab.canary.sing()?;
        let took = run.lab.canary.slowest_since(run.kept.mark()?.songs);
        judge(
            "ms for a song",
            took.as_secs_f64() * 1000.0,
            Duration::from_millis(most).as_secs_f64() * 1000.0,
        )
    }));
    Ok(())
}

/// `counted RULE N`: it is waited for that the rule has been broken so often since the mark.
#[expect(clippy::disallowed_methods, reason = "nobody is waited for for ever")]
fn breaches(case: &mut Case, rest: &str) -> Result<(), String> {
    let [rule, least] = arguments(rest)?;
    let least: u64 = least.parse().map_err(|_| "how often?")?;
    rules(&rule)?;
    case.then(Box::new(move |run| {
        let start = Instant::now();
        let count = |of: &Violations| of.get(&rule).copied().unwrap_or(0);
        let before = count(&run.kept.mark()?.violations);
        loop {
            let now = count(&counted(run.lab)?.0) - before;
            if least <= now {
                return Ok(());
            }
            if run.patience < start.elapsed() {
                return Err(format!("{rule} is counted {now} times, not {least}"));
            }
            sleep(BREATHER);
        }
    }));
    Ok(())
}

/// `series N`: the metrics have no more series, and as many as the last time that this was asked.
fn series(case: &mut Case, rest: &str) -> Result<(), String> {
    let most: usize = rest.parse().map_err(|_| "how many?")?;
    case.then(Box::new(move |run| {
        let (_, text) = run.lab.ask("/metrics")?;
        let now = text.lines().filter(|it| !it.starts_with('#') && !it.is_empty()).count();
        let before = run.kept.series.replace(now).unwrap_or(now);
        if before != now {
            return Err(format!("there were {before} series, and are {now}"));
        }
        judge("series", now as f64, most as f64)
    }));
    Ok(())
}

/// `scrape MS`: the metrics are told as fast as that.
#[expect(clippy::disallowed_methods, reason = "what is measured is the time it takes")]
fn scrape(case: &mut Case, rest: &str) -> Result<(), String> {
    let most: f64 = rest.parse().map_err(|_| "how many milliseconds?")?;
    case.then(Box::new(move |run| {
        let start = Instant::now();
        run.lab.ask("/metrics")?;
        judge("ms for the metrics", start.elapsed().as_secs_f64() * 1000.0, most)
    }));
    Ok(())
}

/// `accounted inbound|outbound N`: of so many stanzas that were sent that way since the mark, each
/// was passed on, or went back to its sender.
fn accounted(case: &mut Case, rest: &str) -> Result<(), String> {
    let [way, count] = arguments(rest)?;
    let way = WAYS.iter().position(|it| *it == way).ok_or("which way?")?;
    let count: u64 = count.parse().map_err(|_| "how many?")?;
    case.then(Box::new(move |run| is_accounted(run, way, count)));
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "nobody waits for ever")]
fn is_accounted(run: &mut Run<'_>, way: usize, count: u64) -> Told {
    let mark = run.kept.mark()?;
    let before = mark.stanzas.get(way).copied().unwrap_or_default();
    let start = Instant::now();
    loop {
        let songs = run.lab.canary.count().saturating_sub(mark.songs) as u64;
        let now = stanzas(run.lab)?.get(way).copied().unwrap_or_default();
        let more = now.saturating_sub(before);
        // A song or two may be on their way while this is counted. What was passed on and could not
        // leave after all is counted twice.
        if count + songs <= more + 2 {
            return Ok(());
        }
        if run.patience < start.elapsed() {
            return Err(format!("of {count} stanzas and {songs} songs, {more} are known of"));
        }
        sleep(BREATHER);
    }
}

/// `lasts SECONDS`: so much time has passed since the mark, at least.
fn lasts(case: &mut Case, rest: &str) -> Result<(), String> {
    let least: f64 = rest.parse().map_err(|_| "how many seconds?")?;
    case.then(Box::new(move |run| {
        let passed = run.kept.mark()?.since.elapsed().as_secs_f64();
        if least <= passed { Ok(()) } else { Err(format!("it took {passed:.1} s only")) }
    }));
    Ok(())
}

fn judge(what: &str, seen: f64, most: f64) -> Told {
    if seen <= most { Ok(()) } else { Err(format!("{seen:.1} {what}, not {most}")) }
}

/// How many stanzas were passed on or sent back, of those that came in and of those that went out.
fn stanzas(lab: &Lab) -> Result<[u64; 2], String> {
    let (_, text) = lab.ask("/metrics")?;
    let sum = |way: &str| {
        let label = format!("direction=\"{way}\"");
        let samples = text.lines().filter(|it| {
            (it.starts_with("ligase_stanzas_total{") || it.starts_with("ligase_bounces_total{"))
                && it.contains(&label)
        });
        samples.filter_map(|it| it.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>() as u64
    };
    Ok(WAYS.map(sum))
}

/// A line of its status, in bytes.
fn status(lab: &Lab, name: &str) -> Result<u64, String> {
    let status = fs::read_to_string(file(lab, "status"));
    let status = status.map_err(|error| format!("it has ended: {error}"))?;
    let held = status.lines().find_map(|line| line.strip_prefix(name));
    let held = held.and_then(|it| it.trim().split(' ').next()?.parse::<u64>().ok());
    Ok(held.ok_or("it holds no memory")? * 1024)
}

/// Seconds of a processor that it has used.
fn cpu_seconds(lab: &Lab) -> Result<f64, String> {
    let stat = fs::read_to_string(file(lab, "stat"));
    let stat = stat.map_err(|error| format!("it has ended: {error}"))?;
    // Its name comes before, in parentheses, and may hold anything.
    let (_, rest) = stat.rsplit_once(')').ok_or("its times cannot be read")?;
    let ticks = rest.split_whitespace().skip(11).take(2).filter_map(|it| it.parse::<f64>().ok());
    Ok(ticks.sum::<f64>() / TICKS)
}

fn file(lab: &Lab, name: &str) -> String {
    format!("/proc/{}/{name}", lab.ligase.log().id())
}

/// As the metrics call them.
const WAYS: [&str; 2] = ["inbound", "outbound"];

/// What Linux tells times in, in a second.
const TICKS: f64 = 100.0;

const BREATHER: Duration = Duration::from_millis(50);
