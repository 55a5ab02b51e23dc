//! `ligase check`: what a domain publishes, what its servers present, and who would believe them.
//!
//! What is found out (`facts`), what it comes to (`judgment`, `findings`) and how that is
//! printed (`text`, `json`) are rooms of their own; only `survey` and `probe` touch the
//! network. Every verdict is the verifier's.

mod certificate;
mod conversation;
mod crowd;
mod domains;
mod facts;
mod findings;
mod json;
mod judgment;
mod pair;
mod paste;
mod places;
mod probe;
mod progress;
mod report;
mod survey;
mod text;

use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ligase_verifier::{Limits, Prooftype, Reach, RootSource, Servers, Service, Settings, Verifier};

use self::crowd::Crowd;
use self::domains::domains;
use self::probe::Probe;
use self::survey::Surveyor;
use self::text::Look;
use crate::args::{
    Allowance, Check, CheckOutput, CheckService, Exit, likes_color_in_print, overrides,
};
use crate::config::Config;

/// Checks domains; tells how they did. What is wrong with the question goes to stderr.
#[must_use]
pub fn run(args: &Check) -> Exit {
    if args.peer.is_some() && args.service == CheckService::Client {
        eprintln!("ligase check: --peer is about servers; clients have no peers");
        return Exit::Usage;
    }
    let domains = match domains(&args.domains, args.domains_file.as_deref()) {
        Ok(domains) => domains,
        Err(problem) => {
            eprintln!("ligase check: {problem}");
            return Exit::Untested;
        }
    };
    let settings = match configured(args) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let verifier = match Verifier::new(&settings) {
        Ok(verifier) => Arc::new(verifier),
        Err(error) => {
            eprintln!("ligase check: {error}");
            return Exit::Untested;
        }
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    let Ok(runtime) = runtime else {
        return Exit::Untested;
    };
    let Some(crowd) = crowd(args, verifier, domains.len()) else {
        return Exit::Untested;
    };
    runtime.block_on(crowd.check(domains))
}

fn crowd(args: &Check, verifier: Arc<Verifier>, number: usize) -> Option<Crowd> {
    let service = service(args.service);
    let probe = match args.dns_only {
        true => None,
        false => Some(Probe::new(service).ok()?),
    };
    let servers: Vec<String> =
        verifier.resolver_servers().iter().take(2).map(SocketAddr::to_string).collect();
    let look = Look { colored: likes_color_in_print(), servers: servers.join(", ") };
    Some(Crowd {
        surveyor: Surveyor::new(verifier, service, probe),
        look,
        output: args.output,
        required: args.require.clone(),
        peer: args.peer.clone(),
        strict: args.strict,
        // Of many, only those that are not well are worth a look.
        only_troubled: args.output != CheckOutput::Json
            && (args.domains_file.is_some() && MANY <= number),
    })
}

fn service(service: CheckService) -> Service {
    match service {
        CheckService::Server => Service::Server,
        CheckService::Client => Service::Client,
    }
}

/// How the verifier is set up: as that of the proxy where its configuration is named.
fn configured(args: &Check) -> Result<Settings, Exit> {
    let Some(path) = &args.config else {
        return Ok(settings(args));
    };
    let config = Config::read(path, &overrides()).map_err(|problems| {
        for problem in problems {
            eprintln!("{problem}");
        }
        Exit::Config
    })?;
    let asked = settings(args);
    Ok(Settings { limits: asked.limits, ..config.verifier_settings() })
}

/// How the verifier is set up for this question.
fn settings(args: &Check) -> Settings {
    // Whoever names the trust anchor and a resolver of his own has built the DNS himself: a
    // laboratory, whose servers are where its resolver is.
    let is_laboratory = args.trust_anchor.is_some() && !args.resolver.is_empty();
    let is_here = is_laboratory && args.resolver.iter().all(|it| it.ip().is_loopback());
    let is_near = is_laboratory && args.resolver.iter().all(|it| is_private(it.ip()));
    Settings {
        servers: match args.resolver.is_empty() {
            true => Servers::System,
            false => Servers::These(args.resolver.clone()),
        },
        trust_anchor: args.trust_anchor.clone(),
        roots: args.roots.clone().map_or(RootSource::System, RootSource::File),
        prooftypes: vec![Prooftype::Dane, Prooftype::Posh, Prooftype::Pkix],
        posh_port: args.posh_port,
        reach: Reach {
            loopback: is_here || args.allow.contains(&Allowance::Loopback),
            private_web: is_here || is_near || args.allow.contains(&Allowance::Private),
            own: Vec::new(),
        },
        limits: Limits {
            // Somebody is waiting.
            lookup_patience: Duration::from_secs(3),
            gather_patience: Duration::from_secs(4),
            posh_patience: Duration::from_secs(5),
            ..Limits::default()
        },
        ..Settings::default()
    }
}

/// Whether an address is that of a private network, and so nobody else's choice.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(it) => it.is_private(),
        IpAddr::V6(it) => it.is_unique_local(),
    }
}

/// From so many domains in a file on, those that are proven are counted and not listed.
const MANY: usize = 2;

/// Most of the time goes by waiting; what is left is cryptography.
const WORKERS: usize = 2;

#[cfg(test)]
mod tests;
