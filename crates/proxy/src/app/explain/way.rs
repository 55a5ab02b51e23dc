use std::time::SystemTime;

use ligase_verifier::Domain;

use super::doubts::Doubt;
use crate::binding::{DomainPair, Far, Grounds, Mode, Side};
use crate::connection::establish::Pursuit;
use crate::connection::event::Facts;
use crate::stream::Setback;

/// One direction of a pair of ours: what carries it, and if nothing does, what is done about that.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// The pair.
    pub(super) pair: DomainPair,
    /// Which side it leaves on: outbound ways lead to peers.
    pub(super) towards: Side,
    /// The connections with peers that may carry it: the one in use first, then those that stand by.
    pub(super) public: Vec<Carrier>,
    /// The same with our own server.
    pub(super) backend: Vec<Carrier>,
    /// How the search for a way out stands.
    pub(super) pursuit: Pursuit,
    /// Why whoever came and claimed to be the peer was not believed.
    pub(super) doubt: Option<Doubt>,
    /// Whether it is for us to carry at all.
    pub(super) is_ours: bool,
}

/// A connection that may carry a way.
#[derive(Clone, Debug)]
pub(super) struct Carrier {
    /// What it is.
    pub(super) facts: Facts,
    /// Since when.
    pub(super) opened: SystemTime,
    /// By whose names it was opened.
    pub(super) mode: Mode,
    /// What its far end does.
    pub(super) far: Far,
    /// The server that it is proven to be, where it is met as one.
    pub(super) server: Option<Domain>,
    /// On what its far end speaks for its domain of the pair.
    pub(super) grounds: Option<Grounds>,
}

/// How a way stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum State {
    /// A connection carries it.
    Carried,
    /// One is being looked for.
    Searching,
    /// The peer could not be reached, and is left alone for a while.
    BackingOff(Setback),
    /// The last search found none.
    Failed(Setback),
    /// Whoever came was not believed.
    Doubted(Doubt),
    /// Nobody has wanted it since we remember.
    Idle,
    /// It is not for us to carry.
    Strange,
}

impl Way {
    /// How it stands.
    pub(super) fn state(&self) -> State {
        if !self.is_ours {
            return State::Strange;
        }
        if !self.public.is_empty() {
            return State::Carried;
        }
        if self.pursuit.searching || 0 < self.pursuit.waiting {
            return State::Searching;
        }
        if let Some(back_off) = self.pursuit.back_off.as_ref().filter(|_| self.leads_out()) {
            return State::BackingOff(back_off.setback.clone());
        }
        if let Some(doubt) = self.doubt.filter(|_| !self.leads_out()) {
            return State::Doubted(doubt);
        }
        let ended = self.pursuit.last.as_ref().and_then(|climb| climb.end.as_ref());
        match ended {
            Some((_, Err(setback))) => State::Failed(setback.clone()),
            Some((_, Ok(()))) | None => State::Idle,
        }
    }

    /// Whether it leads to the peer.
    pub(super) fn leads_out(&self) -> bool {
        self.towards == Side::Public
    }
}

impl State {
    /// As programs read it.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Carried => "carried",
            Self::Searching => "searching",
            Self::BackingOff(_) => "backing-off",
            Self::Failed(_) => "failed",
            Self::Doubted(_) => "not-believed",
            Self::Idle => "idle",
            Self::Strange => "not-ours",
        }
    }
}

#[cfg(test)]
mod tests;
