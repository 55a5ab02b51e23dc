//! The wire between two servers, and whoever sits at it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::trouble::{Result, While};
use crate::net::listener::{Admission, Arrival, Limits, accept_all};

/// A stretch of the Internet in front of a house: it leads on to whoever serves there, and
/// everybody on the way can read along. It runs until it is dropped.
#[derive(Debug)]
pub(super) struct Tap {
    /// Where the house is to be reached, as DNS says.
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    leads_to: Mutex<SocketAddr>,
    strips: AtomicBool,
    /// The connections that were made since it began anew.
    wires: Mutex<Vec<Arc<Wire>>>,
    /// Changes when all connections are to be cut.
    cut: watch::Sender<()>,
}

/// What went by on one connection, for each direction on its own.
#[derive(Debug, Default)]
struct Wire([Mutex<Vec<u8>>; 2]);

impl Tap {
    /// Opens one at a free port of this address.
    pub(super) async fn open(at: IpAddr, leads_to: SocketAddr) -> Result<Self> {
        let doing = "open the demo's network";
        let listener = TcpListener::bind((at, 0)).await.or_trouble(doing)?;
        let address = listener.local_addr().or_trouble(doing)?;
        let shared = Arc::new(Shared {
            leads_to: Mutex::new(leads_to),
            strips: AtomicBool::new(false),
            wires: Mutex::default(),
            cut: watch::Sender::new(()),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, _tasks: tasks })
    }

    /// From now on somebody else serves the house.
    pub(super) fn lead_to(&self, address: SocketAddr) {
        *lock(&self.shared.leads_to) = address;
    }

    /// Whether somebody on the way takes the offer of TLS out of connections made from now on, and
    /// says no for the server where TLS is asked for nevertheless.
    pub(super) fn strip(&self, strips: bool) {
        self.shared.strips.store(strips, Ordering::Relaxed);
    }

    /// Cuts every connection, and forgets what went by.
    pub(super) fn begin_anew(&self) {
        lock(&self.shared.wires).clear();
        self.shared.cut.send_replace(());
    }

    /// How many connections were made.
    pub(super) fn connections(&self) -> usize {
        lock(&self.shared.wires).len()
    }

    /// On how many of them this text went by.
    pub(super) fn connections_with(&self, text: &str) -> usize {
        let wires = lock(&self.shared.wires);
        wires.iter().filter(|wire| wire.quote(text, b'>').is_some()).count()
    }

    /// How many bytes went by.
    pub(super) fn length(&self) -> usize {
        let wires = lock(&self.shared.wires);
        wires.iter().flat_map(|wire| &wire.0).map(|bytes| lock(bytes).len()).sum()
    }

    /// What went by from the first byte of `text` to the next `end`, if `text` did at all.
    pub(super) fn quote(&self, text: &str, end: u8) -> Option<String> {
        lock(&self.shared.wires).iter().find_map(|wire| wire.quote(text, end))
    }

    /// The last bytes that went by on the busiest connection.
    pub(super) fn last(&self, count: usize) -> Vec<u8> {
        let wires = lock(&self.shared.wires);
        let ways = wires.iter().flat_map(|wire| &wire.0);
        let longest = ways.max_by_key(|bytes| lock(bytes).len());
        longest.map_or_else(Vec::new, |bytes| {
            let bytes = lock(bytes);
            bytes[bytes.len().saturating_sub(count)..].to_vec()
        })
    }
}

impl Wire {
    fn quote(&self, text: &str, end: u8) -> Option<String> {
        self.0.iter().find_map(|bytes| {
            let bytes = lock(bytes);
            let at = position(&bytes, text.as_bytes())?;
            let rest = &bytes[at..];
            let length = rest.iter().skip(text.len()).position(|byte| *byte == end);
            let length = length.map_or(rest.len(), |length| text.len() + length + 1);
            Some(String::from_utf8_lossy(&rest[..length.min(QUOTE_MAX)]).into_owned())
        })
    }

    fn keep(&self, way: usize, went_by: &[u8]) {
        if let Some(mut bytes) = self.0.get(way).map(lock)
            && bytes.len() < OVERHEARD_MAX
        {
            bytes.extend_from_slice(went_by);
        }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let admission = Admission::new(Limits {
        connections_max: CONNECTIONS_MAX,
        per_address_max: CONNECTIONS_MAX,
    });
    let mut tasks = JoinSet::new();
    accept_all(listener, admission, |arrival| {
        while tasks.try_join_next().is_some() {}
        if let Arrival::Admitted(socket, _, seat) = arrival {
            let shared = Arc::clone(&shared);
            let mut cut = shared.cut.subscribe();
            tasks.spawn(async move {
                // Both ends see when the wire breaks.
                tokio::select! {
                    _ = shared.join(socket) => (),
                    _ = cut.changed() => (),
                }
                drop(seat);
            });
        }
    })
    .await;
}

impl Shared {
    async fn join(&self, mut from: TcpStream) -> io::Result<()> {
        let wire = Arc::new(Wire::default());
        lock(&self.wires).push(Arc::clone(&wire));
        let leads_to = *lock(&self.leads_to);
        let mut to = TcpStream::connect(leads_to).await?;
        if self.strips.load(Ordering::Relaxed) {
            return strip(from, to, &wire).await;
        }
        let (from_reader, from_writer) = from.split();
        let (to_reader, to_writer) = to.split();
        tokio::try_join!(
            pass(from_reader, to_writer, (&wire, 0)),
            pass(to_reader, from_writer, (&wire, 1)),
        )?;
        Ok(())
    }
}

async fn pass(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    (wire, way): (&Wire, usize),
) -> io::Result<()> {
    let mut buffer = vec![0; 4096];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        wire.keep(way, &buffer[..length]);
        to.write_all(&buffer[..length]).await?;
    }
}

/// Passes on what both ends say, but for TLS. Whoever asks for TLS is told no, and hung up on.
async fn strip(mut from: TcpStream, mut to: TcpStream, wire: &Wire) -> io::Result<()> {
    let (mut asked, mut offered) = (Vec::new(), Vec::new());
    loop {
        tokio::select! {
            read = from.read_buf(&mut asked) => {
                if read? == 0 {
                    return Ok(());
                }
                let Some(said) = whole(&mut asked) else { continue };
                wire.keep(0, said.as_bytes());
                if said.contains(STARTTLS) {
                    from.write_all(NO_TLS).await?;
                    return from.shutdown().await;
                }
                to.write_all(said.as_bytes()).await?;
            }
            read = to.read_buf(&mut offered) => {
                if read? == 0 {
                    return Ok(());
                }
                let Some(said) = whole(&mut offered) else { continue };
                let left = without_offer(&said);
                wire.keep(1, left.as_bytes());
                from.write_all(left.as_bytes()).await?;
            }
        }
    }
}

/// What was said, once it ends with an element: before TLS everything does, sooner or later.
fn whole(said: &mut Vec<u8>) -> Option<String> {
    said.ends_with(b">").then(|| String::from_utf8_lossy(&std::mem::take(said)).into_owned())
}

/// What a server said, but for its offer of TLS.
fn without_offer(said: &str) -> String {
    let Some((before, rest)) = said.split_once(STARTTLS) else {
        return said.to_owned();
    };
    let after = rest.split_once("</starttls>").or_else(|| rest.split_once("/>"));
    format!("{before}{}", after.map_or("", |(_, after)| after))
}

fn position(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

const STARTTLS: &str = "<starttls";

/// What a server says that cannot do TLS after all (RFC 6120 §5.4.2.2).
const NO_TLS: &[u8] = b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>";

/// Connections at once; the demo needs a dozen.
const CONNECTIONS_MAX: usize = 64;

/// What is kept of one direction of a connection. All acts together send a few kilobytes; with
/// `--stay` others may send more.
const OVERHEARD_MAX: usize = 1024 * 1024;

/// The longest quotation; a line on a terminal is not longer.
const QUOTE_MAX: usize = 200;

#[cfg(test)]
mod tests;
