//! Sockets that were bound before we were started: systemd's socket activation (sd_listen_fds(3)).

use std::fmt;
use std::io;
use std::net::SocketAddr;

use listenfd::ListenFd;
use socket2::{Socket, Type};
use tokio::net::{TcpListener, UdpSocket};

use super::listener::{bind, within_reach};

/// Sockets that whoever started us has bound for us, and that nobody uses yet.
///
/// They stay open there while we restart, so that nobody who connects meanwhile is refused; and
/// ports below 1024 need no privilege of ours.
#[derive(Debug, Default)]
pub struct Inherited {
    waiting: Vec<(SocketAddr, Kind, Socket)>,
}

/// What a socket is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// It takes connections.
    Tcp,
    /// It takes datagrams.
    Udp,
}

/// An inherited socket that we have no use for. Whoever bound it believes that it is served, so it
/// is never left aside in silence.
#[derive(Debug)]
pub enum Error {
    /// It is bound to an address that we are not to listen at, or a second time to one.
    Unnamed(SocketAddr, Kind),
    /// It takes no connections at its address: it is one.
    Connected(SocketAddr),
    /// This descriptor, counted from the first that was inherited, is no socket of the Internet.
    Foreign(usize),
}

impl Inherited {
    /// Takes over what the environment says that we were given, and takes that out of it: what we
    /// start has not inherited it. No other thread may run yet, which could read the environment.
    ///
    /// # Errors
    /// When there is something among it that we cannot use.
    pub fn take_over() -> Result<Self, Error> {
        let mut given = ListenFd::from_env();
        let mut sockets = Vec::with_capacity(given.len());
        for number in 0..given.len() {
            let listener = given.take_tcp_listener(number).map(|it| it.map(Socket::from));
            let socket = listener.or_else(|_| {
                let datagrams = given.take_udp_socket(number);
                datagrams.map(|it| it.map(Socket::from))
            });
            sockets.push(socket.ok().flatten().ok_or(Error::Foreign(number))?);
        }
        Self::of(sockets)
    }

    /// Takes over these.
    ///
    /// # Errors
    /// When there is one among them that we cannot use.
    fn of(sockets: Vec<Socket>) -> Result<Self, Error> {
        let mut waiting = Vec::with_capacity(sockets.len());
        for (number, socket) in sockets.into_iter().enumerate() {
            let foreign = |_| Error::Foreign(number);
            let address = socket.local_addr().map_err(foreign)?;
            let address = address.as_socket().ok_or(Error::Foreign(number))?;
            let is_stream = socket.r#type().map_err(foreign)? == Type::STREAM;
            if is_stream && !socket.is_listener().map_err(foreign)? {
                return Err(Error::Connected(address));
            }
            let kind = if is_stream { Kind::Tcp } else { Kind::Udp };
            waiting.push((address, kind, socket));
        }
        Ok(Self { waiting })
    }

    /// The listener at this address: one that was inherited, or else a new one. Its options are
    /// those of whoever bound it.
    ///
    /// # Errors
    /// When the address is taken, not ours, or not for us to use.
    pub fn listener(&mut self, address: SocketAddr) -> io::Result<TcpListener> {
        match self.take(address, Kind::Tcp) {
            Some(socket) => {
                socket.set_nonblocking(true)?;
                TcpListener::from_std(socket.into())
            }
            None => bind(address),
        }
    }

    /// The socket for datagrams to this address: one that was inherited, or else a new one.
    ///
    /// # Errors
    /// When the address is taken, not ours, or not for us to use.
    pub fn datagrams(&mut self, address: SocketAddr) -> io::Result<UdpSocket> {
        let socket = match self.take(address, Kind::Udp) {
            Some(socket) => socket.into(),
            None => std::net::UdpSocket::bind(within_reach(address))?,
        };
        socket.set_nonblocking(true)?;
        UdpSocket::from_std(socket)
    }

    /// Has every listener been asked for, then nothing is left.
    ///
    /// # Errors
    /// When something is.
    pub fn finish(self) -> Result<(), Error> {
        match self.waiting.first() {
            Some((address, kind, _)) => Err(Error::Unnamed(*address, *kind)),
            None => Ok(()),
        }
    }

    /// Where the kernel has no IPv6, systemd does without it just as we do.
    fn take(&mut self, address: SocketAddr, kind: Kind) -> Option<Socket> {
        let place = |address| self.waiting.iter().position(|it| (it.0, it.1) == (address, kind));
        let place = place(address).or_else(|| place(within_reach(address)))?;
        Some(self.waiting.remove(place).2)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unnamed(address, kind) => {
                let kind = match kind {
                    Kind::Tcp => "TCP",
                    Kind::Udp => "UDP",
                };
                write!(
                    f,
                    "a {kind} socket at {address} was inherited, and no key names that address: \
                     write it here, or take it out of ligase.socket"
                )
            }
            Self::Connected(address) => write!(
                f,
                "a connection at {address} was inherited instead of a listener: write Accept=no \
                 in ligase.socket"
            ),
            Self::Foreign(number) => write!(
                f,
                "what was inherited as number {number}, counted from 0, is neither a TCP nor a \
                 UDP socket: take it out of ligase.socket"
            ),
        }
    }
}

#[cfg(test)]
mod tests;
