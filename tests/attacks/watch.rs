//! Watch: what must hold whatever is tried, looked at from outside.
//!
//! 1. Nothing that was not to get through reaches our own server or the honest peer.
//! 2. Nobody is granted a pair that the case does not say is theirs, and nothing stays granted.
//! 3. The program is the same and does not panic; others talk all the while, as fast as before.
//! 4. It holds as many descriptors as before, and no more memory than the case allows.
//! 5. It calls nobody but those that the case names.
//! 6. Its log and its metrics hold neither a key nor a word of what was said.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bytes::{FORBIDDEN, KEY};
use crate::calls::Calls;
use crate::case::Terms;
use crate::deeds::{Run, Told};
use crate::lab::Lab;

/// How things stood before a run.
pub(crate) struct Before {
    violations: Violations,
    panics: u64,
    bound: BTreeSet<Bound>,
    descriptors: usize,
    memory: u64,
    processor: Duration,
    calls: Calls,
    /// Lines of the log.
    log: usize,
    /// Songs of the canary.
    songs: usize,
    /// What our own server and the honest peer had heard.
    heard: [usize; 2],
}

/// How often each rule was broken, by reason.
pub(crate) type Violations = BTreeMap<String, u64>;

/// A pair that is granted on a public connection, its sender first.
type Bound = (String, String, u64);

impl Before {
    /// Looks how things stand.
    pub(crate) fn look(lab: &Lab) -> Result<Self, String> {
        let (violations, panics) = counted(lab)?;
        Ok(Self {
            violations,
            panics,
            bound: bound(lab)?,
            descriptors: descriptors(lab)?,
            memory: memory(lab)?,
            processor: processor(lab)?,
            calls: lab.calls()?,
            log: lab.ligase.log().count(),
            songs: lab.canary.count(),
            heard: [lab.behind.count(), lab.honest.count()],
        })
    }

    /// What is granted that ought not to be, while the run's connections are still open.
    pub(crate) fn granted(&self, run: &Run<'_>) -> Told {
        let now = bound(run.lab)?;
        let mut new = now.difference(&self.bound);
        let wrong = new.find(|(from, to, _)| !run.granted.contains(&(from.clone(), to.clone())));
        match wrong {
            Some((from, to, _)) => Err(format!("{from} to {to} is granted")),
            None => Ok(()),
        }
    }

    /// All that does not hold now that the run is over.
    pub(crate) fn unsafe_now(&self, run: &Run<'_>) -> Vec<String> {
        let checks: [fn(&Self, &Run<'_>) -> Told; 6] = [
            Self::is_cheap,
            Self::is_alive,
            Self::is_unheard,
            Self::is_back,
            Self::has_called,
            Self::is_silent,
        ];
        checks.iter().filter_map(|check| check(self, run).err()).collect()
    }

    fn is_cheap(&self, run: &Run<'_>) -> Told {
        let took = processor(run.lab)?.saturating_sub(self.processor);
        match run.case.terms.processor {
            Some(most) if most < took => Err(format!("it takes {took:?} of the processor")),
            Some(_) | None => Ok(()),
        }
    }

    fn is_alive(&self, run: &Run<'_>) -> Told {
        let lab = run.lab;
        let lines = lab.ligase.log().lines_after(self.log);
        if let Some(line) = lines.iter().find(|it| it.contains("panicked")) {
            return Err(format!("it panics: {line}"));
        }
        lab.canary.sing()?;
        match lab.canary.slowest(self.songs) {
            Some(took) if SLOW < took => Err(format!("others wait for {took:?}")),
            _ => Ok(()),
        }
    }

    fn is_unheard(&self, run: &Run<'_>) -> Told {
        let [behind, honest] = self.heard;
        let heard =
            [run.lab.behind.heard_after(behind), run.lab.honest.heard_after(honest)].concat();
        match heard.iter().find(|it| it.contains(FORBIDDEN)) {
            Some(said) => Err(format!("it gets through: {said}")),
            None => Ok(()),
        }
    }

    /// Connections end a moment after those who were on them; what they held is given back then.
    #[expect(clippy::disallowed_methods, reason = "a run is over at a certain time")]
    fn is_back(&self, run: &Run<'_>) -> Told {
        let start = Instant::now();
        // What has to be seen to be wrong does not come right.
        let patience = if run.case.terms.seen.is_some() { SEEN_MAX } else { BACK_MAX };
        loop {
            let told = self.is_as_before(run);
            if told.is_ok() || patience < start.elapsed() {
                return told;
            }
            sleep(BREATHER);
        }
    }

    fn is_as_before(&self, run: &Run<'_>) -> Told {
        let (lab, terms) = (run.lab, &run.case.terms);
        let bound = bound(lab)?;
        let mut new = bound.difference(&self.bound);
        let wrong = new.find(|(from, to, _)| !terms.stays.contains(&(from.clone(), to.clone())));
        if let Some((from, to, _)) = wrong {
            return Err(format!("{from} to {to} stays granted"));
        }
        if let Some((from, to, _)) = self.bound.difference(&bound).next() {
            return Err(format!("{from} to {to} is granted no more"));
        }
        let descriptors = descriptors(lab)?;
        if self.descriptors + terms.stays.len() < descriptors {
            return Err(format!("{descriptors} descriptors, of {} before", self.descriptors));
        }
        let memory = memory(lab)?;
        if self.memory + terms.memory.unwrap_or(MEMORY) < memory {
            let more = (memory - self.memory) / 1024;
            return Err(format!("it holds {more} KiB more"));
        }
        Ok(())
    }

    fn has_called(&self, run: &Run<'_>) -> Told {
        let allowed = run.lab.may_call(&run.case.terms.calls)?;
        let mut called = run.lab.calls()?;
        called.retain(|whom, count| self.calls.get(whom).copied().unwrap_or_default() < *count);
        let others: Vec<_> = called.keys().filter(|whom| !allowed.contains(whom)).collect();
        if others.is_empty() { Ok(()) } else { Err(format!("it calls {others:?}")) }
    }

    fn is_silent(&self, run: &Run<'_>) -> Told {
        let (_, metrics) = run.lab.ask("/metrics")?;
        if self.panics != read(&metrics)?.1 {
            return Err("a panic is counted".to_owned());
        }
        let secrets = [FORBIDDEN, KEY, "PRIVATE KEY"];
        let lines = run.lab.ligase.log().lines_after(self.log);
        let mut told = lines.iter().map(String::as_str).chain([metrics.as_str()]);
        match told.find(|it| secrets.iter().any(|secret| it.contains(secret))) {
            Some(line) => Err(format!("it tells {line}")),
            None => Ok(()),
        }
    }

    /// Looks that exactly those rules were counted that the case names.
    #[expect(clippy::disallowed_methods, reason = "a run is over at a certain time")]
    pub(crate) fn is_counted(&self, run: &Run<'_>) -> Told {
        let start = Instant::now();
        loop {
            let (mut now, _) = counted(run.lab)?;
            for (reason, count) in &self.violations {
                now.entry(reason.clone()).and_modify(|it| *it -= count);
            }
            let told = judge(&run.case.terms, now);
            if told.is_ok() || COUNTED_MAX < start.elapsed() {
                return told;
            }
            sleep(BREATHER);
        }
    }
}

/// Takes what was to be counted off what was; then nothing may be left.
fn judge(terms: &Terms, mut counted: Violations) -> Told {
    counted.retain(|_, count| 0 < *count);
    for expected in &terms.counts {
        let (least, most) = (*expected.times.start(), *expected.times.end());
        let reason = expected.reasons.iter().find(|it| counted.contains_key(*it));
        let count = reason.and_then(|it| counted.get_mut(it));
        match count {
            None if 0 < least => {
                return Err(format!("none of {:?} is counted, but {counted:?}", expected.reasons));
            }
            Some(count) if *count < least => {
                return Err(format!("{:?} is counted {count} times", expected.reasons));
            }
            Some(count) => *count -= most.min(*count),
            None => (),
        }
    }
    counted.retain(|_, count| 0 < *count);
    if counted.is_empty() { Ok(()) } else { Err(format!("counted, too: {counted:?}")) }
}

/// How often each rule was broken, and how many panics there were.
pub(crate) fn counted(lab: &Lab) -> Result<(Violations, u64), String> {
    read(&lab.ask("/metrics")?.1)
}

fn read(text: &str) -> Result<(Violations, u64), String> {
    let value = |line: &str| line.rsplit(' ').next().and_then(|it| it.parse::<f64>().ok());
    let mut violations = Violations::new();
    let mut panics = 0;
    for line in text.lines() {
        let count = value(line).unwrap_or_default() as u64;
        if line.starts_with("ligase_panics_total") {
            panics += count;
        } else if line.starts_with("ligase_violations_total{") {
            let reason = line.split("reason=\"").nth(1).and_then(|it| it.split('"').next());
            *violations.entry(reason.unwrap_or_default().to_owned()).or_default() += count;
        }
    }
    if violations.is_empty() {
        return Err(format!("no violations are counted: {text:.200}"));
    }
    Ok((violations, panics))
}

/// Every pair that is granted on the public side.
fn bound(lab: &Lab) -> Result<BTreeSet<Bound>, String> {
    let mut all = BTreeSet::new();
    for pair in json(lab, "/bindings")?.as_array().into_iter().flatten() {
        let name = |key: &str| pair[key].as_str().unwrap_or_default().to_owned();
        for connection in pair["connections"].as_array().into_iter().flatten() {
            let id = connection["id"].as_u64().unwrap_or_default();
            if connection["send"] == true {
                all.insert((name("local"), name("remote"), id));
            }
            if connection["receive"] == true {
                all.insert((name("remote"), name("local"), id));
            }
        }
    }
    Ok(all)
}

/// How many descriptors it holds, without those to its own server, which stay for the next.
fn descriptors(lab: &Lab) -> Result<usize, String> {
    let folder = format!("/proc/{}/fd", lab.ligase.log().id());
    let open = fs::read_dir(folder).map_err(|error| format!("it has ended: {error}"))?.count();
    let connections = json(lab, "/connections")?;
    let connections = connections.as_array().into_iter().flatten();
    Ok(open.saturating_sub(connections.filter(|it| it["side"] == "backend").count()))
}

/// How many bytes of memory it holds.
fn memory(lab: &Lab) -> Result<u64, String> {
    let file = format!("/proc/{}/status", lab.ligase.log().id());
    let status = fs::read_to_string(file).map_err(|error| format!("it has ended: {error}"))?;
    let held = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let held = held.and_then(|it| it.trim().split(' ').next()?.parse::<u64>().ok());
    Ok(held.ok_or("it holds no memory")? * 1024)
}

/// How much processor time it has taken.
fn processor(lab: &Lab) -> Result<Duration, String> {
    let file = format!("/proc/{}/stat", lab.ligase.log().id());
    let stat = fs::read_to_string(file).map_err(|error| format!("it has ended: {error}"))?;
    // The name of the program is in brackets, and may have spaces in it.
    let (_, numbers) = stat.rsplit_once(") ").ok_or("it has no times")?;
    let ticks = numbers.split(' ').skip(11).take(2).filter_map(|it| it.parse::<u64>().ok());
    Ok(Duration::from_millis(10 * ticks.sum::<u64>()))
}

fn json(lab: &Lab, path: &str) -> Result<Value, String> {
    let (_, text) = lab.ask(path)?;
    serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"))
}

/// All but one in a hundred of what others say arrives as soon as this.
const SLOW: Duration = Duration::from_millis(250);

/// When everything is to be as it was before.
const BACK_MAX: Duration = Duration::from_secs(30);

/// When it is, unless the case is wrong itself.
const SEEN_MAX: Duration = Duration::from_secs(2);

/// When everything is to be counted.
const COUNTED_MAX: Duration = Duration::from_secs(2);

/// By how many bytes it may have grown.
const MEMORY: u64 = 1 << 20;

const BREATHER: Duration = Duration::from_millis(20);
