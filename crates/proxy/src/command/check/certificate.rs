//! What a leaf says of itself, beyond its names.

use std::time::{Duration, SystemTime};

use ligase_verifier::Presented;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Which end of TLS a certificate is meant for (RFC 5280 §4.2.1.12).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Usage {
    /// Either end: it says both, or nothing.
    Either,
    /// A server, and not a client: all that public authorities give out today.
    Server,
    /// A client, and not a server.
    Client,
    /// Neither.
    Other,
    /// It cannot be read.
    Unknown,
}

impl Usage {
    /// Reads it from a leaf.
    pub(super) fn of(presented: &Presented) -> Self {
        let Ok((_, leaf)) = X509Certificate::from_der(presented.leaf()) else {
            return Self::Unknown;
        };
        match leaf.extended_key_usage() {
            Err(_) => Self::Unknown,
            Ok(None) => Self::Either,
            Ok(Some(usage)) => {
                match (usage.value.any, usage.value.server_auth, usage.value.client_auth) {
                    (true, _, _) | (_, true, true) => Self::Either,
                    (_, true, false) => Self::Server,
                    (_, false, true) => Self::Client,
                    (_, false, false) => Self::Other,
                }
            }
        }
    }

    /// As JSON gives it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Either => "either",
            Self::Server => "server",
            Self::Client => "client",
            Self::Other => "other",
            Self::Unknown => "unknown",
        }
    }
}

/// The names in a leaf, each once, at most so many, and how many more there are.
pub(super) fn names(presented: &Presented, names_max: usize) -> (Vec<&str>, usize) {
    let found = presented.names();
    let mut names: Vec<&str> = Vec::new();
    let mut beyond = 0;
    for name in found.dns.iter().chain(&found.srv).chain(&found.xmpp) {
        if names.contains(&name.as_str()) {
            continue;
        }
        match names.len() < names_max {
            true => names.push(name),
            false => beyond += 1,
        }
    }
    (names, beyond)
}

/// For how many whole days a leaf is valid; negative if it has expired. None if it cannot be read.
pub(super) fn days_left(presented: &Presented, at: SystemTime) -> Option<i64> {
    let days = |it: Duration| i64::try_from(it.as_secs() / DAY).ok();
    match presented.not_after()?.duration_since(at) {
        Ok(left) => days(left),
        Err(past) => days(past.duration()).map(|it| -1 - it),
    }
}

/// A time as RFC 3339 writes it, to the second.
pub(super) fn rfc3339(at: SystemTime) -> Option<String> {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    let at = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    at.format(&Rfc3339).ok()
}

const DAY: u64 = 24 * 3600;

#[cfg(test)]
mod tests;
