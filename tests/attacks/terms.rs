//! Terms: lines that hold for a case as a whole.

use std::time::Duration;

use crate::case::{Case, Count, arguments, divide};
use crate::deeds::Door;
use crate::lab::DESCRIPTORS;
use crate::words::Word;

pub(crate) const WORDS: [Word; 10] = [
    ("count", count),
    ("with", with),
    ("ulimit", ulimit),
    ("calls", calls),
    ("memory", memory),
    ("processor", processor),
    ("door", door),
    ("stays", stays),
    ("seen", seen),
    ("scripted", scripted),
];

/// `count A/B [N | N-M]`: one of these rules is broken, once, or so many times; none other is.
fn count(case: &mut Case, rest: &str) -> Result<(), String> {
    let (reasons, times) = rest.split_once(' ').unwrap_or((rest, "1"));
    let (least, most) = times.split_once('-').unwrap_or((times, times));
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("how often is {text}?"));
    let times = number(least)?..=number(most)?;
    case.terms.counts.push(Count { reasons: divide(reasons, "/"), times });
    Ok(())
}

/// `with KEY VALUE`: the proxy is configured so.
fn with(case: &mut Case, rest: &str) -> Result<(), String> {
    let (key, value) = rest.split_once(' ').ok_or("a key and its value")?;
    case.terms.settings.insert(key.to_owned(), value.to_owned());
    Ok(())
}

/// `ulimit N`: the proxy is started with so many descriptors, and may have no more.
fn ulimit(case: &mut Case, rest: &str) -> Result<(), String> {
    let most: u32 = rest.parse().map_err(|_| "how many?")?;
    case.terms.settings.insert(DESCRIPTORS.to_owned(), most.to_string());
    Ok(())
}

/// `calls WHOM …`: the proxy may connect to these ports: `HOST:PORT`, or `HOST` for 5269; a host of
/// the lab, or an address.
fn calls(case: &mut Case, rest: &str) -> Result<(), String> {
    case.terms.calls.extend(divide(rest, " "));
    Ok(())
}

/// `memory N`: the proxy may hold so many KiB more when it is over. Without this line, 1024.
fn memory(case: &mut Case, rest: &str) -> Result<(), String> {
    let kibibytes: u64 = rest.parse().map_err(|_| "how many KiB?")?;
    case.terms.memory = Some(kibibytes * 1024);
    Ok(())
}

/// `processor N`: the proxy takes no more than so many milliseconds of processor time.
fn processor(case: &mut Case, rest: &str) -> Result<(), String> {
    let milliseconds: u64 = rest.parse().map_err(|_| "how many milliseconds?")?;
    case.terms.processor = Some(Duration::from_millis(milliseconds));
    Ok(())
}

/// `door starttls | direct`: it is played at this door only.
fn door(case: &mut Case, rest: &str) -> Result<(), String> {
    let found = [Door::StartTls, Door::Direct].into_iter().find(|it| it.as_str() == rest);
    case.terms.door = Some(found.ok_or("no such door")?);
    Ok(())
}

/// `stays FROM TO`: this pair is granted by right, and nobody ends its connection.
fn stays(case: &mut Case, rest: &str) -> Result<(), String> {
    let [from, to] = arguments(rest)?;
    case.terms.stays.insert((from, to));
    Ok(())
}

/// `seen TEXT`: the case itself is wrong, and that has to be seen, in these words.
fn seen(case: &mut Case, rest: &str) -> Result<(), String> {
    case.terms.seen = Some(rest.to_owned());
    Ok(())
}

/// `scripted`: no real server can be behind.
fn scripted(case: &mut Case, rest: &str) -> Result<(), String> {
    if !rest.is_empty() {
        return Err("it takes no arguments".to_owned());
    }
    case.terms.is_scripted = true;
    Ok(())
}
