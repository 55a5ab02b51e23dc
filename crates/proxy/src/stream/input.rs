use std::sync::Arc;
use std::time::Duration;

use ligase_verifier::{Domain, Presented, Prooftype};

use super::{
    Denial, DialbackError, Frame, Keys, Role, Setback, Stanza, StanzaError, StreamError, Violation,
    Way,
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
    Lost(DomainPair, Way, Loss),
    /// The far end asked for this pair and does not get it.
    Refused(DomainPair, Denial),
    /// The far end shows less than this, which the policy asks of it.
    Barred(Level),
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
            // To a server of ours we are every domain but its own; others may have other servers.
            Side::Backend => self.hosted.are_apart() || !self.hosted.contains(domain),
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
