//! Bytes to characters: UTF-8 and the `Char` production (XML 1.0 §2.2), many bytes at a time.

use memchr::memchr_iter;
use simdutf8::compat::from_utf8;

/// What the front of a buffer is made of.
pub(super) struct Legal {
    /// So many bytes are whole characters that XML allows.
    pub(super) bytes: usize,
    /// Why the character behind them is not, once that is certain. A character whose bytes have
    /// not all arrived is not yet wrong.
    pub(super) fault: Option<&'static str>,
}

/// Tells how far `text` consists of characters that XML 1.0 allows.
pub(super) fn legal(text: &[u8]) -> Legal {
    let (bytes, fault) = match from_utf8(text) {
        Ok(_) => (text.len(), None),
        Err(error) => {
            let fault = error.error_len().map(|_| "bytes that are not UTF-8");
            (error.valid_up_to(), fault)
        }
    };
    match forbidden(&text[..bytes]) {
        Some(bytes) => Legal { bytes, fault: Some("a character that XML does not allow") },
        None => Legal { bytes, fault },
    }
}

/// Where the first character stands that is UTF-8 but not XML.
fn forbidden(text: &[u8]) -> Option<usize> {
    // Looks at every byte and never stops early, so that it is done many bytes at a time.
    let control = text.iter().fold(false, |any, &byte| any | is_control(byte));
    let control = control.then(|| text.iter().position(|&byte| is_control(byte))).flatten();
    // U+FFFE and U+FFFF; the surrogates are not UTF-8 in the first place.
    let noncharacter = memchr_iter(0xEF, text)
        .find(|&at| matches!(text.get(at + 1..at + 3), Some([0xBF, 0xBE | 0xBF])));
    match (control, noncharacter) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Whether `byte` is one of the control characters that XML leaves out.
fn is_control(byte: u8) -> bool {
    (byte < b' ') & (byte != b'\t') & (byte != b'\n') & (byte != b'\r')
}

/// Whether `byte` is white space to XML (the production `S`).
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Where the white space ends that begins at `at`.
pub(super) fn skip_space(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|&&byte| is_space(byte)).count()
}
