use std::time::Duration;

use super::file::Section;

/// A limit as the documentation lists it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limit {
    /// Its key below `limits`; the unit is in the name.
    pub key: &'static str,
    /// What applies when nothing is written.
    pub default: u64,
    /// The least that may be written.
    pub min: u64,
    /// The most that may be written.
    pub max: u64,
}

/// A number of the file as the type that the program works with.
trait FromNumber {
    fn from_number(number: u64) -> Self;
}

impl FromNumber for usize {
    fn from_number(number: u64) -> Self {
        // The bounds of every limit fit the smallest machine we run on; 32 bits.
        Self::try_from(number).unwrap_or(Self::MAX)
    }
}

impl FromNumber for Duration {
    fn from_number(number: u64) -> Self {
        Self::from_secs(number)
    }
}

/// Defines the limits: field, type, default, bounds.
macro_rules! limits {
    ($($(#[$doc:meta])* $key:ident: $type:ty = $default:literal, $min:literal to $max:literal;)*) => {
        /// How much of everything. Each limit is there because somebody could otherwise take more
        /// than their share; `docs/configuration.md` gives the reason for each.
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub struct Limits { $($(#[$doc])* pub $key: $type,)* }

        impl Limits {
            /// All of them, as the documentation lists them.
            pub const ALL: &'static [Limit] = &[$(Limit {
                key: stringify!($key), default: $default, min: $min, max: $max,
            },)*];

            pub(super) fn read(section: &mut Section<'_>) -> Self {
                Self { $($key: FromNumber::from_number(
                    section.number(stringify!($key), $default, $min..=$max)
                ),)* }
            }
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($key: FromNumber::from_number($default),)* }
            }
        }
    };
}

limits! {
    /// Bytes of one stanza, in either direction.
    stanza_bytes: usize = 262_144, 10_000 to 16_777_216;
    /// Elements nested in each other.
    depth: usize = 128, 16 to 1_024;
    /// Attributes and namespace declarations of one element.
    attributes: usize = 256, 16 to 1_024;
    /// Bytes of one element before the peer is authenticated.
    preauth_element_bytes: usize = 8_192, 2_048 to 65_536;
    /// Elements before the peer is authenticated.
    preauth_elements: usize = 32, 8 to 1_024;
    /// From accepting a connection to its first authenticated pair.
    preauth_seconds: Duration = 30, 5 to 300;
    /// TLS handshake with a peer that connected to us.
    handshake_seconds: Duration = 15, 2 to 120;
    /// From accepting a connection of a trusted load balancer to the end of its header.
    proxy_header_seconds: Duration = 5, 3 to 60;

    /// Connections from peers at a time.
    connections: usize = 10_000, 1 to 1_000_000;
    /// Connections from one address at a time.
    connections_per_address: usize = 256, 1 to 1_000_000;
    /// New connections from peers within a second.
    connections_per_second: usize = 1_000, 1 to 1_000_000;
    /// New connections from one address within a second.
    address_connections_per_second: usize = 100, 1 to 1_000_000;
    /// TLS handshakes with peers that connected to us, from one address within a second.
    address_handshakes_per_second: usize = 100, 1 to 1_000_000;
    /// Bytes read from one connection of a peer within a second.
    bytes_per_second: usize = 33_554_432, 10_000 to 4_000_000_000;
    /// Stanzas read from one connection of a peer within a second.
    stanzas_per_second: usize = 100_000, 10 to 10_000_000;
    /// Elements of dialback read from one connection of a peer within a second.
    assertions_per_second: usize = 4_000, 10 to 1_000_000;
    /// Pairs bound on one connection.
    pairs_per_connection: usize = 20_000, 1 to 1_000_000;
    /// Pairs of one connection that are being verified at a time.
    assertions_in_flight: usize = 16, 1 to 1_024;
    /// Bytes waiting to be written to one connection.
    outbox_bytes: usize = 1_048_576, 65_536 to 67_108_864;
    /// How long bytes may wait to be written before the connection is given up.
    outbox_seconds: Duration = 30, 1 to 300;
    /// How long a connection may carry nothing before it is closed.
    idle_seconds: Duration = 900, 60 to 86_400;

    /// Stanzas of one pair waiting for a connection.
    queue_stanzas: usize = 256, 1 to 65_536;
    /// Bytes of one pair's waiting stanzas.
    queue_bytes: usize = 1_048_576, 10_000 to 268_435_456;
    /// Bytes of all waiting stanzas.
    queue_total_bytes: usize = 67_108_864, 1_048_576 to 4_294_967_295;
    /// How long a stanza may wait.
    queue_seconds: Duration = 30, 1 to 300;

    /// TCP connection to one address of a peer.
    connect_seconds: Duration = 5, 1 to 60;
    /// TLS handshake with a peer that we connected to.
    tls_seconds: Duration = 8, 1 to 60;
    /// One step of a negotiation: any answer that we wait for.
    step_seconds: Duration = 8, 1 to 60;
    /// All attempts to reach a peer while the backend waits.
    ladder_seconds: Duration = 25, 5 to 85;
    /// Connections being opened to the backend at a time.
    backend_connects: usize = 4, 1 to 1_024;
    /// Connections to the backend at a time.
    backend_streams: usize = 10_000, 1 to 1_000_000;
    /// Connections being opened to servers that are asked about dialback keys at a time.
    authority_connects: usize = 64, 1 to 65_536;
    /// Of those, connections to one address that the peer is not at itself.
    authority_connects_per_address: usize = 4, 1 to 65_536;
    /// Such connections within a second.
    authority_connects_per_second: usize = 20, 1 to 1_000_000;

    /// Memory that all connections hold together, where the kernel does not give us less.
    memory_bytes: usize = 4_294_967_295, 67_108_864 to 4_294_967_295;

    /// One look-up in DNS, all its parts included.
    lookup_seconds: Duration = 5, 1 to 30;
    /// DNS answers that are remembered.
    dns_answers: usize = 16_384, 64 to 1_000_000;
}
