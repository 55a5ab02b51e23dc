use std::time::{Duration, SystemTime};

use prometheus::{IntCounter, IntGauge};

use crate::family::{Families, Family, Name};
use crate::labels::Component;

/// Whether the program and what it depends on stand.
#[derive(Debug)]
pub struct Standing {
    backend: IntGauge,
    expiry: IntGauge,
    reloaded: IntGauge,
    ready: Family<IntGauge, (Component,)>,
    panics: IntCounter,
}

impl Standing {
    pub(crate) fn register(families: &Families) -> Self {
        Self {
            backend: families.gauge(Name(
                "ligase_backend_up",
                "Whether our server took the last connection that we tried.",
            )),
            expiry: families.gauge(Name(
                "ligase_certificate_earliest_expiry_timestamp_seconds",
                "When the first of our own certificates expires, in seconds since 1970; 0 if none is loaded.",
            )),
            reloaded: families.gauge(Name(
                "ligase_config_last_reload_success",
                "Whether the configuration was understood when it was last read.",
            )),
            ready: families.gauges(
                Name("ligase_ready", "Whether this part of the program stands."),
                &["component"],
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

    /// Tells when the first of our own certificates expires.
    pub fn earliest_expiry(&self, at: Option<SystemTime>) {
        let since_1970 = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).ok();
        let seconds = at.and_then(since_1970).map_or(0, |it: Duration| it.as_secs());
        self.expiry.set(i64::try_from(seconds).unwrap_or(i64::MAX));
    }

    /// Tells whether the configuration was understood when it was last read.
    pub fn reloaded(&self, understood: bool) {
        self.reloaded.set(understood.into());
    }

    /// Tells whether a part of the program stands.
    pub fn ready(&self, component: Component, stands: bool) {
        self.ready.at((component,)).set(stands.into());
    }

    /// Counts a task that ended because of a mistake of ours.
    pub fn panicked(&self) {
        self.panics.inc();
    }
}
