//! Reads everything again when the operator asks or a file has changed.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use ligase_metrics::{Component, Metrics, Outcome};
use ligase_verifier::Domain;
use ligase_verifier::Verifier;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tracing::{info, warn};

use super::keys::BothKeys;
use super::settings;
use super::{files, supervisor};
use crate::admin::Readiness;
use crate::config::{self, Config, Overrides};
use crate::connection::rooms::Rooms;
use crate::logging::Logging;
use crate::tls::identity::{Identities, Reloaded};

/// Puts a changed configuration into effect; a broken one changes nothing.
pub(super) struct Reloader {
    pub(super) path: PathBuf,
    pub(super) overrides: Overrides,
    pub(super) logging: Logging,
    pub(super) keys: BothKeys,
    pub(super) rooms: Arc<Rooms>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) current: Mutex<Config>,
    /// Something of ours has changed: the configuration or a certificate.
    pub(super) changed: Notify,
    /// What the files held by which we believe others.
    pub(super) believed: Mutex<Contents>,
}

impl Reloader {
    /// The configuration in effect.
    pub(super) fn current(&self) -> Config {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the configuration and everything it names again.
    ///
    /// # Errors
    /// What is wrong; nothing has changed then.
    pub(super) fn reload(&self) -> Result<(), Vec<config::Error>> {
        supervisor::reloading();
        let result = self.try_reload();
        supervisor::ready();
        let outcome = if result.is_ok() { Outcome::Success } else { Outcome::Failure };
        self.metrics.standing.reloaded(outcome, self.rooms.now());
        match &result {
            Ok(()) => {
                info!("reloaded");
                self.changed.notify_one();
            }
            Err(problems) => {
                for problem in problems {
                    let (key, problem) = (problem.key.as_str(), problem.problem.as_str());
                    warn!(key, problem, "not reloaded; everything stays as it was");
                }
            }
        }
        result
    }

    fn try_reload(&self) -> Result<(), Vec<config::Error>> {
        let config = Config::read(&self.path, &self.overrides)?;
        let verifier = self.doubted_verifier(&config)?;
        let reloaded = self.rooms.tls.identities().replace(files(&config));
        match &reloaded {
            Ok(Reloaded::Changed) => self.metrics.standing.certificates_reread(Outcome::Success),
            Ok(Reloaded::Unchanged) => (),
            Err(_) => self.metrics.standing.certificates_reread(Outcome::Failure),
        }
        reloaded.map_err(|error| {
            let (key, problem) = ("certificates".to_owned(), error.to_string());
            vec![config::Error { key, problem }]
        })?;
        if let Some((verifier, believed)) = verifier {
            self.rooms.verifier.store(Arc::new(verifier));
            *self.believed.lock().unwrap_or_else(PoisonError::into_inner) = believed;
            // Whoever was proven by what we believed before has to be proven anew (F-51).
            self.rooms.tables.doubt();
        }
        self.rooms.change(settings::settings(&config, &self.keys));
        self.logging.configure(config.log.level);
        let expiry = self.rooms.tls.identities().earliest_expiry();
        self.metrics.standing.earliest_expiry(Some(expiry));
        let before = self.current();
        for key in needs_restart(&before, &config) {
            warn!(key, "changed, and takes effect with the next start only");
        }
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Another verifier, if what the one in use was made of has changed. It begins without memory.
    fn doubted_verifier(
        &self,
        config: &Config,
    ) -> Result<Option<(Verifier, Contents)>, Vec<config::Error>> {
        let before = self.current();
        let same = before.resolver == config.resolver
            && before.roots == config.roots
            && before.revocations == config.revocations
            && before.posh_port == config.posh_port
            && before.prooftypes == config.prooftypes
            && before.tlsa_usages == config.tlsa_usages
            && before.limits.lookup_seconds == config.limits.lookup_seconds
            && before.limits.dns_answers == config.limits.dns_answers;
        let believed = contents(config.verifier_files());
        if same && believed == *self.believed.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(None);
        }
        let verifier = super::verifier(config, &self.metrics).map_err(|error| {
            let (key, problem) = (config::verifier_key(&error).to_owned(), error.to_string());
            vec![config::Error { key, problem }]
        })?;
        Ok(Some((verifier, believed)))
    }

    /// Looks again and again whether a file has changed: a mounted secret changes without a signal.
    pub(super) async fn watch(self: Arc<Self>) {
        let mut seen = self.fingerprint();
        loop {
            tokio::time::sleep(GLANCE).await;
            let now = self.fingerprint();
            if now != seen {
                seen = now;
                let _ = self.reload();
            } else if let Ok(Reloaded::Changed) = self.rooms.tls.identities().reload() {
                info!("certificates reread");
                self.metrics.standing.certificates_reread(Outcome::Success);
                self.changed.notify_one();
                let expiry = self.rooms.tls.identities().earliest_expiry();
                self.metrics.standing.earliest_expiry(Some(expiry));
            }
        }
    }

    /// What the configuration and every file that it names hold now.
    fn fingerprint(&self) -> Contents {
        let named = self.current().files();
        contents(std::iter::once(self.path.clone()).chain(named))
    }

    pub(super) fn readiness(&self) -> Readiness {
        let draining = self.metrics.standing.is_draining();
        readiness(self.rooms.tls.identities(), self.rooms.now(), draining)
    }

    /// The configuration without its secrets, for the admin port.
    pub(super) fn show(&self) -> Value {
        let config = self.current();
        let domains = config.domains();
        let domains = domains
            .map_or_else(|| vec!["auto"], |all| all.into_iter().map(Domain::as_str).collect());
        let text = |addresses: &[std::net::SocketAddr]| {
            addresses.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        json!({
            "server_name": config.server_name.as_str(),
            "hosts": domains,
            "certificates": config.certificates.iter().map(|it| json!({
                "chain": it.chain.display().to_string(),
                "key": it.key.display().to_string(),
                "next_key": it.next_key.as_ref().map(|it| it.display().to_string()),
            })).collect::<Vec<_>>(),
            "backend": {
                "address": config.backends.first().map(|it| it.address.to_string()),
                "networks": config.backend.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "tls": config.backend.tls.as_str(),
                "local_ca": {
                    "certificate": config.backend.local_ca.certificate.display().to_string(),
                },
            },
            "backends": config.backends.iter().map(|it| json!({
                "name": it.name,
                "address": it.address.to_string(),
                "hosts": it.domains().map(Domain::as_str).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "capture": config.capture.as_str(),
            "steer": { "to": config.steer.to_string() },
            "listen": {
                "federation": text(&config.listen.federation),
                "backend": text(&config.listen.backend),
                "dns": text(&config.listen.dns),
                "posh": text(&config.listen.posh),
                "admin": text(&config.listen.admin),
            },
            "public": {
                "starttls": config.public.starttls,
                "direct_tls": config.public.direct_tls,
            },
            "proxy_protocol": {
                "trusted": config.proxy_protocol.trusted.iter().map(ToString::to_string)
                    .collect::<Vec<_>>(),
                "required": config.proxy_protocol.required,
            },
            "resolver": { "dnssec": config.resolver.dnssec.as_str() },
            "policy": { "default": config.policy.default.as_str() },
            "self_check_seconds": config.self_check.map_or(0, |it| it.as_secs()),
            "log": {
                "level": config.log.level.as_str(),
                "format": config.log.format.as_str(),
            },
        })
    }
}

fn readiness(identities: &Identities, now: SystemTime, draining: bool) -> Readiness {
    // Load balancers shall send nobody any more.
    let listening = if draining { Err("we are about to end".to_owned()) } else { Ok(()) };
    let fresh = if now < identities.earliest_expiry() {
        Ok(())
    } else {
        Err("a certificate has expired".to_owned())
    };
    Readiness {
        parts: vec![
            (Component::Config, Ok(())),
            (Component::Certificates, fresh),
            (Component::Resolver, Ok(())),
            (Component::Listeners, listening),
        ],
    }
}

/// What files hold; none where one cannot be read.
pub(super) type Contents = Vec<Option<Vec<u8>>>;

pub(super) fn contents(files: impl IntoIterator<Item = PathBuf>) -> Contents {
    files.into_iter().map(|path| std::fs::read(path).ok()).collect()
}

/// Keys whose new values are not taken up while the program runs.
fn needs_restart(before: &Config, after: &Config) -> Vec<&'static str> {
    let (was, is) = (&before.limits, &after.limits);
    let changed = [
        ("listen", before.listen != after.listen),
        ("capture", before.capture != after.capture),
        // Our own server is answered by whom we asked when we started.
        ("resolver.servers", before.resolver.servers != after.resolver.servers),
        ("resolver.forward", before.resolver.forward != after.resolver.forward),
        ("steer", before.steer != after.steer),
        ("backend.networks", before.backend.networks != after.backend.networks),
        ("backend.local_ca", before.backend.local_ca != after.backend.local_ca),
        ("dialback_secret", before.dialback_secret != after.dialback_secret),
        ("log.format", before.log.format != after.log.format),
        ("limits.connections", was.connections != is.connections),
        (
            "limits.connections_per_address",
            was.connections_per_address != is.connections_per_address,
        ),
        ("limits.connections_per_second", was.connections_per_second != is.connections_per_second),
        (
            "limits.address_connections_per_second",
            was.address_connections_per_second != is.address_connections_per_second,
        ),
        ("limits.outbox_bytes", was.outbox_bytes != is.outbox_bytes),
        ("limits.queue_stanzas", was.queue_stanzas != is.queue_stanzas),
        ("limits.queue_bytes", was.queue_bytes != is.queue_bytes),
        ("limits.queue_total_bytes", was.queue_total_bytes != is.queue_total_bytes),
        ("limits.backend_connects", was.backend_connects != is.backend_connects),
        ("limits.backend_streams", was.backend_streams != is.backend_streams),
        (
            "limits.authority_connects_per_address",
            was.authority_connects_per_address != is.authority_connects_per_address,
        ),
        ("limits.memory_bytes", was.memory_bytes != is.memory_bytes),
        ("limits.authority_connects", was.authority_connects != is.authority_connects),
    ];
    changed.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key).collect()
}

/// How often the files are looked at.
const GLANCE: Duration = Duration::from_secs(2);
