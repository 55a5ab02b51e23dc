//! `&…;`: the five predefined entities and character references, and no others (RFC 6120 §11.1).

use std::borrow::Cow;

use super::reject::{not_well_formed, restricted};
use crate::stream::StreamError;

/// Longest text between `&` and `;`: `#x10FFFF` with a few zeros to spare. It keeps a reference
/// cut off by the end of the buffer from being read again at length for every byte that arrives.
const BODY_MAX: usize = 12;

/// Checks the reference that begins at `at` and tells where it ends. None: more bytes needed.
pub(super) fn end(text: &[u8], at: usize) -> Result<Option<usize>, StreamError> {
    let rest = text.get(at + 1..).unwrap_or_default();
    let length = rest
        .iter()
        .take(BODY_MAX + 1)
        .take_while(|&&byte| {
            byte.is_ascii_alphanumeric() || byte >= 0x80 || b"#_-.:".contains(&byte)
        })
        .count();
    let body = &rest[..length];
    let is_named = matches!(body.first(), Some(byte) if *byte != b'#' && !byte.is_ascii_digit());
    if BODY_MAX < length {
        return Err(if is_named {
            restricted("a reference to an entity")
        } else {
            not_well_formed("a character reference of no sensible length")
        });
    }
    match rest.get(length) {
        None => Ok(None),
        Some(b';') if resolve(body).is_some() => Ok(Some(at + length + 2)),
        Some(b';') if is_named => Err(restricted("a reference to an entity")),
        Some(b';') => Err(not_well_formed("a reference to no character")),
        Some(_) => Err(not_well_formed("an ampersand that begins no reference")),
    }
}

/// What stands for the text between `&` and `;`, where that is a character XML allows.
fn resolve(body: &[u8]) -> Option<char> {
    match body {
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"amp" => Some('&'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        [b'#', b'x', digits @ ..] => number(digits, 16),
        [b'#', digits @ ..] => number(digits, 10),
        _ => None,
    }
}

fn number(digits: &[u8], radix: u32) -> Option<char> {
    // `from_str_radix` takes a sign, XML does not.
    if !digits.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let text = std::str::from_utf8(digits).ok()?;
    let character = char::from_u32(u32::from_str_radix(text, radix).ok()?)?;
    let is_legal = matches!(
        character,
        '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..
    );
    is_legal.then_some(character)
}

/// The value of an attribute as an application sees it: references resolved, white space turned
/// into spaces (XML 1.0 §2.11, §3.3.3). `raw` is from a piece that the framer let through.
pub(in crate::stream) fn decode(raw: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(raw);
    if !raw.iter().any(|byte| matches!(byte, b'&' | b'\t' | b'\n' | b'\r')) {
        return text;
    }
    let mut value = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find(['&', '\t', '\n', '\r']) {
        let (before, special) = rest.split_at(at);
        value.push_str(before);
        rest = if let Some(reference) = special.strip_prefix('&') {
            let (body, after) = reference.split_once(';').unwrap_or((reference, ""));
            value.extend(resolve(body.as_bytes()));
            after
        } else {
            value.push(' ');
            let line_end = special.strip_prefix("\r\n");
            line_end.unwrap_or_else(|| special.get(1..).unwrap_or_default())
        };
    }
    value.push_str(rest);
    Cow::Owned(value)
}

/// Writes `text` so that it can stand in an attribute between quotes of either kind, or between
/// tags, and be read back as it is.
pub(in crate::stream) fn escape(text: &str, into: &mut Vec<u8>) {
    for &byte in text.as_bytes() {
        match byte {
            b'<' => into.extend_from_slice(b"&lt;"),
            b'>' => into.extend_from_slice(b"&gt;"),
            b'&' => into.extend_from_slice(b"&amp;"),
            b'"' => into.extend_from_slice(b"&quot;"),
            b'\'' => into.extend_from_slice(b"&apos;"),
            b'\t' => into.extend_from_slice(b"&#9;"),
            b'\n' => into.extend_from_slice(b"&#10;"),
            b'\r' => into.extend_from_slice(b"&#13;"),
            byte => into.push(byte),
        }
    }
}

/// The same, as text.
pub(in crate::stream) fn escaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    escape(text, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
