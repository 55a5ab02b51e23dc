//! Heard: what our own server hears, and what it is told.

use crate::bytes::message;
use crate::case::{Case, arguments};
use crate::negotiate::{next, offered};
use crate::words::Word;

pub(crate) const WORDS: [Word; 5] =
    [("heard", heard), ("once", once), ("told", told), ("carries", carries), ("unasked", unasked)];

/// `heard TEXT`: the server behind the proxy hears this, or its user does.
fn heard(case: &mut Case, rest: &str) -> Result<(), String> {
    let text = rest.to_owned();
    case.then(Box::new(move |run| {
        let text = run.fill(&text);
        run.lab.behind.hear(run.start, &text, run.patience)
    }));
    Ok(())
}

/// `once TEXT`: it has heard this once, and no second time.
fn once(case: &mut Case, rest: &str) -> Result<(), String> {
    let text = rest.to_owned();
    case.then(Box::new(move |run| {
        let text = run.fill(&text);
        run.lab.behind.hear(run.start, &text, run.patience)?;
        let heard = run.lab.behind.heard_after(run.start);
        let times = heard.iter().filter(|it| it.contains(&text)).count();
        if times == 1 { Ok(()) } else { Err(format!("our server hears {text:?} {times} times")) }
    }));
    Ok(())
}

/// `told TEXT`: our own server, which waits for this, is told so on the stream that it opened.
fn told(case: &mut Case, rest: &str) -> Result<(), String> {
    let text = rest.to_owned();
    case.then(Box::new(move |run| {
        let said = next(run.calling()?, 3 * run.patience)?;
        offered(&said, &run.fill(&text))?;
        let is_valid = said.contains("type='valid'");
        if is_valid { Err(format!("it was told {said:?}")) } else { Ok(()) }
    }));
    Ok(())
}

/// `carries FROM TO`: what our own server says still comes on this stream.
fn carries(case: &mut Case, rest: &str) -> Result<(), String> {
    let [from, to] = arguments(rest)?;
    case.then(Box::new(move |run| {
        let (from, to) = (run.fill(&from), run.fill(&to));
        let carried = message(&format!("u@{from}"), &format!("u@{to}"), "carried");
        run.calling()?.send(&carried);
        offered(&next(run.stream()?, run.patience)?, "carried")
    }));
    Ok(())
}

/// `unasked NAME`: the DNS has been asked nothing about this name, nor about any below it.
fn unasked(case: &mut Case, rest: &str) -> Result<(), String> {
    let name = rest.to_owned();
    case.then(Box::new(move |run| {
        let about = format!("{} IN ", run.fill(&name));
        let lines = run.lab.world.dns().lines_after(run.asked);
        match lines.iter().find(|it| it.contains(": query: ") && it.contains(&about)) {
            Some(line) => Err(format!("the DNS is asked: {line}")),
            None => Ok(()),
        }
    }));
    Ok(())
}
