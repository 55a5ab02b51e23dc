//! House: what befalls the proxy, its own server, or a peer's, while somebody attacks.

use std::fs;
use std::process::Command;
use std::time::Duration;

use ligase_tests::{Capture, Certificate, Host, Proxy, Stranger};

use crate::bytes::{KEY, claim};
use crate::case::{Case, arguments, divide};
use crate::deeds::{Run, Told};
use crate::kept::Kept;
use crate::lab::SLEEPERS;
use crate::negotiate::{next, offered};
use crate::words::Word;

pub(crate) const WORDS: [Word; 11] = [
    ("beside", beside),
    ("mute", mute),
    ("awake", awake),
    ("freeze", freeze),
    ("thaw", thaw),
    ("reload", reload),
    ("descriptors", descriptors),
    ("dial", dial),
    ("grant", grant),
    ("claims", claims),
    ("ended-by", ended_by),
];

/// `beside DOMAIN`: another server of ours is at port 5268 of the proxy's machine, for this domain.
fn beside(case: &mut Case, rest: &str) -> Result<(), String> {
    another(case, rest, Stranger::listen_for)
}

/// `mute DOMAIN`: the same, and it never says what it makes of a key.
fn mute(case: &mut Case, rest: &str) -> Result<(), String> {
    another(case, rest, Stranger::listen_mutely)
}

fn another(
    case: &mut Case,
    domain: &str,
    listen: fn(&Host, u16, &[&str], &Certificate) -> Stranger,
) -> Result<(), String> {
    let domain = domain.to_owned();
    case.terms.is_scripted = true;
    case.terms.calls.insert("127.0.0.1:5268".to_owned());
    case.then(Box::new(move |run| {
        let (lab, domains) = (run.lab, [domain.as_str()]);
        let server = listen(lab.ligase.host(), 5268, &domains, &lab.own);
        run.kept.beside = Some(server);
        Ok(())
    }));
    Ok(())
}

/// `awake`: the attacker's machine has a server of `z0.lab` and so on, which lets everybody in.
fn awake(case: &mut Case, rest: &str) -> Result<(), String> {
    if !rest.is_empty() {
        return Err("it takes no arguments".to_owned());
    }
    case.terms.calls.insert("padua:5272".to_owned());
    case.then(Box::new(|run| {
        let lab = run.lab;
        let names: Vec<_> = (0..SLEEPERS).map(|it| format!("z{it}.lab")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let certificate = lab.world.authority.issue(&names);
        run.kept.awake = Some(Stranger::listen_as(lab.host("padua")?, 5272, &names, &certificate));
        Ok(())
    }));
    Ok(())
}

/// `freeze beside|awake`: that server hears and says nothing any more.
fn freeze(case: &mut Case, rest: &str) -> Result<(), String> {
    signal(case, rest, "STOP")
}

/// `thaw beside|awake`: that server goes on.
fn thaw(case: &mut Case, rest: &str) -> Result<(), String> {
    signal(case, rest, "CONT")
}

fn signal(case: &mut Case, whom: &str, signal: &'static str) -> Result<(), String> {
    let whom: fn(&Kept) -> Option<&Stranger> = match whom {
        "beside" => |kept| kept.beside.as_ref(),
        "awake" => |kept| kept.awake.as_ref(),
        _ => return Err("whom?".to_owned()),
    };
    case.then(Box::new(move |run| {
        whom(&run.kept).ok_or("it is not there")?.signal(signal);
        Ok(())
    }));
    Ok(())
}

/// `reload KEY VALUE`: this key of no section has another value from now on, as somebody sees to who
/// writes the file and sends SIGHUP.
fn reload(case: &mut Case, rest: &str) -> Result<(), String> {
    let [key, value] = arguments(rest)?;
    case.then(Box::new(move |run| {
        let ligase = &run.lab.ligase;
        let file = ligase.folder().join("ligase.yaml");
        let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
        let front = format!("{key}: ");
        let line = |it: &str| {
            if it.starts_with(&front) { format!("{front}{value}\n") } else { format!("{it}\n") }
        };
        let changed: String = text.lines().map(line).collect();
        let start = ligase.log().count();
        fs::write(&file, changed).map_err(|error| error.to_string())?;
        ligase.log().signal("HUP");
        ligase.log().hear_after(start, "reloaded", run.patience);
        Ok(())
    }));
    Ok(())
}

/// `descriptors N`: the proxy may have no more than so many from now on.
fn descriptors(case: &mut Case, rest: &str) -> Result<(), String> {
    let most: u64 = rest.parse().map_err(|_| "how many?")?;
    case.then(Box::new(move |run| {
        let process = run.lab.ligase.log().id().to_string();
        let limit = format!("--nofile={most}:");
        // Who may not do so for others may still do so for himself.
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "7269", "--regid", "7269", "--clear-groups", "prlimit"]);
        let done = command.args(["--pid", &process, &limit]).output();
        let done = done.map_err(|error| format!("cannot run prlimit: {error}"))?;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        if done.status.success() { Ok(()) } else { Err(said) }
    }));
    Ok(())
}

/// `dial HOST ADDRESS`: a connection from that machine to there, nothing said.
fn dial(case: &mut Case, rest: &str) -> Result<(), String> {
    let [host, address] = arguments(rest)?;
    case.terms.is_scripted |= host == "house";
    case.then(Box::new(move |run| {
        let stream = ligase_tests::Peer::on(run.lab.host(&host)?).try_dial(&address)?;
        run.begin(stream);
        Ok(())
    }));
    Ok(())
}

/// `grant N FROM TO`: these pairs are granted by right; `#` is the number of each.
fn grant(case: &mut Case, rest: &str) -> Result<(), String> {
    let [count, from, to] = arguments(rest)?;
    let count: usize = count.parse().map_err(|_| "how many?")?;
    case.then(Box::new(move |run| {
        (0..count).for_each(|it| {
            let name = |name: &str| name.replace('#', &it.to_string());
            run.grant(&name(&from), &name(&to));
        });
        Ok(())
    }));
    Ok(())
}

/// `claims N FROM TO`: so many pairs are claimed, no more at a time than one may, and granted.
fn claims(case: &mut Case, rest: &str) -> Result<(), String> {
    let [count, from, to] = arguments(rest)?;
    let count: usize = count.parse().map_err(|_| "how many?")?;
    case.then(Box::new(move |run| {
        let name = |name: &str, number: usize| name.replace('#', &number.to_string());
        for first in (0..count).step_by(CLAIMS_AT_ONCE) {
            let now = first..count.min(first + CLAIMS_AT_ONCE);
            for number in now.clone() {
                run.grant(&name(&from, number), &name(&to, number));
            }
            let stream = run.stream()?;
            let said = now.clone().map(|it| claim(&name(&from, it), &name(&to, it)));
            stream.send(&said.collect::<String>());
            for _ in now {
                offered(&next(stream, run.patience)?, "type='valid'")?;
            }
        }
        Ok(())
    }));
    Ok(())
}

/// `ended-by SIGNAL`: another proxy, on a machine of its own, is ended by this signal, with a key in
/// its memory and no bound to what it might write down; it leaves no image of its memory behind.
fn ended_by(case: &mut Case, rest: &str) -> Result<(), String> {
    let parts = divide(rest, " ");
    let signal = parts.first().cloned().ok_or("by what?")?;
    case.terms.is_scripted = true;
    case.then(Box::new(move |run| end_another(run, &signal)));
    Ok(())
}

fn end_another(run: &mut Run<'_>, signal: &str) -> Told {
    use std::os::unix::process::ExitStatusExt;

    let lab = run.lab;
    let tower = lab.host("tower")?;
    let certificate = lab.world.authority.issue(&["tower.lab"]);
    let domains = ["tower.lab".to_owned()];
    let mut proxy = Proxy::new(&lab.world, tower, Capture::Dns, &domains, &certificate);
    proxy.set("listen.dns", "null");
    proxy.set("capture", "explicit");
    // Whoever runs it may have set no limit.
    proxy.unlimit_core();
    let mut ligase = proxy.start();
    let folder = ligase.folder();
    ligase.log().signal(signal);
    let status = ligase.program().end(PATIENCE);
    let said: Vec<_> = ligase.log().lines();
    if let Some(line) = said.iter().find(|it| it.contains("PRIVATE KEY") || it.contains(KEY)) {
        return Err(format!("it tells {line}"));
    }
    if status.core_dumped() {
        return Err(format!("its memory is written down in {}: {status}", folder.display()));
    }
    if status.signal().is_none() && !status.success() {
        return Err(format!("it ended otherwise: {status}"));
    }
    Ok(())
}

/// `limits.assertions_in_flight`, unless it is told otherwise.
const CLAIMS_AT_ONCE: usize = 16;

/// How long the end of a program takes at most.
const PATIENCE: Duration = Duration::from_secs(20);
