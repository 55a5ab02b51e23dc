//! The admin port: plain HTTP for operators and their tools.
//!
//! Whoever reaches the port may read; only this machine may ask for something to be done. The room
//! knows nothing of the others: the app lends it their [`Views`].

mod answer;
mod levels;
mod page;
mod question;

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ligase_metrics::Component;
use ligase_verifier::Domain;
use serde_json::{Map, Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::warn;

use crate::config;
use crate::logging::Order;
use crate::stream::Violation;

/// What the admin port can show, and what it can ask for.
pub struct Views {
    /// Our own name: one of those that a client may call us by.
    pub server_name: Domain,
    /// Which parts of the program stand.
    pub ready: Box<dyn Fn() -> Readiness + Send + Sync>,
    /// The text that Prometheus scrapes.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
    /// The configuration, without its secrets.
    pub config: Box<dyn Fn() -> Value + Send + Sync>,
    /// The connections that are open now.
    pub connections: Box<dyn Fn() -> Value + Send + Sync>,
    /// The pairs that are bound now.
    pub bindings: Box<dyn Fn() -> Value + Send + Sync>,
    /// All there is to say about a domain of ours and a peer; DNS is asked for it.
    pub explain: Box<dyn Fn(Domain, Domain) -> Explained + Send + Sync>,
    /// How everything stands, in little.
    pub status: Box<dyn Fn() -> Value + Send + Sync>,
    /// What our own domains publish, against what it should be.
    pub self_check: Box<dyn Fn() -> Value + Send + Sync>,
    /// What does not work, and what to do about it.
    pub failures: Box<dyn Fn() -> Value + Send + Sync>,
    /// Our own certificates.
    pub certificates: Box<dyn Fn() -> Value + Send + Sync>,
    /// Reads the configuration again; what is wrong with it changes nothing.
    pub reload: Box<dyn Fn() -> Result<(), Vec<config::Error>> + Send + Sync>,
    /// Forgets that a peer could not be reached, and tells how much there was to forget.
    pub retry: Box<dyn Fn(&Domain) -> usize + Send + Sync>,
    /// Asks the program to finish and end.
    pub drain: Box<dyn Fn() + Send + Sync>,
    /// How much is logged.
    pub levels: Box<dyn Fn() -> Value + Send + Sync>,
    /// Logs more or less from now on.
    pub log: Box<dyn Fn(&Order) + Send + Sync>,
    /// Is told whom we turned away, and why.
    pub turned_away: Box<dyn Fn(Violation, SocketAddr) + Send + Sync>,
}

/// What is said about a pair, once it is known.
pub struct Explained(pub Pin<Box<dyn Future<Output = Value> + Send>>);

impl fmt::Debug for Views {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Views").finish_non_exhaustive()
    }
}

/// Which parts of the program stand.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Readiness {
    /// For each part that was looked at, why it does not stand. A part that is not in the list
    /// does not stand: nobody has looked.
    pub parts: Vec<(Component, Result<(), String>)>,
}

impl Readiness {
    /// Why a part does not stand.
    pub fn cause(&self, component: Component) -> Option<&str> {
        let part = self.parts.iter().find(|(it, _)| *it == component);
        match part {
            Some((_, Ok(()))) => None,
            Some((_, Err(cause))) => Some(cause),
            None => Some("not started"),
        }
    }

    /// All of it as JSON: whether it is `ready`, and each of the `components`.
    pub fn show(&self) -> Value {
        let state = |it: &Component| {
            let cause = self.cause(*it);
            (it.as_str().to_owned(), json!({"ready": cause.is_none(), "cause": cause}))
        };
        let components: Map<_, _> = Component::ALL.iter().map(state).collect();
        json!({"ready": self.is_ready(), "components": components})
    }

    /// Whether every part stands.
    fn is_ready(&self) -> bool {
        Component::ALL.iter().all(|it| self.cause(*it).is_none())
    }
}

/// Every path that is answered, by the method that it takes.
pub fn endpoints() -> impl Iterator<Item = (&'static str, &'static str)> {
    let reads = answer::READS.into_iter().chain([answer::EXPLAIN]).map(|path| ("GET", path));
    reads.chain(answer::WRITES.into_iter().map(|path| ("POST", path)))
}

/// Answers whoever connects, for ever.
pub async fn serve(listener: TcpListener, views: Arc<Views>) {
    serve_with(listener, views, PATIENCE).await;
}

async fn serve_with(listener: TcpListener, views: Arc<Views>, patience: Patience) {
    let mut seats = Seats::default();
    let mut talks = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, from)) => match seats.take(from.ip().to_canonical()) {
                    Some(seat) => {
                        let talk = talk(socket, from, Arc::clone(&views), patience);
                        talks.spawn(async move {
                            talk.await;
                            drop(seat);
                        });
                    }
                    None => (views.turned_away)(Violation::LimitConnections, from),
                },
                Err(error) => {
                    warn!(%error, "cannot accept at the admin port; will try again");
                    sleep(BREATHER).await;
                }
            },
            // Only lets go of what is left of those that have ended.
            Some(_) = talks.join_next() => (),
        }
    }
}

/// Answers one request, and hangs up.
async fn talk(socket: TcpStream, from: SocketAddr, views: Arc<Views>, patience: Patience) {
    let service = service_fn(|request| {
        let reply = answer::answer(&request, from, &views);
        async { Ok::<_, Infallible>(reply.response().await) }
    });
    let talk = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.header)
        .max_buf_size(HEADER_BYTES_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(socket), service);
    // Who is too slow is hung up on.
    if let Ok(Err(error)) = timeout(patience.talk, talk).await
        && error.is_parse()
    {
        (views.turned_away)(Violation::AdminRequest, from);
    }
}

/// Who is being talked to.
#[derive(Debug, Default)]
struct Seats(HashMap<IpAddr, Arc<()>>);

impl Seats {
    /// A seat, for as long as it is kept; none if its address or all have enough.
    ///
    /// This machine's own address has its own seats, so that no crowd of strangers keeps an
    /// operator from the port.
    fn take(&mut self, from: IpAddr) -> Option<Arc<()>> {
        let taken = |seat: &Arc<()>| Arc::strong_count(seat) - 1;
        self.0.retain(|_, seat| 0 < taken(seat));
        let strangers = self.0.iter().filter(|(it, _)| !it.is_loopback());
        let strangers: usize = strangers.map(|(_, seat)| taken(seat)).sum();
        if SEATS_MAX <= strangers && !from.is_loopback() {
            return None;
        }
        let seat = self.0.entry(from).or_default();
        (taken(seat) < SEATS_PER_ADDRESS_MAX).then(|| Arc::clone(seat))
    }
}

/// Strangers at a time. Probes and scrapes are few, and each is over in milliseconds.
const SEATS_MAX: usize = 64;

/// Of these, from one address.
const SEATS_PER_ADDRESS_MAX: usize = 16;

/// How long clients may take.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// To say what they want.
    header: Duration,
    /// In all.
    talk: Duration,
}

const PATIENCE: Patience = Patience {
    // It is one packet.
    header: Duration::from_secs(5),
    // A large answer over a slow line included.
    talk: Duration::from_secs(30),
};

/// What a browser with many cookies sends, twice over; the least that hyper takes is 8 KiB.
const HEADER_BYTES_MAX: usize = 16_384;

/// Long enough to let descriptors be freed, short enough to go unnoticed.
const BREATHER: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests;
