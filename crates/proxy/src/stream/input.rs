use std::sync::Arc;
use std::time::Duration;

use ligase_verifier::{Domain, Presented, Prooftype, Reason};

use super::{
    Condition, Denial, DialbackError, Frame, Keys, Role, Stanza, StanzaError, StreamError,
    Violation,
};
use crate::binding::{
    ConnectionId, DomainPair, Finding, Hosted, Level, Name, Policy, Side, StreamId,
};

/// What a stream insists on; plain data.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Which side of the proxy the far end is on.
    pub side: Side,
    /// The domains of our own server.
    pub hosted: Arc<Hosted>,
    /// What peers must show. Our own server is met on `Level::Any`, or stricter if the operator
    /// says so.
    pub policy: Arc<Policy>,
    /// Whether TLS is offered, and taken where it is offered.
    pub tls: bool,
    /// The name that speaks where no other was asked for.
    pub server_name: Domain,
    /// Makes and knows our dialback keys on this side.
    pub keys: Arc<Keys>,
    /// What we offer to those who know channels.
    pub channels: Channels,
    /// The bounds of the stream.
    pub bounds: Bounds,
}

/// What makes a stream a channel: many pairs, both directions, one connection.
#[derive(Clone, Debug, Default)]
pub struct Channels {
    /// Both ends may ask and send (XEP-0288).
    pub bidi: bool,
    /// Streams between servers are opened and taken (draft-ietf-xmpp-dna-01 §5).
    pub server_names: bool,
    /// What we believe, as we tell it.
    pub prooftypes: Arc<[Prooftype]>,
}

/// The bounds of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long a far end that opened the stream may take until it is authorized for anything; its
    /// bytes do not extend it (C-08).
    pub preauth: Duration,
    /// How many elements it may send until then (C-08).
    pub preauth_elements_max: u32,
    /// How long each step may take where we opened the stream (B-17).
    pub step: Duration,
    /// How long the far end may take to answer a request for a pair (E-07): it may have to ask
    /// another server first.
    pub answer: Duration,
    /// How long an authorized stream may carry nothing (P-10).
    pub idle: Duration,
    /// How many requests of the far end may be open at once (H-07).
    pub claims_max: usize,
    /// How many pairs one connection may carry (H-07).
    pub pairs_max: usize,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The far end said this.
    Frame(Frame),
    /// What the far end said breaks a rule of XML or of its stream.
    Refuse(StreamError),
    /// TLS is up; this is what the far end presented.
    Secured(Option<Presented>),
    /// There is no TLS.
    NotSecured(Unsecured),
    /// The answer to [`Action::Judge`].
    Found(Name, Finding),
    /// The answer to [`Action::AskAuthority`].
    Authority(DomainPair, Answer),
    /// The answer to [`Action::Reach`].
    Reached(DomainPair, Result<(), Setback>),
    /// The proof of this name has ended, and this is what was found when it was looked at again.
    Renewed(Name, Finding),
    /// The operator insists on something else from now on.
    Terms(Arc<Terms>),
    /// Our own server does not take this pair any more.
    Withdraw(DomainPair),
    /// We want this pair to leave by this connection.
    Ask(DomainPair),
    /// Ask again for a pair whose answer is due.
    Repeat(DomainPair),
    /// The time that [`Action::SetTimer`] set has passed; `quiet` is for how long the connection has
    /// carried nothing, either way.
    TimedOut {
        /// For how long nothing moved.
        quiet: Duration,
    },
    /// We are about to end: say so, and take what is still on its way.
    Drain,
}

/// Why a handshake has come to nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unsecured {
    /// It failed, or plaintext came where it had to begin (B-07).
    Failed,
    /// The far end does not know itself by the name that we called it.
    Unrecognized,
    /// The far end hung up, or took too long.
    Left,
}

/// What an authoritative server says about a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// It is good.
    Valid,
    /// It is forged.
    Invalid,
    /// It cannot be asked; what to tell the one who waits.
    Unknown(DialbackError),
}

/// Something the driver must now do.
#[derive(Clone, Debug)]
pub enum Action {
    /// Write this to the far end.
    Send(String),
    /// Shake hands, then say [`Input::Secured`]. Where the far end opened the stream, the domain is
    /// whom it wants to speak to; where we did, whom we want.
    StartTls(Option<Domain>),
    /// The stream begins anew: the next thing either side says is a header. Answers to what was
    /// asked before it are not told any more.
    Restart,
    /// Find out whether the far end goes by this name, then say [`Input::Found`].
    Judge(Name, Option<Presented>),
    /// Ask the sender's authoritative server about its key for this stream, then say
    /// [`Input::Authority`].
    AskAuthority(DomainPair, StreamId, String),
    /// Open a way out for this pair on the other side, then say [`Input::Reached`].
    Reach(DomainPair),
    /// Put this stanza in that connection's outbox.
    Forward(ConnectionId, Stanza),
    /// Keep what is written from now on until it is acknowledged (XEP-0198), or do not any more.
    Keep(bool),
    /// The far end has taken so many of those, counted from the first; it wraps around.
    Acknowledged(u32),
    /// Keep this stanza while a way out is opened.
    Hold(Stanza),
    /// Give this stanza back to its sender.
    Bounce(Stanza, StanzaError),
    /// Have that connection ask for this pair once more.
    Repeat(ConnectionId, DomainPair),
    /// Tell whoever opened this connection, or asked something of it.
    Tell(Tidings),
    /// The far end is authorized for something now: stanzas may be as large as the limits allow.
    Trust,
    /// A key was answered for: our part in it, and whether it is good, where that was found out.
    Answered(Role, Option<bool>),
    /// The pair may not pass over this connection any more. What was to leave by it finds another
    /// way out, or goes back to its sender.
    Lost(DomainPair, Loss),
    /// The far end asked for this pair and does not get it.
    Refused(DomainPair, Denial),
    /// A rule was broken, and that costs the far end no more than this.
    Count(Violation),
    /// Forget the timer that is running and set this one.
    SetTimer(Duration),
    /// Say why, and end our half of the stream: nothing is said any more, but what the far end still
    /// sends is heard (P-09, P-13).
    End(StreamError),
    /// Close, having said why if there is a why.
    Close(Option<StreamError>),
}

/// Why a right was taken back (E-15, E-16, E-18).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Loss {
    /// The far end, which had granted it, took it back.
    PeerRevoked,
    /// The proof has ended, and we could not find out whether it still holds.
    ProofEnded,
    /// The proof, looked at again, did not hold.
    ProofFailed,
    /// The domain is not one of our own server's any more.
    HostRemoved,
    /// The operator asks for more than the far end has shown.
    PeerBlocked,
}

/// What became of a connection that we opened, or of something that we asked on it.
#[derive(Clone, Debug)]
pub enum Tidings {
    /// The pair may leave by it.
    Bound(DomainPair),
    /// The pair may not.
    Failed(DomainPair, Setback),
    /// The authoritative server answered.
    Verified(Answer),
    /// This is what the far end presents.
    Seen(Presented),
}

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

    /// The same in a sentence, for people. It holds no word of the far end's.
    pub fn text(&self) -> String {
        match self {
            Self::Unresolved(why) => format!("The domain cannot be resolved ({why})"),
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

impl Terms {
    /// What the far end must show to speak for `peer`.
    pub fn level(&self, peer: Option<&Domain>) -> Level {
        peer.map_or(self.policy.default, |peer| self.policy.level(peer))
    }

    /// The same towards `peer`, but never in the clear: it publishes TLSA records, so it has TLS,
    /// whatever an attacker takes out of its features (RFC 7673 §3.4).
    #[must_use]
    pub fn encrypted(&self, peer: &Domain) -> Self {
        let default = self.level(Some(peer)).max(Level::Encrypted);
        Self { policy: Arc::new(Policy { default, ..Policy::default() }), ..self.clone() }
    }

    /// Whether streams between servers are taken here. Where our own name is also a domain of our
    /// own server, a stream to it is a stream to that domain.
    pub fn takes_servers(&self) -> bool {
        self.side == Side::Public
            && self.channels.server_names
            && !self.hosted.contains(&self.server_name)
    }

    /// Whether `domain` may be the one that the far end wants to speak to.
    pub fn may_receive(&self, domain: &Domain) -> bool {
        match self.side {
            Side::Public => self.hosted.may_contain(domain),
            // To our own server we are every domain but its own.
            Side::Backend => !self.hosted.contains(domain),
        }
    }

    /// Whether `domain` may be one that the far end speaks for.
    pub fn may_send(&self, domain: &Domain) -> bool {
        match self.side {
            Side::Public => !self.hosted.contains(domain) && *domain != self.server_name,
            Side::Backend => self.hosted.may_contain(domain),
        }
    }
}

#[cfg(test)]
mod tests;
