use super::words::{PIECES, STINGS};
use crate::chance::Chance;

/// Changes a stream at random, once or a few times.
pub(super) fn damage(chance: &mut Chance, stream: &mut Vec<u8>) {
    for _ in 0..=chance.below(3) {
        let length = stream.len();
        if length == 0 {
            return;
        }
        let at = chance.below(length);
        let most = 1 << chance.below(7);
        let end = length.min(at + 1 + chance.below(most));
        match chance.below(8) {
            0 => drop(stream.drain(at..end)),
            1 => {
                let piece = stream[at..end].to_vec();
                let to = chance.below(length);
                stream.splice(to..to, piece);
            }
            2 => stream[at] = *chance.pick(&STINGS),
            3 => stream[at] ^= 1 << chance.below(8),
            4 => stream.insert(at, *chance.pick(&STINGS)),
            5 => stream.truncate(at),
            6 => {
                let other = chance.below(length);
                stream.swap(at, other);
            }
            _ => {
                let piece = *chance.pick(&PIECES);
                stream.splice(at..at, piece.iter().copied());
            }
        }
    }
}
