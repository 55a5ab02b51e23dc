use std::fmt::Write as _;

use ligase_verifier::{Domain, InvalidDomain};

use super::framer::escaped;
use super::{Condition, Element, StreamError, Violation, ns};
use crate::binding::StreamId;

/// The opening tag of a stream (RFC 6120 §4.7).
///
/// A header is read, and a header is written; none is ever passed on.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Header {
    /// In whose name the other entity speaks.
    pub from: Option<Domain>,
    /// Whom it believes it speaks to.
    pub to: Option<Domain>,
    /// The id, where the receiving entity wrote the header (§4.7.3).
    pub id: Option<StreamId>,
    /// Whether the stream is XMPP 1.0 or better; without, there are no features (§4.7.5).
    pub version_1: bool,
}

impl Header {
    /// Reads a header that the framer has passed.
    ///
    /// # Errors
    /// `invalid-namespace` where it is no stream between servers (§4.9.3.10), `improper-addressing` where `from` or `to` is not a domain, `unsupported-version` where the
    /// version is not one (§4.9.3.25).
    pub fn read(element: &Element) -> Result<Self, StreamError> {
        if element.attribute("xmlns") != Some(ns::SERVER) {
            return Err(Condition::InvalidNamespace
                .because("a stream of another content namespace")
                .blame(Violation::XmlNamespace));
        }
        let version_1 = version_1(element.attribute("version"))?;
        let domain = |name| match element.attribute(name) {
            None => Ok(None),
            // COMPAT: pre-1.0 servers send empty addresses (XEP-0238 §2).
            Some("") if !version_1 => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|error| {
                Condition::ImproperAddressing
                    .because("an address in the stream header is no domain")
                    .blame(blame(error))
            }),
        };
        let id = element.attribute("id").filter(|id| !id.is_empty() && id.len() <= ID_MAX);
        Ok(Self {
            from: domain("from")?,
            to: domain("to")?,
            id: id.map(|id| StreamId(id.into())),
            version_1,
        })
    }

    /// Our answer to this header: addresses turned round, the id ours to give (§4.7.1–4.7.3).
    ///
    /// `default` speaks where the peer named nobody.
    #[must_use]
    pub fn answer(&self, default: &Domain, id: StreamId) -> Self {
        Self {
            from: Some(self.to.clone().unwrap_or_else(|| default.clone())),
            to: self.from.clone(),
            id: Some(id),
            version_1: self.version_1,
        }
    }

    /// Whether words of ours are a header.
    pub fn is_in(xml: &str) -> bool {
        xml.starts_with(DECLARATION)
    }

    /// The header as bytes of a stream, after its XML declaration.
    pub fn to_xml(&self) -> String {
        let mut xml = String::with_capacity(256);
        xml.push_str(DECLARATION);
        xml.push_str("<stream:stream xmlns='");
        xml.push_str(ns::SERVER);
        // COMPAT: old servers look for this declaration to learn that we know dialback, and one
        // knows no other prefixes than these two (XEP-0220 §2.4.1).
        let _ = write!(xml, "' xmlns:db='{}' xmlns:stream='{}'", ns::DIALBACK, ns::STREAM);
        if let Some(from) = &self.from {
            let _ = write!(xml, " from='{}'", from.as_str());
        }
        if let Some(to) = &self.to {
            let _ = write!(xml, " to='{}'", to.as_str());
        }
        if let Some(id) = &self.id {
            let _ = write!(xml, " id='{}'", escaped(&id.0));
        }
        if self.version_1 {
            xml.push_str(" version='1.0'");
        }
        xml.push_str(" xml:lang='en'>");
        xml
    }
}

/// Reads a version as two numbers, never as a string or a fraction (§4.7.5).
fn version_1(text: Option<&str>) -> Result<bool, StreamError> {
    let Some(text) = text else { return Ok(false) };
    let number = |part: &str| part.parse::<u16>().ok();
    text.split_once('.')
        .and_then(|(major, minor)| number(major).zip(number(minor)))
        .map(|(major, _)| 0 < major)
        .ok_or_else(|| {
            Condition::UnsupportedVersion
                .because("the stream header bears no version number")
                .blame(Violation::StreamVersion)
        })
}

/// The broken rule behind a domain that is none.
pub(super) fn blame(error: InvalidDomain) -> Violation {
    match error {
        InvalidDomain::Malformed => Violation::DomainMalformed,
        InvalidDomain::Ambiguous => Violation::DomainAmbiguous,
    }
}

/// What a header of ours begins with, and nothing else that we say.
const DECLARATION: &str = "<?xml version='1.0'?>";

/// The longest id that we keep; servers use 10 to 64 characters, and each open stream holds one.
const ID_MAX: usize = 256;

#[cfg(test)]
mod tests;
