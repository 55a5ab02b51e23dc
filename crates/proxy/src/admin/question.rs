use std::fmt;

use ligase_verifier::Domain;

/// Reads a query that names a domain of ours and a peer: `local=DOMAIN&remote=DOMAIN`.
///
/// # Errors
/// Why it is none, in words that repeat nothing of it.
pub(super) fn pair(query: &str) -> Result<(Domain, Domain), Problem> {
    let (mut local, mut remote) = (None, None);
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').ok_or(Problem::Unknown)?;
        let (name, place) = match key {
            "local" => ("local", &mut local),
            "remote" => ("remote", &mut remote),
            _ => return Err(Problem::Unknown),
        };
        if place.is_some() {
            return Err(Problem::Twice(name));
        }
        let text = decode(value).ok_or(Problem::NoDomain(name))?;
        *place = Some(text.parse().map_err(|_| Problem::NoDomain(name))?);
    }
    let local = local.ok_or(Problem::Missing("local"))?;
    Ok((local, remote.ok_or(Problem::Missing("remote"))?))
}

/// What is wrong with a query.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Problem {
    /// A key is missing.
    Missing(&'static str),
    /// A key is there twice.
    Twice(&'static str),
    /// A value is not a domain name.
    NoDomain(&'static str),
    /// A key is none of ours.
    Unknown,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(key) => write!(f, "{key}: is missing")?,
            Self::Twice(key) => write!(f, "{key}: is there twice")?,
            Self::NoDomain(key) => write!(f, "{key}: is not a domain name")?,
            Self::Unknown => f.write_str("there are no other keys than local and remote")?,
        }
        f.write_str("; ask for /explain?local=DOMAIN&remote=DOMAIN")
    }
}

/// Text whose bytes may be written as `%` and two digits (RFC 3986 §2.1).
fn decode(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, more @ ..] = rest {
        rest = more;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, more @ ..] = rest else {
            return None;
        };
        let digit = |it: &u8| char::from(*it).to_digit(16);
        bytes.push(u8::try_from(digit(high)? << 4 | digit(low)?).ok()?);
        rest = more;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests;
