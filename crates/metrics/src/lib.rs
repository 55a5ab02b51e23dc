//! What we count, and how it is shown.
//!
//! Every family stands here at zero from the start, for every combination of its labels: a rate
//! over a series that appears with its first event misses that event, and an alert on a series
//! that is not there never fires.

#![forbid(unsafe_code)]

mod connections;
mod family;
mod labels;
mod lookups;
mod process;
mod refusals;
mod standing;
mod verdicts;
mod wires;

use prometheus::{Registry, TextEncoder};

pub use connections::{BindingGuard, ChannelGuard, ConnectionGuard, Connections};
pub use labels::{
    AuthReason, AuthResult, BounceCondition, CacheResult, Capture, Component, DialbackResult,
    DialbackRole, Direction, DnssecState, Ending, HeaderKind, Kind, Outcome, PolicyLevel,
    PoshResult, Proof, ProxyResult, ProxyVersion, QueryType, Rcode, RevocationCause, Rung,
    SelfCheck, Side, Steered, TlsVersion, TlsaResult, Transport, ViolationReason, ViolationSide,
    Way, Within,
};
pub use lookups::Lookups;
pub use refusals::Refusals;
pub use standing::Standing;
pub use verdicts::{Attempt, Verdicts};
pub use wires::Wires;

use family::{Families, Name};
use process::Process;

/// All the metrics of one process.
#[derive(Debug)]
pub struct Metrics {
    /// Connections, pairs, stanzas and queues.
    pub connections: Connections,
    /// What happens on connections below their stanzas.
    pub wires: Wires,
    /// What DNS and web servers were asked.
    pub lookups: Lookups,
    /// Attempts to prove peers, and what they were made from.
    pub verdicts: Verdicts,
    /// What was turned away or taken back.
    pub refusals: Refusals,
    /// Whether the program and what it depends on stand.
    pub standing: Standing,
    process: Process,
    registry: Registry,
}

impl Metrics {
    /// Every metric, registered and at zero; `version` and `revision` are those of this build.
    ///
    /// # Panics
    /// If two families have one name, which the first test finds.
    pub fn new(version: &str, revision: &str) -> Self {
        let families = Families(Registry::new());
        let name = Name("ligase_build_info", "Which build this is; always 1.");
        families.fact(name, &[("version", version), ("revision", revision)]);
        Self {
            connections: Connections::register(&families),
            wires: Wires::register(&families),
            lookups: Lookups::register(&families),
            verdicts: Verdicts::register(&families),
            refusals: Refusals::register(&families),
            standing: Standing::register(&families),
            process: Process::register(&families),
            registry: families.0,
        }
    }

    /// The text that Prometheus scrapes.
    pub fn render(&self) -> String {
        self.process.refresh();
        let mut text = String::new();
        // It fails for a family without metrics, and there is none; half a text beats none at all.
        let _ = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text);
        text
    }
}

/// The type of what [`Metrics::render`] returns, for HTTP.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

#[cfg(test)]
mod tests;
