use ligase_verifier::{Finding, Reason};

use super::DialbackError;

/// Why somebody who asked for a pair does not get it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denial {
    /// Its target is none of our own server's domains.
    NotHosted,
    /// Its sender is one of them, and it came from outside (B-19).
    FromHosted,
    /// Our own server asked for one of its own domains.
    ToHosted,
    /// Our own server spoke for a domain that is none of those we know to be its own.
    FromStranger,
    /// The stream is not encrypted, and policy wants that.
    Plaintext,
    /// There are too many requests, or too many pairs, on the connection.
    TooMany,
    /// Nothing proves that it speaks for the sender, or something proves the contrary.
    Unproven(Reason),
    /// What may prove or refute it could not be looked up.
    Undetermined(Reason),
    /// What it showed was enough when it asked, and policy asks for more since.
    Policy,
    /// The sender's authoritative server says that the key is none of its own.
    Forged,
    /// That server could not be asked.
    Unasked(DialbackError),
}

impl Denial {
    /// One of each, for whoever has something to say of all of them.
    pub fn each() -> [Self; 11] {
        let reason = Reason { prooftype: None, finding: Finding::UntrustedChain };
        [
            Self::NotHosted,
            Self::FromHosted,
            Self::ToHosted,
            Self::FromStranger,
            Self::Plaintext,
            Self::TooMany,
            Self::Unproven(reason),
            Self::Undetermined(reason),
            Self::Policy,
            Self::Forged,
            Self::Unasked(DialbackError::RemoteServerTimeout),
        ]
    }

    /// What the one who asked is told.
    pub fn to_peer(self) -> DialbackError {
        match self {
            Self::NotHosted | Self::ToHosted => DialbackError::ItemNotFound,
            Self::FromHosted | Self::FromStranger => DialbackError::NotAcceptable,
            Self::Plaintext | Self::Policy => DialbackError::PolicyViolation,
            Self::TooMany => DialbackError::ResourceConstraint,
            Self::Unproven(_) => DialbackError::NotAuthorized,
            Self::Undetermined(_) => DialbackError::RemoteServerTimeout,
            Self::Forged => DialbackError::Forbidden,
            Self::Unasked(error) => error,
        }
    }

    /// The reason as logs name it; of a closed set.
    pub fn label(self) -> &'static str {
        match self {
            Self::NotHosted => "db.not_hosted",
            Self::FromHosted => "db.from_hosted",
            Self::ToHosted => "backend.to",
            Self::FromStranger => "backend.from",
            Self::Plaintext => "stream.tls_required",
            Self::TooMany => "db.limit",
            Self::Unproven(reason) | Self::Undetermined(reason) => reason.finding.label(),
            Self::Policy => "policy",
            Self::Forged => "db.key",
            Self::Unasked(_) => "db.error",
        }
    }

    /// The same in a sentence, for people. It holds no word of the far end's.
    pub fn text(self) -> String {
        match self {
            Self::NotHosted => "It asked for a domain that is not served here".to_owned(),
            Self::FromHosted => "It claimed to be a domain that is served here".to_owned(),
            Self::ToHosted => "Our server wants to reach a domain of its own".to_owned(),
            Self::FromStranger => "Our server speaks for a domain that is not hosted".to_owned(),
            Self::Plaintext => "It came without TLS, which is required".to_owned(),
            Self::TooMany => "It asked for more than one connection may carry".to_owned(),
            Self::Unproven(reason) | Self::Undetermined(reason) => {
                let (text, label) = (reason.finding.text(), reason.finding.label());
                format!("Whoever came could not be authenticated: {text} ({label})")
            }
            Self::Policy => "It shows less than policy asks for".to_owned(),
            Self::Forged => "Its own server says that its dialback key is forged".to_owned(),
            Self::Unasked(error) => {
                format!("Its own server could not be asked about its key ({})", error.as_str())
            }
        }
    }
}

#[cfg(test)]
mod tests;
