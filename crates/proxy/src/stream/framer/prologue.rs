//! What may stand before the stream header: at most an XML declaration (RFC 6120 §11.5, §11.6).

use super::characters::{is_space, skip_space};
use super::reject::{encoding, excessive, not_well_formed, restricted};
use crate::stream::{StreamError, Violation};

/// Longest XML declaration in bytes; the usual one has 21.
const DECLARATION_MAX: usize = 256;

const OPENING: &[u8] = b"<?xml";

/// Checks the XML declaration that `text` begins with and tells where it ends. None: more bytes
/// needed. `text` begins with `<?`.
pub(super) fn declaration(text: &[u8]) -> Result<Option<usize>, StreamError> {
    let known = text.len().min(OPENING.len());
    let is_other = text.get(..known) != OPENING.get(..known)
        || text.get(OPENING.len()).is_some_and(|&byte| !is_space(byte));
    if is_other {
        return Err(restricted("a processing instruction"));
    }
    let front = &text[..text.len().min(DECLARATION_MAX)];
    let Some(end) = memchr::memchr(b'>', front) else {
        return if text.len() < DECLARATION_MAX {
            Ok(None)
        } else {
            let because = "an XML declaration without end";
            Err(excessive(Violation::XmlTooBig, because))
        };
    };
    let Some(inside) = front[..end].strip_suffix(b"?") else {
        return Err(not_well_formed("an XML declaration that ends badly"));
    };
    check(inside.get(OPENING.len()..).unwrap_or_default())?;
    Ok(Some(end + 1))
}

/// Checks what stands between `<?xml` and `?>`: the version, then perhaps an encoding, then perhaps
/// `standalone`, which means nothing where there are no document types.
fn check(mut rest: &[u8]) -> Result<(), StreamError> {
    let Some(version) = parameter(&mut rest, b"version")? else {
        return Err(not_well_formed("an XML declaration without version"));
    };
    if version != b"1.0" {
        return Err(not_well_formed("a version of XML other than 1.0"));
    }
    if parameter(&mut rest, b"encoding")?.is_some_and(|it| !it.eq_ignore_ascii_case(b"utf-8")) {
        return Err(encoding("an encoding other than UTF-8"));
    }
    let standalone = parameter(&mut rest, b"standalone")?;
    let is_known = matches!(standalone, None | Some(b"yes" | b"no"));
    if !is_known || skip_space(rest, 0) != rest.len() {
        return Err(not_well_formed("an XML declaration that says more than it may"));
    }
    Ok(())
}

/// Takes ` name='value'` off the front of `rest`, if that is what stands there.
fn parameter<'a>(rest: &mut &'a [u8], name: &[u8]) -> Result<Option<&'a [u8]>, StreamError> {
    let malformed = || not_well_formed("a malformed XML declaration");
    let trimmed = rest.trim_ascii_start();
    let Some(after) = trimmed.strip_prefix(name) else {
        return Ok(None);
    };
    if trimmed.len() == rest.len() {
        return Err(malformed());
    }
    let after = after.trim_ascii_start();
    let after = after.strip_prefix(b"=").ok_or_else(malformed)?;
    let (quote, after) = match after.trim_ascii_start() {
        [quote @ (b'\'' | b'"'), after @ ..] => (*quote, after),
        _ => return Err(malformed()),
    };
    let end = memchr::memchr(quote, after).ok_or_else(malformed)?;
    *rest = after.get(end + 1..).unwrap_or_default();
    Ok(after.get(..end))
}
