//! Said: what the attacker says, and what must be said to it.

use crate::bytes::bytes;
use crate::case::{Case, divide};
use crate::deeds::{BACKEND_ID, BACKEND_KEY, CALLEE, FRESH, Told};
use crate::negotiate::{end, expect_error, next, offered};
use crate::words::Word;

pub(crate) const WORDS: [Word; 10] = [
    ("say", say),
    ("dribble", dribble),
    ("split", split),
    ("hear", hear),
    ("each", each),
    ("but", but),
    ("error", error),
    ("end", ended),
    ("alert", alert),
    ("hang-up", hang_up),
];

/// `say TEXT`: in one write.
fn say(case: &mut Case, rest: &str) -> Result<(), String> {
    let text = sound(rest)?;
    case.then(Box::new(move |run| {
        let bytes = run.bytes(&text)?;
        run.stream()?.send_bytes(&bytes, bytes.len());
        Ok(())
    }));
    Ok(())
}

/// `dribble TEXT`: in writes of a byte each.
fn dribble(case: &mut Case, rest: &str) -> Result<(), String> {
    let text = sound(rest)?;
    case.then(Box::new(move |run| {
        let bytes = run.bytes(&text)?;
        run.stream()?.send_bytes(&bytes, 1);
        Ok(())
    }));
    Ok(())
}

/// `split TEXT`: in two writes; the case is run for every place to divide it at.
fn split(case: &mut Case, rest: &str) -> Result<(), String> {
    let text = sound(rest)?;
    if !case.terms.places.is_empty() {
        return Err("a case can be split once".to_owned());
    }
    case.terms.places = places(bytes(&text)?.len());
    case.then(Box::new(move |run| {
        let bytes = run.bytes(&text)?;
        let (front, back) = bytes.split_at(run.place.min(bytes.len()));
        let stream = run.stream()?;
        stream.send_bytes(front, front.len());
        stream.send_bytes(back, back.len());
        Ok(())
    }));
    Ok(())
}

/// Where to divide so many bytes: everywhere, or, where they are many, everywhere near both ends
/// and here and there between.
fn places(length: usize) -> Vec<usize> {
    let between = length.saturating_sub(2 * ENDS) / SAMPLES;
    let is_chosen = |place: &usize| {
        *place <= ENDS
            || length - *place <= ENDS
            || between == 0
            || (*place).is_multiple_of(between)
    };
    (1..length).filter(is_chosen).collect()
}

/// `hear TEXT`: the next thing said holds each part of this, divided by ` … `.
fn hear(case: &mut Case, rest: &str) -> Result<(), String> {
    each(case, &format!("1 {rest}"))
}

/// `each N TEXT`: the same, N times.
fn each(case: &mut Case, rest: &str) -> Result<(), String> {
    let (times, rest) = rest.split_once(' ').ok_or("how often, and what?")?;
    let times: usize = times.parse().map_err(|_| "how often?")?;
    let parts = divide(rest, " … ");
    case.then(Box::new(move |run| {
        for _ in 0..times {
            run.last = next(run.stream()?, run.patience)?;
            parts.iter().try_for_each(|part| offered(&run.last, &run.fill(part)))?;
        }
        Ok(())
    }));
    Ok(())
}

/// `but TEXT`: what was heard last does not hold this.
fn but(case: &mut Case, rest: &str) -> Result<(), String> {
    let part = rest.to_owned();
    case.then(Box::new(move |run| {
        let is_there = run.last.contains(&run.fill(&part));
        if is_there { Err(format!("heard {:?}", run.last)) } else { Ok(()) }
    }));
    Ok(())
}

/// `error A/B`: a stream error of one of these conditions, and the end.
fn error(case: &mut Case, rest: &str) -> Result<(), String> {
    let conditions = divide(rest, "/");
    case.then(Box::new(move |run| expect_error(run.stream()?, &conditions, run.patience)));
    Ok(())
}

/// `end`: the end, without another word.
fn ended(case: &mut Case, _: &str) -> Result<(), String> {
    case.then(Box::new(|run| {
        let (said, _) = end(run.stream()?, run.patience)?;
        nothing(&said, said.is_empty())
    }));
    Ok(())
}

/// `alert`: the end, without a word that is XML.
fn alert(case: &mut Case, _: &str) -> Result<(), String> {
    case.then(Box::new(|run| {
        let (said, _) = end(run.stream()?, run.patience)?;
        // Who was asked in time has said that much already.
        nothing(&said, !has_tag(&said.replacen(PROCEED, "", 1)))
    }));
    Ok(())
}

/// Whether there is a tag in it. The random bytes of a handshake have a `<` now and then, and behind it
/// no name that anybody uses.
fn has_tag(said: &str) -> bool {
    said.split('<').skip(1).any(|behind| {
        let name = behind.trim_start_matches(['/', '?']).bytes();
        4 < name.take_while(|it| it.is_ascii_lowercase() || *it == b':').count()
            || behind.starts_with("?xml ")
            || behind.starts_with("db:")
    })
}

/// `hang-up`: the attacker closes the connection.
fn hang_up(case: &mut Case, _: &str) -> Result<(), String> {
    case.then(Box::new(|run| {
        run.stream()?.close();
        Ok(())
    }));
    Ok(())
}

fn nothing(said: &str, is_nothing: bool) -> Told {
    if is_nothing { Ok(()) } else { Err(format!("it said {said:?} before it ended")) }
}

/// A text that stands for bytes.
pub(crate) fn sound(text: &str) -> Result<String, String> {
    // What only a run knows is no matter.
    let known = [FRESH, CALLEE, "{n}", "{id}", "{key}", "{KEY}", BACKEND_ID, BACKEND_KEY];
    bytes(&known.iter().fold(text.to_owned(), |text, it| text.replace(it, "0")))?;
    Ok(text.to_owned())
}

/// That TLS comes next.
const PROCEED: &str = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

/// How many bytes at either end are divided everywhere.
const ENDS: usize = 60;

/// About how many places are tried between them.
const SAMPLES: usize = 40;
