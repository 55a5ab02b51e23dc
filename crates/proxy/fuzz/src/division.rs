//! A stream taken apart by ligase, however it was divided on its way.

use bytes::BytesMut;
use ligase::stream::{Framer, Limits, Piece, Raw, StreamError};

use crate::chance::Chance;

/// Small, so that inputs of a few kilobytes come to know them.
pub const LIMITS: Limits = Limits { element: 16_384, depth: 24, attributes: 32 };

/// How a stream arrives.
#[derive(Clone, Debug)]
pub enum Division {
    /// At once.
    Whole,
    /// One byte at a time.
    Bytes,
    /// In pieces of any length.
    Pieces(Chance),
}

/// What came of a stream: each piece and where it ended.
#[derive(Debug)]
pub struct Framed {
    pub pieces: Vec<(Piece, usize)>,
    pub error: Option<StreamError>,
}

impl Framed {
    /// Takes a stream apart.
    pub fn of(stream: &[u8], mut division: Division) -> Self {
        let mut framer = Framer::new(LIMITS);
        let mut buffer = BytesMut::with_capacity(stream.len());
        let mut pieces = Vec::new();
        let mut received = 0;
        while received < stream.len() {
            let left = stream.len() - received;
            let length = match &mut division {
                Division::Whole => left,
                Division::Bytes => 1,
                Division::Pieces(chance) => {
                    let most = 1 << chance.below(8);
                    left.min(1 + chance.below(most))
                }
            };
            buffer.extend_from_slice(&stream[received..received + length]);
            received += length;
            loop {
                match framer.next(&mut buffer) {
                    Ok(None) => break,
                    Ok(Some(piece)) => pieces.push((piece, received - buffer.len())),
                    Err(error) => {
                        let error = Some(error);
                        return Self { pieces, error };
                    }
                }
            }
        }
        Self { pieces, error: None }
    }

    /// What differs from another reading of the same stream.
    pub fn differs(&self, other: &Self) -> Option<String> {
        if self.error != other.error {
            return Some(format!("{:?}, then {:?}", self.error, other.error));
        }
        if self.pieces.len() != other.pieces.len() {
            return Some(format!("{} pieces, then {}", self.pieces.len(), other.pieces.len()));
        }
        let mut both = self.pieces.iter().zip(&other.pieces);
        let (one, two) = both.find(|(one, two)| one.1 != two.1 || !is_same(&one.0, &two.0))?;
        Some(format!("{one:?}, then {two:?}"))
    }
}

fn is_same(one: &Piece, two: &Piece) -> bool {
    match (one, two) {
        (Piece::Header(one), Piece::Header(two)) => one == two,
        (Piece::Element(one), Piece::Element(two)) => facts(one) == facts(two),
        (Piece::Close, Piece::Close) => true,
        _ => false,
    }
}

fn facts(raw: &Raw) -> (&[u8], &[u8], &[u8], &str, Vec<(&str, &str)>) {
    let inherits = raw.inherits().collect();
    (raw.bytes(), raw.head(), raw.qualified_name(), raw.namespace(), inherits)
}
