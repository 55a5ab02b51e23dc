use std::fmt;

use ligase_verifier::Domain;

/// Reads a query that names a domain of ours and a peer: `local=DOMAIN&remote=DOMAIN`.
///
/// # Errors
/// Why it is none, in words that repeat nothing of it.
pub(super) fn pair(query: &str) -> Result<(Domain, Domain), Problem> {
    let [local, remote] =
        domains(query, ["local", "remote"]).map_err(|fault| Problem { fault, form: PAIR })?;
    Ok((local, remote))
}

/// Reads a query that names a peer: `remote=DOMAIN`.
///
/// # Errors
/// Why it is none, in words that repeat nothing of it.
pub(super) fn peer(query: &str) -> Result<Domain, Problem> {
    let [remote] = domains(query, ["remote"]).map_err(|fault| Problem { fault, form: PEER })?;
    Ok(remote)
}

/// Reads a query that names a domain for each of these keys, and nothing else.
fn domains<const N: usize>(query: &str, names: [&'static str; N]) -> Result<[Domain; N], Fault> {
    let mut found: [Option<Domain>; N] = [const { None }; N];
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').ok_or(Fault::Unknown)?;
        let places = names.iter().zip(&mut found);
        let (name, place) = { places }.find(|(name, _)| **name == key).ok_or(Fault::Unknown)?;
        if place.is_some() {
            return Err(Fault::Twice(name));
        }
        let text = decode(value).ok_or(Fault::NoDomain(name))?;
        *place = Some(text.parse().map_err(|_| Fault::NoDomain(name))?);
    }
    let each = names.into_iter().zip(found);
    let each = each.map(|(name, domain)| domain.ok_or(Fault::Missing(name)));
    let domains = each.collect::<Result<Vec<_>, _>>()?;
    domains.try_into().map_err(|_| Fault::Unknown)
}

/// What is wrong with a query, and what to ask instead.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Problem {
    fault: Fault,
    form: Form,
}

/// The keys that there are, and how a question is asked.
type Form = (&'static str, &'static str);

const PAIR: Form = ("local and remote", "/explain?local=DOMAIN&remote=DOMAIN");
const PEER: Form = ("remote", "/retry?remote=DOMAIN");

/// What is wrong with a query.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
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
        let (keys, form) = self.form;
        match self.fault {
            Fault::Missing(key) => write!(f, "{key}: is missing")?,
            Fault::Twice(key) => write!(f, "{key}: is there twice")?,
            Fault::NoDomain(key) => write!(f, "{key}: is not a domain name")?,
            Fault::Unknown => write!(f, "there are no other keys than {keys}")?,
        }
        write!(f, "; ask for {form}")
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
