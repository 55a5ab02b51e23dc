//! The accept loop that never ends; who may connect, and how often.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};
use tracing::warn;

use super::rate::{Bucket, Buckets, Rate};
use super::{plain, subscriber, tune};

/// A listener on this address; on `[::]` it hears IPv4 as well, or alone where the kernel has
/// nothing else.
///
/// # Errors
/// When the address is taken, not ours, or not for us to use.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let address = within_reach(address);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        socket.set_only_v6(false)?;
    }
    // A restart must not wait for connections of the last run to be forgotten.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// The address itself; instead of `[::]` it is `0.0.0.0` where the kernel has no IPv6, so that one
/// configuration serves machines of either kind.
pub(super) fn within_reach(address: SocketAddr) -> SocketAddr {
    static SAID: Once = Once::new();
    let unspecified = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0);
    if address.ip() != unspecified.ip() || !try_at(unspecified).is_err_and(|it| lacks_ipv6(&it)) {
        return address;
    }
    SAID.call_once(|| warn!("this machine has no IPv6; listening at 0.0.0.0 instead of [::]"));
    SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port())
}

/// Those of these addresses that there are: `[::1]` is left out where the kernel has no IPv6 and
/// there is another. What is to hear both families on loopback then hears the one there is.
pub fn present(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let loopback = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), 0);
    present_where(addresses, || try_at(loopback).is_err_and(|it| lacks_ipv6(&it)))
}

fn present_where(addresses: &[SocketAddr], lacks: impl FnOnce() -> bool) -> Vec<SocketAddr> {
    let is_absent = |it: &&SocketAddr| it.ip() == Ipv6Addr::LOCALHOST;
    let others: Vec<_> = addresses.iter().filter(|it| !is_absent(it)).copied().collect();
    if others.is_empty() || others.len() == addresses.len() || !lacks() {
        return addresses.to_vec();
    }
    others
}

/// Whether there is any such address.
fn try_at(address: SocketAddr) -> io::Result<()> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.bind(&address.into())
}

/// Whether binding to `[::]` failed for want of IPv6: the family is unknown, or has no address.
fn lacks_ipv6(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(EAFNOSUPPORT)
}

/// How many connections may be here at once. Clones share their counts.
#[derive(Clone)]
pub struct Admission {
    counts: Arc<Mutex<Counts>>,
    limits: Limits,
    is_relay: Option<Arc<dyn Fn(IpAddr) -> bool + Send + Sync>>,
}

/// How many connections are let in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// In all.
    pub connections_max: usize,
    /// From one [`subscriber`].
    pub per_address_max: usize,
}

/// What is counted. No larger than `connections_max`, because what reaches zero is removed.
#[derive(Debug, Default)]
struct Counts {
    all: usize,
    /// Those of them that nobody has named yet.
    unnamed: usize,
    by_address: HashMap<IpAddr, usize>,
    pace: Option<Pace>,
}

/// How fast more may come.
#[derive(Debug)]
struct Pace {
    /// What the times of the buckets are counted from.
    since: Instant,
    each: Rate,
    all: Rate,
    by_address: Buckets,
    together: Bucket,
}

/// A place among the connections that are let in, given back when it is dropped.
#[must_use = "the connection is counted only while its seat lives"]
#[derive(Debug)]
pub struct Seat {
    counts: Arc<Mutex<Counts>>,
    limits: Limits,
    /// The subscriber that it is counted for, once that is known.
    address: Option<IpAddr>,
}

/// Why there is no seat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Full {
    /// Too many connections in all.
    Everywhere,
    /// Too many connections from this address.
    ForAddress,
    /// Too many connections of whom it is not known yet whom they are from.
    Unnamed,
    /// Too many within a moment, from this address or in all.
    TooFast,
}

impl Admission {
    /// Nobody is here yet.
    pub fn new(limits: Limits) -> Self {
        Self { counts: Arc::default(), limits, is_relay: None }
    }

    /// Lets them in no faster than so: from one [`subscriber`], and in all.
    #[expect(clippy::disallowed_methods, reason = "how fast they come is about time")]
    pub fn paced(self, each: Rate, all: Rate) -> Self {
        let (since, by_address, together) = (Instant::now(), Buckets::default(), Bucket::default());
        self.counts().pace = Some(Pace { since, each, all, by_address, together });
        self
    }

    /// Counts connections from these addresses for nobody, until it is [known](Seat::name) whom
    /// they are from: a load balancer brings those of many. Until then they have a quarter of all
    /// seats among them, at least one, so that those who never say it leave seats to the others.
    pub fn behind(self, is_relay: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self { is_relay: Some(Arc::new(is_relay)), ..self }
    }

    /// A seat for a connection from this address.
    ///
    /// # Errors
    /// When there is none left: in all, for this address, or for those whom nobody has named; or
    /// when too many come at a time.
    pub fn admit(&self, address: IpAddr) -> Result<Seat, Full> {
        let is_relay = self.is_relay.as_ref().is_some_and(|is_relay| is_relay(address));
        let address = (!is_relay).then(|| subscriber(address));
        let mut counts = self.counts();
        // The address comes first: one that is full must not hear that the house is.
        if address.is_some_and(|it| self.limits.per_address_max <= counts.from(it)) {
            return Err(Full::ForAddress);
        }
        if self.limits.connections_max <= counts.all {
            return Err(Full::Everywhere);
        }
        match address {
            Some(address) if !counts.is_slow(address) => return Err(Full::TooFast),
            Some(address) => *counts.by_address.entry(address).or_default() += 1,
            None if self.limits.unnamed_max() <= counts.unnamed => return Err(Full::Unnamed),
            None => counts.unnamed += 1,
        }
        counts.all += 1;
        Ok(Seat { counts: Arc::clone(&self.counts), limits: self.limits, address })
    }

    /// How many connections are here.
    pub fn taken(&self) -> usize {
        self.counts().all
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Limits {
    /// How many may be here of whom it is not known yet whom they are from. They say so at once, so
    /// a quarter is ample; and where there are fewer than four seats, one of them has to serve.
    fn unnamed_max(&self) -> usize {
        (self.connections_max / 4).max(1)
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Counts {
    fn from(&self, subscriber: IpAddr) -> usize {
        self.by_address.get(&subscriber).copied().unwrap_or(0)
    }

    /// Whether one more from there does not come too fast.
    fn is_slow(&mut self, subscriber: IpAddr) -> bool {
        let Some(pace) = &mut self.pace else { return true };
        let now = pace.since.elapsed();
        // Who is too fast takes nothing from the others.
        pace.by_address.of(subscriber, now).take(pace.each, now)
            && pace.together.take(pace.all, now)
    }
}

impl Seat {
    /// Whether it is known whom the connection is from.
    pub fn is_named(&self) -> bool {
        self.address.is_some()
    }

    /// Counts the connection for whom it is from, unless that was known before.
    ///
    /// # Errors
    /// When there are too many from there, or they come too fast; it is counted in all, as before.
    pub fn name(&mut self, address: IpAddr) -> Result<(), Full> {
        if self.is_named() {
            return Ok(());
        }
        let address = subscriber(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if self.limits.per_address_max <= counts.from(address) {
            return Err(Full::ForAddress);
        }
        if !counts.is_slow(address) {
            return Err(Full::TooFast);
        }
        *counts.by_address.entry(address).or_default() += 1;
        counts.unnamed = counts.unnamed.saturating_sub(1);
        self.address = Some(address);
        Ok(())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        let Some(address) = self.address else {
            counts.unnamed = counts.unnamed.saturating_sub(1);
            return;
        };
        if let Some(here) = counts.by_address.get_mut(&address) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                counts.by_address.remove(&address);
            }
        }
    }
}

/// What an accept loop hands over.
#[derive(Debug)]
pub enum Arrival {
    /// A connection, tuned, with its seat.
    Admitted(TcpStream, SocketAddr, Seat),
    /// A connection that was reset, because there was no seat for it.
    Refused(SocketAddr, Full),
}

/// Hands every arrival to `serve`, for ever.
///
/// No error ends the loop. `accept` fails for want of file descriptors or because a peer hung up
/// while it waited in the queue, and neither is a reason to stop listening. Cancel-safe: what is
/// accepted is handed over before the loop waits again.
pub async fn accept_all(
    listener: TcpListener,
    admission: Admission,
    mut serve: impl FnMut(Arrival),
) {
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => {
                if let Some(arrival) = arrive(socket, plain(peer), &admission) {
                    serve(arrival);
                }
            }
            Err(error) if is_the_peers(&error) => (),
            Err(error) => {
                warn!(%error, "cannot accept; will try again");
                sleep(BREATHER).await;
            }
        }
    }
}

/// Nobody arrives whose socket is dead by now.
fn arrive(socket: TcpStream, peer: SocketAddr, admission: &Admission) -> Option<Arrival> {
    match admission.admit(peer.ip()) {
        Ok(seat) => {
            tune(&socket).ok()?;
            Some(Arrival::Admitted(socket, peer, seat))
        }
        Err(full) => {
            // A reset leaves nothing behind on our side; whoever floods us pays for it alone.
            let _ = socket.set_zero_linger();
            Some(Arrival::Refused(peer, full))
        }
    }
}

/// Whether accepting failed on account of this one peer. We do not pause for those, or else
/// whoever hangs up often enough would keep everybody else waiting.
fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::Interrupted
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::TimedOut
    )
}

/// "Address family not supported", which the standard library has no word for (errno(3), Linux).
const EAFNOSUPPORT: i32 = 97;

/// Connections that the system may complete before we take them: a burst of a second's worth.
const BACKLOG: i32 = 1024;

/// Long enough to let descriptors be freed, short enough to go unnoticed.
const BREATHER: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests;
