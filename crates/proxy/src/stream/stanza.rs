//! Stanzas: whose they are, how they go on, how they come back.

use std::borrow::Cow;

use bytes::Bytes;

use self::address::Address;
use super::framer::{attributes, decode};
use super::{Condition, Element, Raw, StreamError, Violation, ns};
use crate::binding::DomainPair;

mod address;
mod bounce;
mod onward;

pub(super) use address::Seen;

/// What a stanza is (RFC 6120 §8.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// `<message/>`
    Message,
    /// `<presence/>`
    Presence,
    /// `<iq/>`
    Iq,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Message, Self::Presence, Self::Iq];

    /// The name of the element.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Presence => "presence",
            Self::Iq => "iq",
        }
    }
}

/// A stanza, ready to be written to any stream.
///
/// It stands alone: what it inherited from the stream it came by is declared on it, and the domains
/// it names are spelled in the one way that all parties read the same. Nothing else of it has been
/// changed, and mostly nothing had to be.
#[derive(Clone, Debug)]
pub struct Stanza {
    /// The domains it goes between.
    pub pair: DomainPair,
    /// What it is.
    pub kind: Kind,
    bytes: Bytes,
    grown: usize,
    longest: usize,
    is_excessive: bool,
    may_bounce: bool,
    is_refusal: bool,
}

/// Our own words for a stanza that its connection may not carry.
const INVALID_CONNECTION: &str = "<invalid-connection xmlns='urn:x-ligase:dna:0'/>";

/// The content namespace between servers (RFC 6120 §4.8.2).
const SERVER: &str = "jabber:server";

impl Stanza {
    /// Reads a stanza off a stream. `last` is what the stream remembers from one stanza to the
    /// next, so that domains need not be parsed again and again.
    ///
    /// # Errors
    ///
    /// `unsupported-stanza-type` where the element is no stanza between servers: some servers
    /// would take `{jabber:client}message` for one, and others not (RFC 6120 §4.9.3.24).
    /// `improper-addressing` where `from` or `to` is missing or is no address (§4.9.3.7).
    pub fn read(raw: &Raw, last: &mut Option<Seen>) -> Result<Self, StreamError> {
        let kind = kind(raw)?;
        let head = Head::read(raw);
        let (Some(from), Some(to)) = (&head.from, &head.to) else {
            return Err(improper("a stanza without from or to"));
        };
        let sender = Address::split(&from.decoded)?;
        let target = Address::split(&to.decoded)?;
        let seen = Seen::update(last, sender.domain, target.domain)?;
        let pair = DomainPair::new(seen.sender.domain.clone(), seen.target.domain.clone());
        // What is no error is not searched, so that nothing is spent on the many.
        let is_refusal = head.is_error && refuses(raw);
        let mut edits = Vec::new();
        let more = onward::inherit(raw, head.has_language, &mut edits);
        onward::respell(from, &sender, &seen.sender, &mut edits);
        onward::respell(to, &target, &seen.target, &mut edits);
        let bytes = onward::apply(raw.bytes(), edits);
        Ok(Self {
            pair,
            kind,
            grown: bytes.len().saturating_sub(raw.bytes().len()),
            longest: raw.longest(),
            is_excessive: raw.would_exceed(bytes.len(), head.attributes + more),
            bytes,
            may_bounce: head.may_bounce,
            is_refusal,
        })
    }

    /// The stanza as it is to be written.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// By how many bytes it is longer than it came.
    pub fn grown(&self) -> usize {
        self.grown
    }

    /// Whether it has become more than the stream that it came by would have taken in.
    ///
    /// The next one on the way, held to the same limits, would end the stream that it comes by, and
    /// others share that. So it is not sent on.
    pub fn is_excessive(&self) -> bool {
        self.is_excessive
    }

    /// Whether it may be answered with an error. Errors and results may not, or two servers could
    /// keep each other busy for ever (RFC 6120 §8.3.1).
    pub fn may_bounce(&self) -> bool {
        self.may_bounce
    }

    /// Whether it is the error of a peer who says that its connection is not authorized for the
    /// opposite pair (draft-ietf-xmpp-dna-01 §4). Proxies alone say that to each other: what our own
    /// server's users write of the kind is not passed on.
    pub fn is_refusal(&self) -> bool {
        self.is_refusal
    }

    /// The stanza as text, for one of our own that is sent among our own words.
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Makes it hold no more memory than its own bytes.
    ///
    /// As it is read it keeps alive the whole buffer that it came in. That is as well while it
    /// passes through, but a queue that counts bytes would count too few.
    pub fn detach(&mut self) {
        self.bytes = Bytes::copy_from_slice(&self.bytes);
    }
}

/// What kind of stanza an element is.
fn kind(raw: &Raw) -> Result<Kind, StreamError> {
    let name = raw.local_name();
    let mut kinds = Kind::ALL.into_iter();
    let Some(kind) = kinds.find(|kind| kind.as_str().as_bytes() == name) else {
        let because = "an element that is no stanza";
        return Err(Condition::UnsupportedStanzaType
            .because(because)
            .blame(Violation::StreamElement));
    };
    if raw.is_prefixed() || raw.namespace() != SERVER {
        let because = "a stanza of another namespace, or with a prefix";
        return Err(Condition::UnsupportedStanzaType
            .because(because)
            .blame(Violation::XmlNamespace));
    }
    Ok(kind)
}

/// What matters to us of a stanza's start tag.
#[derive(Debug, Default)]
struct Head<'a> {
    from: Option<Value<'a>>,
    to: Option<Value<'a>>,
    attributes: usize,
    has_language: bool,
    may_bounce: bool,
    is_error: bool,
}

/// An attribute's value.
#[derive(Debug)]
struct Value<'a> {
    /// As an application sees it.
    decoded: Cow<'a, str>,
    /// As it is spelled.
    raw: &'a [u8],
    /// Where it stands in the stanza.
    at: usize,
}

impl<'a> Head<'a> {
    fn read(raw: &'a Raw) -> Self {
        let mut head = Self { may_bounce: true, ..Self::default() };
        for attribute in attributes(raw.head()) {
            head.attributes += 1;
            let value = || Value {
                decoded: decode(attribute.value),
                raw: attribute.value,
                at: attribute.at,
            };
            match attribute.name {
                b"from" => head.from = Some(value()),
                b"to" => head.to = Some(value()),
                // Decoded first: `&#101;rror` is an error too.
                b"type" => {
                    let kind = decode(attribute.value);
                    head.is_error = kind == "error";
                    head.may_bounce = !head.is_error && kind != "result";
                }
                b"xml:lang" => head.has_language = true,
                _ => (),
            }
        }
        head
    }
}

/// Whether an error says so itself, and not something that it quotes. Few hold these words at all, so
/// few are looked into.
fn refuses(raw: &Raw) -> bool {
    find(raw.bytes(), INVALID_CONNECTION.as_bytes())
        && Element::read(raw).is_ok_and(|stanza| {
            let error = stanza.child(SERVER, "error");
            error.is_some_and(|it| it.child(ns::DNA, "invalid-connection").is_some())
        })
}

fn find(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|it| it == what)
}

/// An address that is missing or none (RFC 6120 §4.9.3.7).
fn improper(because: &'static str) -> StreamError {
    Condition::ImproperAddressing.because(because).blame(Violation::StreamAddressing)
}

#[cfg(test)]
mod tests;
