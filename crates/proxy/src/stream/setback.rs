use ligase_verifier::{Finding, Reason, Unresolved};

use super::{Condition, DialbackError, StanzaError};

/// Why a pair cannot leave (yet).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Setback {
    /// The target has no address, says that it serves no XMPP, or its DNS data are forged.
    Unresolved(&'static str),
    /// No way leads to a server of the target.
    Unreachable,
    /// Its host is there, and does not listen.
    NotListening,
    /// Nothing was heard from its address.
    Unanswered,
    /// We are out of file descriptors or ports ourselves.
    Exhausted,
    /// The TLS handshake failed.
    Handshake,
    /// It failed because the far end does not go by the name that we called it.
    Unrecognized,
    /// The far end does without TLS, and policy does not.
    Plaintext,
    /// The far end does not prove that it speaks for the target.
    Unproven(Reason),
    /// It refused to believe our certificate (SASL).
    Sasl,
    /// The same, and that certificate is for servers alone (RFC 5280 §4.2.1.12), which is what some
    /// refuse in those who open a stream (K-06).
    Usage,
    /// It refused our key.
    Invalid,
    /// It refused the pair for this reason.
    Refused(Option<DialbackError>),
    /// It closed the stream for this reason.
    Stream(Option<Condition>),
    /// It broke a rule.
    Broken(Condition),
    /// It took too long.
    TimedOut,
    /// The pair is not for us to carry: its target is served here, or is no domain that can be
    /// looked up.
    Pointless,
    /// We are about to end.
    Draining,
}

impl Setback {
    /// One of each, and of each that goes by several names one for each: for whoever has something to
    /// say of all of them.
    pub fn each() -> Vec<Self> {
        let unproven = Finding::ALL
            .into_iter()
            .map(|finding| Self::Unproven(Reason { prooftype: None, finding }));
        let unresolved = Unresolved::ALL.into_iter().map(|it| Self::Unresolved(it.label()));
        let refused = DialbackError::each().map(Some).chain([None]).map(Self::Refused);
        let closed = Condition::ALL.iter().copied().map(Some).chain([None]).map(Self::Stream);
        let others = [
            Self::Unreachable,
            Self::NotListening,
            Self::Unanswered,
            Self::Exhausted,
            Self::Handshake,
            Self::Unrecognized,
            Self::Plaintext,
            Self::Sasl,
            Self::Usage,
            Self::Invalid,
            Self::Broken(Condition::InvalidXml),
            Self::TimedOut,
            Self::Pointless,
            Self::Draining,
        ];
        unproven.chain(unresolved).chain(refused).chain(closed).chain(others).collect()
    }

    /// Whether nobody could be connected to.
    pub fn is_unconnected(&self) -> bool {
        matches!(self, Self::Unreachable | Self::NotListening | Self::Unanswered | Self::Exhausted)
    }

    /// What the sender of a stanza hears (RFC 6120 §10.4.3; P-01 to P-05).
    pub fn stanza_error(&self) -> StanzaError {
        let text = self.text();
        match self {
            Self::Unresolved(_) | Self::Pointless => StanzaError::RemoteServerNotFound(text),
            Self::Invalid => StanzaError::InternalServerError(text),
            Self::Unreachable
            | Self::NotListening
            | Self::Unanswered
            | Self::Exhausted
            | Self::Handshake
            | Self::Unrecognized
            | Self::Plaintext
            | Self::Unproven(_)
            | Self::Sasl
            | Self::Usage
            | Self::Refused(_)
            | Self::Stream(_)
            | Self::Broken(_)
            | Self::TimedOut
            | Self::Draining => StanzaError::RemoteServerTimeout(text),
        }
    }

    /// What a peer hears whose request we cannot grant, because our own server cannot be reached
    /// or does not want the pair (R-09, P-07).
    pub fn to_peer(&self) -> DialbackError {
        let unknown = matches!(self.label(), "host_unknown" | "pointless");
        if unknown { DialbackError::ItemNotFound } else { DialbackError::ResourceConstraint }
    }

    /// What our own server hears on a stream that carries other pairs, too, and so has to stand
    /// (XEP-0220 §2.1.2).
    pub fn to_own(&self) -> DialbackError {
        match self.stanza_error() {
            StanzaError::RemoteServerNotFound(_) => DialbackError::RemoteServerNotFound,
            StanzaError::RemoteServerTimeout(_)
            | StanzaError::InternalServerError(_)
            | StanzaError::ResourceConstraint
            | StanzaError::NotAuthorized
            | StanzaError::TooLarge => DialbackError::RemoteServerTimeout,
        }
    }

    /// The same in a sentence, for people. It holds no word of the far end's.
    pub fn text(&self) -> String {
        match self {
            Self::Unresolved(why) => format!("{} ({why})", unresolved(why)),
            Self::Unreachable => "No way leads to the server".to_owned(),
            Self::NotListening => "Nothing listens at the server's port".to_owned(),
            Self::Unanswered => "Nothing answers at the server's address".to_owned(),
            Self::Exhausted => "The federation proxy is out of file descriptors".to_owned(),
            Self::Handshake => "The TLS handshake with the server failed".to_owned(),
            Self::Unrecognized => "The server does not know itself by its name".to_owned(),
            Self::Plaintext => "The server does not offer TLS, which is required".to_owned(),
            Self::Unproven(reason) => {
                let (text, label) = (reason.finding.text(), reason.finding.label());
                format!("The server could not be authenticated: {text} ({label})")
            }
            Self::Sasl => "The server does not accept our certificate".to_owned(),
            Self::Usage => {
                "The server does not accept our certificate, which is for TLS servers alone"
                    .to_owned()
            }
            Self::Invalid => "The server says that our dialback key is invalid".to_owned(),
            Self::Refused(Some(error)) if error.is_about_hosting() => {
                format!("The server does not host the domain ({})", error.as_str())
            }
            Self::Refused(Some(error)) if error.is_about_asking() => {
                format!("The server could not ask us about our key ({})", error.as_str())
            }
            Self::Refused(None) => "The server refused the connection".to_owned(),
            Self::Refused(Some(error)) => {
                format!("The server refused the connection ({})", error.as_str())
            }
            Self::Stream(Some(condition @ (Condition::HostUnknown | Condition::HostGone))) => {
                format!("The server does not host the domain ({})", condition.as_str())
            }
            Self::Stream(None) => "The server closed the connection".to_owned(),
            Self::Stream(Some(condition)) => {
                format!("The server closed the connection ({})", condition.as_str())
            }
            Self::Broken(condition) => {
                format!("The server broke the protocol ({})", condition.as_str())
            }
            Self::TimedOut => "The server did not answer in time".to_owned(),
            Self::Pointless => "The domain cannot be reached from here".to_owned(),
            Self::Draining => "The federation proxy is shutting down".to_owned(),
        }
    }

    /// The reason as logs name it; of a closed set.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Unresolved(why) => why,
            Self::Unreachable => "connect.no_route",
            Self::NotListening => "connect.refused",
            Self::Unanswered => "connect.timeout",
            Self::Exhausted => "connect.exhausted",
            Self::Handshake => "tls.handshake",
            Self::Unrecognized => "tls.unrecognized_name",
            Self::Plaintext => "stream.tls_required",
            Self::Unproven(reason) => reason.finding.label(),
            Self::Sasl => "sasl",
            Self::Usage => "sasl.eku",
            Self::Invalid => "dialback.invalid",
            Self::Refused(Some(error)) if error.is_about_hosting() => "host_unknown",
            Self::Refused(Some(error)) if error.is_about_asking() => "dialback.unreached",
            Self::Refused(_) => "dialback.refused",
            Self::Stream(Some(Condition::HostUnknown | Condition::HostGone)) => "host_unknown",
            Self::Stream(_) => "stream.closed",
            Self::Broken(_) => "stream.broken",
            Self::TimedOut => "timeout",
            Self::Pointless => "pointless",
            Self::Draining => "draining",
        }
    }
}

/// Why the places of a domain are not known, in words.
fn unresolved(label: &str) -> &'static str {
    match label {
        "dns.not_found" => "The domain does not exist, or has no address",
        "dns.declined" => "The domain takes no part in federation",
        "dns.bogus" => "The domain's DNS records fail their signatures",
        "dns.forbidden_target" => "The domain's addresses are none that peers may send us to",
        _ => "DNS did not answer about the domain",
    }
}

#[cfg(test)]
mod tests;
