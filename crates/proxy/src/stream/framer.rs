//! Bytes to pieces: the header of a stream, its first-level elements, its end.
//!
//! Knowing every byte is what ligase exists for, so this is no general parser with options but the
//! XML of RFC 6120 §11 and nothing else: UTF-8, XML 1.0, Namespaces, no comments, no processing
//! instructions, no document types, no entities of one's own. What it lets through, the parsers of
//! the servers behind us accept too, and read the same; where they are known to disagree with each
//! other it is refused.
//!
//! Every byte is looked at a fixed number of times, however few arrive at once, and what the
//! framer says does not depend on where the bytes were divided.

use std::sync::Arc;

use bytes::{Buf as _, BytesMut};

use self::characters::is_space;
use self::content::{Markup, Text};
use self::names::Name;
use self::reject::{encoding, excessive, not_well_formed, restricted, text_between};
use self::scope::{Scope, Source, Used};
use self::span::Span;
use self::tag::Attribute;
use super::{Element, StreamError, Violation};

mod characters;
mod content;
mod inherited;
mod names;
mod nesting;
mod opening;
mod prologue;
mod raw;
mod reference;
mod reject;
mod scope;
mod span;
mod tag;

pub(in crate::stream) use inherited::Inherited;
pub use raw::Raw;
pub(in crate::stream) use raw::attributes;
pub(in crate::stream) use reference::{decode, escape, escaped};

/// How much of what a stream may send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Longest first-level element, and longest stream header, in bytes.
    pub element: usize,
    /// Deepest element; a stanza itself is at depth one.
    pub depth: usize,
    /// Most attributes of one element, its namespace declarations among them.
    pub attributes: usize,
}

/// A whole piece of a stream.
#[derive(Clone, Debug)]
pub enum Piece {
    /// The start tag of the stream (RFC 6120 §4.2). Its namespace declarations are among its
    /// attributes, as `xmlns` and `xmlns:prefix`. Its name and namespace are as they must be,
    /// everything else is for the reader to judge, the content namespace too.
    Header(Element),
    /// A first-level element.
    Element(Raw),
    /// The end tag of the stream (RFC 6120 §4.4).
    Close,
}

/// Divides the bytes of one stream into pieces; a restart of the stream takes a new one.
#[derive(Debug)]
pub struct Framer {
    limits: Limits,
    state: State,
    /// What the header gave; empty before it.
    stream: Arc<Inherited>,
    /// The stream's own name, as its end tag must repeat it.
    root: Vec<u8>,
    /// White space between elements, in bytes, since it was last asked for.
    keepalives: u64,

    // All that follows is about the piece that the buffer begins with; offsets are from there.
    /// So much of it is known to be characters that XML allows.
    legal: usize,
    /// Why the character behind those is not.
    fault: Option<&'static str>,
    /// So much of it has been read.
    read: usize,
    search: tag::Search,
    /// Whether what was read ends within a CDATA section.
    in_cdata: bool,
    /// The names of the open elements.
    open: Vec<Span>,
    scope: Scope,
    first: Option<First>,
    /// The attributes of the tag that was read last; kept to be filled again.
    attributes: Vec<Attribute>,
}

/// What comes next, and what has come.
#[derive(Clone, Debug, Eq, PartialEq)]
enum State {
    /// Nothing has come: an XML declaration may.
    ExpectDeclaration,
    /// Only the header may come.
    ExpectHeader,
    /// Elements.
    ExpectElement,
    /// The stream has ended; only white space may come.
    Ended,
    /// The stream has failed, and stays so.
    Failed(StreamError),
}

/// The start tag of a first-level element.
#[derive(Debug)]
struct First {
    head: usize,
    name: Name,
    namespace: Source,
}

/// How far one look at the buffer has led.
enum Step {
    /// Nowhere until more bytes come.
    More,
    /// Past so many bytes that belong to no piece.
    Skip(usize),
    /// Past the header, of so many bytes.
    Header(usize, Element),
    /// Past an element of so many bytes.
    Element(usize, First),
    /// Past the end tag of the stream.
    Close(usize),
}

impl Framer {
    /// A framer for a stream of which nothing has been read yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::ExpectDeclaration,
            stream: Arc::default(),
            root: Vec::new(),
            keepalives: 0,
            legal: 0,
            fault: None,
            read: 0,
            search: tag::Search::default(),
            in_cdata: false,
            open: Vec::new(),
            scope: Scope::default(),
            first: None,
            attributes: Vec::new(),
        }
    }

    /// Sets other limits from the next piece on; when a peer is authenticated, it may send more.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Takes the next piece off the front of `buffer`. None: more bytes needed.
    ///
    /// Between two calls bytes may be added to the end of the buffer, and nothing else be done to
    /// it. It need never hold more than [`Limits::element`] bytes and one read.
    ///
    /// # Errors
    ///
    /// What the peer must be told before its stream is closed. After an error there is nothing
    /// more to be had than the same error.
    pub fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Piece>, StreamError> {
        if let State::Failed(error) = &self.state {
            return Err(error.clone());
        }
        self.piece(buffer).inspect_err(|error| {
            self.state = State::Failed(error.clone());
        })
    }

    /// How many bytes of white space came between elements since this was last asked: some peers
    /// send them to show that they are alive (RFC 6120 §4.6.1).
    pub fn keepalives(&mut self) -> u64 {
        std::mem::take(&mut self.keepalives)
    }

    /// How many bytes it holds in memory besides itself, roughly: what the stream header gave, and
    /// what is kept to be filled again.
    pub fn held(&self) -> usize {
        let open = self.open.capacity() * size_of::<Span>();
        let attributes = self.attributes.capacity() * size_of::<Attribute>();
        self.stream.held() + self.root.capacity() + self.scope.held() + open + attributes
    }

    fn piece(&mut self, buffer: &mut BytesMut) -> Result<Option<Piece>, StreamError> {
        loop {
            self.check_characters(buffer);
            match self.step(buffer.get(..self.legal).unwrap_or_default())? {
                Step::More => return self.starve(buffer),
                Step::Skip(length) => {
                    buffer.advance(length);
                    self.forget(length);
                }
                Step::Header(length, element) => {
                    buffer.advance(length);
                    self.forget(length);
                    return Ok(Some(Piece::Header(element)));
                }
                Step::Element(length, first) => {
                    let bytes = buffer.split_to(length).freeze();
                    let used = self.forget(length);
                    return Ok(Some(Piece::Element(Raw {
                        bytes,
                        head: first.head,
                        name: first.name,
                        namespace: first.namespace,
                        used,
                        stream: self.stream.clone(),
                        limits: self.limits,
                    })));
                }
                Step::Close(length) => {
                    buffer.advance(length);
                    self.forget(length);
                    return Ok(Some(Piece::Close));
                }
            }
        }
    }

    /// Looks at the characters that are new. Those beyond the limit are not looked at: no piece
    /// may reach them, and what they are must not change what the peer is told.
    fn check_characters(&mut self, buffer: &BytesMut) {
        let within = buffer.len().min(self.limits.element);
        if self.fault.is_none() {
            let new = buffer.get(self.legal..within).unwrap_or_default();
            let new = characters::legal(new);
            self.legal += new.bytes;
            self.fault = new.fault;
        }
    }

    /// Says what it means that no piece ends within what has been looked at.
    fn starve(&self, buffer: &BytesMut) -> Result<Option<Piece>, StreamError> {
        if let Some(because) = self.fault {
            // The marks that UTF-16 and UTF-32 begin with, or one of their zeros.
            let is_other_encoding = self.state == State::ExpectDeclaration
                && matches!(buffer.first(), Some(0x00 | 0xFE | 0xFF));
            return Err(if is_other_encoding {
                encoding("a stream that does not begin in UTF-8")
            } else {
                not_well_formed(because)
            });
        }
        if self.limits.element < buffer.len() {
            let because = "an element larger than we take";
            return Err(excessive(Violation::XmlTooBig, because));
        }
        Ok(None)
    }

    /// Makes the next piece begin `length` bytes on, and tells which prefixes the last one used.
    fn forget(&mut self, length: usize) -> Used {
        self.legal -= length;
        self.read = 0;
        self.scope.finish()
    }

    /// Reads on, to the end of a piece or of the characters there are.
    fn step(&mut self, piece: &[u8]) -> Result<Step, StreamError> {
        loop {
            if self.in_cdata {
                let Some(end) = content::cdata(piece, self.read) else {
                    self.read = piece.len();
                    return Ok(Step::More);
                };
                self.read = end;
                self.in_cdata = false;
            }
            if self.open.is_empty() {
                let blank = piece.iter().take_while(|&&byte| is_space(byte)).count();
                if 0 < blank {
                    return Ok(self.skip_blank(blank));
                }
                match piece.first() {
                    None => return Ok(Step::More),
                    Some(b'<') => (),
                    Some(_) => return Err(self.stray_text()),
                }
            } else {
                match content::text(piece, self.read)? {
                    Text::Markup(at) => self.read = at,
                    Text::More(at) => {
                        self.read = at;
                        return Ok(Step::More);
                    }
                }
            }
            if let Some(step) = self.markup(piece)? {
                return Ok(step);
            }
        }
    }

    /// Reads what the `<` begins that has been reached. None: go on behind it.
    fn markup(&mut self, piece: &[u8]) -> Result<Option<Step>, StreamError> {
        let rest = piece.get(self.read..).unwrap_or_default();
        let Some(markup) = content::markup(rest)? else {
            return Ok(Some(Step::More));
        };
        match markup {
            Markup::Instruction if self.state == State::ExpectDeclaration => {
                return Ok(Some(match prologue::declaration(rest)? {
                    None => Step::More,
                    Some(length) => {
                        self.state = State::ExpectHeader;
                        Step::Skip(length)
                    }
                }));
            }
            Markup::Instruction => return Err(restricted("a processing instruction")),
            Markup::Cdata(_) if self.open.is_empty() => return Err(self.stray_text()),
            Markup::Cdata(length) => {
                self.read += length;
                self.in_cdata = true;
                return Ok(None);
            }
            Markup::StartTag | Markup::EndTag => (),
        }
        let Some(end) = self.search.end(piece, self.read) else {
            return Ok(Some(Step::More));
        };
        let tag = Span::new(self.read, end);
        self.read = end;
        match (&self.state, markup) {
            (State::ExpectElement, Markup::StartTag) => self.start_tag(piece, tag),
            (State::ExpectElement, _) => self.end_tag(piece, tag),
            (State::ExpectDeclaration | State::ExpectHeader, Markup::StartTag) => {
                self.header(piece, tag).map(Some)
            }
            (_, _) => Err(not_well_formed("a tag outside of the stream")),
        }
    }

    /// Passes white space outside of elements.
    fn skip_blank(&mut self, length: usize) -> Step {
        match self.state {
            // An XML declaration must be the very first thing.
            State::ExpectDeclaration => self.state = State::ExpectHeader,
            State::ExpectElement => self.keepalives += length as u64,
            State::ExpectHeader | State::Ended | State::Failed(_) => (),
        }
        Step::Skip(length)
    }

    /// Why there can be no characters outside of elements.
    fn stray_text(&self) -> StreamError {
        if self.state == State::ExpectElement {
            text_between("text between elements")
        } else {
            not_well_formed("text outside of the stream")
        }
    }
}

#[cfg(test)]
mod tests;
