use crate::binding::Level;
use crate::stream::{Condition, DialbackError, Rung, Setback};

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

/// The rungs that there are for a pair at an endpoint.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ladder {
    /// What the target must show.
    pub level: Level,
    /// Whether the sender domain has a certificate of its own.
    pub sender_certificate: bool,
    /// The lowest rung that may be tried, where the endpoint is known to take better ones (M-06).
    pub floor: Rung,
}

impl Ladder {
    /// What to try after `rung` has failed (M-01 to M-04, draft-ietf-xmpp-dna-01 §7).
    ///
    /// A lower rung is for peers that know no better, never for those that were caught out: whoever
    /// can make a connection fail could otherwise choose how badly we authenticate the next.
    pub fn next(&self, rung: Rung, setback: &Setback) -> Next {
        match self.fall(rung, setback) {
            Next::Climb(to) if rung < to && self.floor < to && !is_told(setback) => Next::Elsewhere,
            next @ (Next::Climb(_) | Next::Elsewhere | Next::GiveUp) => next,
        }
    }

    fn fall(&self, rung: Rung, setback: &Setback) -> Next {
        let is_about_servers = match setback {
            Setback::Unrecognized
            | Setback::Sasl
            | Setback::Usage
            | Setback::TimedOut
            | Setback::Invalid => true,
            Setback::Stream(condition) => condition.is_none_or(is_about_names),
            Setback::Refused(error) => error.is_some_and(is_about_pair),
            Setback::Unresolved(_)
            | Setback::Unreachable
            | Setback::NotListening
            | Setback::Unanswered
            | Setback::Exhausted
            | Setback::Handshake
            | Setback::Plaintext
            | Setback::Unproven(_)
            | Setback::Broken(_)
            | Setback::Pointless
            | Setback::Draining => false,
        };
        match (rung, setback) {
            (Rung::ServerName, _) if is_about_servers => Next::Climb(Rung::DomainName),
            (Rung::DomainName, _) if self.sender_certificate && is_about_us(setback) => {
                Next::Climb(Rung::SenderCertificate)
            }
            (Rung::DomainName | Rung::SenderCertificate, Setback::Sasl | Setback::Usage) => {
                Next::Climb(Rung::Dialback)
            }
            (_, Setback::Handshake | Setback::Unrecognized | Setback::Plaintext)
                if rung != Rung::Plain && self.level.allows_plaintext() =>
            {
                Next::Climb(Rung::Plain)
            }
            (Rung::Plain, Setback::Refused(Some(DialbackError::PolicyViolation))) => {
                Next::Climb(Rung::DomainName)
            }
            (
                _,
                Setback::Unreachable
                | Setback::NotListening
                | Setback::Unanswered
                | Setback::Exhausted
                | Setback::Handshake
                | Setback::Unrecognized
                | Setback::Plaintext
                | Setback::Unproven(_)
                | Setback::Sasl
                | Setback::Usage
                | Setback::Stream(_)
                | Setback::Broken(_)
                | Setback::TimedOut,
            ) => Next::Elsewhere,
            (
                _,
                Setback::Unresolved(_)
                | Setback::Invalid
                | Setback::Refused(_)
                | Setback::Pointless
                | Setback::Draining,
            ) => Next::GiveUp,
        }
    }
}

/// What only the peer itself can have said, on a stream that is encrypted and proven.
fn is_told(setback: &Setback) -> bool {
    matches!(setback, Setback::Sasl | Setback::Usage | Setback::Invalid | Setback::Refused(_))
}

/// Stream errors of those who do not know the names of servers, or not ours (M-02).
fn is_about_names(condition: Condition) -> bool {
    matches!(
        condition,
        Condition::HostUnknown
            | Condition::ImproperAddressing
            | Condition::InvalidFrom
            | Condition::NotAuthorized
            | Condition::UndefinedCondition
            | Condition::PolicyViolation
    )
}

/// Dialback errors that another stream may not meet with (M-02, E-06).
fn is_about_pair(error: DialbackError) -> bool {
    matches!(
        error,
        DialbackError::ItemNotFound
            | DialbackError::NotAllowed
            | DialbackError::NotAuthorized
            | DialbackError::NotAcceptable
            | DialbackError::Forbidden
    )
}

/// Refusals of those who do not believe our certificate (M-03).
fn is_about_us(setback: &Setback) -> bool {
    matches!(
        setback,
        Setback::Sasl
            | Setback::Usage
            | Setback::Invalid
            | Setback::Stream(Some(Condition::NotAuthorized | Condition::PolicyViolation))
            | Setback::Refused(Some(
                DialbackError::NotAuthorized
                    | DialbackError::NotAcceptable
                    | DialbackError::Forbidden
            ))
    )
}

#[cfg(test)]
mod tests;
