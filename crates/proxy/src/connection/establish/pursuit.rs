//! How the search for a way out of a pair stands, for whoever asks why there is none.

use std::sync::PoisonError;
use std::time::SystemTime;

use ligase_verifier::{Domain, Endpoint};
use tokio::time::Instant;

use super::sharing::key;
use crate::binding::{DomainPair, Hosted};
use crate::connection::rooms::Rooms;
use crate::establish::{Climb, Recalled};
use crate::stream::{Rung, Setback};

/// How the search for a way out of a pair stands.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pursuit {
    /// Whether one is under way.
    pub searching: bool,
    /// How many stanzas wait for it.
    pub waiting: usize,
    /// The target is left alone for a while.
    pub back_off: Option<BackOff>,
    /// What the last search met with, if that is remembered.
    pub last: Option<Climb>,
}

/// A peer that could not be reached is left alone for a while (B-17).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BackOff {
    /// Not before then again.
    pub until: SystemTime,
    /// How often in a row it could not be reached.
    pub failures: u32,
    /// Why it could not.
    pub setback: Setback,
}

/// How a search would go about a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Prospect {
    /// The rung it would begin with.
    pub first: Rung,
    /// The lowest rung that it would try.
    pub lowest: Rung,
    /// What is remembered of the place.
    pub recalled: Option<Recalled>,
}

/// Whether a domain is our own server's, and who says so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Hosting {
    /// The operator has listed it.
    Listed,
    /// Our server has proven to serve it.
    Proven,
    /// The operator has listed others only.
    Unlisted,
    /// Our server is asked when somebody wants it, and nobody has yet.
    Unasked,
}

impl Rooms {
    /// How the search for a way out of `pair` stands.
    pub fn pursuit(&self, pair: &DomainPair) -> Pursuit {
        Pursuit {
            searching: self.flights().contains_key(pair),
            waiting: self.tables.count(pair),
            back_off: self.back_off(&pair.target),
            last: self.journal().last(pair).cloned(),
        }
    }

    /// How the next search for a way out of `pair` would go about a place.
    pub fn prospect(&self, pair: &DomainPair, endpoint: &Endpoint) -> Prospect {
        let (first, ladder) = self.ladder(pair, endpoint);
        let lowest = if ladder.level.allows_plaintext() { Rung::Plain } else { Rung::Dialback };
        let recalled = self.memory().recall(&key(endpoint), self.elapsed());
        Prospect { first, lowest: ladder.floor.min(lowest), recalled }
    }

    /// Whether a domain is our own server's, and who says so.
    pub fn hosting(&self, domain: &Domain) -> Hosting {
        let proven = || self.own.lock().unwrap_or_else(PoisonError::into_inner).contains(domain);
        match &*self.settings.load().public.hosted {
            Hosted::Only(domains) if domains.contains(domain) => Hosting::Listed,
            Hosted::Only(_) => Hosting::Unlisted,
            Hosted::Ask if proven() => Hosting::Proven,
            Hosted::Ask => Hosting::Unasked,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "back-off is about time")]
    fn back_off(&self, peer: &Domain) -> Option<BackOff> {
        let now = Instant::now();
        let unreached = self.unreached();
        let known = unreached.get(peer).filter(|known| now < known.until)?;
        Some(BackOff {
            until: self.now() + (known.until - now),
            failures: known.times.saturating_add(1),
            setback: known.setback.clone(),
        })
    }
}
