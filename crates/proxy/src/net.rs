//! Sockets that do not know what they carry.

pub mod dial;
pub mod inherited;
pub mod listener;
pub mod original;
pub mod proxy_protocol;
pub mod rate;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// Prepares a socket for streams: small writes leave at once, and a peer that vanished is noticed.
///
/// Without `TCP_NODELAY` each small exchange of a negotiation waits for a delayed acknowledgment,
/// some 40 ms a step.
///
/// # Errors
/// When the peer has gone meanwhile.
pub fn tune(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    SockRef::from(socket).set_tcp_keepalive(
        &TcpKeepalive::new()
            .with_time(KEEPALIVE_AFTER)
            .with_interval(KEEPALIVE_EVERY)
            .with_retries(KEEPALIVE_PROBES_MAX),
    )
}

/// The same address, written as IPv4 if it is one that IPv6 carries (RFC 4291 §2.5.5.2).
///
/// A socket of both families shows `::ffff:192.0.2.1` where one of IPv4 shows `192.0.2.1`;
/// whoever compares or counts addresses must not take them for two.
pub fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Who an address belongs to, as far as limits are concerned: an IPv4 address, or the /64 that
/// one IPv6 subscriber usually gets (RFC 6177), from which it may pick addresses without end.
pub fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & SUBSCRIBER)),
    }
}

/// Whose neighbour an address is, as far as limits are concerned: the /24 or the /48 it is of, of
/// which somebody may have many without much effort (RFC 6177).
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & NETWORK_V4)),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & NETWORK_V6)),
    }
}

/// The first 24 bits of 32, and the first 48 of 128.
const NETWORK_V4: u32 = !0xff;
const NETWORK_V6: u128 = !((1 << 80) - 1);

/// The first 64 bits.
const SUBSCRIBER: u128 = !(u64::MAX as u128);

/// Shorter than the five minutes after which common packet filters forget a quiet connection.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);
/// Four unanswered probes: a peer that vanished is noticed within two minutes.
const KEEPALIVE_PROBES_MAX: u32 = 4;

#[cfg(test)]
mod tests;
