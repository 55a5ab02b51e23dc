//! Builds the rooms, opens the doors, waits for the end.

mod descriptors;
#[cfg(test)]
mod documented;
mod doors;
mod explain;
mod failures;
mod keys;
mod memory;
mod reload;
mod scrape;
mod self_check;
mod settings;
mod site;
mod status;
mod supervisor;
mod views;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use aws_lc_rs::rand;
use ligase_metrics::{Component, Metrics};
use ligase_verifier::{SetupError, Unsigned, Verifier};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tracing::{info, warn};
use zeroize::Zeroizing;

use crate::admin::Explained;
use crate::args::{Exit, REVISION, VERSION};
use crate::config::{self, Config};
use crate::connection::event::Event;
use crate::connection::homes::Homes;
use crate::connection::rooms::Rooms;
use crate::drain::drain;
use crate::logging::Logging;
use crate::net::inherited::{self, Inherited};
use crate::observe::{self, Observer};
use crate::tls::Tls;
use crate::tls::identity::{self, Identities};
use crate::tls::local_ca::{self, LocalCa};

use self::descriptors::Shares;
use self::doors::Doors;
use self::explain::{Explainer, Witness};
use self::failures::{Cure, Failures};
use self::keys::BothKeys;
use self::reload::Reloader;
use self::self_check::SelfCheck;
use self::status::Status;

/// The program, built and not yet running.
pub struct App {
    rooms: Arc<Rooms>,
    witness: Arc<Witness>,
    failures: Arc<Failures>,
    metrics: Arc<Metrics>,
    doors: Doors,
    reloader: Arc<Reloader>,
    end: Arc<Notify>,
}

/// Why the program cannot start.
#[derive(Debug)]
pub enum Error {
    /// The configuration is wrong.
    Config(Vec<config::Error>),
    /// Whoever started us gave us a socket that we have no use for.
    Inherited(inherited::Error),
    /// An address cannot be listened at.
    Bind(SocketAddr, io::Error),
    /// A certificate or its key cannot be used.
    Identity(identity::Error),
    /// The local authority cannot be used.
    LocalCa(identity::Error),
    /// Peers cannot be looked up or judged.
    Verifier(SetupError),
    /// The system gives no chance, or the library no cryptography.
    Chance,
}

impl App {
    /// Builds everything, and binds every address that is not among the inherited. Nobody is served
    /// yet.
    ///
    /// # Errors
    /// What the program cannot do without.
    pub async fn build(
        path: PathBuf,
        config: Config,
        overrides: config::Overrides,
        logging: Logging,
        inherited: Inherited,
    ) -> Result<Self, Error> {
        let metrics = Arc::new(Metrics::new(VERSION, REVISION));
        let observer = Observer::new(Arc::clone(&metrics));
        let identities = Arc::new(Identities::load(files(&config)).map_err(Error::Identity)?);
        let now = now();
        let ca = local_ca::Files {
            certificate: config.backend.local_ca.certificate.clone(),
            key: config.backend.local_ca.key.clone(),
        };
        let local_ca = LocalCa::load_or_create(&ca, now).map_err(Error::LocalCa)?;
        let verifier = verifier(&config, &metrics).map_err(Error::Verifier)?;
        let patience = config.limits.lookup_seconds;
        let names = Unsigned::new(settings::forward(&config), patience).map_err(Error::Verifier)?;
        let forward = names.servers().to_vec();
        let tls = Tls::new(Arc::clone(&identities)).map_err(|_| Error::Chance)?;
        let keys = BothKeys::of(&config)?;
        // What is wrong with the configuration comes before what is wrong with the machine.
        let shares = Shares::take(&config.limits);
        let witness = Arc::<Witness>::default();
        let failures = Arc::<Failures>::default();
        let (seeing, failing) = (Arc::clone(&witness), Arc::clone(&failures));
        let rooms = Arc::new(Rooms::new(
            settings::tables(&config),
            verifier,
            tls,
            Arc::new(local_ca),
            settings::settings(&config, &keys),
            Homes::new(names, config.limits.backend_connects, shares.streams),
            settings::questions(&config),
            seed()?,
            Box::new(move |event| {
                let now = self::now();
                seeing.see(&event, now);
                let cure = failing.see(&event, now);
                observer.tell(event);
                cure.iter().for_each(Cure::tell);
            }),
        ));
        let doors = Doors::open(&config, shares, &rooms, forward, inherited)?;
        for component in Component::ALL {
            metrics.standing.ready(*component, true);
        }
        metrics.standing.configured(now);
        metrics.standing.earliest_expiry(Some(identities.earliest_expiry()));
        let reloader = Reloader {
            path,
            overrides,
            logging,
            keys,
            rooms: Arc::clone(&rooms),
            metrics: Arc::clone(&metrics),
            believed: std::sync::Mutex::new(reload::contents(config.verifier_files())),
            current: std::sync::Mutex::new(config),
            changed: Notify::new(),
        };
        let (reloader, end) = (Arc::new(reloader), Arc::default());
        Ok(Self { rooms, witness, failures, metrics, doors, reloader, end })
    }

    /// Serves until it is asked to end, then drains.
    pub async fn run(self, mut signals: Signals) -> Exit {
        let Self { rooms, witness, failures, metrics, doors, reloader, end } = self;
        let mut served = JoinSet::new();
        let explainer = Explainer::new(Arc::clone(&rooms), witness);
        let self_check = Arc::new(SelfCheck::new(Arc::clone(&reloader)));
        let status = Arc::new(Status {
            reloader: Arc::clone(&reloader),
            metrics: Arc::clone(&metrics),
            failures,
            self_check: Arc::clone(&self_check),
            started: rooms.now(),
        });
        let views = Arc::new(views(&rooms, &status, &end, explainer));
        let mut peers = JoinSet::new();
        doors.serve(&rooms, &views, &mut peers, &mut served);
        served.spawn(Arc::clone(&reloader).watch());
        served.spawn(Arc::clone(&rooms).renew_proofs());
        served.spawn(reloader.logging.clone().keep_time());
        served.spawn(self_check.run());
        served.spawn(watch_backends(Arc::clone(&rooms), Arc::clone(&metrics)));
        info!(version = VERSION, "ready");
        supervisor::ready();
        for (component, state) in reloader.readiness().parts {
            if let Err(cause) = state {
                warn!(component = component.as_str(), cause, "a part does not stand");
            }
        }
        loop {
            tokio::select! {
                signal = signals.next() => match signal {
                    Signal::Reload => {
                        // What was wrong is in the log; nothing else has changed.
                        let _ = reloader.reload();
                    }
                    Signal::End => break,
                },
                () = end.notified() => break,
            }
        }
        info!("draining");
        supervisor::stopping();
        metrics.standing.draining();
        // No peer comes in any more. Our own server beside us still may, to verify what is under way;
        // the admin port and the resolver go last.
        peers.abort_all();
        let patience = reloader.current().drain;
        drain(&rooms, patience).await;
        served.abort_all();
        info!("done");
        Exit::Done
    }
}

/// What the system asks of the program.
#[derive(Debug)]
pub struct Signals {
    hangup: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

enum Signal {
    Reload,
    End,
}

impl Signals {
    /// Begins to listen for them.
    ///
    /// # Errors
    /// The system's.
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hangup.recv() => Signal::Reload,
            _ = self.terminate.recv() => Signal::End,
            _ = self.interrupt.recv() => Signal::End,
        }
    }
}

fn verifier(config: &Config, metrics: &Arc<Metrics>) -> Result<Verifier, SetupError> {
    let counted = Arc::clone(metrics);
    let verifier = Verifier::new(&config.verifier_settings())?;
    Ok(verifier.observed_by(move |it| observe::verified(&counted, it)))
}

fn views(
    rooms: &Arc<Rooms>,
    status: &Arc<Status>,
    end: &Arc<Notify>,
    explainer: Explainer,
) -> crate::admin::Views {
    let Status { reloader, metrics, .. } = &**status;
    let shared = |it: &Arc<Rooms>| Arc::clone(it);
    let (for_connections, for_bindings, for_certificates) =
        (shared(rooms), shared(rooms), shared(rooms));
    let for_retry = shared(rooms);
    let (for_metrics, for_turned_away) = (Arc::clone(metrics), shared(rooms));
    let (for_scrape, for_metrics_ready) = (shared(rooms), Arc::clone(reloader));
    let (for_ready, for_config, for_reload, for_log) =
        (Arc::clone(reloader), Arc::clone(reloader), Arc::clone(reloader), Arc::clone(reloader));
    let for_levels = Arc::clone(reloader);
    let (end, explainer) = (Arc::clone(end), Arc::new(explainer));
    let [for_status, for_failures, for_self_check] = [(); 3].map(|()| Arc::clone(status));
    crate::admin::Views {
        server_name: reloader.current().server_name,
        ready: Box::new(move || for_ready.readiness()),
        metrics: Box::new(move || {
            scrape::refresh(&for_metrics, &for_scrape, &for_metrics_ready.readiness());
            for_metrics.render()
        }),
        config: Box::new(move || for_config.show()),
        connections: Box::new(move || views::connections(&for_connections)),
        bindings: Box::new(move || views::bindings(&for_bindings)),
        explain: Box::new(move |local, remote| {
            let explainer = Arc::clone(&explainer);
            Explained(Box::pin(async move { explainer.explain(local, remote).await }))
        }),
        status: Box::new(move || for_status.show()),
        failures: Box::new(move || for_failures.failures.show(now())),
        self_check: Box::new(move || for_self_check.self_check.show()),
        certificates: Box::new(move || {
            views::certificates(for_certificates.tls.identities(), now())
        }),
        reload: Box::new(move || for_reload.reload()),
        retry: Box::new(move |remote| for_retry.retry(remote)),
        drain: Box::new(move || end.notify_one()),
        levels: Box::new(move || views::levels(&for_levels.logging)),
        log: Box::new(move |order| for_log.logging.order(order)),
        turned_away: Box::new(move |violation, peer| {
            (for_turned_away.tell)(Event::Denied(violation, peer));
        }),
    }
}

/// Looks for our own servers while they are taken for down: nobody else may try them for hours. While
/// they are up, their streams tell.
async fn watch_backends(rooms: Arc<Rooms>, metrics: Arc<Metrics>) {
    loop {
        let homes = Arc::clone(&rooms.settings.load().homes);
        // All at a time: one that swallows packets must not hide the others.
        let mut looks = JoinSet::new();
        for home in homes.iter().filter(|home| !rooms.homes.is_up(home)) {
            let (rooms, home) = (Arc::clone(&rooms), home.clone());
            looks.spawn(async move { rooms.look_for(&home).await });
        }
        let pause = if looks.is_empty() { BACKEND_REST } else { BACKEND_GLANCE };
        looks.join_all().await;
        metrics.standing.backend(rooms.homes_are_up());
        tokio::time::sleep(pause).await;
    }
}

fn files(config: &Config) -> Vec<identity::Files> {
    let each = config.certificates.iter();
    each.map(|it| identity::Files { chain: it.chain.clone(), key: it.key.clone() }).collect()
}

/// 32 bytes of chance.
fn seed() -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut seed = Zeroizing::new([0; 32]);
    rand::fill(seed.as_mut_slice()).map_err(|_| Error::Chance)?;
    Ok(seed)
}

#[expect(clippy::disallowed_methods, reason = "the process reads the clock here")]
fn now() -> SystemTime {
    SystemTime::now()
}

impl Error {
    /// The exit code that says the same.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Config(_)
            | Self::Inherited(_)
            | Self::Verifier(
                SetupError::TrustAnchor(_) | SetupError::Roots(_) | SetupError::Revocations(_),
            ) => Exit::Config,
            Self::Bind(..)
            | Self::Identity(_)
            | Self::LocalCa(_)
            | Self::Verifier(_)
            | Self::Chance => Exit::Unavailable,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(problems) => {
                for problem in problems {
                    writeln!(f, "{problem}")?;
                }
                Ok(())
            }
            Self::Inherited(error) => write!(f, "listen: {error}"),
            Self::Bind(address, error) => write!(f, "listen: cannot listen at {address}: {error}"),
            Self::Identity(error) => write!(f, "certificates: {error}"),
            Self::LocalCa(error) => write!(f, "backend.local_ca: {error}"),
            Self::Verifier(error) => write!(f, "{}: {error}", config::verifier_key(error)),
            Self::Chance => f.write_str("the system gives no random numbers"),
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

/// How often is looked for our own server while it is not there.
const BACKEND_GLANCE: std::time::Duration = std::time::Duration::from_secs(1);

/// How long nobody looks whether it is to be looked for.
const BACKEND_REST: std::time::Duration = std::time::Duration::from_secs(10);
