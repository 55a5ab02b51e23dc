use std::fmt::{self, Write};

/// Text on its way into a log: only printable ASCII gets through as it is, and no more of it than
/// there is room for.
///
/// Control characters would forge lines and steer terminals; characters that turn the direction
/// of writing, or look like others, would deceive readers. All of them are escaped alike, so an
/// international domain name should be logged as DNS writes it.
#[derive(Debug)]
pub(super) struct Escaped<'a> {
    out: &'a mut String,
    style: Style,
    room: usize,
    cut: bool,
}

/// How what is not printable is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Style {
    /// As in a JSON string (RFC 8259 §7).
    Json,
    /// As Rust writes it, with quotes escaped: for text between quotes.
    Quoted,
    /// As Rust writes it: for text between spaces.
    Bare,
}

impl<'a> Escaped<'a> {
    /// Writes to `out`, and no more than `room` bytes.
    pub(super) fn new(out: &'a mut String, style: Style, room: usize) -> Self {
        Self { out, style, room: room.saturating_sub(CUT.len()), cut: false }
    }

    /// Writes a whole value; one that is too long ends in `...`.
    pub(super) fn value(mut self, value: fmt::Arguments<'_>) {
        // An error is how we stop a value that does not end; one of its own is as good an end.
        if self.write_fmt(value).is_err() || self.cut {
            self.out.push_str(CUT);
        }
    }
}

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let mut piece = Piece::default();
            piece.escape(character, self.style);
            let piece = piece.as_str();
            if self.room < piece.len() {
                self.cut = true;
                return Err(fmt::Error);
            }
            self.room -= piece.len();
            self.out.push_str(piece);
        }
        Ok(())
    }
}

/// One character, escaped: at most `\ud83d\ude00` or `\u{10ffff}`.
#[derive(Debug, Default)]
struct Piece {
    bytes: [u8; 12],
    length: usize,
}

impl Piece {
    fn escape(&mut self, character: char, style: Style) {
        match (character, style) {
            ('\\', _) => self.push(b"\\\\"),
            ('"', Style::Json | Style::Quoted) => self.push(b"\\\""),
            ('\n', _) => self.push(b"\\n"),
            ('\r', _) => self.push(b"\\r"),
            ('\t', _) => self.push(b"\\t"),
            (' '..='~', _) => self.push(&[character as u8]),
            (_, Style::Json) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    self.push(b"\\u");
                    for shift in [12, 8, 4, 0] {
                        self.digit(u32::from(*unit) >> shift);
                    }
                }
            }
            (_, Style::Quoted | Style::Bare) => {
                let code = u32::from(character);
                let digits = (32 - code.leading_zeros()).div_ceil(4).max(1);
                self.push(b"\\u{");
                for digit in (0..digits).rev() {
                    self.digit(code >> (4 * digit));
                }
                self.push(b"}");
            }
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(place) = self.bytes.get_mut(self.length) {
                *place = *byte;
                self.length += 1;
            }
        }
    }

    fn digit(&mut self, value: u32) {
        if let Some(digit) = char::from_digit(value & 0xf, 16) {
            self.push(&[digit as u8]);
        }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

/// What ends a value that was cut.
const CUT: &str = "...";

#[cfg(test)]
mod tests;
