//! What strangers wrote, on its way to a terminal.

use std::fmt::Write as _;

/// The text with nothing in it but printable ASCII, and no more than so many characters.
///
/// Control characters would steer the terminal, and those that turn the direction of writing or
/// look like others would deceive who reads. All are written as Rust writes them.
pub(super) fn printable(text: &str, length_max: usize) -> String {
    let mut safe = String::with_capacity(text.len().min(length_max));
    for character in text.chars() {
        let rest = length_max.saturating_sub(safe.len());
        if rest < LONGEST {
            safe.push_str("...");
            break;
        }
        match character {
            ' '..='~' => safe.push(character),
            // Writing into a String cannot fail.
            _ => {
                let _ = write!(safe, "{}", character.escape_unicode());
            }
        }
    }
    safe
}

/// JSON with nothing in it but printable ASCII; whoever reads it as JSON reads the same.
///
/// What is not ASCII stands within strings only, where it may be written by its number.
pub(super) fn ascii(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            ' '..='~' | '\n' => safe.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(safe, "\\u{unit:04x}");
                }
            }
        }
    }
    safe
}

/// `\u{10ffff}`, or what ends a text that was cut.
const LONGEST: usize = 10;

#[cfg(test)]
mod tests;
