//! Crowds: many that want more than their share, and the one that has to get in beside them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ligase_tests::Host;

use crate::begin::Beginning;
use crate::bytes::bytes;
use crate::case::{Case, arguments};
use crate::deeds::Run;
use crate::lab::WEAK;
use crate::said::sound;
use crate::words::Word;

pub(crate) const WORDS: [Word; 3] = [("crowd", crowd), ("guest", guest), ("spared", spared)];

/// `crowd N[/M] HOW FROM TO [CERT] : TEXT`: so many streams, from M addresses of four other networks in turn, each of which
/// says that; `{n}` is the number of each.
fn crowd(case: &mut Case, rest: &str) -> Result<(), String> {
    let (how, text) = rest.split_once(" : ").ok_or("who, and what do they say?")?;
    let (count, how) = how.split_once(' ').ok_or("how many, and how do they begin?")?;
    let (count, addresses) = count.split_once('/').unwrap_or((count, "0"));
    let count: usize = count.parse().map_err(|_| "how many?")?;
    let addresses: u8 = addresses.parse().map_err(|_| "from how many addresses?")?;
    let (how, text) = (how.to_owned(), sound(text)?);
    let each = |number: usize, case: &mut Case| {
        Beginning::read(case, &how.replace("{n}", &number.to_string()))
    };
    let crowd: Vec<_> = (0..count).map(|it| each(it, case)).collect::<Result<_, _>>()?;
    if crowd.iter().any(|it| it.kind.is_called()) {
        return Err("whom the proxy calls comes alone".to_owned());
    }
    case.then(Box::new(move |run| {
        let from = camp_afar(run, addresses)?;
        let mut from = from.iter().cycle();
        for (number, beginning) in crowd.iter().enumerate() {
            let mut beginning = beginning.clone();
            beginning.address = from.next().cloned();
            beginning.take_place(run)?;
            let said = bytes(&run.fill(&text).replace("{n}", &number.to_string()))?;
            run.stream()?.send_bytes(&said, said.len());
        }
        Ok(())
    }));
    Ok(())
}

/// `guest SECONDS`: meanwhile somebody comes whom only dialback proves, and is in as soon as that.
fn guest(case: &mut Case, rest: &str) -> Result<(), String> {
    let seconds: u64 = rest.parse().map_err(|_| "how soon?")?;
    case.terms.calls.insert("garden:5270".to_owned());
    let patience = Duration::from_secs(seconds);
    case.then(Box::new(move |run| {
        let [from, to] = WEAK;
        run.grant(from, to);
        run.lab.let_weak_in(patience)
    }));
    Ok(())
}

/// Gives the attacker's machine so many addresses of four other networks.
fn camp_afar(run: &Run<'_>, count: u8) -> Result<Vec<String>, String> {
    let (house, padua) = (run.lab.ligase.host(), run.lab.host("padua")?);
    let ip = |host: &Host, arguments: &[&str]| {
        let done = host.command("ip").args(arguments).output();
        let done = done.map_err(|error| format!("cannot run ip: {error}"))?;
        let told = String::from_utf8_lossy(&done.stderr);
        if done.status.success() { Ok(()) } else { Err(format!("ip {arguments:?}: {told}")) }
    };
    let mut addresses = Vec::new();
    for (number, network) in (1..=count).zip(NETWORKS.iter().cycle()) {
        let network = format!("198.18.{network}");
        let address = format!("{network}.{number}");
        ip(padua, &["addr", "replace", &format!("{address}/24"), "dev", "eth0"])?;
        ip(house, &["route", "replace", &format!("{network}.0/24"), "dev", "eth0"])?;
        addresses.push(address);
    }
    Ok(addresses)
}

/// Of 198.18.0.0/16, where only the attacker is.
const NETWORKS: [u8; 4] = [7, 8, 9, 10];

/// `spared HOST PORT PER-SECOND AT-A-TIME SECONDS`: for so long the proxy connects there no oftener
/// within a second, and has no more connections there at a time; and it does connect.
fn spared(case: &mut Case, rest: &str) -> Result<(), String> {
    let [host, port, per_second, at_a_time, seconds] = arguments(rest)?;
    case.terms.calls.insert(format!("{host}:{port}"));
    let port: u16 = port.parse().map_err(|_| "which port?")?;
    let per_second: u64 = per_second.parse().map_err(|_| "how often?")?;
    let at_a_time: usize = at_a_time.parse().map_err(|_| "how many at a time?")?;
    let seconds: f64 = seconds.parse().map_err(|_| "how many seconds?")?;
    case.then(Box::new(move |run| {
        let victim = SocketAddr::from((run.lab.host(&host)?.v4, port));
        let looks = watch(run, victim, Duration::from_secs_f64(seconds))?;
        for (number, first) in looks.iter().enumerate() {
            let within = |it: &&Look| it.before.duration_since(first.after) < SECOND;
            let last = looks[number..].iter().take_while(within).last().unwrap_or(first);
            let count = last.calls - first.calls;
            if per_second < count {
                return Err(format!("{victim} is called {count} times within a second"));
            }
            if at_a_time < first.open {
                return Err(format!("{victim} has {} connections at a time", first.open));
            }
        }
        let calls = |look: Option<&Look>| look.map_or(0, |it| it.calls);
        let is_called = calls(looks.first()) < calls(looks.last());
        if is_called { Ok(()) } else { Err(format!("nobody calls {victim}")) }
    }));
    Ok(())
}

/// What the proxy has done to somebody by a moment.
struct Look {
    before: Instant,
    after: Instant,
    /// How often it has called them.
    calls: u64,
    /// How many connections it has there.
    open: usize,
}

#[expect(clippy::disallowed_methods, reason = "how often is about time")]
fn watch(run: &Run<'_>, victim: SocketAddr, patience: Duration) -> Result<Vec<Look>, String> {
    let start = Instant::now();
    let mut looks = Vec::new();
    while start.elapsed() < patience {
        let before = Instant::now();
        let calls = run.lab.calls()?.get(&victim).copied().unwrap_or_default();
        let (ip, port) = (victim.ip().to_string(), victim.port().to_string());
        let mut ss = run.lab.ligase.host().command("ss");
        ss.args([
            "-Htn",
            "state",
            "connected",
            "exclude",
            "time-wait",
            "dst",
            &ip,
            "dport",
            "=",
            &port,
        ]);
        let told = ss.output().map_err(|error| format!("cannot run ss: {error}"))?;
        let open = String::from_utf8_lossy(&told.stdout).lines().count();
        looks.push(Look { before, after: Instant::now(), calls, open });
    }
    Ok(looks)
}

const SECOND: Duration = Duration::from_secs(1);
