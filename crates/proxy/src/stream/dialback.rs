use std::fmt::Write as _;

use aws_lc_rs::{constant_time, digest, hmac};
use ligase_verifier::Domain;
use quick_xml::escape::escape;
use zeroize::Zeroizing;

use super::framer::escaped;
use super::header::blame;
use super::ids::hex;
use super::{Condition, Element, StreamError, Violation, ns};
use crate::binding::{DomainPair, StreamId};

/// An element of Server Dialback (XEP-0220 §2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dialback {
    /// Which of the two elements it is.
    pub part: Part,
    /// Its `from` and `to`, as written: an answer bears the pair of its request turned round.
    pub pair: DomainPair,
    /// What it says.
    pub word: Word,
}

/// The two elements of dialback.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Part {
    /// `<db:result/>`, between initiating and receiving server.
    Result,
    /// `<db:verify/>`, between receiving and authoritative server, about the stream of this id.
    Verify(StreamId),
}

/// What a dialback element says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Word {
    /// Please check this key.
    Request(String),
    /// It is good.
    Valid,
    /// It is not.
    Invalid,
    /// It could not be found out; the stanza error condition, if it is one we know.
    Error(Option<DialbackError>),
    /// A type that there is not (E-23).
    Unknown,
}

/// A stanza error condition as dialback uses it (XEP-0220 §2.5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DialbackError {
    /// The request makes no sense.
    BadRequest,
    /// The key was judged invalid, on a stream that carries other pairs.
    Forbidden,
    /// The target is not served here.
    ItemNotFound,
    /// The identity could not be established, or is one that nobody else may have.
    NotAcceptable,
    /// COMPAT(ejabberd): the target is not served here.
    NotAllowed,
    /// No acceptable proof.
    NotAuthorized,
    /// TLS is required.
    PolicyViolation,
    /// The sender domain cannot be resolved.
    RemoteServerNotFound,
    /// The authoritative server cannot be reached.
    RemoteServerTimeout,
    /// Too many pairs, or our server is down.
    ResourceConstraint,
}

impl DialbackError {
    const ALL: [(Self, &'static str, &'static str); 10] = [
        (Self::BadRequest, "modify", "bad-request"),
        (Self::Forbidden, "auth", "forbidden"),
        (Self::ItemNotFound, "cancel", "item-not-found"),
        (Self::NotAcceptable, "modify", "not-acceptable"),
        (Self::NotAllowed, "cancel", "not-allowed"),
        (Self::NotAuthorized, "auth", "not-authorized"),
        (Self::PolicyViolation, "modify", "policy-violation"),
        (Self::RemoteServerNotFound, "cancel", "remote-server-not-found"),
        (Self::RemoteServerTimeout, "wait", "remote-server-timeout"),
        (Self::ResourceConstraint, "wait", "resource-constraint"),
    ];

    /// All of them.
    pub fn each() -> impl Iterator<Item = Self> {
        Self::ALL.iter().map(|(error, ..)| *error)
    }

    /// Whether it says that the target is not served there.
    pub fn is_about_hosting(self) -> bool {
        matches!(self, Self::ItemNotFound | Self::NotAllowed)
    }

    /// Whether it says that the sender's authoritative server could not be asked.
    pub fn is_about_asking(self) -> bool {
        matches!(self, Self::RemoteServerNotFound | Self::RemoteServerTimeout)
    }

    /// The condition's element name.
    pub fn as_str(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (Self, &'static str, &'static str) {
        let found = Self::ALL.into_iter().find(|row| row.0 == self);
        found.unwrap_or((self, "cancel", "undefined-condition"))
    }

    fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|row| row.2 == name).map(|row| row.0)
    }
}

/// Our part in a dialback.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// We sent a key.
    Initiating,
    /// We got one.
    Receiving,
    /// We were asked about one.
    Authoritative,
}

impl Dialback {
    /// Reads an element in the dialback namespace; `None` where it is neither of the two.
    ///
    /// # Errors
    /// `improper-addressing` where `from` or `to` is missing or no domain (E-10).
    pub fn read(element: &Element) -> Result<Option<Self>, StreamError> {
        let is_verify = match element.name.as_str() {
            "result" => false,
            "verify" => true,
            _ => return Ok(None),
        };
        let pair = DomainPair::new(address(element, "from")?, address(element, "to")?);
        let part = if is_verify {
            let id = element.attribute("id").filter(|id| !id.is_empty()).ok_or_else(|| {
                Condition::BadFormat
                    .because("a verify request without an id")
                    .blame(Violation::DialbackType)
            })?;
            Part::Verify(StreamId(id.into()))
        } else {
            Part::Result
        };
        let word = match element.attribute("type") {
            None => Word::Request(element.text().trim().to_owned()),
            Some("valid") => Word::Valid,
            Some("invalid") => Word::Invalid,
            Some("error") => Word::Error(error_of(element)),
            Some(_) => Word::Unknown,
        };
        Ok(Some(Self { part, pair, word }))
    }

    /// The answer to this element.
    #[must_use]
    pub fn answer(&self, word: Word) -> Self {
        Self { part: self.part.clone(), pair: self.pair.reversed(), word }
    }

    /// The element as bytes of a stream that declares `db:` on its header.
    pub fn to_xml(&self) -> String {
        let mut xml = String::with_capacity(192);
        let name = match &self.part {
            Part::Result => "db:result",
            Part::Verify(_) => "db:verify",
        };
        let (from, to) = (self.pair.sender.as_str(), self.pair.target.as_str());
        let _ = write!(xml, "<{name} from='{from}' to='{to}'");
        if let Part::Verify(id) = &self.part {
            let _ = write!(xml, " id='{}'", escaped(&id.0));
        }
        let _ = match &self.word {
            // COMPAT(Prosody): compares the raw text, so there is no space around the key.
            Word::Request(key) => write!(xml, ">{}</{name}>", escape(key.as_str())),
            Word::Valid => write!(xml, " type='valid'/>"),
            Word::Invalid => write!(xml, " type='invalid'/>"),
            Word::Error(error) => {
                let (_, kind, condition) =
                    error.unwrap_or(DialbackError::RemoteServerTimeout).row();
                write!(
                    xml,
                    " type='error'><error type='{kind}'><{condition} xmlns='{}'/></error></{name}>",
                    ns::STANZA_ERROR
                )
            }
            Word::Unknown => write!(xml, " type='error'/>"),
        };
        xml
    }
}

fn address(element: &Element, name: &str) -> Result<Domain, StreamError> {
    let Some(text) = element.attribute(name) else {
        return Err(Condition::ImproperAddressing
            .because("a dialback element without an address")
            .blame(Violation::DialbackAddressing));
    };
    text.parse().map_err(|error| {
        // JIDs are no domains (E-10); names that are read in two ways are their own offense.
        let is_jid = text.is_empty() || text.contains(['@', '/']);
        let violation = if is_jid { Violation::DialbackAddressing } else { blame(error) };
        Condition::ImproperAddressing
            .because("an address in a dialback element is no domain")
            .blame(violation)
    })
}

fn error_of(element: &Element) -> Option<DialbackError> {
    let error = element.child(ns::SERVER, "error")?;
    error
        .elements()
        .filter(|it| it.namespace == ns::STANZA_ERROR)
        .find_map(|it| DialbackError::read(&it.name))
}

/// Makes dialback keys and knows its own again (XEP-0185 §2).
///
/// Each side of the proxy has its own: a key that was made for our server can never verify on the
/// public side, nor the other way round.
#[derive(Clone)]
pub struct Keys {
    /// The current key, then those of earlier secrets that replicas may still use.
    keys: Vec<hmac::Key>,
    shared: bool,
}

impl Keys {
    /// Derives keys from `secrets`, the current one first, for this process alone.
    pub fn new(secrets: &[Vec<u8>]) -> Self {
        let key = |secret: &Vec<u8>| {
            // The HMAC key is the digest in hexadecimal, as text (XEP-0185 §2).
            let digest = Zeroizing::new(hex(digest::digest(&digest::SHA256, secret).as_ref()));
            hmac::Key::new(hmac::HMAC_SHA256, digest.as_bytes())
        };
        Self { keys: secrets.iter().map(key).collect(), shared: false }
    }

    /// The same for several processes that answer for each other (XEP-0185 §1).
    pub fn shared(secrets: &[Vec<u8>]) -> Self {
        Self { shared: true, ..Self::new(secrets) }
    }

    /// Whether a key of a stream that is not ours may be that of another process.
    pub fn are_shared(&self) -> bool {
        self.shared
    }

    /// The key that proves that we asked for `pair` on the stream `id`.
    pub fn make(&self, pair: &DomainPair, id: &StreamId) -> String {
        self.keys.first().map(|key| sign(key, pair, id)).unwrap_or_default()
    }

    /// Whether `key` is the one that we made, or would have made, for `pair` on the stream `id`.
    /// Takes the same time whatever the answer (L06).
    pub fn is_ours(&self, pair: &DomainPair, id: &StreamId, key: &str) -> bool {
        self.keys.iter().fold(false, |found, own| {
            let expected = sign(own, pair, id);
            let same = constant_time::verify_slices_are_equal(expected.as_bytes(), key.as_bytes());
            found | same.is_ok()
        })
    }
}

fn sign(key: &hmac::Key, pair: &DomainPair, id: &StreamId) -> String {
    // Receiving, originating, id: the target of the pair receives its request. No domain holds a
    // space, so the text can be read in one way only.
    let text = format!("{} {} {}", pair.target.as_str(), pair.sender.as_str(), id.0);
    hex(hmac::sign(key, text.as_bytes()).as_ref())
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

#[cfg(test)]
mod tests;
