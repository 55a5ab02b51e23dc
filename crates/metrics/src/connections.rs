use prometheus::{Histogram, IntCounter, IntGauge};
use std::time::Duration;

use crate::family::{Families, Family, Name};
use crate::labels::{Direction, Ending, Kind, Proof, Side, Transport};

/// Connections, pairs, stanzas and queues.
#[derive(Debug)]
pub struct Connections {
    connections: Family<IntGauge, (Side, Direction, Transport)>,
    opened: Family<IntCounter, (Side, Direction, Transport)>,
    closed: Family<IntCounter, (Side, Direction, Ending)>,
    lived: Family<Histogram, (Side, Direction)>,
    channels: Family<IntGauge, (Direction,)>,
    channel_bindings: Family<IntGauge, (Direction,)>,
    bindings: Family<IntGauge, (Proof,)>,
    stanzas: Family<IntCounter, (Direction, Kind)>,
    setup: Family<Histogram, (Direction, Proof)>,
    queued_stanzas: IntGauge,
    queued_bytes: IntGauge,
    memory_held: IntGauge,
    memory_budget: IntGauge,
}

impl Connections {
    pub(crate) fn register(families: &Families) -> Self {
        Self {
            connections: families.gauges(
                Name("ligase_connections_active", "Connections that are open now."),
                &["side", "direction", "transport"],
            ),
            opened: families.counters(
                Name(
                    "ligase_connections_opened_total",
                    "Connections that were opened, by the transport that they came to.",
                ),
                &["side", "direction", "transport"],
            ),
            closed: families.counters(
                Name("ligase_connections_closed_total", "Connections that ended, and how."),
                &["side", "direction", "reason"],
            ),
            lived: families.histograms(
                Name("ligase_connection_duration_seconds", "How long connections lived."),
                &["side", "direction"],
                &LIFE_BUCKETS,
            ),
            channels: families.gauges(
                Name("ligase_channels_active", "Public connections that carry pairs now."),
                &["direction"],
            ),
            channel_bindings: families.gauges(
                Name(
                    "ligase_channel_bindings_active",
                    "Pairs that public connections carry now, by who opened the connection.",
                ),
                &["direction"],
            ),
            bindings: families.gauges(
                Name("ligase_bindings_active", "Pairs that are bound now, by the peer's proof."),
                &["proof"],
            ),
            stanzas: families.counters(
                Name("ligase_stanzas_total", "Stanzas that were passed on."),
                &["direction", "kind"],
            ),
            setup: families.histograms(
                Name(
                    "ligase_stream_setup_seconds",
                    "From the first byte of a public connection to its first proven peer.",
                ),
                &["direction", "proof"],
                &SETUP_BUCKETS,
            ),
            queued_stanzas: families
                .gauge(Name("ligase_queue_stanzas", "Stanzas that wait for a connection.")),
            queued_bytes: families.gauge(Name(
                "ligase_queue_bytes",
                "Bytes of the stanzas that wait for a connection.",
            )),
            memory_held: families.gauge(Name(
                "ligase_memory_held_bytes",
                "Memory that connections hold: buffers, stanzas that wait, and what each takes.",
            )),
            memory_budget: families.gauge(Name(
                "ligase_memory_budget_bytes",
                "Memory that connections may hold together.",
            )),
        }
    }

    /// Counts a connection that was opened, once it is known what carries it.
    pub fn came_up(&self, side: Side, direction: Direction, transport: Transport) {
        self.opened.at((side, direction, transport)).inc();
    }

    /// Counts a connection that ended, and how long it had lived.
    pub fn closed(&self, side: Side, direction: Direction, ending: Ending, lived: Duration) {
        self.closed.at((side, direction, ending)).inc();
        self.lived.at((side, direction)).observe(lived.as_secs_f64());
    }

    /// Counts a connection as open until the guard is dropped.
    #[must_use = "the connection is counted only while the guard lives"]
    pub fn opened(
        &self,
        side: Side,
        direction: Direction,
        transport: Transport,
    ) -> ConnectionGuard {
        let by_transport = |it: &Transport| self.connections.at((side, direction, *it)).clone();
        let gauges: Vec<_> = Transport::ALL.iter().map(by_transport).collect();
        gauges[transport as usize].inc();
        ConnectionGuard { gauges, transport }
    }

    /// Counts a public connection as carrying pairs until the guard is dropped.
    #[must_use = "the channel is counted only while the guard lives"]
    pub fn channel_opened(&self, direction: Direction) -> ChannelGuard {
        ChannelGuard(Counted::one(self.channels.at((direction,))))
    }

    /// Counts a pair as bound until the guard is dropped; `direction` is that in which its
    /// connection was opened.
    #[must_use = "the pair is counted only while the guard lives"]
    pub fn bound(&self, direction: Direction, proof: Proof) -> BindingGuard {
        let gauges = [self.bindings.at((proof,)), self.channel_bindings.at((direction,))];
        BindingGuard(gauges.map(Counted::one))
    }

    /// Counts stanzas that were passed on.
    pub fn passed(&self, direction: Direction, kind: Kind, stanzas: u64) {
        self.stanzas.at((direction, kind)).inc_by(stanzas);
    }

    /// Records how long a peer took to be proven on a new public connection.
    pub fn set_up(&self, direction: Direction, proof: Proof, took: Duration) {
        self.setup.at((direction, proof)).observe(took.as_secs_f64());
    }

    /// Says how much memory connections hold, and how much they may.
    pub fn holding(&self, held: usize, budget: usize) {
        let number = |it| i64::try_from(it).unwrap_or(i64::MAX);
        self.memory_held.set(number(held));
        self.memory_budget.set(number(budget));
    }

    /// Says how many stanzas wait for a connection, and how many bytes they are.
    pub fn queued(&self, stanzas: usize, bytes: usize) {
        let number = |it| i64::try_from(it).unwrap_or(i64::MAX);
        self.queued_stanzas.set(number(stanzas));
        self.queued_bytes.set(number(bytes));
    }
}

/// One open connection.
#[derive(Debug)]
pub struct ConnectionGuard {
    gauges: Vec<IntGauge>,
    transport: Transport,
}

impl ConnectionGuard {
    /// Counts the connection under another transport from now on: it has turned to TLS.
    pub fn turn(&mut self, transport: Transport) {
        self.gauges[self.transport as usize].dec();
        self.gauges[transport as usize].inc();
        self.transport = transport;
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.gauges[self.transport as usize].dec();
    }
}

/// One public connection that carries pairs.
#[derive(Debug)]
pub struct ChannelGuard(
    #[expect(dead_code, reason = "what it does, it does when dropped")] Counted,
);

/// One bound pair.
#[derive(Debug)]
pub struct BindingGuard(
    #[expect(dead_code, reason = "what it does, it does when dropped")] [Counted; 2],
);

/// Something that stands in a gauge for as long as it lives.
#[derive(Debug)]
struct Counted(IntGauge);

impl Counted {
    fn one(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// From a connection in the same building, in seconds, to the end of the longest patience.
const SETUP_BUCKETS: [f64; 12] =
    [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0];

/// From a probe to a day, in seconds.
const LIFE_BUCKETS: [f64; 7] = [1.0, 10.0, 60.0, 600.0, 3_600.0, 21_600.0, 86_400.0];
