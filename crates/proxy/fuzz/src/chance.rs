/// Chance that can be had again: the same seed brings the same numbers.
///
/// SplitMix64, as its authors published it; every state is as good as any other, so that each
/// input can have its own, made of a seed and its number.
#[derive(Clone, Debug)]
pub struct Chance(u64);

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Chance {
    /// The chance of the input of this number.
    pub fn new(seed: u64, number: u64) -> Self {
        let mut outer = Self(seed);
        Self(outer.number() ^ number.wrapping_mul(STEP))
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number less than this one, which is not zero.
    pub fn below(&mut self, limit: usize) -> usize {
        // The bias is of no matter here.
        let high = (u128::from(self.number()) * limit as u128) >> 64;
        usize::try_from(high).unwrap_or(0)
    }

    /// Whether it comes to pass, as it does one time in so many.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}
