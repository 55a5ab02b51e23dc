use std::collections::HashMap;

use prometheus::IntCounter;

use crate::family::{Families, Family, Name};
use crate::labels::{
    AuthReason, AuthResult, DialbackResult, DialbackRole, Direction, DnssecState, PolicyLevel,
    PoshResult, Proof, Rung, TlsaResult,
};

/// Attempts to prove peers, and what they were made from.
#[derive(Debug)]
pub struct Verdicts {
    attempts: HashMap<Attempt, IntCounter>,
    upgrades: Family<IntCounter, (Direction, Proof)>,
    downgrades: HashMap<(Direction, Proof), IntCounter>,
    rejections: Family<IntCounter, (Direction, PolicyLevel)>,
    dnssec: Family<IntCounter, (DnssecState,)>,
    tlsa: Family<IntCounter, (TlsaResult,)>,
    posh: Family<IntCounter, (PoshResult,)>,
    dialback: Family<IntCounter, (DialbackRole, DialbackResult)>,
    fallbacks: Family<IntCounter, (Rung,)>,
}

/// One attempt to prove a peer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Attempt {
    /// Who opened the connection.
    pub direction: Direction,
    /// What was tried.
    pub proof: Proof,
    /// How it ended.
    pub result: AuthResult,
    /// Why it did not succeed.
    pub reason: AuthReason,
}

impl Attempt {
    /// Every attempt that makes sense.
    fn each() -> impl Iterator<Item = Self> {
        let places = Direction::ALL
            .iter()
            .flat_map(|direction| Proof::ALL.iter().map(move |proof| (*direction, *proof)));
        let ends = || {
            AuthResult::ALL
                .iter()
                .flat_map(|result| AuthReason::ALL.iter().map(move |reason| (*result, *reason)))
        };
        places
            .flat_map(move |(direction, proof)| {
                ends().map(move |(result, reason)| Self { direction, proof, result, reason })
            })
            .filter(|it| *it == it.sensible())
    }

    /// The same, but for a reason that does not go with the rest.
    fn sensible(self) -> Self {
        let reason = match (self.result, self.reason) {
            (AuthResult::Proven, _) => AuthReason::None,
            (_, AuthReason::None) => AuthReason::Other,
            (_, reason) if !reason.applies_to(self.proof) => AuthReason::Other,
            (_, reason) => reason,
        };
        Self { reason, ..self }
    }
}

impl Verdicts {
    pub(crate) fn register(families: &Families) -> Self {
        let attempts = families.listed(
            Name(
                "ligase_auth_attempts_total",
                "Attempts to prove a peer, one for each prooftype that was tried.",
            ),
            &["direction", "proof", "result", "reason"],
            Attempt::each().map(|it| {
                let values = [
                    it.direction.as_str(),
                    it.proof.as_str(),
                    it.result.as_str(),
                    it.reason.as_str(),
                ];
                (it, values)
            }),
        );
        Self {
            attempts,
            upgrades: families.counters(
                Name(
                    "ligase_auth_upgrades_total",
                    "Pairs for which our server knew dialback alone and the peer was met with more.",
                ),
                &["direction", "to"],
            ),
            downgrades: families.listed(
                Name(
                    "ligase_auth_downgrades_total",
                    "Pairs that were let in with dialback though the peer had shown better before.",
                ),
                &["direction", "from"],
                stronger(),
            ),
            rejections: families.counters(
                Name(
                    "ligase_policy_rejections_total",
                    "Times that a peer showed less than the policy asks of it.",
                ),
                &["direction", "level"],
            ),
            dnssec: families.counters(
                Name(
                    "ligase_dnssec_validations_total",
                    "DNS answers, by how far they can be trusted.",
                ),
                &["result"],
            ),
            tlsa: families.counters(
                Name(
                    "ligase_tlsa_checks_total",
                    "Certificates that were compared with TLSA records.",
                ),
                &["result"],
            ),
            posh: families.counters(
                Name("ligase_posh_fetches_total", "POSH documents that were asked for."),
                &["result"],
            ),
            dialback: families.counters(
                Name("ligase_dialback_total", "Exchanges of Server Dialback with peers."),
                &["role", "result"],
            ),
            fallbacks: families.counters(
                Name(
                    "ligase_fallback_total",
                    "Times that a better way to negotiate failed and this one was tried next.",
                ),
                &["rung"],
            ),
        }
    }

    /// Counts one attempt to prove a peer. A reason that does not go with the proof or the result
    /// is counted as `other`.
    pub fn attempted(&self, attempt: Attempt) {
        if let Some(counter) = self.attempts.get(&attempt.sensible()) {
            counter.inc();
        }
    }

    /// Counts a pair for which our server knew dialback alone, and the peer was met with `to`.
    pub fn upgraded(&self, direction: Direction, to: Proof) {
        self.upgrades.at((direction, to)).inc();
    }

    /// Counts a pair that was let in with dialback, whose peer was met with `from` before. There is
    /// nothing below dialback, so from there nobody falls.
    pub fn downgraded(&self, direction: Direction, from: Proof) {
        if let Some(counter) = self.downgrades.get(&(direction, from)) {
            counter.inc();
        }
    }

    /// Counts a peer that showed less than is asked of it.
    pub fn rejected(&self, direction: Direction, level: PolicyLevel) {
        self.rejections.at((direction, level)).inc();
    }

    /// Counts one DNS answer.
    pub fn validated(&self, state: DnssecState) {
        self.dnssec.at((state,)).inc();
    }

    /// Counts one comparison of a certificate with TLSA records.
    pub fn compared_tlsa(&self, result: TlsaResult) {
        self.tlsa.at((result,)).inc();
    }

    /// Counts one POSH document that was asked for.
    pub fn fetched_posh(&self, result: PoshResult) {
        self.posh.at((result,)).inc();
    }

    /// Counts one exchange of Server Dialback.
    pub fn dialed_back(&self, role: DialbackRole, result: DialbackResult) {
        self.dialback.at((role, result)).inc();
    }

    /// Counts one step down the ladder, by where it led.
    pub fn fell_back(&self, to: Rung) {
        self.fallbacks.at((to,)).inc();
    }
}

/// Every direction, and every proof from which one can fall to dialback.
fn stronger() -> impl Iterator<Item = ((Direction, Proof), [&'static str; 2])> {
    Direction::ALL.iter().flat_map(|direction| {
        let proofs = Proof::ALL.iter().filter(|it| **it != Proof::Dialback);
        proofs.map(move |it| ((*direction, *it), [direction.as_str(), it.as_str()]))
    })
}
