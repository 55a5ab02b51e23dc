//! The climb to a peer, rung by rung and place by place, and the journal of it.

use std::sync::{Arc, MutexGuard, PoisonError};

use ligase_verifier::{Domain, Endpoint, Pins, Service, Unresolved};

use super::{Missed, Place, Result, unresolved};
use crate::binding::{ConnectionId, DomainPair, Level, Side};
use crate::connection::event::Event;
use crate::connection::rooms::Rooms;
use crate::establish::{Journal, Next, Step};
use crate::stream::{Rung, Setback};

impl Rooms {
    /// Tries every endpoint of the target, on every rung that policy allows, until one lets the
    /// pair pass.
    pub(super) async fn climb(self: &Arc<Self>, pair: &DomainPair) -> Result<()> {
        self.note_begin(pair);
        let target = &pair.target;
        let endpoints = self.verifier.load_full().delegation(target, Service::Server).await;
        let endpoints = endpoints.map_err(|error| self.lost_way(target, error))?;
        // Records that name no host lead nowhere.
        let mut last = unresolved(Unresolved::NotFound);
        for endpoint in endpoints {
            last = match self.locate(endpoint.clone()).await {
                Ok(place) => match self.climb_at(pair, &place).await {
                    Ok(()) => return Ok(()),
                    Err((setback, Next::GiveUp)) => return Err(setback),
                    Err((setback, _)) => setback,
                },
                Err(setback) => {
                    self.note_step(pair, Some(&endpoint), None, Err(setback.clone()));
                    setback
                }
            };
        }
        Err(last)
    }

    /// The rungs at one endpoint, from the best that it may take.
    async fn climb_at(
        self: &Arc<Self>,
        pair: &DomainPair,
        place: &Place,
    ) -> std::result::Result<(), (Setback, Next)> {
        let (mut rung, mut ladder) = self.ladder(pair, &place.endpoint);
        if place.pins != Pins::None {
            // Who publishes TLSA records has TLS, whatever becomes of the handshake (RFC 7673 §4).
            ladder.level = ladder.level.max(Level::Encrypted);
        }
        let mut last = Setback::Unreachable;
        let mut denied = None;
        for _ in 0..RUNGS_MAX {
            let attempt = self.attempt(pair, place, rung).await;
            let outcome = attempt.as_ref().map_err(Missed::setback);
            self.note_step(
                pair,
                Some(&place.endpoint),
                Some(rung),
                outcome.copied().map_err(Setback::clone),
            );
            last = match attempt {
                Ok(opened) => {
                    if let Some(id) = opened {
                        self.note_met(place, rung, id);
                    }
                    return Ok(());
                }
                Err(Missed::Settled(setback)) => return Err((setback, Next::GiveUp)),
                Err(Missed::Failed(setback)) => cause(denied.as_ref(), rung, setback),
            };
            if matches!(last, Setback::Sasl | Setback::Usage) {
                denied = Some(last.clone());
            }
            self.note_missed(place, rung);
            if last == Setback::Plaintext {
                let level = self.terms(Side::Public).level(Some(&pair.target));
                (self.tell)(Event::Barred { outbound: true, level });
            }
            match ladder.next(rung, &last) {
                Next::Climb(to) => {
                    if rung < to {
                        (self.tell)(Event::Fell { pair: pair.clone(), to });
                    }
                    rung = to;
                }
                next @ (Next::Elsewhere | Next::GiveUp) => return Err((last, next)),
            }
        }
        Err((last, Next::Elsewhere))
    }

    /// Where a peer is could not be found out. If somebody forged it, or kept it from us, that
    /// settles who the peer is as well as its certificate would have.
    fn lost_way(&self, domain: &Domain, error: Unresolved) -> Setback {
        let result = match error {
            Unresolved::Bogus => Some("refuted"),
            Unresolved::Failed | Unresolved::TimedOut => Some("undetermined"),
            Unresolved::Declined | Unresolved::NotFound | Unresolved::Forbidden => None,
        };
        if let Some(result) = result {
            let (side, domain, reason) = (Side::Public, domain.clone(), error.label());
            let judged =
                Event::Judged { side, outbound: true, domain, proof: None, result, reason };
            (self.tell)(judged);
        }
        self.gone_astray(error)
    }

    /// Notes that a search begins.
    pub(super) fn note_begin(&self, pair: &DomainPair) {
        let now = self.now();
        self.journal().begin(pair, now);
    }

    /// Notes what became of a rung.
    pub(super) fn note_step(
        &self,
        pair: &DomainPair,
        endpoint: Option<&Endpoint>,
        rung: Option<Rung>,
        outcome: Result<Option<ConnectionId>>,
    ) {
        let step = Step { at: self.now(), endpoint: endpoint.cloned(), rung, outcome };
        self.journal().step(pair, step);
    }

    /// Notes how a search ended.
    pub(super) fn note_end(&self, pair: &DomainPair, result: &Result<()>) {
        let now = self.now();
        self.journal().end(pair, now, result.clone());
    }

    pub(super) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Missed {
    fn setback(&self) -> &Setback {
        match self {
            Self::Failed(setback) | Self::Settled(setback) => setback,
        }
    }
}

/// What to tell of a rung that did not hold. Who would not believe our certificate and then hears no
/// key either has said why before.
fn cause(denied: Option<&Setback>, rung: Rung, setback: Setback) -> Setback {
    let is_about_keys =
        matches!(setback, Setback::Stream(_) | Setback::TimedOut | Setback::Refused(_));
    denied.filter(|_| rung == Rung::Dialback && is_about_keys).cloned().unwrap_or(setback)
}

/// How many rungs are tried at one endpoint: all five, and one back (B-17 bounds the time).
const RUNGS_MAX: usize = 6;
