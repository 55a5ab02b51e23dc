//! From what the operator asked for to what the rooms need.

use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ligase_verifier::Servers;

use super::keys::BothKeys;
use super::memory;
use crate::binding::{Hosted, Level, Policy, Side};
use crate::config::{self, BackendTls, Capture, Config, ResolverServers};
use crate::connection::budget::Budget;
use crate::connection::pace::Speed;
use crate::connection::rooms::{Questions, Settings};
use crate::connection::tables::Tables;
use crate::establish;
use crate::net::dial::Patience;
use crate::net::proxy_protocol::Relays;
use crate::net::rate::Rate;
use crate::stream::{Bounds, Channels, Limits, Terms};

pub(super) fn settings(config: &Config, keys: &BothKeys) -> Settings {
    let limits = &config.limits;
    let residents = config.backends.iter().flat_map(|backend| {
        backend.domains().map(|domain| (domain.clone(), backend.address.clone()))
    });
    let hosted = Arc::new(match config.domains() {
        Some(_) => Hosted::Only(residents.collect()),
        None => Hosted::Ask,
    });
    let bounds = bounds(limits);
    let public = Terms {
        side: Side::Public,
        hosted: Arc::clone(&hosted),
        policy: Arc::new(config.policy.clone()),
        tls: true,
        server_name: config.server_name.clone(),
        keys: Arc::clone(&keys.public),
        channels: Channels {
            bidi: config.channels.bidi,
            server_names: config.channels.server_names,
            prooftypes: config.prooftypes.clone().into(),
        },
        bounds,
    };
    let level = match config.backend.tls {
        BackendTls::Auto | BackendTls::Off => Level::Any,
        BackendTls::Required => Level::Encrypted,
    };
    let backend = Terms {
        side: Side::Backend,
        hosted,
        policy: Arc::new(Policy { default: level, ..Policy::default() }),
        tls: config.backend.tls != BackendTls::Off,
        server_name: config.server_name.clone(),
        keys: Arc::clone(&keys.backend),
        // A server that needs us needs no channels.
        channels: Channels::default(),
        bounds,
    };
    let frame = |element| Limits { element, depth: limits.depth, attributes: limits.attributes };
    Settings {
        public: Arc::new(public),
        backend: Arc::new(backend),
        homes: config.backends.iter().map(|it| it.address.clone()).collect(),
        doors: std::iter::once(config.steer).chain(config.listen.backend.iter().copied()).collect(),
        entrances: entrances(config),
        calls: Rate::within_a_second(limits.authority_connects_per_second),
        share_backend: config.backend.share_streams,
        relays: Arc::new(Relays {
            trusted: config.proxy_protocol.trusted.clone(),
            required: config.proxy_protocol.required,
            patience: limits.proxy_header_seconds,
        }),
        speed: speed(limits),
        handshakes: Rate::new(limits.address_handshakes_per_second, HANDSHAKES_BURST),
        limits_before: frame(limits.preauth_element_bytes),
        limits_after: frame(limits.stanza_bytes),
        dial: Patience { attempt: limits.connect_seconds, total: limits.connect_seconds * 2 },
        handshake_initiating: limits.tls_seconds,
        handshake_receiving: limits.handshake_seconds,
        ladder: limits.ladder_seconds,
        hold: limits.queue_seconds,
        stall: limits.outbox_seconds,
    }
}

fn bounds(limits: &config::Limits) -> Bounds {
    Bounds {
        preauth: limits.preauth_seconds,
        preauth_elements_max: u32::try_from(limits.preauth_elements).unwrap_or(u32::MAX),
        step: limits.step_seconds,
        answer: limits.ladder_seconds,
        idle: limits.idle_seconds,
        claims_max: limits.assertions_in_flight,
        pairs_max: limits.pairs_per_connection,
    }
}

fn speed(limits: &config::Limits) -> Speed {
    Speed {
        bytes: Rate::new(limits.bytes_per_second, 1),
        stanzas: Rate::new(limits.stanzas_per_second, 1),
        assertions: Rate::new(limits.assertions_per_second, 1),
    }
}

/// Where peers find us: at our listeners, and where the packet filter turns what comes to the ports of
/// our own server to those.
fn entrances(config: &Config) -> Arc<[SocketAddr]> {
    let ports = match config.capture {
        Capture::Redirect { .. } => vec![config.public.starttls, config.public.direct_tls],
        Capture::Dns | Capture::Explicit => Vec::new(),
    };
    let anywhere = |port| SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port);
    config.listen.federation.iter().copied().chain(ports.into_iter().map(anywhere)).collect()
}

pub(super) fn questions(config: &Config) -> Questions {
    Questions {
        at_a_time: config.limits.authority_connects,
        to_each: config.limits.authority_connects_per_address,
    }
}

/// Who knows our own servers' names, and answers their other questions.
pub(super) fn forward(config: &Config) -> Servers {
    match &config.resolver.forward {
        ResolverServers::System => Servers::System,
        ResolverServers::Listed(servers) => Servers::These(servers.clone()),
    }
}

/// The tables, and as much memory for what is in them as the operator and the machine both give.
pub(super) fn tables(config: &Config) -> Tables {
    let most = memory::budget(config.limits.memory_bytes);
    Tables::new(queue(config), config.limits.outbox_bytes, Budget::new(most))
}

fn queue(config: &Config) -> establish::Bounds {
    establish::Bounds {
        pair_stanzas_max: config.limits.queue_stanzas,
        pair_bytes_max: config.limits.queue_bytes,
        bytes_max: config.limits.queue_total_bytes,
    }
}

/// Seconds' worth of handshakes that may be begun at once, as of connections.
const HANDSHAKES_BURST: u64 = 10;
