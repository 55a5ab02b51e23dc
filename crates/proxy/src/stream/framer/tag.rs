//! Tags taken apart: names and attributes, by grammar alone.

use memchr::{memchr, memchr3};

use super::characters::skip_space;
use super::names::{self, Name};
use super::reference;
use super::reject::{excessive, not_well_formed};
use super::span::Span;
use crate::stream::{StreamError, Violation};

/// Where the end of a tag has been looked for already, so that no byte is looked at twice however
/// few arrive at a time.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// Offset of the next byte to look at; before the tag's own, where none has been.
    at: usize,
    /// The quote that is open there.
    quote: Option<u8>,
}

impl Search {
    /// Where the tag that begins at `start` ends: behind its `>`. None: more bytes needed.
    ///
    /// A `>` between quotes ends nothing. Grammar is not looked at: of a tag that is well-formed
    /// this is the end, and of any other it does not matter.
    pub(super) fn end(&mut self, piece: &[u8], start: usize) -> Option<usize> {
        let mut at = self.at.max(start);
        loop {
            let rest = piece.get(at..).unwrap_or_default();
            let found = match self.quote {
                None => memchr3(b'>', b'\'', b'"', rest),
                Some(quote) => memchr(quote, rest),
            };
            let Some(found) = found else {
                self.at = piece.len();
                return None;
            };
            at += found + 1;
            match (self.quote, rest.get(found)) {
                (None, Some(b'>')) => {
                    *self = Self::default();
                    return Some(at);
                }
                (None, quote) => self.quote = quote.copied(),
                (Some(_), _) => self.quote = None,
            }
        }
    }
}

/// A start tag or the tag of an empty element.
#[derive(Debug)]
pub(super) struct StartTag {
    pub(super) name: Name,
    /// Whether it is an end tag as well.
    pub(super) is_empty: bool,
}

/// An attribute or a namespace declaration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute {
    pub(super) name: Name,
    /// What stands between the quotes.
    pub(super) value: Span,
}

/// Reads the start tag at `tag`, and its attributes, of which there may be `most`.
pub(super) fn start(
    piece: &[u8],
    tag: Span,
    attributes: &mut Vec<Attribute>,
    most: usize,
) -> Result<StartTag, StreamError> {
    let inside = Span::new(0, tag.end - 1).of(piece);
    let inside_empty = inside.strip_suffix(b"/");
    let inside = inside_empty.unwrap_or(inside);
    let name = names::qualified(inside, tag.start + 1)?;
    let mut at = name.span.end;
    attributes.clear();
    loop {
        let next = skip_space(inside, at);
        if next == inside.len() {
            return Ok(StartTag { name, is_empty: inside_empty.is_some() });
        }
        if next == at {
            return Err(not_well_formed("no space before an attribute"));
        }
        let name = names::qualified(inside, next)?;
        let value = value(inside, name.span.end)?;
        if attributes.len() == most {
            let because = "more attributes than an element may have";
            return Err(excessive(Violation::XmlAttributes, because));
        }
        attributes.push(Attribute { name, value });
        at = value.end + 1;
    }
}

/// Reads the `=` of an attribute and the value behind it.
fn value(inside: &[u8], at: usize) -> Result<Span, StreamError> {
    let equals = skip_space(inside, at);
    if inside.get(equals) != Some(&b'=') {
        return Err(not_well_formed("an attribute without a value"));
    }
    let opening = skip_space(inside, equals + 1);
    let Some(&quote @ (b'\'' | b'"')) = inside.get(opening) else {
        return Err(not_well_formed("an attribute without quotes"));
    };
    let start = opening + 1;
    let mut at = start;
    loop {
        let rest = inside.get(at..).unwrap_or_default();
        let Some(found) = memchr3(quote, b'<', b'&', rest) else {
            return Err(not_well_formed("an attribute that does not end"));
        };
        at += found;
        match rest.get(found) {
            Some(b'<') => return Err(not_well_formed("a tag within an attribute")),
            Some(b'&') => match reference::end(inside, at)? {
                Some(end) => at = end,
                None => return Err(not_well_formed("an attribute that does not end")),
            },
            _ => return Ok(Span::new(start, at)),
        }
    }
}

/// Whether the end tag at `tag` bears `name`, and nothing else but white space.
pub(super) fn ends(piece: &[u8], tag: Span, name: &[u8]) -> bool {
    let inside = Span::new(tag.start + 2, tag.end - 1).of(piece);
    inside.strip_prefix(name).is_some_and(|rest| skip_space(rest, 0) == rest.len())
}
