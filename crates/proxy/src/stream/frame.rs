use bytes::BytesMut;

use super::element::Element;
use super::features::Features;
use super::framer::{Framer, Limits, Piece, Raw};
use super::sasl::Authorization;
use super::stanza::{Seen, Stanza};
use super::{Condition, Dialback, Header, Management, StreamError, ns};

/// What the far end said, understood as far as we need to.
#[derive(Clone, Debug)]
pub enum Frame {
    /// It opened the stream.
    Header(Header),
    /// It told what it offers.
    Features(Features),
    /// It wants TLS.
    StartTls,
    /// It will have TLS.
    Proceed,
    /// It will not.
    TlsFailure,
    /// It wants to be authorized.
    Auth(Authorization),
    /// We are authorized.
    Success,
    /// We are not.
    SaslFailure,
    /// It wants to send and to receive on this stream (XEP-0288); whether it knows channels.
    Bidi(bool),
    /// It confirms stanzas, or wants them confirmed.
    Management(Management),
    /// It speaks of dialback.
    Dialback(Dialback),
    /// It hands us a stanza.
    Stanza(Stanza),
    /// It says why it ends the stream.
    Error(Option<Condition>),
    /// It says something that is not for us to understand (O-04).
    Unknown,
    /// It ended the stream.
    Close,
}

/// Reads frames off a stream.
#[derive(Debug)]
pub struct Reader {
    framer: Framer,
    seen: Option<Seen>,
    /// What was read before it was asked for.
    ahead: Option<Box<Result<Frame, StreamError>>>,
}

impl Reader {
    /// Starts at the first byte of a stream.
    pub fn new(limits: Limits) -> Self {
        Self { framer: Framer::new(limits), seen: None, ahead: None }
    }

    /// From now on these limits hold.
    pub fn set_limits(&mut self, limits: Limits) {
        self.framer.set_limits(limits);
    }

    /// How many bytes it holds in memory besides itself, roughly.
    pub fn held(&self) -> usize {
        self.framer.held()
    }

    /// Takes the next frame off the front of `buffer`; `None` where more bytes are needed.
    ///
    /// # Errors
    /// What the far end owes an explanation for; the stream cannot go on after it.
    pub fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, StreamError> {
        if let Some(ahead) = self.ahead.take() {
            return ahead.map(Some);
        }
        let frame = match self.framer.next(buffer)? {
            None => return Ok(None),
            Some(Piece::Close) => Frame::Close,
            Some(Piece::Header(element)) => Frame::Header(Header::read(&element)?),
            Some(Piece::Element(raw)) => self.understand(&raw)?,
        };
        Ok(Some(frame))
    }

    /// Whether [`next`](Self::next) has something to say, which it then says when it is asked.
    pub fn look_ahead(&mut self, buffer: &mut BytesMut) -> bool {
        self.ahead = self.next(buffer).transpose().map(Box::new);
        self.is_ahead()
    }

    /// Whether something was found by [`look_ahead`](Self::look_ahead) and not asked for yet.
    pub fn is_ahead(&self) -> bool {
        self.ahead.is_some()
    }

    fn understand(&mut self, raw: &Raw) -> Result<Frame, StreamError> {
        // Whatever bears a stanza's name is read as one, or refused: another namespace under it is
        // how a stanza is smuggled past the one who checks it to one who is less exact (O-04).
        if matches!(raw.local_name(), b"message" | b"presence" | b"iq") {
            return Stanza::read(raw, &mut self.seen).map(Frame::Stanza);
        }
        understand(&Element::read(raw)?)
    }
}

fn understand(element: &Element) -> Result<Frame, StreamError> {
    Ok(match (element.namespace.as_str(), element.name.as_str()) {
        (ns::STREAM, "features") => Frame::Features(Features::read(element)),
        (ns::STREAM, "error") => {
            let mut conditions = element.elements().filter(|it| it.namespace == ns::STREAM_ERROR);
            Frame::Error(conditions.find_map(|it| Condition::read(&it.name)))
        }
        (ns::TLS, "starttls") => Frame::StartTls,
        (ns::TLS, "proceed") => Frame::Proceed,
        (ns::TLS, "failure") => Frame::TlsFailure,
        (ns::SASL, "auth") => Frame::Auth(Authorization {
            mechanism: element.attribute("mechanism").unwrap_or_default().to_owned(),
            response: element.text().trim().to_owned(),
        }),
        (ns::SASL, "success") => Frame::Success,
        (ns::SASL, "failure") => Frame::SaslFailure,
        (ns::BIDI, "bidi") => Frame::Bidi(element.child(ns::DNA, "dna").is_some()),
        (ns::MANAGEMENT, _) => Management::read(element)?.map_or(Frame::Unknown, Frame::Management),
        (ns::DIALBACK, _) => Dialback::read(element)?.map_or(Frame::Unknown, Frame::Dialback),
        _ => Frame::Unknown,
    })
}

#[cfg(test)]
mod tests;
