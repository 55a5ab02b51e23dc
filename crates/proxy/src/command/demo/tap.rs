//! The wire between two servers, and whoever listens at it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::trouble::{Result, While};
use crate::net::listener::{Admission, Arrival, Limits, accept_all};

/// A stretch of the Internet in front of one domain: it leads on to whoever serves that domain,
/// and everybody on the way can read along. It runs until it is dropped.
#[derive(Debug)]
pub(super) struct Tap {
    /// Where the domain is to be reached, as DNS says.
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    leads_to: Mutex<SocketAddr>,
    /// What went by, for each direction of each connection on its own.
    overheard: Mutex<Vec<Vec<u8>>>,
}

impl Tap {
    /// Opens one at a free port of this address.
    pub(super) async fn open(at: IpAddr, leads_to: SocketAddr) -> Result<Self> {
        let doing = "open the demo's network";
        let listener = TcpListener::bind((at, 0)).await.or_trouble(doing)?;
        let address = listener.local_addr().or_trouble(doing)?;
        let shared =
            Arc::new(Shared { leads_to: Mutex::new(leads_to), overheard: Mutex::default() });
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, _tasks: tasks })
    }

    /// From now on somebody else serves the domain.
    pub(super) fn lead_to(&self, address: SocketAddr) {
        *lock(&self.shared.leads_to) = address;
    }

    /// Forgets what went by.
    pub(super) fn forget(&self) {
        lock(&self.shared.overheard).iter_mut().for_each(Vec::clear);
    }

    /// How many bytes went by.
    pub(super) fn length(&self) -> usize {
        lock(&self.shared.overheard).iter().map(Vec::len).sum()
    }

    /// What went by from the first byte of `text` to the next `end`, if `text` did at all.
    pub(super) fn quote(&self, text: &str, end: u8) -> Option<String> {
        let overheard = lock(&self.shared.overheard);
        overheard.iter().find_map(|bytes| {
            let at = position(bytes, text.as_bytes())?;
            let rest = &bytes[at..];
            let length = rest.iter().skip(text.len()).position(|byte| *byte == end);
            let length = length.map_or(rest.len(), |length| text.len() + length + 1);
            Some(String::from_utf8_lossy(&rest[..length.min(QUOTE_MAX)]).into_owned())
        })
    }

    /// The last bytes that went by.
    pub(super) fn last(&self, count: usize) -> Vec<u8> {
        let overheard = lock(&self.shared.overheard);
        let longest = overheard.iter().max_by_key(|bytes| bytes.len());
        longest.map_or_else(Vec::new, |bytes| bytes[bytes.len().saturating_sub(count)..].to_vec())
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
            tasks.spawn(async move {
                // Both ends see when the wire breaks.
                let _ = shared.join(socket).await;
                drop(seat);
            });
        }
    })
    .await;
}

impl Shared {
    async fn join(&self, from: TcpStream) -> io::Result<()> {
        let leads_to = *lock(&self.leads_to);
        let to = TcpStream::connect(leads_to).await?;
        let ((from_reader, from_writer), (to_reader, to_writer)) =
            (from.into_split(), to.into_split());
        tokio::try_join!(self.pass(from_reader, to_writer), self.pass(to_reader, from_writer),)?;
        Ok(())
    }

    async fn pass(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
        let place = {
            let mut overheard = lock(&self.overheard);
            overheard.push(Vec::new());
            overheard.len() - 1
        };
        let mut buffer = vec![0; 4096];
        loop {
            let length = from.read(&mut buffer).await?;
            if length == 0 {
                return to.shutdown().await;
            }
            if let Some(bytes) = lock(&self.overheard).get_mut(place)
                && bytes.len() < OVERHEARD_MAX
            {
                bytes.extend_from_slice(&buffer[..length]);
            }
            to.write_all(&buffer[..length]).await?;
        }
    }
}

fn position(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Connections at once; the demo needs a handful.
const CONNECTIONS_MAX: usize = 64;

/// What is kept of one direction of a connection. All acts together send a few kilobytes; with
/// `--stay` others may send more.
const OVERHEARD_MAX: usize = 1024 * 1024;

/// The longest quotation; a line on a terminal is not longer.
const QUOTE_MAX: usize = 200;
