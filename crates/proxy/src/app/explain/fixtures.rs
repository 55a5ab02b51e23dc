//! What the tests of explanations begin with.

use std::time::{Duration, SystemTime};

use super::doubts::Doubt;
use super::way::{Carrier, Way};
use crate::binding::{ConnectionId, DomainPair, Far, Grounds, Mode, Side};
use crate::connection::establish::Pursuit;
use crate::connection::event::Facts;

/// A moment.
pub(super) fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

/// From us to a peer, or back, with nothing that carries it.
pub(super) fn way(towards: Side) -> Way {
    let [ours, peer] = ["montague.example", "capulet.example"].map(|it| it.parse().unwrap());
    let pair = DomainPair::new(ours, peer);
    Way {
        pair: if towards == Side::Public { pair } else { pair.reversed() },
        towards,
        public: Vec::new(),
        backend: Vec::new(),
        pursuit: Pursuit::default(),
        doubt: None,
        is_ours: true,
    }
}

/// A connection that we opened to a peer, server to server.
pub(super) fn carrier(id: u64) -> Carrier {
    Carrier {
        facts: Facts {
            id: ConnectionId(id),
            side: Side::Public,
            outbound: true,
            transport: Some(ligase_verifier::Transport::StartTls),
            peer: "192.0.2.7:5269".parse().unwrap(),
        },
        opened: at(60),
        mode: Mode::ServerName,
        far: Far { errors: true, bidi: true, dna: true, confirms: true },
        server: Some("xmpp.capulet.example".parse().unwrap()),
        grounds: Some(Grounds::Dialback),
    }
}

/// Somebody was not believed.
pub(super) fn doubt() -> Doubt {
    Doubt { at: at(30), result: "unproven", reason: "cert.expired" }
}
