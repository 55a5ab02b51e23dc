use std::fmt;
use std::time::Duration;

use crate::config::LogLevel;
use crate::logging::{Order, TARGETS};

/// Reads what is to be logged: `level=LEVEL`, and perhaps `target=TARGET` and `seconds=N`.
///
/// # Errors
/// What is wrong with it, in words that repeat nothing of it.
pub(super) fn order(query: &str) -> Result<Order, Problem> {
    let (mut level, mut target, mut seconds) = (None, None, None);
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').ok_or(Problem::Unknown)?;
        let twice = match key {
            "level" => {
                let known = LogLevel::ALL.iter().find(|it| it.as_str() == value);
                level.replace(*known.ok_or(Problem::Level)?).is_some()
            }
            "target" => {
                let known = TARGETS.iter().find(|it| **it == value);
                target.replace(*known.ok_or(Problem::Target)?).is_some()
            }
            "seconds" => {
                let number = value.parse().ok().filter(|it| (1..=SECONDS_MAX).contains(it));
                seconds.replace(number.ok_or(Problem::Seconds)?).is_some()
            }
            _ => return Err(Problem::Unknown),
        };
        if twice {
            return Err(Problem::Twice);
        }
    }
    let level = level.ok_or(Problem::Level)?;
    Ok(Order { level, target, lasts: seconds.map(Duration::from_secs) })
}

/// What is wrong with a query.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Problem {
    /// There is no level, or none that we know.
    Level,
    /// It is for something that logs nothing.
    Target,
    /// It is to last for no time, or for too long.
    Seconds,
    /// A key is there twice.
    Twice,
    /// A key is none of ours.
    Unknown,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level => {
                let words: Vec<_> = LogLevel::ALL.iter().map(|it| it.as_str()).collect();
                write!(f, "level: write one of {}", words.join(", "))
            }
            Self::Target => write!(f, "target: write one of {}", TARGETS.join(", ")),
            Self::Seconds => write!(f, "seconds: write a whole number from 1 to {SECONDS_MAX}"),
            Self::Twice => f.write_str("a key is there twice: write each once"),
            Self::Unknown => {
                f.write_str("unknown key: write level=LEVEL, target=TARGET, seconds=N")
            }
        }
    }
}

/// A day: whoever needs longer writes it into the configuration.
const SECONDS_MAX: u64 = 86_400;

#[cfg(test)]
mod tests;
