//! Answers our own server's DNS queries: its peers are here, and all else is as it is.

mod message;
mod upstream;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ipnet::IpNet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::net::inherited::Inherited;
use crate::net::listener::{Admission, Arrival, Limits, accept_all};
use message::{Outcome, Query, Rcode, Unread};
use upstream::{Transport, Upstreams};

/// What the responder listens on, whom it answers, and with what.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens, for UDP and TCP alike.
    pub listen: Vec<SocketAddr>,
    /// Whom it asks about everything else, in order of preference, and never itself.
    pub upstream: Vec<SocketAddr>,
    /// Where it says that peers are.
    pub steering: Steering,
    /// Whose queries it answers.
    pub sources: Sources,
}

/// Where every peer of our server is said to be.
#[derive(Clone, Debug)]
pub struct Steering {
    /// The address of our listener for it, which it must be able to reach without another
    /// look-up: it is answered as the target's name, and servers take it for the address it is.
    pub address: IpAddr,
    /// The port of that listener.
    pub port: u16,
}

/// Whose queries are answered. All others are ignored, since whoever answers everybody can be
/// made to flood anybody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Sources {
    /// Those from these networks.
    Networks(Arc<[IpNet]>),
    /// Those from any address of this host: a query that the packet filter redirected keeps the
    /// address it was sent from.
    ThisHost,
    /// Everybody's.
    Anybody,
}

/// What becomes of a query.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It asked where a peer is, and the peer is here.
    Here,
    /// It asked for something else about that place, and there is nothing.
    Denied,
    /// It was none of ours, and was passed on.
    Passed,
}

/// A bound responder.
#[derive(Debug)]
pub struct Responder {
    sockets: Vec<(Arc<UdpSocket>, TcpListener)>,
    shared: Arc<Shared>,
}

/// What all queries have in common.
struct Shared {
    steering: Steering,
    sources: Sources,
    upstreams: Upstreams,
    /// Whether a stranger has asked already: it is said once, not each time.
    strangers: AtomicBool,
    /// Whether a query of our own has come back to us already.
    circling: AtomicBool,
    /// Whether the last query had to go without an answer from upstream.
    failing: AtomicBool,
    /// What came over UDP and waits for upstream, counted for who asked. What came over TCP needs no
    /// place: its connection is one.
    places: Admission,
    /// Is told what becomes of queries; nobody, until somebody wants to be.
    tell: OnceLock<Tell>,
}

type Tell = Box<dyn Fn(Fate) + Send + Sync>;

impl Responder {
    /// Binds all sockets that are not among the inherited; inside a runtime.
    ///
    /// # Errors
    /// When an address cannot be bound, or is that of an upstream server: each query would then
    /// come back to us until one of us gave up.
    pub fn bind(settings: Settings, inherited: &mut Inherited) -> io::Result<Self> {
        let mut sockets = Vec::with_capacity(settings.listen.len());
        for address in settings.listen {
            if settings.upstream.contains(&address) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "the resolver must not be our own responder",
                ));
            }
            let tcp = inherited.listener(address)?;
            // With port 0, both get the one that TCP was given.
            let udp = inherited.datagrams(tcp.local_addr()?)?;
            sockets.push((Arc::new(udp), tcp));
        }
        Ok(Self {
            sockets,
            shared: Arc::new(Shared {
                steering: settings.steering,
                sources: settings.sources,
                upstreams: Upstreams::new(settings.upstream),
                strangers: AtomicBool::new(false),
                circling: AtomicBool::new(false),
                failing: AtomicBool::new(false),
                places: Admission::new(shares(QUERIES_MAX)),
                tell: OnceLock::new(),
            }),
        })
    }

    /// Has somebody told what becomes of queries; the first who asks for it.
    #[must_use]
    pub fn observed_by(self, tell: impl Fn(Fate) + Send + Sync + 'static) -> Self {
        let _ = self.shared.tell.set(Box::new(tell));
        self
    }

    /// The addresses that it is bound to.
    ///
    /// # Errors
    /// When the system will not say.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.sockets.iter().map(|(udp, _)| udp.local_addr()).collect()
    }

    /// Answers queries, for ever. Dropping this future ends all that it has begun.
    pub async fn serve(self) {
        let mut tasks = JoinSet::new();
        for (udp, tcp) in self.sockets {
            tasks.spawn(serve_udp(udp, Arc::clone(&self.shared)));
            tasks.spawn(serve_tcp(tcp, Arc::clone(&self.shared)));
        }
        while tasks.join_next().await.is_some() {}
    }
}

/// Takes datagrams, for ever; each is answered by a task of its own, so that none that should
/// fail takes the socket with it.
async fn serve_udp(socket: Arc<UdpSocket>, shared: Arc<Shared>) {
    let mut tasks = JoinSet::new();
    // One more than may be: what fills it was longer and has been cut.
    let mut buffer = vec![0; QUERY_MAX + 1];
    loop {
        tokio::select! {
            received = socket.recv_from(&mut buffer) => match received {
                Ok((length, source)) if length <= QUERY_MAX && shared.admit(source) => {
                    while tasks.try_join_next().is_some() {}
                    if tasks.len() < TASKS_MAX {
                        let query = buffer[..length].to_vec();
                        let (socket, shared) = (Arc::clone(&socket), Arc::clone(&shared));
                        tasks.spawn(async move {
                            let from = Transport::Udp(source.ip());
                            if let Some(answer) = shared.answer(&query, from).await {
                                let _ = socket.send_to(&answer, source).await;
                            }
                        });
                    }
                }
                Ok(_) => (),
                Err(error) => {
                    warn!(%error, "cannot receive DNS queries; will try again");
                    sleep(BREATHER).await;
                }
            },
            Some(_) = tasks.join_next() => (),
        }
    }
}

async fn serve_tcp(listener: TcpListener, shared: Arc<Shared>) {
    let admission = Admission::new(shares(CONNECTIONS_MAX));
    let mut tasks = JoinSet::new();
    accept_all(listener, admission, |arrival| {
        while tasks.try_join_next().is_some() {}
        if let Arrival::Admitted(socket, source, seat) = arrival
            && shared.admit(source)
        {
            let shared = Arc::clone(&shared);
            tasks.spawn(async move {
                // Whoever breaks a connection knows; there is nobody else to tell.
                let _ = converse(socket, &shared).await;
                drop(seat);
            });
        }
    })
    .await;
}

/// Answers the queries on one connection, one after the other (RFC 7766 §6.2.1).
async fn converse(mut socket: TcpStream, shared: &Shared) -> io::Result<()> {
    for _ in 0..QUERIES_PER_CONNECTION_MAX {
        let Ok(query) = timeout(IDLE, read_message(&mut socket, QUERY_MAX)).await else {
            return Ok(());
        };
        let query = query?;
        let Some(answer) = shared.answer(&query, Transport::Tcp).await else {
            return Ok(());
        };
        timeout(IDLE, write_message(&mut socket, &answer)).await??;
    }
    Ok(())
}

/// Reads one message of at most so many bytes, with its length before it (RFC 1035 §4.2.2).
async fn read_message(socket: &mut TcpStream, length_max: usize) -> io::Result<Vec<u8>> {
    let length = usize::from(socket.read_u16().await?);
    if length_max < length {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    socket.read_exact(&mut message).await?;
    Ok(message)
}

/// Writes one message with its length before it.
async fn write_message(socket: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(|_| io::ErrorKind::InvalidData)?;
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend_from_slice(message);
    socket.write_all(&framed).await
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("steering", &self.steering).finish_non_exhaustive()
    }
}

impl Shared {
    fn admit(&self, source: SocketAddr) -> bool {
        let admitted = self.sources.admit(source.ip());
        if !admitted && !self.strangers.swap(true, Ordering::Relaxed) {
            warn!(%source, "DNS queries from other hosts are ignored, this one and all to come");
        }
        admitted
    }

    /// The answer to a query; `None` if it deserves none, or there is no place for it.
    async fn answer(&self, message: &[u8], transport: Transport) -> Option<Vec<u8>> {
        let query = match Query::read(message) {
            Ok(query) => query,
            Err(Unread::Silent) => return None,
            Err(Unread::Refuse(answer)) => return Some(answer),
        };
        if self.upstreams.is_ours(&query) {
            // To pass it on would be to ask ourselves, again and again.
            if !self.circling.swap(true, Ordering::Relaxed) {
                warn!(
                    "our own DNS queries come back to us: the rules of the packet filter spare another user"
                );
            }
            return Some(query.answer(&Outcome::Fail(Rcode::ServerFailure)));
        }
        let outcome = self.steering.decide(&query);
        // Only what we cannot answer ourselves waits, so only that is limited. Whoever finds no place
        // will ask again: DNS over UDP always may get lost.
        let _place = match (&outcome, transport) {
            (None, Transport::Udp(source)) => Some(self.places.admit(source).ok()?),
            _ => None,
        };
        if let Some(tell) = self.tell.get() {
            tell(match &outcome {
                Some(Outcome::Service { .. }) => Fate::Here,
                Some(Outcome::NoData | Outcome::Fail(_)) => Fate::Denied,
                None => Fate::Passed,
            });
        }
        if let Some(outcome) = outcome {
            return Some(query.answer(&outcome));
        }
        let answer = self.upstreams.ask(&query, transport).await;
        let failed = answer.is_none();
        if self.failing.swap(failed, Ordering::Relaxed) != failed {
            match failed {
                true => warn!("no upstream DNS server answers the backend's queries"),
                false => info!("an upstream DNS server answers the backend's queries again"),
            }
        }
        let answer = answer.unwrap_or_else(|| query.answer(&Outcome::Fail(Rcode::ServerFailure)));
        Some(match transport {
            Transport::Udp(_) => query.fit(answer),
            Transport::Tcp => answer,
        })
    }
}

impl Steering {
    /// What to say of ourselves; `None` if the question is none of ours.
    fn decide(&self, query: &Query<'_>) -> Option<Outcome> {
        // A transfer is many messages, and nobody who only resolves names asks for one.
        if matches!(query.kind(), message::IXFR | message::AXFR) {
            return Some(Outcome::Fail(Rcode::NotImplemented));
        }
        let labels = query.labels();
        let [service, protocol, domain @ ..] = labels.as_slice() else {
            return None;
        };
        let direct = service == b"_xmpps-server";
        let ours = (direct || service == b"_xmpp-server") && protocol == b"_tcp";
        if !ours || domain.is_empty() || query.class() != message::INTERNET {
            return None;
        }
        // A name that a resolver made up by appending a search suffix gets the same answer: it
        // cannot be told from that of a domain below the suffix, and whoever is denied one goes to
        // the domain's addresses instead, past us.
        Some(if direct || query.kind() != message::SRV {
            // Direct TLS would tell us the peer's name only in a ClientHello, if at all.
            Outcome::NoData
        } else {
            Outcome::Service { address: self.address, port: self.port }
        })
    }
}

impl Sources {
    fn admit(&self, source: IpAddr) -> bool {
        let source = source.to_canonical();
        match self {
            Self::Networks(networks) => networks.iter().any(|it| it.contains(&source)),
            // Only an address of this host can be bound.
            Self::ThisHost => {
                source.is_loopback() || std::net::UdpSocket::bind((source, 0)).is_ok()
            }
            Self::Anybody => true,
        }
    }
}

/// So many in all, and a quarter of them for one address, so that it leaves some to the others.
fn shares(all: usize) -> Limits {
    Limits { connections_max: all, per_address_max: all / 4 }
}

/// Longer than any query for one name with EDNS options.
const QUERY_MAX: usize = 4096;

/// Queries over UDP that wait for upstream at once. One server asks a few for each new peer.
const QUERIES_MAX: usize = 256;

/// Datagrams at hand at once: those that wait for upstream, and as many again that wait for nothing
/// but their turn.
const TASKS_MAX: usize = 2 * QUERIES_MAX;

/// Connections at once. DNS over TCP is for the few answers that are too long for UDP.
const CONNECTIONS_MAX: usize = 64;

/// Enough for any resolver to keep its connection busy; then it may open another.
const QUERIES_PER_CONNECTION_MAX: usize = 256;

/// How long a connection may say nothing, or not take an answer (RFC 7766 §6.2.3).
const IDLE: Duration = Duration::from_secs(10);

/// Long enough for the system to recover, short enough for resolvers to ask again.
const BREATHER: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests;
