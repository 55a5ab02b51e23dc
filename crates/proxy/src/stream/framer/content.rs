//! What stands between tags inside an element: text, references, CDATA.

use memchr::{memchr, memchr3};

use super::reference;
use super::reject::{not_well_formed, restricted};
use crate::stream::StreamError;

/// Where text led to.
#[derive(Debug)]
pub(super) enum Text {
    /// To a `<` at this offset.
    Markup(usize),
    /// To the end of what is there; go on from this offset when there is more.
    More(usize),
}

/// Reads text from `at` to the next `<`.
pub(super) fn text(piece: &[u8], mut at: usize) -> Result<Text, StreamError> {
    loop {
        let rest = piece.get(at..).unwrap_or_default();
        let Some(found) = memchr3(b'<', b'&', b'>', rest) else {
            return Ok(Text::More(piece.len()));
        };
        at += found;
        match rest.get(found) {
            Some(b'<') => return Ok(Text::Markup(at)),
            Some(b'&') => match reference::end(piece, at)? {
                Some(end) => at = end,
                None => return Ok(Text::More(at)),
            },
            // Whatever came before the text ends neither tag, reference nor CDATA with `]`, so
            // looking back cannot leave the text.
            _ if piece.get(..at).unwrap_or_default().ends_with(b"]]") => {
                return Err(not_well_formed("the end of CDATA without a start"));
            }
            _ => at += 1,
        }
    }
}

/// Where the CDATA section ends whose content has been read up to `at`. None: more bytes needed,
/// and what is there need not be read again.
pub(super) fn cdata(piece: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr(b'>', piece.get(at..)?)?;
        // The section begins with `[`, so looking back cannot leave it.
        if piece.get(..at)?.ends_with(b"]]") {
            return Some(at + 1);
        }
        at += 1;
    }
}

/// What a `<` begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Markup {
    StartTag,
    EndTag,
    /// A CDATA section, whose content begins after so many bytes.
    Cdata(usize),
    /// Something that begins `<?`.
    Instruction,
}

/// Tells what `rest` begins with. None: more bytes needed.
pub(super) fn markup(rest: &[u8]) -> Result<Option<Markup>, StreamError> {
    match rest.get(1) {
        None => Ok(None),
        Some(b'/') => Ok(Some(Markup::EndTag)),
        Some(b'?') => Ok(Some(Markup::Instruction)),
        Some(b'!') => {
            let known = rest.len().min(CDATA.len());
            if rest.get(..known) != CDATA.get(..known) {
                return Err(restricted("a comment or a document type"));
            }
            Ok((known == CDATA.len()).then_some(Markup::Cdata(known)))
        }
        Some(_) => Ok(Some(Markup::StartTag)),
    }
}

const CDATA: &[u8] = b"<![CDATA[";
