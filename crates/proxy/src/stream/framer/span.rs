/// A stretch of the piece being read: two offsets from its first byte.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The bytes it covers. None where `piece` is not the piece it was measured on, which does
    /// not happen; being empty then is better than a panic.
    pub(super) fn of(self, piece: &[u8]) -> &[u8] {
        piece.get(self.start..self.end).unwrap_or_default()
    }
}
