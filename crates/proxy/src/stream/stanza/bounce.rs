//! Stanzas that come back as errors (RFC 6120 §8.3).

use super::onward::{quote, requote};
use super::{INVALID_CONNECTION, Stanza};
use crate::stream::framer::{attributes, escape};

const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";

impl Stanza {
    /// The error that tells the sender why the stanza did not arrive: a stanza condition, its type
    /// (RFC 6120 §8.3.2), and words for the sender's user.
    ///
    /// None if the stanza may not be answered, or not without exceeding what streams take in: what a
    /// stanza is known by may be nearly as long as a stanza.
    #[must_use]
    pub fn bounce(
        &self,
        condition: &'static str,
        error_type: &'static str,
        text: Option<&str>,
    ) -> Option<Self> {
        let mut detail = Vec::new();
        if let Some(text) = text {
            detail.extend_from_slice(b"<text xml:lang='en' xmlns");
            quote(STANZAS, &mut detail);
            detail.push(b'>');
            escape(text, &mut detail);
            detail.extend_from_slice(b"</text>");
        }
        self.answer(condition, error_type, &detail)
    }

    /// The error that tells a peer who knows what it means that its connection is not authorized
    /// for the stanza's pair. None if the stanza may not be answered.
    #[must_use]
    pub fn refuse(&self) -> Option<Self> {
        self.answer("not-authorized", "auth", INVALID_CONNECTION.as_bytes())
    }

    fn answer(&self, condition: &str, error_type: &str, detail: &[u8]) -> Option<Self> {
        if !self.may_bounce {
            return None;
        }
        let name = self.kind.as_str().as_bytes();
        let mut bytes = Vec::with_capacity(ROOM + detail.len());
        bytes.push(b'<');
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(b" type='error'");
        for attribute in attributes(&self.bytes) {
            let turned: &[u8] = match attribute.name {
                b"id" => b" id",
                b"from" => b" to",
                b"to" => b" from",
                _ => continue,
            };
            bytes.extend_from_slice(turned);
            requote(attribute.value, &mut bytes);
        }
        bytes.extend_from_slice(b"><error type");
        quote(error_type, &mut bytes);
        bytes.extend_from_slice(b" by");
        quote(self.pair.target.as_str(), &mut bytes);
        bytes.extend_from_slice(b"><");
        bytes.extend_from_slice(condition.as_bytes());
        bytes.extend_from_slice(b" xmlns");
        quote(STANZAS, &mut bytes);
        bytes.extend_from_slice(b"/>");
        bytes.extend_from_slice(detail);
        bytes.extend_from_slice(b"</error></");
        bytes.extend_from_slice(name);
        bytes.push(b'>');
        if self.longest < bytes.len() {
            return None;
        }
        Some(Self {
            pair: self.pair.reversed(),
            kind: self.kind,
            bytes: bytes.into(),
            grown: 0,
            longest: self.longest,
            is_excessive: false,
            may_bounce: false,
            is_refusal: false,
        })
    }
}

/// Room enough for most errors.
const ROOM: usize = 384;
