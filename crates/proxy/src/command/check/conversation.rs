//! As much of a stream as it takes to see what a server offers, over any kind of socket.

use bytes::BytesMut;
use ligase_verifier::{Domain, Service};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::facts::{Greeting, Unseen};
use crate::stream::{Condition, Element, Features, Framer, Limits, Piece, ns};

/// Whom we speak to, about what, and in whose name.
#[derive(Clone, Debug)]
pub(super) struct Speaker {
    /// The service asked for, and so the namespace of the stream.
    pub(super) service: Service,
    /// The domain asked for.
    pub(super) to: Domain,
    /// In whose name, if in anybody's; users have none to tell before TLS (RFC 7712 §3.1).
    pub(super) from: Option<Domain>,
}

/// One side of a conversation that ends soon.
pub(super) struct Conversation<'a, S> {
    socket: &'a mut S,
    framer: Framer,
    buffer: BytesMut,
    heard: usize,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Conversation<'a, S> {
    /// A conversation of which nothing was said.
    pub(super) fn new(socket: &'a mut S) -> Self {
        let (framer, buffer) = (Framer::new(LIMITS), BytesMut::new());
        Self { socket, framer, buffer, heard: 0 }
    }

    /// Opens a stream, and hears what is offered on it. Has no deadline of its own.
    pub(super) async fn open(&mut self, speaker: &Speaker) -> Result<Greeting, Unseen> {
        self.say(&speaker.header()).await?;
        let header = match self.hear().await? {
            Piece::Header(header) => header,
            Piece::Element(_) | Piece::Close => return Err(Unseen::Foreign("no stream header")),
        };
        if header.attribute("xmlns") != Some(speaker.namespace()) {
            return Err(Unseen::Foreign("a stream of another service"));
        }
        let is_other = match header.attribute("from") {
            None | Some("") => false,
            Some(from) => from.parse::<Domain>().ok().as_ref() != Some(&speaker.to),
        };
        if header.attribute("version").is_none() {
            return Err(Unseen::NoTls("it is older than XMPP 1.0"));
        }
        let element = self.element().await?;
        match element.is(ns::STREAM, "features") {
            true => Ok(Greeting { features: Features::read(&element), is_other }),
            false => Err(Unseen::Foreign("no stream features")),
        }
    }

    /// Asks for TLS, and hears that it may begin.
    pub(super) async fn start_tls(&mut self) -> Result<(), Unseen> {
        self.say(&format!("<starttls xmlns='{}'/>", ns::TLS)).await?;
        let element = self.element().await?;
        if element.is(ns::TLS, "failure") {
            return Err(Unseen::NoTls("it offers STARTTLS and refuses it"));
        }
        if !element.is(ns::TLS, "proceed") {
            return Err(Unseen::Foreign("neither proceed nor failure for STARTTLS"));
        }
        // What was said in the clear could have been said by anybody (RFC 6120 §5.4.3.3).
        match self.buffer.is_empty() {
            true => Ok(()),
            false => Err(Unseen::Foreign("words in the clear behind proceed")),
        }
    }

    async fn element(&mut self) -> Result<Element, Unseen> {
        let raw = match self.hear().await? {
            Piece::Element(raw) => raw,
            Piece::Header(_) => return Err(Unseen::Foreign("a second stream header")),
            Piece::Close => return Err(Unseen::Closed),
        };
        let element = Element::read(&raw).map_err(|error| Unseen::Foreign(error.because))?;
        if !element.is(ns::STREAM, "error") {
            return Ok(element);
        }
        let mut conditions = element.elements().filter(|it| it.namespace == ns::STREAM_ERROR);
        Err(Unseen::Refused(conditions.find_map(|it| Condition::read(&it.name))))
    }

    async fn say(&mut self, text: &str) -> Result<(), Unseen> {
        self.socket.write_all(text.as_bytes()).await.map_err(|_| Unseen::Closed)?;
        self.socket.flush().await.map_err(|_| Unseen::Closed)
    }

    async fn hear(&mut self) -> Result<Piece, Unseen> {
        loop {
            let piece = self.framer.next(&mut self.buffer);
            if let Some(piece) = piece.map_err(|error| Unseen::Foreign(error.because))? {
                return Ok(piece);
            }
            // White space between elements is nothing to the framer, however much there is.
            if HEARD_MAX < self.heard {
                return Err(Unseen::Foreign("more than anybody has to say"));
            }
            match self.socket.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return Err(Unseen::Closed),
                Ok(count) => self.heard += count,
            }
        }
    }
}

impl Speaker {
    fn namespace(&self) -> &'static str {
        match self.service {
            Service::Server => ns::SERVER,
            Service::Client => CLIENT,
        }
    }

    /// The opening tag of our stream (RFC 6120 §4.7, RFC 7712 §3.1).
    fn header(&self) -> String {
        let dialback = match self.service {
            Service::Server => format!(" xmlns:db='{}'", ns::DIALBACK),
            Service::Client => String::new(),
        };
        let from = self.from.as_ref().map(|from| format!(" from='{}'", from.as_str()));
        format!(
            "<?xml version='1.0'?><stream:stream xmlns='{}'{dialback} xmlns:stream='{}'{} to='{}' \
             version='1.0' xml:lang='en'>",
            self.namespace(),
            ns::STREAM,
            from.unwrap_or_default(),
            self.to.as_str(),
        )
    }
}

/// Everything on a client's stream that says nothing else (RFC 6120 §4.8.3).
const CLIENT: &str = "jabber:client";

/// Features have a few hundred bytes, with every extension a few thousand.
const LIMITS: Limits = Limits { element: 32 * 1024, depth: 32, attributes: 64 };

/// A header and features, with room.
const HEARD_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests;
