//! Where a connection was bound for before a packet filter turned it to us.

use std::io;
use std::net::SocketAddr;

use socket2::SockRef;
use tokio::net::TcpStream;

use super::plain;

/// How a connection came to us.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// Dialed to us; nobody redirected it.
    Direct,
    /// Redirected on its way to this address.
    Redirected(SocketAddr),
    /// Bound for another of our own listeners, and redirected here: it is our own traffic, and
    /// passing it on would make us dial ourselves, without end.
    Loop,
}

/// The address that a connection was bound for, if the packet filter kept one.
///
/// Where the filter tracks connections, one that it never touched has its own local address here.
///
/// # Errors
/// When the system will not say.
pub fn original(socket: &TcpStream) -> io::Result<Option<SocketAddr>> {
    let local = socket.local_addr()?;
    let socket = SockRef::from(socket);
    // A connection over IPv4 is one for the filter, even if an IPv6 socket accepted it.
    let found =
        if plain(local).is_ipv4() { socket.original_dst_v4() } else { socket.original_dst_v6() };
    match found {
        Ok(address) => Ok(address.as_socket().map(plain)),
        // Nobody tracks this connection, or nobody tracks any.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(ENOPROTOOPT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// How a connection came here, given where it was bound for, where it arrived, and all the
/// addresses that we listen on.
pub fn judge(original: Option<SocketAddr>, local: SocketAddr, listening: &[SocketAddr]) -> Origin {
    let Some(original) = original.map(plain) else {
        return Origin::Direct;
    };
    let local = plain(local);
    let ours = |listener: &SocketAddr| {
        let listener = plain(*listener);
        listener == original
            || listener.port() == original.port()
                && listener.ip().is_unspecified()
                && (original.ip() == local.ip() || original.ip().is_loopback())
    };
    if original == local {
        // Nothing has turned it: our DNS answers send the backend straight here.
        return Origin::Direct;
    }
    if listening.iter().any(ours) { Origin::Loop } else { Origin::Redirected(original) }
}

/// The system's word for "no such option": connection tracking is not there at all.
const ENOPROTOOPT: i32 = 92;

#[cfg(test)]
mod tests;
