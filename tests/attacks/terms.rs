//! Terms: lines that hold for a case as a whole.

use std::time::Duration;

use crate::case::{Case, Count, arguments, divide};
use crate::deeds::Door;
use crate::lab::DESCRIPTORS;
use crate::words::{Word, no_such, rules};

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
    case.terms.counts.push(Count { reasons: rules(reasons)?, times });
    Ok(())
}

/// `with KEY VALUE`: the proxy is configured so.
fn with(case: &mut Case, rest: &str) -> Result<(), String> {
    let (key, value) = rest.split_once(' ').ok_or("a key and its value")?;
    let keys = keys();
    let is_it = |it: &String| {
        it.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if !keys.iter().any(is_it) {
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        return Err(no_such("key", key, &keys));
    }
    case.terms.settings.insert(key.to_owned(), value.to_owned());
    Ok(())
}

/// Every key that the configuration may have, as its documentation lists them.
fn keys() -> Vec<String> {
    let (keys, limits) = CONFIGURATION.split_once("\n## Limits\n").unwrap_or_default();
    let names = |text: &'static str| {
        let rows = text.lines().filter(|it| COLUMNS < it.matches('|').count());
        rows.filter_map(|it| it.strip_prefix("| `")?.split('`').next())
    };
    let limits = names(limits).map(|it| format!("limits.{it}"));
    names(keys).map(str::to_owned).chain(limits).collect()
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

/// What says which keys there are.
const CONFIGURATION: &str = include_str!("../../docs/configuration.md");

/// In a table of limits, and of all other keys, a row has so many cells.
const COLUMNS: usize = 5;
