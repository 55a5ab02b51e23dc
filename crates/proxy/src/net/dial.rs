//! Addresses in order, one more at a time, and the first that answers wins.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::tune;

/// How long dialing may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Patience {
    /// For one address.
    pub attempt: Duration,
    /// For all of them.
    pub total: Duration,
}

/// Why no address answered.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Unreached {
    /// There was no address to dial.
    NoAddress,
    /// No way leads there, or a filter on the way said no.
    Unreachable,
    /// Nothing was heard in time.
    TimedOut,
    /// The host is there and does not listen.
    Refused,
    /// We are out of file descriptors or ports ourselves.
    Exhausted,
}

impl Unreached {
    /// As logs name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::NoAddress => "no address",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed out",
            Self::Refused => "connection refused",
            Self::Exhausted => "out of file descriptors or ports",
        }
    }
}

/// A connection, tuned, to the first of these addresses that answers.
///
/// Addresses are dialed in the order given, which is the caller's to choose (interleaved
/// families, RFC 8305 §4). The next is dialed when the one before has failed or after
/// [`ATTEMPT_DELAY`], whichever comes first; those before go on meanwhile. Cancel-safe: dropping
/// this future hangs up everything but what it has returned.
///
/// # Errors
/// When none answers in time. Of several reasons, the one that says most about the far end.
pub async fn dial(addresses: &[SocketAddr], patience: Patience) -> Result<TcpStream, Unreached> {
    race(addresses, patience, connect).await
}

/// A connection, tuned, to this address.
///
/// # Errors
/// The network's; or it led to itself.
pub async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address).await?;
    // On loopback, a free port may be given to the very socket that dials it; TCP then connects
    // the socket with itself (RFC 9293 §3.5), and nobody listens there.
    if socket.local_addr()? == socket.peer_addr()? {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    tune(&socket)?;
    Ok(socket)
}

/// As [`dial`], where there is more to connecting than that.
///
/// # Errors
/// As there.
pub async fn race<T, F>(
    addresses: &[SocketAddr],
    patience: Patience,
    connect: impl Fn(SocketAddr) -> F,
) -> Result<T, Unreached>
where
    T: Send + 'static,
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    let mut waiting = addresses.iter().take(ADDRESSES_MAX);
    let mut attempts = JoinSet::new();
    let mut worst = Unreached::NoAddress;
    let running = async {
        loop {
            let next = waiting.next();
            if let Some(address) = next {
                let attempt = timeout(patience.attempt, connect(*address));
                attempts.spawn(async { attempt.await.map_err(|_| Unreached::TimedOut) });
            } else if attempts.is_empty() {
                return Err(worst);
            }
            match settle(&mut attempts, next.map(|_| ATTEMPT_DELAY)).await {
                Settled::Won(socket) => return Ok(socket),
                Settled::Lost(why) => worst = worst.max(why),
                Settled::Pending => (),
            }
        }
    };
    timeout(patience.total, running).await.unwrap_or(Err(Unreached::TimedOut))
}

/// What has become of the attempts under way.
enum Settled<T> {
    Won(T),
    Lost(Unreached),
    Pending,
}

/// Waits until one attempt has ended, or for as long as given.
async fn settle<T: 'static>(
    attempts: &mut JoinSet<Result<io::Result<T>, Unreached>>,
    delay: Option<Duration>,
) -> Settled<T> {
    let ended = match delay {
        Some(delay) => match timeout(delay, attempts.join_next()).await {
            Ok(ended) => ended,
            Err(_) => return Settled::Pending,
        },
        None => attempts.join_next().await,
    };
    match ended {
        Some(Ok(Ok(Ok(socket)))) => Settled::Won(socket),
        Some(Ok(Ok(Err(error)))) => Settled::Lost(why(&error)),
        Some(Ok(Err(unreached))) => Settled::Lost(unreached),
        // An attempt that panicked has lost; with none left the caller sees for itself.
        Some(Err(_)) | None => Settled::Lost(Unreached::Unreachable),
    }
}

fn why(error: &io::Error) -> Unreached {
    use io::ErrorKind::{
        AddrInUse, AddrNotAvailable, ConnectionRefused, ConnectionReset, TimedOut,
    };

    let kind = error.kind();
    if matches!(kind, ConnectionRefused | ConnectionReset) {
        Unreached::Refused
    } else if kind == TimedOut {
        Unreached::TimedOut
    } else if matches!(kind, AddrInUse | AddrNotAvailable)
        || matches!(error.raw_os_error(), Some(EMFILE | ENFILE))
    {
        Unreached::Exhausted
    } else {
        Unreached::Unreachable
    }
}

/// The system's words for "too many open files", of this process and of all.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

/// How long one address is dialed alone (RFC 8305 §5 recommends 250 ms).
pub const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Enough for every host that means to be reached; more would only be a way to make us dial.
const ADDRESSES_MAX: usize = 16;

#[cfg(test)]
mod tests;
