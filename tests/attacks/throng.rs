//! Throngs: those who come by the hundred or by the thousand, each by a connection of its own.

use std::thread::sleep;
use std::time::{Duration, Instant};

use ligase_tests::peer::program;
use ligase_tests::{Host, Process};
use serde_json::{Value, json};

use crate::case::{Case, arguments, divide};
use crate::deeds::{Run, Told};
use crate::kept::Throng;
use crate::words::Word;

pub(crate) const WORDS: [Word; 7] = [
    ("throng", throng),
    ("pour", pour),
    ("blanks", blanks),
    ("proven", proven),
    ("poured", poured),
    ("gone", gone),
    ("ids", ids),
];

/// What is told of a throng in one line.
struct Order {
    /// The machine that they come from.
    host: &'static str,
    count: u32,
    manner: String,
    domain: String,
    to: String,
    /// Seconds in which all of them come.
    over: f64,
    stanzas: u32,
    bytes: u32,
}

/// `throng N MANNER OVER`: so many come to the proxy's port within so many seconds, and behave so.
fn throng(case: &mut Case, rest: &str) -> Result<(), String> {
    let [count, manner, over] = arguments(rest)?;
    let order = Order {
        host: "padua",
        count: count.parse().map_err(|_| "how many?")?,
        domain: format!("{manner}#.lab"),
        manner,
        to: "l1.lab".to_owned(),
        over: over.parse().map_err(|_| "in what time?")?,
        stanzas: 0,
        bytes: 0,
    };
    case.terms.is_scripted = true;
    case.then(Box::new(move |run| order.send(run)));
    Ok(())
}

/// `pour N FROM TO STANZAS BYTES`: as many senders are granted these pairs, and each sends so many
/// messages of so many bytes; `#` is the number of each. They come from beside our own server if
/// `FROM` is a domain of ours, and from the attacker if not.
fn pour(case: &mut Case, rest: &str) -> Result<(), String> {
    let [count, domain, to, stanzas, bytes] = arguments(rest)?;
    let is_ours = domain == "l1.lab" || domain == "l2.lab";
    case.terms.is_scripted |= is_ours;
    let order = Order {
        host: if is_ours { "house" } else { "padua" },
        count: count.parse().map_err(|_| "how many?")?,
        manner: if is_ours { "pouring-out" } else { "pouring-in" }.to_owned(),
        domain,
        to,
        over: 0.0,
        stanzas: stanzas.parse().map_err(|_| "how many stanzas?")?,
        bytes: bytes.parse().map_err(|_| "how many bytes?")?,
    };
    case.then(Box::new(move |run| order.send(run)));
    Ok(())
}

/// `blanks N`: somebody is granted a pair, and says so many blanks.
fn blanks(case: &mut Case, rest: &str) -> Result<(), String> {
    let order = Order {
        host: "padua",
        count: 1,
        manner: "spacing".to_owned(),
        domain: "spacing#.lab".to_owned(),
        to: "l1.lab".to_owned(),
        over: 0.0,
        stanzas: 0,
        bytes: rest.parse().map_err(|_| "how many?")?,
    };
    case.then(Box::new(move |run| order.send(run)));
    Ok(())
}

/// `proven N`: so many of the throng have been granted their pair.
fn proven(case: &mut Case, rest: &str) -> Result<(), String> {
    let count: usize = rest.parse().map_err(|_| "how many?")?;
    case.then(Box::new(move |run| run.await_told("proven", count).map(drop)));
    Ok(())
}

/// `poured N`: so many of those who pour have said all of it.
fn poured(case: &mut Case, rest: &str) -> Result<(), String> {
    let count: usize = rest.parse().map_err(|_| "how many?")?;
    case.then(Box::new(move |run| run.await_told("poured", count).map(drop)));
    Ok(())
}

/// `gone EARLIEST LATEST [HOW]`: all of the throng were let in, and are thrown out by now; the first
/// and the last of them after so many seconds. With `HOW` at least one of them ended so: `reset`.
fn gone(case: &mut Case, rest: &str) -> Result<(), String> {
    let parts = divide(rest, " ");
    let seconds = |at: usize| parts.get(at).and_then(|it| it.parse::<f64>().ok());
    let (Some(earliest), Some(latest)) = (seconds(0), seconds(1)) else {
        return Err("when?".to_owned());
    };
    let how = parts.get(2).cloned();
    case.then(Box::new(move |run| {
        let patience = Duration::from_secs_f64(2.0 * latest) + run.patience;
        let told = run.await_within("gone", 1, patience)?;
        let event = told.last().ok_or("nobody is gone")?;
        let at = |key: &str| event[key].as_f64().unwrap_or(f64::MAX);
        if at("earliest") < earliest || latest < at("latest") {
            return Err(format!("they are gone otherwise: {event}"));
        }
        if let Some(how) = &how
            && !event["endings"].to_string().contains(how)
        {
            return Err(format!("nobody ended by a {how}: {event}"));
        }
        run.kept.throngs.pop();
        Ok(())
    }));
    Ok(())
}

/// `ids N`: so many different stream ids were told to the throng, and no place of them prefers a
/// digit.
fn ids(case: &mut Case, rest: &str) -> Result<(), String> {
    let count: usize = rest.parse().map_err(|_| "how many?")?;
    case.then(Box::new(move |run| {
        let told = run.await_told("id", count)?;
        let ids: std::collections::BTreeSet<&str> =
            told.iter().filter_map(|it| it["id"].as_str()).collect();
        if ids.len() != count {
            return Err(format!("of {count} ids {} are different", ids.len()));
        }
        is_even(&ids)
    }));
    Ok(())
}

/// Whether each hexadecimal digit is as likely as any other at each place.
fn is_even(ids: &std::collections::BTreeSet<&str>) -> Told {
    let mut seen = [[0_u32; 16]; ID_LENGTH];
    for id in ids {
        if id.len() != ID_LENGTH {
            return Err(format!("an id is {id:?}"));
        }
        for (counts, digit) in seen.iter_mut().zip(id.chars()) {
            let digit = digit.to_digit(16).ok_or_else(|| format!("an id is {id:?}"))?;
            if let Some(count) = counts.get_mut(digit as usize) {
                *count += 1;
            }
        }
    }
    let expect = ids.len() as f64 / 16.0;
    for (place, counts) in seen.iter().enumerate() {
        let distance = |count: &u32| (f64::from(*count) - expect).powi(2) / expect;
        let chi_square: f64 = counts.iter().map(distance).sum();
        if CHI_SQUARE_MAX < chi_square {
            return Err(format!("place {place} of ids is biased: {chi_square}"));
        }
    }
    Ok(())
}

impl Order {
    /// Has them come.
    fn send(&self, run: &mut Run<'_>) -> Told {
        let lab = run.lab;
        let host = lab.host(self.host)?;
        let (target, from, certificate) = if self.host == "house" {
            (lab.backend_door().to_owned(), vec!["127.0.0.1".to_owned()], lab.own.clone())
        } else {
            let names: Vec<_> =
                (0..self.count.min(NAMED_MAX)).map(|it| self.named(&self.domain, it)).collect();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            (lab.door(run.door), camp_out(host)?, lab.world.authority.issue(&names))
        };
        if self.bytes != 0 {
            (0..self.count).for_each(|it| {
                run.grant(&self.named(&self.domain, it), &self.named(&self.to, it));
                run.grant(&self.named(&self.to, it), &self.named(&self.domain, it));
            });
        } else if self.manner == "talking" || self.manner == "deaf" {
            (0..self.count).for_each(|it| {
                run.grant(&self.named(&self.domain, it), &self.to);
                run.grant(&self.to, &self.named(&self.domain, it));
            });
        }
        let mut command = host.command("sh");
        command.args(["-ec", "ulimit -S -n \"$(ulimit -H -n)\"; exec \"$@\"", "sh"]);
        command.arg(program("ligase-peer")).args(["crowd", &target]);
        let mut program = Process::start(&format!("those {}", self.manner), command);
        let order = json!({
            "manner": self.manner, "count": self.count, "from": from, "over": self.over,
            "every": TRICKLE, "domain": self.domain, "to": self.to,
            "stanzas": self.stanzas, "bytes": self.bytes,
            "chain": certificate.chain(), "key": certificate.key(),
        });
        program.tell(&order.to_string());
        run.kept.throngs.push(Throng { program, manner: self.manner.clone(), count: self.count });
        Ok(())
    }

    fn named(&self, name: &str, number: u32) -> String {
        name.replace('#', &number.to_string())
    }
}

impl Run<'_> {
    /// Waits until the throngs have told so much of this; all of it.
    fn await_told(&self, key: &str, count: usize) -> Result<Vec<Value>, String> {
        self.await_within(key, count, 3 * self.patience)
    }

    #[expect(clippy::disallowed_methods, reason = "nobody is waited for for ever")]
    fn await_within(
        &self,
        key: &str,
        count: usize,
        patience: Duration,
    ) -> Result<Vec<Value>, String> {
        let start = Instant::now();
        let throng = self.kept.throngs.last().ok_or("nobody has come")?;
        loop {
            let lines = throng.program.lines();
            let events = lines.iter().filter_map(|it| serde_json::from_str::<Value>(it).ok());
            let told: Vec<_> = events.filter(|it| it.get(key).is_some()).collect();
            if count <= told.len() {
                return Ok(told);
            }
            if patience < start.elapsed() {
                let last = lines.last().cloned().unwrap_or_default();
                let (manner, of) = (&throng.manner, throng.count);
                return Err(format!("of {of} {manner}, {} are {key}: {last:.100}", told.len()));
            }
            sleep(BREATHER);
        }
    }
}

/// Gives the attacker's machine as many addresses as throngs come from.
fn camp_out(host: &Host) -> Result<Vec<String>, String> {
    let addresses: Vec<_> = (0..ADDRESSES).map(|it| format!("198.18.0.{}", FIRST + it)).collect();
    for address in &addresses {
        let mut command = host.command("ip");
        command.args(["addr", "replace", &format!("{address}/24"), "dev", "eth0"]);
        let done = command.output().map_err(|error| error.to_string())?;
        if !done.status.success() {
            return Err(format!("no address: {}", String::from_utf8_lossy(&done.stderr)));
        }
    }
    Ok(addresses)
}

/// From so many addresses a throng comes.
const ADDRESSES: u8 = 4;

/// What machines are numbered with is less.
const FIRST: u8 = 100;

/// Seconds between two bytes of those that say one from time to time.
const TRICKLE: f64 = 1.6;

/// Names in one certificate; whoever has to prove one comes in small throngs.
const NAMED_MAX: u32 = 256;

/// Digits of a stream id.
const ID_LENGTH: usize = 40;

/// 15 degrees of freedom; p = 0.00001 for one place, so that forty rarely stray.
const CHI_SQUARE_MAX: f64 = 50.5;

const BREATHER: Duration = Duration::from_millis(25);
