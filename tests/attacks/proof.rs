//! Proof: somebody shows a certificate, as who comes or as who is called, and is believed or not.
//!
//! Who comes tries both to be let in by EXTERNAL and by a claim; who is called is called for
//! something that our own server wants to say. Either is tried by STARTTLS and by TLS at once.

use ligase_tests::Stream;
use ligase_tests::peer::Seen;

use crate::begin::Beginning;
use crate::bytes::claim;
use crate::case::{Case, Count, arguments};
use crate::deeds::{Door, PATIENCE, Run, Told};
use crate::forge::known;
use crate::negotiate::{AUTH, DIALBACK, answer_header, end, next, next_header, offered, secure};
use crate::words::{Word, rules};

pub(crate) const WORDS: [Word; 5] = [
    ("refused", refused),
    ("admitted", admitted),
    ("shunned", shunned),
    ("caught", caught),
    ("trusted", trusted),
];

/// `refused FROM TO CERT A/B`: who comes is neither offered EXTERNAL nor let in by it, and its claim
/// is not granted, on account of one of these rules; but its stream goes on.
fn refused(case: &mut Case, rest: &str) -> Result<(), String> {
    let [from, to, shown, reasons] = arguments(rest)?;
    let comes = Beginning::read(case, &format!("secured {from} {to} {shown}"))?;
    count(case, &reasons, 2)?;
    count(case, "sasl.order", 1)?;
    case.then(Box::new(move |run| {
        let (from, to) = (run.fill(&from), run.fill(&to));
        comes.take_place(run)?;
        if run.last.contains(">EXTERNAL<") {
            return Err("EXTERNAL is offered".to_owned());
        }
        // That it is answered a second time shows that the stream is of use still.
        for _ in 0..2 {
            run.stream()?.send(&claim(&from, &to));
            let answer = next(run.stream()?, run.patience)?;
            let head = format!("<db:result from='{to}' to='{from}' type='error'>");
            [head.as_str(), "<not-authorized"].iter().try_for_each(|it| offered(&answer, it))?;
        }
        comes.take_place(run)?;
        run.stream()?.send(AUTH);
        let answer = next(run.stream()?, run.patience)?;
        ["<failure", "<not-authorized/>"].iter().try_for_each(|it| offered(&answer, it))
    }));
    Ok(())
}

/// `admitted FROM TO CERT`: who comes is let in by EXTERNAL, and by a claim on another stream.
fn admitted(case: &mut Case, rest: &str) -> Result<(), String> {
    for how in ["external", "authorized"] {
        let comes = Beginning::read(case, &format!("{how} {rest}"))?;
        case.then(Box::new(move |run| comes.take_place(run)));
    }
    Ok(())
}

/// `shunned FROM TO CERT A/B`: whom the proxy calls for our own server is told nothing when it has
/// shown its certificate, on account of one of these rules, and our server is told that nobody could
/// be reached.
fn shunned(case: &mut Case, rest: &str) -> Result<(), String> {
    let [from, to, shown, reasons] = arguments(rest)?;
    called(case, &shown, Some(&reasons))?;
    case.then(Box::new(move |run| {
        let (from, to) = (run.fill(&from), run.fill(&to));
        let (stream, shaken) = answer(run, &from, &to, &shown)?;
        shaken?;
        let (said, _) = end(&stream, run.patience)?;
        if !said.trim_start_matches("</stream:stream>").is_empty() {
            return Err(format!("it says {said:?}"));
        }
        is_told(run)
    }));
    Ok(())
}

/// `caught FROM TO CERT ALERT A/B`: the same, but the handshake ends with this alert.
fn caught(case: &mut Case, rest: &str) -> Result<(), String> {
    let [from, to, shown, alert, reasons] = arguments(rest)?;
    called(case, &shown, Some(&reasons))?;
    case.then(Box::new(move |run| {
        let (from, to) = (run.fill(&from), run.fill(&to));
        let (_, shaken) = answer(run, &from, &to, &shown)?;
        match shaken {
            Ok(_) => return Err("TLS is set up".to_owned()),
            Err(why) => offered(&why, &alert)?,
        }
        is_told(run)
    }));
    Ok(())
}

/// `trusted FROM TO CERT`: whom the proxy calls for our own server is asked to let it in.
fn trusted(case: &mut Case, rest: &str) -> Result<(), String> {
    let [from, to, shown] = arguments(rest)?;
    called(case, &shown, None)?;
    case.then(Box::new(move |run| {
        let (from, to) = (run.fill(&from), run.fill(&to));
        let (stream, shaken) = answer(run, &from, &to, &shown)?;
        shaken?;
        next_header(&stream)?;
        stream.send(&answer_header(&to, &from, "second"));
        stream.send(&format!("<stream:features>{DIALBACK}</stream:features>"));
        offered(&next(&stream, run.patience)?, "<db:result")?;
        run.grant(&from, &to);
        stream.send(&format!("<db:result from='{to}' to='{from}' type='valid'/>"));
        offered(&next(run.calling()?, run.patience)?, "type='valid'")
    }));
    Ok(())
}

/// What holds for every case in which the attacker is called, at either port.
fn called(case: &mut Case, shown: &str, reasons: Option<&str>) -> Result<(), String> {
    known(shown)?;
    case.terms.has_doors = true;
    case.terms.is_scripted = true;
    case.terms.calls.extend(["padua:5269".to_owned(), "padua:5270".to_owned()]);
    reasons.map_or(Ok(()), |reasons| count(case, reasons, 1))
}

fn count(case: &mut Case, reasons: &str, times: u64) -> Result<(), String> {
    case.terms.counts.push(Count { reasons: rules(reasons)?, times: times..=times });
    Ok(())
}

/// Our own server wants to speak to a domain; the attacker is called for it and shakes hands.
fn answer(
    run: &mut Run<'_>,
    from: &str,
    to: &str,
    shown: &str,
) -> Result<(Stream, Result<Seen, String>), String> {
    let shown = run.fill(shown);
    let shown = run.lab.certificate(&shown)?.ok_or("a server shows a certificate")?;
    run.call(from, to)?;
    if run.door == Door::StartTls {
        let stream = run.accept(to)?;
        run.begin(stream.clone());
        stream.send(&answer_header(to, from, "first"));
        stream.send(
            "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\
             </stream:features>",
        );
        offered(&next(&stream, PATIENCE)?, "<starttls")?;
        let shaken = stream.accept_tls(PROCEED, &shown);
        return Ok((stream, shaken));
    }
    for _ in 0..OTHERS_MAX {
        let stream = run.lab.attacker.accept_within(5270, PATIENCE);
        let stream = stream.ok_or_else(|| format!("nobody calls {to}"))?;
        let shaken = stream.accept_tls("", &shown);
        // Of two addresses that were tried at a time, one was too many.
        if shaken.as_ref().is_err_and(|why| why.contains("eof")) {
            continue;
        }
        run.begin(stream.clone());
        return Ok((stream, shaken));
    }
    Err(format!("nobody who calls {to} goes on"))
}

impl Run<'_> {
    /// Our own server opens a stream to the proxy, and asks for a pair on it.
    pub(crate) fn call(&mut self, from: &str, to: &str) -> Told {
        let calling = self.lab.intruder.try_dial(self.lab.backend_door())?;
        self.begin(calling.clone());
        secure(&calling, from, to, Some(&self.lab.own))?;
        calling.send(&claim(from, to));
        Ok(())
    }
}

/// Our own server is told that nobody could be reached.
fn is_told(run: &Run<'_>) -> Told {
    let said = next(run.calling()?, 3 * run.patience)?;
    ["<stream:error>", "<remote-connection-failed "].iter().try_for_each(|it| offered(&said, it))
}

/// Connections of others, at most, that nobody goes on with.
const OTHERS_MAX: usize = 16;

const PROCEED: &str = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
