//! Looks again and again whether what our own domains publish fits what we show: if it does not,
//! others turn us away, and nothing here would tell.

mod judgment;
mod lead;
mod record;
mod survey;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ligase_verifier::Domain;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use self::judgment::{Check, Kind, Outcome};
use self::record::{Change, Record};
use self::survey::Surveyor;
use super::reload::Reloader;

/// Looks at our own records, and remembers what it found.
pub(super) struct SelfCheck {
    reloader: Arc<Reloader>,
    record: Mutex<Record>,
}

impl SelfCheck {
    /// One that has not looked yet.
    pub(super) fn new(reloader: Arc<Reloader>) -> Self {
        Self { reloader, record: Mutex::default() }
    }

    /// What was found last, as JSON.
    pub(super) fn show(&self) -> Value {
        self.record().show()
    }

    /// Looks for ever: some time after the start, each time that something of ours has changed, and
    /// as often as the configuration says.
    pub(super) async fn run(self: Arc<Self>) {
        sleep(jitter(START_MIN)).await;
        let mut anew = false;
        loop {
            let every = self.reloader.current().self_check;
            let pause = match every {
                Some(every) => self.look(every, anew).await,
                None => {
                    *self.record() = Record::default();
                    self.count();
                    FOREVER
                }
            };
            tokio::select! {
                () = sleep(pause) => anew = false,
                () = self.reloader.changed.notified() => {
                    // A secret that is mounted anew changes file by file.
                    sleep(jitter(CHANGE_MIN)).await;
                    // Whoever changed something may have changed the records, too.
                    anew = true;
                }
            }
        }
    }

    /// Looks at all domains, `anew` at what is published by now, and tells when to look again.
    async fn look(&self, every: Duration, anew: bool) -> Duration {
        let found = self.survey(anew).await;
        let now = self.reloader.rooms.now();
        let (changes, pause) = {
            let mut record = self.record();
            let changes = record.note(found);
            // DNS may not have been there yet; it will be soon.
            let pause = if record.is_unknown() { every.min(AGAIN) } else { every };
            (record.at, record.next) = (Some(now), Some(now + pause));
            (changes, pause)
        };
        tell(&changes);
        self.count();
        pause
    }

    /// What our domains publish.
    async fn survey(&self, anew: bool) -> BTreeMap<Domain, Vec<Check>> {
        let config = Arc::new(self.reloader.current());
        let domains: Vec<_> = match config.domains() {
            Some(domains) => domains.into_iter().cloned().collect(),
            None => self.reloader.rooms.proven(PROVEN_MAX),
        };
        let surveyor = Surveyor::new(&self.reloader.rooms, config);
        let (mut domains, mut found) = (domains.into_iter(), BTreeMap::new());
        let mut looking = JoinSet::new();
        loop {
            while looking.len() < AT_A_TIME
                && let Some(domain) = domains.next()
            {
                let surveyor = surveyor.clone();
                looking.spawn(async move {
                    if anew {
                        surveyor.forget(&domain);
                    }
                    let checks = timeout(PATIENCE, surveyor.check(&domain)).await;
                    (checks.unwrap_or_else(|_| vec![late(&domain)]), domain)
                });
            }
            match looking.join_next().await {
                Some(Ok((checks, domain))) => drop(found.insert(domain, checks)),
                // A mistake of ours, which tells nothing of the domain.
                Some(Err(_)) => (),
                None => return found,
            }
        }
    }

    /// Tells the metrics what was found.
    fn count(&self) {
        let (record, standing) = (self.record(), &self.reloader.metrics.standing);
        for (kind, check) in [
            (Kind::Srv, ligase_metrics::SelfCheck::Srv),
            (Kind::Tlsa, ligase_metrics::SelfCheck::Tlsa),
            (Kind::Posh, ligase_metrics::SelfCheck::Posh),
        ] {
            standing.self_check_failed(check, record.failures(kind));
        }
        if let Some(at) = record.at {
            standing.self_checked(at);
        }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is said of a domain of which nothing could be found out in time.
fn late(domain: &Domain) -> Check {
    let text = format!("What {} publishes could not be looked up in time.", domain.ascii());
    Check { kind: Kind::Srv, outcome: Outcome::Unknown, text, fix: None }
}

/// One line for each change; of very many, the first.
fn tell(changes: &[Change]) {
    for change in changes.iter().take(LINES_MAX) {
        match change {
            Change::Broken(domain, checks) => {
                for check in checks {
                    let (kind, result) = (check.kind.as_str(), check.outcome.as_str());
                    let (local, text) = (domain.ascii(), check.text.as_str());
                    warn!(local, check = kind, result, text, "our own records do not match");
                }
            }
            Change::Mended(domain) => {
                info!(local = domain.ascii(), "our own records match again");
            }
        }
    }
    let more = changes.len().saturating_sub(LINES_MAX);
    if 0 < more {
        warn!(more, "the records of more domains have changed; /self-check has all of them");
    }
}

/// This long and up to twice as long, so that what starts together does not ask together.
fn jitter(least: Duration) -> Duration {
    let mut chance = [0];
    // Without chance there is no spread, which is no reason not to look.
    let _ = aws_lc_rs::rand::fill(&mut chance);
    least.mul_f32(1.0 + f32::from(chance[0]) / 256.0)
}

/// Until after a start: the resolver may be starting, too.
const START_MIN: Duration = Duration::from_secs(2);

/// Until after a change.
const CHANGE_MIN: Duration = Duration::from_secs(2);

/// Until after something could not be looked up.
const AGAIN: Duration = Duration::from_secs(300);

/// Where nobody is to look.
const FOREVER: Duration = Duration::from_secs(u32::MAX as u64);

/// Domains at a time: peers have to be looked up meanwhile.
const AT_A_TIME: usize = 4;

/// Domains that are looked at where our server alone knows which there are.
const PROVEN_MAX: usize = 1_000;

/// For one domain: some look-ups one after the other, each with a limit of its own.
const PATIENCE: Duration = Duration::from_secs(60);

/// Domains that are logged at a time.
const LINES_MAX: usize = 20;

#[cfg(test)]
mod tests;
