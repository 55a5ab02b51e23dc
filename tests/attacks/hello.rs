//! Hello: TLS handshakes that only an attacker would begin.

use crate::bytes::header;
use crate::case::{Case, arguments};
use crate::deeds::{Door, PATIENCE, Run, Told};
use crate::forge::known;
use crate::negotiate::{end, features, next, offered};
use crate::words::Word;

pub(crate) const WORDS: [Word; 4] = [
    ("knock", knock),
    ("hello", hello),
    ("hello-fails", hello_fails),
    ("renegotiate", renegotiate),
];

/// `knock FROM TO`: a connection on which nothing but a TLS handshake may come next, by either door.
fn knock(case: &mut Case, rest: &str) -> Result<(), String> {
    let [from, to] = arguments(rest)?;
    case.terms.has_doors = true;
    case.then(Box::new(move |run| {
        let stream = run.lab.attacker.try_dial(&run.lab.door(run.door))?;
        run.begin(stream.clone());
        if run.door == Door::StartTls {
            stream.send(&header(&run.fill(&from), &run.fill(&to)));
            features(&stream)?;
            stream.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
            offered(&next(&stream, PATIENCE)?, "<proceed")?;
        }
        Ok(())
    }));
    Ok(())
}

/// `hello NAME ALPN CERT`: a handshake, asking for that name and that protocol (`-` for none).
fn hello(case: &mut Case, rest: &str) -> Result<(), String> {
    let [name, protocol, shown] = arguments(rest)?;
    known(&shown)?;
    case.then(Box::new(move |run| shake(run, &name, &protocol, &shown)));
    Ok(())
}

/// `hello-fails NAME ALPN CERT ALERT`: a handshake that ends with this alert.
fn hello_fails(case: &mut Case, rest: &str) -> Result<(), String> {
    let [name, protocol, shown, alert] = arguments(rest)?;
    known(&shown)?;
    case.then(Box::new(move |run| {
        let why = match shake(run, &name, &protocol, &shown) {
            Err(why) => why,
            // A client is done before the server has seen what it shows (RFC 8446 §4.4.3).
            Ok(()) => match end(run.stream()?, run.patience)? {
                (said, how) if said.is_empty() => how,
                (said, _) => return Err(format!("it says {said:?}")),
            },
        };
        offered(&why, &alert)
    }));
    Ok(())
}

fn shake(run: &Run<'_>, name: &str, protocol: &str, shown: &str) -> Told {
    let certificate = run.lab.certificate(&run.fill(shown))?;
    let protocol = (protocol != "-").then_some(protocol);
    run.stream()?.start_tls_for(name, protocol, certificate.as_ref()).map(drop)
}

/// `renegotiate TIMES NAME CERT`: a handshake by TLS 1.2, and so many requests for another within
/// it; the first is refused, and the connection ends over them.
fn renegotiate(case: &mut Case, rest: &str) -> Result<(), String> {
    let [times, name, shown] = arguments(rest)?;
    known(&shown)?;
    let times: u32 = times.parse().map_err(|_| "how often?")?;
    case.then(Box::new(move |run| {
        let certificate = run.lab.certificate(&run.fill(&shown))?.ok_or("which certificate?")?;
        let stream = run.stream()?;
        stream.start_old_tls(&name, &certificate)?;
        stream.renegotiate(times);
        let (said, _) = end(stream, run.patience)?;
        let mut alerts = said.lines();
        let first = alerts.next().unwrap_or_default();
        // A warning (1) or a fatal alert (2), and which: 100 is no_renegotiation (RFC 5246 §7.2).
        if !first.starts_with("record 21 0164") && !first.starts_with("record 21 02") {
            return Err(format!("it answers {said:?}"));
        }
        if alerts.all(|it| it.starts_with("record 21 ")) {
            Ok(())
        } else {
            Err(format!("it says more than alerts: {said:?}"))
        }
    }));
    Ok(())
}
