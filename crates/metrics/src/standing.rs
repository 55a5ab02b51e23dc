use std::time::{Duration, SystemTime};

use prometheus::{IntCounter, IntGauge};

use crate::family::{Families, Family, Name};
use crate::labels::{Component, Outcome, SelfCheck, Within};

/// Whether the program and what it depends on stand.
#[derive(Debug)]
pub struct Standing {
    backend: IntGauge,
    expiry: IntGauge,
    certificates: IntGauge,
    expiring: Family<IntGauge, (Within,)>,
    certificate_reloads: Family<IntCounter, (Outcome,)>,
    understood: IntGauge,
    configured: IntGauge,
    reloads: Family<IntCounter, (Outcome,)>,
    ready: Family<IntGauge, (Component,)>,
    peers_known: IntGauge,
    peers_backoff: IntGauge,
    draining: IntGauge,
    remaining: IntGauge,
    self_check: Family<IntGauge, (SelfCheck,)>,
    self_checked: IntGauge,
    panics: IntCounter,
}

impl Standing {
    pub(crate) fn register(families: &Families) -> Self {
        let gauge = |name, meaning| families.gauge(Name(name, meaning));
        Self {
            backend: gauge(
                "ligase_backend_up",
                "Whether our server took the last connection that we tried.",
            ),
            expiry: gauge(
                "ligase_certificate_earliest_expiry_timestamp_seconds",
                "When the first of our own certificates expires, in seconds since 1970; 0 if none is loaded.",
            ),
            certificates: gauge("ligase_certificates_loaded", "Our own certificates."),
            expiring: families.gauges(
                Name(
                    "ligase_certificates_expiring",
                    "Our own certificates that end within this time, or have ended.",
                ),
                &["within"],
            ),
            certificate_reloads: families.counters(
                Name(
                    "ligase_certificate_reloads_total",
                    "Times that our certificates were reread.",
                ),
                &["result"],
            ),
            understood: gauge(
                "ligase_config_last_reload_success",
                "Whether the configuration was understood when it was last read.",
            ),
            configured: gauge(
                "ligase_config_last_reload_timestamp_seconds",
                "When the configuration in effect was read, in seconds since 1970.",
            ),
            reloads: families.counters(
                Name("ligase_config_reloads_total", "Times that the configuration was read again."),
                &["result"],
            ),
            ready: families.gauges(
                Name("ligase_ready", "Whether this part of the program stands."),
                &["component"],
            ),
            peers_known: gauge(
                "ligase_peers_known",
                "Servers of peers of which is remembered how they were met.",
            ),
            peers_backoff: gauge(
                "ligase_peers_backoff",
                "Peers that could not be reached and are left alone for a while.",
            ),
            draining: gauge("ligase_draining", "Whether the program is about to end."),
            remaining: gauge(
                "ligase_drain_connections_remaining",
                "Connections that are still to end; 0 unless the program is about to.",
            ),
            self_check: families.gauges(
                Name(
                    "ligase_self_check_failures",
                    "Our own domains that do not publish what they should.",
                ),
                &["check"],
            ),
            self_checked: gauge(
                "ligase_self_check_last_run_timestamp_seconds",
                "When that was last looked at, in seconds since 1970; 0 if never.",
            ),
            panics: families.counter(Name(
                "ligase_panics_total",
                "Tasks that ended because of a mistake of ours.",
            )),
        }
    }

    /// Tells whether our server took the last connection that we tried.
    pub fn backend(&self, up: bool) {
        self.backend.set(up.into());
    }

    /// What [`backend`](Self::backend) told last; no, if nobody tried yet.
    pub fn backend_is_up(&self) -> bool {
        self.backend.get() == 1
    }

    /// Tells when the first of our own certificates expires.
    pub fn earliest_expiry(&self, at: Option<SystemTime>) {
        self.expiry.set(at.map_or(0, since_1970));
    }

    /// Tells when each of our own certificates ends.
    pub fn certificates(&self, ends: &[SystemTime], now: SystemTime) {
        self.certificates.set(number(ends.len()));
        for within in Within::ALL {
            let limit = now + Duration::from_secs(within.days() * 24 * 3600);
            let expiring = ends.iter().filter(|end| **end <= limit).count();
            self.expiring.at((*within,)).set(number(expiring));
        }
    }

    /// Counts a time that our certificates were reread.
    pub fn certificates_reread(&self, outcome: Outcome) {
        self.certificate_reloads.at((outcome,)).inc();
    }

    /// Tells that a configuration took effect when the program started.
    pub fn configured(&self, at: SystemTime) {
        self.understood.set(1);
        self.configured.set(since_1970(at));
    }

    /// Tells whether the configuration was understood when it was read again.
    pub fn reloaded(&self, outcome: Outcome, at: SystemTime) {
        self.reloads.at((outcome,)).inc();
        match outcome {
            Outcome::Success => self.configured(at),
            Outcome::Failure => self.understood.set(0),
        }
    }

    /// Tells whether a part of the program stands.
    pub fn ready(&self, component: Component, stands: bool) {
        self.ready.at((component,)).set(stands.into());
    }

    /// Tells of how many servers of peers is remembered how they were met, and how many peers are
    /// left alone.
    pub fn peers(&self, known: usize, left_alone: usize) {
        self.peers_known.set(number(known));
        self.peers_backoff.set(number(left_alone));
    }

    /// Tells that the program is about to end.
    pub fn draining(&self) {
        self.draining.set(1);
    }

    /// Whether the program is about to end.
    pub fn is_draining(&self) -> bool {
        self.draining.get() == 1
    }

    /// Tells how many connections there are; they remain to end if the program is about to.
    pub fn remaining(&self, connections: usize) {
        let remaining = if self.is_draining() { connections } else { 0 };
        self.remaining.set(number(remaining));
    }

    /// Tells how many of our own domains failed a check.
    pub fn self_check_failed(&self, check: SelfCheck, domains: usize) {
        self.self_check.at((check,)).set(number(domains));
    }

    /// Tells when our own domains were last looked at.
    pub fn self_checked(&self, at: SystemTime) {
        self.self_checked.set(since_1970(at));
    }

    /// Counts a task that ended because of a mistake of ours.
    pub fn panicked(&self) {
        self.panics.inc();
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn since_1970(at: SystemTime) -> i64 {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |it| it.as_secs());
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
