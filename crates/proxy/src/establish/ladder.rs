use crate::binding::Level;
use crate::stream::{DialbackError, Rung, Setback};

/// What to do after a rung has failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    /// Try this rung, at the same endpoint.
    Climb(Rung),
    /// Try the next endpoint, from the first rung.
    Elsewhere,
    /// It would end the same way anywhere.
    GiveUp,
}

/// The next rung, given how the last one ended (M-01 to M-04).
///
/// A lower rung is for peers that know no better, never for those that were caught out: whoever
/// can make a connection fail could otherwise choose how badly we authenticate the next.
pub fn next(rung: Rung, setback: &Setback, level: Level) -> Next {
    match setback {
        Setback::Sasl if rung == Rung::External => Next::Climb(Rung::Dialback),
        Setback::Handshake | Setback::Plaintext
            if rung != Rung::Plain && level.allows_plaintext() =>
        {
            Next::Climb(Rung::Plain)
        }
        Setback::Refused(Some(DialbackError::PolicyViolation)) if rung == Rung::Plain => {
            Next::Climb(Rung::External)
        }
        Setback::Unreachable
        | Setback::Handshake
        | Setback::Plaintext
        | Setback::Unproven(_)
        | Setback::Sasl
        | Setback::Stream(_)
        | Setback::Broken(_)
        | Setback::TimedOut => Next::Elsewhere,
        Setback::Unresolved(_)
        | Setback::Invalid
        | Setback::Refused(_)
        | Setback::Pointless
        | Setback::Draining => Next::GiveUp,
    }
}

#[cfg(test)]
mod tests;
