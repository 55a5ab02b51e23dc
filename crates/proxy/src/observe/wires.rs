use std::time::Duration;

use ligase_metrics::{
    Capture, Ending, HeaderKind, Metrics, Outcome, ProxyResult, ProxyVersion, Steered, TlsVersion,
};

use super::{direction, side};
use crate::binding::Mode;
use crate::capture::dns::Fate;
use crate::connection::event::{self, Facts, Introduction, Led};
use crate::net::proxy_protocol;
use crate::stream::Condition;
use crate::tls::Version;

/// A TLS handshake has ended.
pub(super) fn shaken(metrics: &Metrics, facts: &Facts, version: Option<Version>, took: Duration) {
    let version = match version {
        Some(Version::Tls12) => TlsVersion::Tls12,
        Some(Version::Tls13) => TlsVersion::Tls13,
        None => TlsVersion::None,
    };
    metrics.wires.shook_hands(side(facts.side), direction(facts), version, took);
}

/// How a connection ended, as it is counted.
pub(super) fn ending(ending: event::Ending) -> Ending {
    match ending {
        // Nothing had been agreed on yet that both could have ended.
        event::Ending::Refused(Condition::SystemShutdown, _) => Ending::Drain,
        event::Ending::Closed => Ending::Closed,
        event::Ending::Refused(..) => Ending::Refused,
        event::Ending::Broken => Ending::Broken,
        event::Ending::Idle => Ending::Idle,
        event::Ending::Drained => Ending::Drain,
    }
}

/// A stream header went to a peer.
pub(super) fn headed(metrics: &Metrics, facts: &Facts, mode: Mode) {
    let kind = match mode {
        Mode::ServerName => HeaderKind::ServerName,
        Mode::DomainName | Mode::Legacy => HeaderKind::DomainName,
    };
    metrics.wires.headed(direction(facts), kind);
}

/// Our own server was dialed.
pub(super) fn dialed_home(metrics: &Metrics, reached: bool, took: Duration) {
    let outcome = if reached { Outcome::Success } else { Outcome::Failure };
    metrics.wires.dialed_backend(outcome, took);
}

/// A connection came from our own server.
pub(super) fn captured(metrics: &Metrics, led: Led) {
    metrics.wires.captured(match led {
        Led::Dns => Capture::Dns,
        Led::Redirect => Capture::Redirect,
        Led::Explicit => Capture::Explicit,
    });
}

/// A load balancer handed a connection on.
pub(super) fn introduced(metrics: &Metrics, introduction: Introduction) {
    let (version, result) = match introduction {
        Introduction::Named(version) => (Some(version), ProxyResult::Accepted),
        Introduction::Own(version) => (Some(version), ProxyResult::Local),
        Introduction::Spared => (None, ProxyResult::Accepted),
        Introduction::Refused(version) => (version, ProxyResult::Refused),
    };
    let version = match version {
        Some(proxy_protocol::Version::One) => ProxyVersion::One,
        Some(proxy_protocol::Version::Two) => ProxyVersion::Two,
        None => ProxyVersion::None,
    };
    metrics.wires.introduced(version, result);
}

/// Our own server asked DNS something.
pub(super) fn steered(metrics: &Metrics, fate: Fate) {
    metrics.lookups.steered(match fate {
        Fate::Here => Steered::Srv,
        Fate::Denied => Steered::Denied,
        Fate::Passed => Steered::Passed,
    });
}
