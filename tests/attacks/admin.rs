//! Admin: what somebody asks of the admin port, which ports there are, and what is told there and in
//! the log.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ligase_tests::Stream;
use ligase_tests::peer::program;
use serde_json::Value;

use crate::bytes::{FORBIDDEN, KEY, bytes};
use crate::case::{Case, arguments, divide};
use crate::deeds::{Run, Told};
use crate::said::sound;
use crate::words::Word;

pub(crate) const WORDS: [Word; 6] = [
    ("admin", admin),
    ("many-admin", many_admin),
    ("closed", refused),
    ("ports", ports),
    ("secretless", secretless),
    ("sound-log", sound_log),
];

/// `admin STATUS/STATUS TEXT`: the admin port is told this from beside our server, and says one of
/// these and no more than a few words, or hangs up where `none` is among them.
fn admin(case: &mut Case, rest: &str) -> Result<(), String> {
    let [statuses, text] = arguments(rest)?;
    let (statuses, text) = (divide(&statuses, "/"), sound(&text)?);
    case.terms.is_scripted = true;
    case.then(Box::new(move |run| {
        let said = run.bytes(&text)?;
        let stream = run.lab.intruder.try_dial("127.0.0.1:7290")?;
        stream.send_bytes(&said, said.len());
        is_answered(&stream, &statuses, run.patience)
    }));
    Ok(())
}

/// `many-admin N STATUS/STATUS TEXT`: the same, so often at once, each by a connection of its own.
fn many_admin(case: &mut Case, rest: &str) -> Result<(), String> {
    let [count, statuses, text] = arguments(rest)?;
    let count: usize = count.parse().map_err(|_| "how often?")?;
    let (statuses, said) = (divide(&statuses, "/"), bytes(&text)?);
    case.terms.is_scripted = true;
    case.then(Box::new(move |run| {
        let mut streams = Vec::new();
        for _ in 0..count {
            let stream = run.lab.intruder.try_dial("127.0.0.1:7290")?;
            stream.send_bytes(&said, said.len());
            streams.push(stream);
        }
        streams.iter().try_for_each(|it| is_answered(it, &statuses, run.patience))
    }));
    Ok(())
}

fn is_answered(stream: &Stream, statuses: &[String], patience: Duration) -> Told {
    let Some((told, _)) = stream.end_within(patience) else {
        return Err("the admin port does not end it".to_owned());
    };
    let status = told.split(' ').nth(1).unwrap_or("none");
    if !statuses.iter().any(|it| it == status) {
        return Err(format!("the admin port says {told:.100?}, not {statuses:?}"));
    }
    let (_, body) = told.split_once("\r\n\r\n").unwrap_or_default();
    if status != "200" && REFUSAL_MAX < body.len() || body.contains("root:") {
        return Err(format!("the admin port tells {body:.100?}"));
    }
    Ok(())
}

/// `closed HOST PORT`: whoever connects to that port from that machine is refused, or reset before
/// a byte has come.
fn refused(case: &mut Case, rest: &str) -> Result<(), String> {
    let [host, port] = arguments(rest)?;
    let port: u16 = port.parse().map_err(|_| "which port?")?;
    case.terms.is_scripted = true;
    case.then(Box::new(move |run| {
        let lab = run.lab;
        let peer = ligase_tests::Peer::on(lab.host(&host)?);
        let house = lab.ligase.host();
        for to in [format!("{}:{port}", house.v4), format!("[{}]:{port}", house.v6)] {
            let Ok(stream) = peer.try_dial(&to) else { continue };
            let end = stream.end_within(run.patience);
            let is_reset = end.as_ref().is_some_and(|(said, _)| said.is_empty());
            if !is_reset {
                return Err(format!("{to} takes a stranger: {end:?}"));
            }
        }
        Ok(())
    }));
    Ok(())
}

/// `ports HOST PORT …`: of all TCP ports of the proxy's machine, somebody on that machine finds just
/// these open.
fn ports(case: &mut Case, rest: &str) -> Result<(), String> {
    let parts = divide(rest, " ");
    let (host, open) = parts.split_first().ok_or("from where?")?;
    let (host, open) = (host.clone(), open.join(" "));
    case.terms.is_scripted = true;
    case.then(Box::new(move |run| {
        let lab = run.lab;
        let house = lab.ligase.host();
        for address in [house.v4.to_string(), house.v6.to_string()] {
            let mut command = lab.host(&host)?.command(&program("ligase-peer"));
            let done = command.args(["scan", &address]).output();
            let done = done.map_err(|error| error.to_string())?;
            let found = String::from_utf8_lossy(&done.stdout).trim().to_owned();
            if found != open {
                return Err(format!("of {address}, the ports {found:?} are open, not {open:?}"));
            }
        }
        Ok(())
    }));
    Ok(())
}

/// `secretless`: nothing that the admin port shows, or the log has said since it began, holds a key,
/// a secret, or a word of a stanza.
fn secretless(case: &mut Case, rest: &str) -> Result<(), String> {
    if !rest.is_empty() {
        return Err("it takes no arguments".to_owned());
    }
    case.then(Box::new(is_secretless));
    Ok(())
}

fn is_secretless(run: &mut Run<'_>) -> Told {
    let lab = run.lab;
    let authority = std::fs::read_to_string(lab.ligase.folder().join("ca/ca.key"));
    let authority = authority.map_err(|error| format!("no key of the local authority: {error}"))?;
    let mut secrets = vec![FORBIDDEN.to_owned(), KEY.to_owned(), "PRIVATE KEY".to_owned()];
    secrets.extend(forms(lab.own.key())?);
    secrets.extend(forms(&authority)?);
    let judge = |what: &str, text: &str| match secrets.iter().find(|it| text.contains(*it)) {
        Some(secret) => Err(format!("{what} tells a secret, {secret:.12}…")),
        None => Ok(()),
    };
    for path in SHOWN {
        let (_, text) = lab.ask(path)?;
        judge(path, &text)?;
    }
    judge("the log", &lab.ligase.log().lines().join("\n"))
}

/// The ways in which a key may be told: each line of its file, and its parts as hexadecimal digits
/// and in base64 that begins anywhere.
fn forms(pem: &str) -> Result<Vec<String>, String> {
    let lines: Vec<_> = pem.lines().filter(|it| !it.starts_with("-----")).collect();
    let der = STANDARD.decode(lines.concat()).map_err(|error| format!("no key: {error}"))?;
    let mut forms: Vec<_> = lines.iter().map(|it| (*it).to_owned()).collect();
    // The front of it is the same for all keys of a kind; its secret comes after.
    let secret = der.get(FRONT..FRONT + PART).ok_or("a key without a secret")?;
    forms.push(secret.iter().map(|it| format!("{it:02x}")).collect());
    for skip in 0..3 {
        let encoded = STANDARD_NO_PAD.encode(secret.get(skip..).unwrap_or_default());
        // Its last letter depends on what follows.
        forms.push(encoded.get(..encoded.len() - 2).unwrap_or_default().to_owned());
    }
    Ok(forms)
}

/// `sound-log`: each record since the case began is one line of JSON (`with log.format json`), not
/// long, without a character that a terminal or a reader would take for anything else, and without a
/// long value.
fn sound_log(case: &mut Case, rest: &str) -> Result<(), String> {
    let least: usize = rest.parse().map_err(|_| "how many lines at least?")?;
    case.then(Box::new(move |run| {
        let lines = run.lab.ligase.log().grown(run.kept.log, least, run.patience);
        if lines.len() < least {
            return Err(format!("there are {} lines", lines.len()));
        }
        lines.iter().try_for_each(|it| is_sound(it))
    }));
    Ok(())
}

fn is_sound(line: &str) -> Told {
    let wrong = |why: &str| Err(format!("a line of the log {why}: {line:.200?}"));
    if LINE_MAX < line.len() {
        return wrong("is long");
    }
    let hides = |it: char| {
        it.is_control()
            || matches!(it, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if line.contains(hides) {
        return wrong("holds a character that is none");
    }
    let Ok(Value::Object(record)) = serde_json::from_str(line) else {
        return wrong("is no record");
    };
    let texts = record.values().filter_map(Value::as_str);
    let mut long = texts.filter(|it| VALUE_MAX < it.len());
    if long.next().is_some() { wrong("has a long value") } else { Ok(()) }
}

/// What the admin port shows, and what other programs show that this one does not.
const SHOWN: [&str; 15] = [
    "/",
    "/config",
    "/connections",
    "/bindings",
    "/status",
    "/failures",
    "/self-check",
    "/certificates",
    "/metrics",
    "/log",
    "/version",
    "/explain?local=l1.lab&remote=a.lab",
    "/debug/vars",
    "/debug/pprof/heap",
    "/env",
];

/// Bytes of a private key of P-256 (RFC 5958) before its secret, and of the secret that are looked
/// for.
const FRONT: usize = 36;
const PART: usize = 30;

/// Bytes that an answer may take to say no.
const REFUSAL_MAX: usize = 300;

/// Bytes of a line of the log, and of a value in it.
const LINE_MAX: usize = 4096;
const VALUE_MAX: usize = 256;
