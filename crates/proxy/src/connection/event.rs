use std::net::SocketAddr;
use std::time::Duration;

use ligase_verifier::{Domain, Transport};

use crate::binding::{ConnectionId, DomainPair, Level, Mode, Side};
use crate::capture::dns::Fate;
use crate::net::proxy_protocol::Version;
use crate::stream::{Condition, Denial, Kind, Loss, Role, Rung, Setback, Violation, Way};
use crate::tls;

/// Something that the operator may want to know. Whoever is told decides what becomes of it: a log
/// line, a number, both or nothing.
#[derive(Clone, Debug)]
pub enum Event {
    /// A connection was opened.
    Opened(Facts),
    /// TLS came up on it, or it never will and that is settled; from now on it is counted so.
    Settled(Facts),
    /// Its driver made a mistake, which is ours.
    Panicked,
    /// It ended, having carried so much.
    Ended(Facts, Ending, Totals),
    /// A pair may pass over a connection from now on.
    Bound {
        /// The connection.
        facts: Facts,
        /// The pair.
        pair: DomainPair,
        /// Whether its sender is the far end's; else its target is.
        comes: bool,
        /// By whose names the stream was opened.
        mode: Mode,
        /// On whose word: `dane`, `posh`, `pkix`, `dialback` or `configured`.
        grounds: &'static str,
        /// How long the connection had been open by then.
        took: Duration,
    },
    /// A pair found no way out.
    Failed {
        /// The pair.
        pair: DomainPair,
        /// Which side it was to leave on.
        side: Side,
        /// Why.
        setback: Setback,
    },
    /// Somebody asked for a pair and did not get it.
    Refused {
        /// The connection.
        facts: Facts,
        /// The pair; its sender is the far end's.
        pair: DomainPair,
        /// Why.
        denial: Denial,
    },
    /// A rung of the ladder was left for a lower one.
    Fell {
        /// The pair.
        pair: DomainPair,
        /// The rung that is tried next.
        to: Rung,
    },
    /// Somebody broke a rule.
    Broke {
        /// Which one.
        violation: Violation,
        /// On which side.
        side: Side,
        /// On which connection, if it came so far.
        connection: Option<ConnectionId>,
        /// From where.
        peer: Option<SocketAddr>,
    },
    /// Somebody was not let in.
    Shut {
        /// The rule that it would have broken.
        violation: Violation,
        /// The limit that it is about, if it is about one of several.
        limit: Option<&'static str>,
        /// On which side.
        side: Side,
        /// From where.
        peer: SocketAddr,
    },
    /// Somebody broke a rule at the admin port.
    Denied(Violation, SocketAddr),
    /// An answer was given or had about a dialback key.
    Dialback {
        /// What we were: `initiating`, `receiving` or `authoritative`.
        role: Role,
        /// What the answer was.
        valid: Option<bool>,
    },
    /// A domain was looked at for a stream.
    Judged {
        /// Which side the one who claims it is on.
        side: Side,
        /// Whether we opened the connection.
        outbound: bool,
        /// The domain.
        domain: Domain,
        /// The prooftype, where one was decisive.
        proof: Option<&'static str>,
        /// The finding: `proven`, or why not, of a closed set.
        result: &'static str,
        /// The reason's label, empty where proven.
        reason: &'static str,
    },
    /// Stanzas went through, towards the far ends of this side.
    Passed {
        /// The side they left on.
        side: Side,
        /// Of what kind.
        kind: Kind,
        /// How many.
        count: u64,
    },
    /// A stanza was given back to its sender.
    Bounced {
        /// The side its sender is on.
        side: Side,
        /// The condition.
        condition: &'static str,
    },
    /// A pair may not pass over a connection any more.
    Lost {
        /// The connection.
        facts: Facts,
        /// The pair.
        pair: DomainPair,
        /// Whether its sender is the far end's; else its target is.
        comes: bool,
        /// Why.
        loss: Loss,
    },
    /// A peer showed less than the policy asks of it.
    Barred {
        /// Whether we opened the connection.
        outbound: bool,
        /// What the policy asks.
        level: Level,
    },
    /// A TLS handshake has ended.
    Shaken {
        /// The connection.
        facts: Facts,
        /// What it came to, if it did not fail.
        version: Option<tls::Version>,
        /// How long it took.
        took: Duration,
    },
    /// A stream header of ours went to the far end, on a stream under these names.
    Headed(Facts, Mode),
    /// A far end answered, after so long, how much it has taken (XEP-0198).
    Acknowledged(Duration),
    /// Our own server was dialed.
    DialedHome {
        /// Whether it took the connection.
        reached: bool,
        /// How long that took.
        took: Duration,
    },
    /// A connection came from our own server.
    Captured(Led),
    /// Our own server asked DNS something.
    Steered(Fate),
    /// A load balancer handed a connection on.
    Introduced(Introduction),
}

impl Event {
    /// A pair may not pass over a connection any more, which it had passed that way.
    pub fn lost(facts: Facts, pair: DomainPair, way: Way, loss: Loss) -> Self {
        Self::Lost { facts, pair, comes: way == Way::Inbound, loss }
    }
}

/// What led our own server to us.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Led {
    /// Our answers to its DNS queries.
    Dns,
    /// The packet filter.
    Redirect,
    /// Its own configuration.
    Explicit,
}

/// What a load balancer said of a connection that it handed on, before anything else.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Introduction {
    /// Where it comes from.
    Named(Version),
    /// That it is its own, or that it does not know.
    Own(Version),
    /// Nothing, and it need not.
    Spared,
    /// Nothing that we take, or not in time; in the version that it began like.
    Refused(Option<Version>),
}

/// What stays true of a connection while it lives.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Which one.
    pub id: ConnectionId,
    /// Which side its far end is on.
    pub side: Side,
    /// Whether we opened it.
    pub outbound: bool,
    /// How TLS came up, if it did.
    pub transport: Option<Transport>,
    /// The far end's address.
    pub peer: SocketAddr,
}

/// What a connection has carried by its end. Bytes are counted within TLS: those of the stream.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// Bytes that were read.
    pub bytes_in: u64,
    /// Bytes that the network took.
    pub bytes_out: u64,
    /// Stanzas that were read, those that were refused included.
    pub stanzas_in: u64,
    /// Stanzas that the network took to their last byte.
    pub stanzas_out: u64,
    /// How long it was open.
    pub lasted: Duration,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// Both said goodbye.
    Closed,
    /// We ended it for this reason.
    Refused(Condition, &'static str),
    /// The network failed.
    Broken,
    /// It was of no more use: it had carried nothing for long.
    Idle,
    /// We are about to end.
    Drained,
}
