use std::fmt;

use aws_lc_rs::digest;
use zeroize::Zeroizing;

use crate::binding::StreamId;

/// Where stream ids come from.
///
/// Chance is an input like any other: a driver seeds this from the operating system, a test with a
/// constant. An id tells nothing about the next, because each is a digest of the secret seed and
/// a count (RFC 6120 §4.7.3 wants ids that cannot be predicted and never repeat; C-10).
#[derive(Clone)]
pub struct Ids {
    seed: Zeroizing<[u8; 32]>,
    count: u64,
}

impl Ids {
    /// Starts from `seed`.
    pub fn seeded(seed: [u8; 32]) -> Self {
        Self { seed: Zeroizing::new(seed), count: 0 }
    }

    /// Starts from `seed` for the stream of this number: many streams share one secret seed and
    /// never an id.
    pub fn derived(seed: [u8; 32], stream: u64) -> Self {
        let mut text = Zeroizing::new([0; 41]);
        text[..32].copy_from_slice(&seed);
        text[32..40].copy_from_slice(&stream.to_be_bytes());
        // One byte longer than what `issue` digests, so that no id is ever a seed.
        let digest = digest::digest(&digest::SHA256, text.as_slice());
        let mut seed = [0; 32];
        seed.copy_from_slice(digest.as_ref());
        Self::seeded(seed)
    }

    /// The next id: 160 bits in lower-case hexadecimal.
    pub fn issue(&mut self) -> StreamId {
        self.count += 1;
        let mut text = Zeroizing::new([0; 40]);
        text[..32].copy_from_slice(self.seed.as_slice());
        text[32..].copy_from_slice(&self.count.to_be_bytes());
        let digest = digest::digest(&digest::SHA256, text.as_slice());
        StreamId(hex(&digest.as_ref()[..20]).into())
    }
}

/// Whoever knew the seed would know every id to come.
impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ids").field("count", &self.count).finish_non_exhaustive()
    }
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

#[cfg(test)]
mod tests;
