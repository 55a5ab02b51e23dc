//! How everything stands, in one answer that stays small whatever there is to tell: what the page
//! for people shows.

mod traffic;

use std::sync::Arc;
use std::time::SystemTime;

use ligase_metrics::Metrics;
use serde_json::{Value, json};

use self::traffic::Traffic;
use super::failures::Failures;
use super::reload::Reloader;
use super::self_check::SelfCheck;
use super::views::{certificates, timestamp};
use crate::args::{REVISION, VERSION};

/// Where all that is to be told comes from.
pub(super) struct Status {
    pub(super) reloader: Arc<Reloader>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) failures: Arc<Failures>,
    pub(super) self_check: Arc<SelfCheck>,
    pub(super) started: SystemTime,
}

impl Status {
    /// How everything stands.
    pub(super) fn show(&self) -> Value {
        let rooms = &self.reloader.rooms;
        let (now, config) = (rooms.now(), self.reloader.current());
        let missed = config.backends.iter().find(|it| !rooms.homes.is_up(&it.address));
        let told = rooms.tables.look_around(Traffic::copy).tell();
        let (stanzas, _) = rooms.tables.queued();
        let (failures, _) = self.failures.told(now, FAILURES_MAX);
        let mut counts = told.counts;
        counts.insert("failures".to_owned(), self.failures.count(now).into());
        counts.insert("queued_stanzas".to_owned(), stanzas.into());
        json!({
            "version": FORM,
            "at": timestamp(now),
            "product": {"version": VERSION, "revision": REVISION},
            "server_name": config.server_name.as_str(),
            "started_at": timestamp(self.started),
            "ready": self.reloader.readiness().show(),
            "backend": {
                "up": rooms.homes_are_up(),
                "address": missed.or_else(|| config.backends.first()).map(|it| it.address.to_string()),
            },
            "backends": config.backends.iter().map(|it| json!({
                "name": it.name,
                "address": it.address.to_string(),
                "up": rooms.homes.is_up(&it.address),
            })).collect::<Vec<_>>(),
            "draining": self.metrics.standing.is_draining(),
            "counts": counts,
            "pairs": told.pairs,
            "pairs_left_out": told.pairs_left_out,
            "channels": told.channels,
            "channels_left_out": told.channels_left_out,
            "failures": failures,
            "self_check": self.self_check.show(),
            "certificates": certificates(rooms.tls.identities(), now),
        })
    }
}

/// Of the form. One that lacks or renames a field would be another.
const FORM: u32 = 1;

/// More than a page shows; `/failures` has all of them.
const FAILURES_MAX: usize = 100;
