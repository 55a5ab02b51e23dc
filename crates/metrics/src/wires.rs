use std::collections::HashMap;
use std::time::Duration;

use prometheus::{Counter, Histogram, IntCounter};

use crate::family::{Families, Family, Name};
use crate::labels::{
    Capture, Direction, HeaderKind, Outcome, ProxyResult, ProxyVersion, Side, TlsVersion, Way,
};

/// What happens on connections below their stanzas.
#[derive(Debug)]
pub struct Wires {
    handshakes: HashMap<(Side, Direction, TlsVersion), IntCounter>,
    shaking: Family<Histogram, (Side, Direction)>,
    bytes: Family<IntCounter, (Side, Way)>,
    blocked: Family<Counter, (Side,)>,
    rtt: Histogram,
    headers: Family<IntCounter, (Direction, HeaderKind)>,
    captured: Family<IntCounter, (Capture,)>,
    introduced: HashMap<(ProxyVersion, ProxyResult), IntCounter>,
    backend_connects: Family<IntCounter, (Outcome,)>,
    backend_connecting: Histogram,
}

impl Wires {
    pub(crate) fn register(families: &Families) -> Self {
        Self {
            handshakes: families.listed(
                Name("ligase_tls_handshakes_total", "TLS handshakes, by what they came to."),
                &["side", "direction", "version", "result"],
                handshakes(),
            ),
            shaking: families.histograms(
                Name(
                    "ligase_tls_handshake_duration_seconds",
                    "How long TLS handshakes took that came to something.",
                ),
                &["side", "direction"],
                &HANDSHAKE_BUCKETS,
            ),
            bytes: families.counters(
                Name("ligase_wire_bytes_total", "Bytes of streams, as they are inside TLS."),
                &["side", "way"],
            ),
            blocked: families.float_counters(
                Name(
                    "ligase_outbox_blocked_seconds_total",
                    "Time for which a connection was not read, because what it brings could not leave on this side.",
                ),
                &["side"],
            ),
            rtt: families.histogram(
                Name(
                    "ligase_channel_rtt_seconds",
                    "How long peers took to acknowledge stanzas (XEP-0198).",
                ),
                &RTT_BUCKETS,
            ),
            headers: families.counters(
                Name(
                    "ligase_header_rewrites_total",
                    "Stream headers that went to peers in place of our server's, by whose names they carry.",
                ),
                &["direction", "kind"],
            ),
            captured: families.counters(
                Name(
                    "ligase_capture_connections_total",
                    "Connections that came from our server, by what led them here: the answers of listen.dns, or the packet filter, because they were on their way to a peer past those answers; or its own configuration.",
                ),
                &["mode"],
            ),
            introduced: families.listed(
                Name(
                    "ligase_proxy_protocol_headers_total",
                    "Connections from trusted load balancers, by what they say of them.",
                ),
                &["version", "result"],
                introductions(),
            ),
            backend_connects: families.counters(
                Name("ligase_backend_connects_total", "Connections to our server that we tried."),
                &["result"],
            ),
            backend_connecting: families.histogram(
                Name(
                    "ligase_backend_connect_duration_seconds",
                    "How long our server took to take a connection.",
                ),
                &CONNECT_BUCKETS,
            ),
        }
    }

    /// Counts a TLS handshake; without a version, it failed.
    pub fn shook_hands(
        &self,
        side: Side,
        direction: Direction,
        version: TlsVersion,
        took: Duration,
    ) {
        if let Some(counter) = self.handshakes.get(&(side, direction, version)) {
            counter.inc();
        }
        if version != TlsVersion::None {
            self.shaking.at((side, direction)).observe(took.as_secs_f64());
        }
    }

    /// Counts bytes that went over connections of a side.
    pub fn moved(&self, side: Side, way: Way, bytes: u64) {
        self.bytes.at((side, way)).inc_by(bytes);
    }

    /// Counts time for which somebody was not heard, because what leaves on this side had to wait.
    pub fn blocked(&self, side: Side, time: Duration) {
        self.blocked.at((side,)).inc_by(time.as_secs_f64());
    }

    /// Records how long a peer took to acknowledge stanzas.
    pub fn acknowledged(&self, took: Duration) {
        self.rtt.observe(took.as_secs_f64());
    }

    /// Counts a stream header that went to a peer.
    pub fn headed(&self, direction: Direction, kind: HeaderKind) {
        self.headers.at((direction, kind)).inc();
    }

    /// Counts a connection that came from our server.
    pub fn captured(&self, by: Capture) {
        self.captured.at((by,)).inc();
    }

    /// Counts a connection from a load balancer that we trust. There is none without a header that
    /// is the load balancer's own by its word.
    pub fn introduced(&self, version: ProxyVersion, result: ProxyResult) {
        if let Some(counter) = self.introduced.get(&(version, result)) {
            counter.inc();
        }
    }

    /// Counts a connection to our server that was tried, and how long a good one took.
    pub fn dialed_backend(&self, outcome: Outcome, took: Duration) {
        self.backend_connects.at((outcome,)).inc();
        if outcome == Outcome::Success {
            self.backend_connecting.observe(took.as_secs_f64());
        }
    }
}

/// Every introduction that there may be: only a header can say that a connection is its sender's own.
fn introductions() -> impl Iterator<Item = ((ProxyVersion, ProxyResult), [&'static str; 2])> {
    let each = ProxyVersion::ALL
        .iter()
        .flat_map(|version| ProxyResult::ALL.iter().map(move |result| (*version, *result)));
    each.filter(|it| *it != (ProxyVersion::None, ProxyResult::Local))
        .map(|(version, result)| ((version, result), [version.as_str(), result.as_str()]))
}

/// Every handshake that there may be: what failed has no version.
fn handshakes() -> impl Iterator<Item = ((Side, Direction, TlsVersion), [&'static str; 4])> {
    let sides = Side::ALL.iter().flat_map(|side| Direction::ALL.iter().map(move |it| (*side, *it)));
    sides.flat_map(|(side, direction)| {
        TlsVersion::ALL.iter().map(move |version| {
            let result = match version {
                TlsVersion::None => Outcome::Failure,
                TlsVersion::Tls12 | TlsVersion::Tls13 => Outcome::Success,
            };
            let values = [side.as_str(), direction.as_str(), version.as_str(), result.as_str()];
            ((side, direction, *version), values)
        })
    })
}

/// From a handshake on one machine to the longest patience, in seconds.
const HANDSHAKE_BUCKETS: [f64; 11] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// From the same rack to a peer that has stopped, in seconds.
const RTT_BUCKETS: [f64; 12] =
    [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];
/// From loopback to the longest patience with a server that is busy, in seconds.
const CONNECT_BUCKETS: [f64; 10] = [0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];
