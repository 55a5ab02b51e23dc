use prometheus::IntCounter;

use crate::family::{Families, Family, Name};
use crate::labels::{BounceCondition, Direction, RevocationCause, ViolationReason, ViolationSide};

/// What was turned away or taken back.
#[derive(Debug)]
pub struct Refusals {
    bounces: Family<IntCounter, (Direction, BounceCondition)>,
    violations: Family<IntCounter, (ViolationSide, ViolationReason)>,
    revocations: Family<IntCounter, (RevocationCause,)>,
}

impl Refusals {
    pub(crate) fn register(families: &Families) -> Self {
        Self {
            bounces: families.counters(
                Name(
                    "ligase_bounces_total",
                    "Stanzas that went back to their sender, by the way they had been going.",
                ),
                &["direction", "condition"],
            ),
            violations: families.counters(
                Name(
                    "ligase_violations_total",
                    "Inputs that were rejected because they broke a rule.",
                ),
                &["side", "reason"],
            ),
            revocations: families.counters(
                Name("ligase_revocations_total", "Pairs whose right to pass was taken back."),
                &["cause"],
            ),
        }
    }

    /// Counts a stanza that went back to its sender; `direction` is the way it had been going.
    pub fn bounced(&self, direction: Direction, condition: BounceCondition) {
        self.bounces.at((direction, condition)).inc();
    }

    /// Counts an input that was rejected because it broke a rule.
    pub fn violated(&self, side: ViolationSide, reason: ViolationReason) {
        self.violations.at((side, reason)).inc();
    }

    /// Counts a pair whose right to pass was taken back.
    pub fn revoked(&self, cause: RevocationCause) {
        self.revocations.at((cause,)).inc();
    }
}
