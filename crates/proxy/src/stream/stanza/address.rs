use ligase_verifier::{Domain, InvalidDomain};

use super::improper;
use crate::stream::{Condition, StreamError, Violation};

/// Longest localpart and longest resourcepart in bytes (RFC 7622 §3.3.1, §3.4.1).
const PART_MAX: usize = 1023;

/// An address in its parts (RFC 7622 §3.1). The domainpart is not parsed yet; the others are
/// between those who have accounts, and are only kept from harming anybody on the way.
#[derive(Debug)]
pub(super) struct Address<'a> {
    pub(super) local: Option<&'a str>,
    pub(super) domain: &'a str,
    pub(super) resource: Option<&'a str>,
}

impl<'a> Address<'a> {
    /// Divides an address: first the resource off its end, then the localpart off its front
    /// (RFC 7622 §3.2).
    pub(super) fn split(text: &'a str) -> Result<Self, StreamError> {
        let (bare, resource) = match text.split_once('/') {
            Some((bare, resource)) => (bare, Some(resource)),
            None => (text, None),
        };
        let (local, domain) = match bare.split_once('@') {
            Some((local, domain)) => (Some(local), domain),
            None => (None, bare),
        };
        if domain.is_empty() {
            return Err(improper("an address without a domain"));
        }
        if local.is_some_and(|it| !is_sound(it) || it.contains(NEVER_LOCAL)) {
            return Err(improper("an address with a bad localpart"));
        }
        if resource.is_some_and(|it| !is_sound(it)) {
            return Err(improper("an address with a bad resource"));
        }
        Ok(Self { local, domain, resource })
    }
}

/// What no localpart holds (RFC 7622 §3.3.1); `/` and `@` have been divided at already.
const NEVER_LOCAL: [char; 7] = ['"', '&', '\'', ':', '<', '>', ' '];

/// Whether a part has a length that it may have and no control characters, which no part holds.
fn is_sound(part: &str) -> bool {
    (1..=PART_MAX).contains(&part.len()) && !part.contains(char::is_control)
}

/// How the last stanza of a stream spelled its domains, and which they were.
///
/// Stanzas come in runs between the same two domains, spelled the same; a run is parsed once.
#[derive(Clone, Debug)]
pub struct Seen {
    pub(super) sender: Spelled,
    pub(super) target: Spelled,
}

/// A domain and a way to spell it.
#[derive(Clone, Debug)]
pub(super) struct Spelled {
    text: String,
    pub(super) domain: Domain,
}

impl Seen {
    /// Parses what is spelled differently from `last` and remembers it there.
    pub(super) fn update<'a>(
        last: &'a mut Option<Self>,
        sender: &str,
        target: &str,
    ) -> Result<&'a Self, StreamError> {
        let (sender, target) = match last.take() {
            Some(seen) => (seen.sender.or_parse(sender)?, seen.target.or_parse(target)?),
            None => (Spelled::parse(sender)?, Spelled::parse(target)?),
        };
        Ok(last.insert(Self { sender, target }))
    }
}

impl Spelled {
    fn or_parse(self, text: &str) -> Result<Self, StreamError> {
        if self.text == text { Ok(self) } else { Self::parse(text) }
    }

    fn parse(text: &str) -> Result<Self, StreamError> {
        let domain = text.parse().map_err(|invalid| {
            let condition = Condition::ImproperAddressing;
            match invalid {
                InvalidDomain::Malformed => condition
                    .because("an address with a malformed domain")
                    .blame(Violation::DomainMalformed),
                InvalidDomain::Ambiguous => condition
                    .because("an address whose domain is read in two ways")
                    .blame(Violation::DomainAmbiguous),
            }
        })?;
        Ok(Self { text: text.to_owned(), domain })
    }

    /// Whether the spelling is the one that everybody reads the same.
    pub(super) fn is_canonical(&self) -> bool {
        self.text == self.domain.as_str()
    }
}
