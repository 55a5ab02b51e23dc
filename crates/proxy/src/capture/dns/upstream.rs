//! Everything that is none of our business is asked and answered as if we were not there.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::rand;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{sleep, timeout};

use super::message::{Query, Rcode, is_truncated, rcode};
use super::{read_message, write_message};

/// The DNS servers to ask, and which of them answered last.
#[derive(Debug)]
pub(super) struct Upstreams {
    servers: Vec<SocketAddr>,
    preferred: AtomicUsize,
    /// What we have sent over UDP and wait for the answers to; as many as may be under way, by either
    /// transport.
    sent: Mutex<HashSet<Vec<u8>>>,
}

/// A query of ours on its way, until this is dropped.
struct Sent<'a> {
    upstreams: &'a Upstreams,
    message: Vec<u8>,
}

/// How a query came, and so how long its answer may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Transport {
    /// By a datagram, which is no better a proof of where it is from than any.
    Udp(IpAddr),
    /// By a connection.
    Tcp,
}

impl Upstreams {
    pub(super) fn new(mut servers: Vec<SocketAddr>) -> Self {
        servers.truncate(SERVERS_MAX);
        Self { servers, preferred: AtomicUsize::new(0), sent: Mutex::default() }
    }

    /// Whether a query is one that we have just sent ourselves: somebody has turned it back to us.
    /// Another's is taken for it only if it asks the same by the same random number.
    pub(super) fn is_ours(&self, query: &Query<'_>) -> bool {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).contains(query.message())
    }

    fn send(&self, message: Vec<u8>) -> Sent<'_> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.insert(message.clone());
        Sent { upstreams: self, message }
    }

    /// The answer of the first server that has one, as it came but for the number, which is the
    /// query's. If none has one, what the last of them said of its failure, if anything.
    pub(super) async fn ask(&self, query: &Query<'_>, transport: Transport) -> Option<Vec<u8>> {
        let first = self.preferred.load(Ordering::Relaxed);
        let mut failure = None;
        for turn in 0..self.servers.len() {
            let place = (first + turn) % self.servers.len();
            let asking = self.ask_one(self.servers[place], query, transport);
            let Ok(Ok(mut answer)) = timeout(PATIENCE, asking).await else {
                continue;
            };
            answer[..2].copy_from_slice(&query.message()[..2]);
            if is_failure(&answer) {
                failure = Some(answer);
            } else {
                self.preferred.store(place, Ordering::Relaxed);
                return Some(answer);
            }
        }
        failure
    }

    /// Asks one server over UDP, and if its answer did not fit, over TCP, but only on behalf of those
    /// who use TCP themselves: the others must hear that it did not fit.
    async fn ask_one(
        &self,
        server: SocketAddr,
        query: &Query<'_>,
        transport: Transport,
    ) -> io::Result<Vec<u8>> {
        let answer = self.ask_udp(server, query).await?;
        if transport == Transport::Tcp && is_truncated(&answer) {
            return ask_tcp(server, query).await;
        }
        Ok(answer)
    }

    /// Each query has its own random number and its own socket, so its own random port: whoever
    /// cannot read our packets has to guess both to forge an answer (RFC 5452 §9.2).
    async fn ask_udp(&self, server: SocketAddr, query: &Query<'_>) -> io::Result<Vec<u8>> {
        let any = match server {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let socket = UdpSocket::bind(any).await?;
        socket.connect(server).await?;
        let (id, message) = renumbered(query)?;
        let mut buffer = vec![0; query.payload_max().max(ANSWER_ROOM)];
        let sent = self.send(message);
        socket.send(&sent.message).await?;
        let mut again = pin!(sleep(AGAIN));
        let mut repeated = false;
        let mut strangers = 0;
        while strangers < STRANGERS_MAX {
            tokio::select! {
                received = socket.recv(&mut buffer) => {
                    let length = received?;
                    if query.is_answered_by(&buffer[..length], id) {
                        buffer.truncate(length);
                        return Ok(buffer);
                    }
                    strangers += 1;
                }
                // Datagrams get lost, and whoever asked us would take our failure for the server's.
                () = &mut again, if !repeated => {
                    repeated = true;
                    socket.send(&sent.message).await?;
                }
            }
        }
        // Somebody is guessing.
        Err(io::ErrorKind::InvalidData.into())
    }
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        let mut sent = self.upstreams.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.remove(&self.message);
    }
}

/// Whether another server may know more (the data may be bogus for all, but asking is cheap).
fn is_failure(answer: &[u8]) -> bool {
    let code = rcode(answer);
    code == Some(Rcode::ServerFailure as u8) || code == Some(Rcode::Refused as u8)
}

async fn ask_tcp(server: SocketAddr, query: &Query<'_>) -> io::Result<Vec<u8>> {
    let mut socket = TcpStream::connect(server).await?;
    let (id, message) = renumbered(query)?;
    write_message(&mut socket, &message).await?;
    let answer = read_message(&mut socket, usize::from(u16::MAX)).await?;
    match query.is_answered_by(&answer, id) {
        true => Ok(answer),
        false => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// The query with a number that nobody can know.
fn renumbered(query: &Query<'_>) -> io::Result<([u8; 2], Vec<u8>)> {
    let mut id = [0; 2];
    rand::fill(&mut id).map_err(|_| io::ErrorKind::Other)?;
    let mut message = query.message().to_vec();
    message[..2].copy_from_slice(&id);
    Ok((id, message))
}

/// As many as a resolver configuration lists.
const SERVERS_MAX: usize = 3;

/// For one server: a recursive look-up that takes longer is asked for again by the asker.
const PATIENCE: Duration = Duration::from_secs(2);

/// After that long, a query that was not answered was perhaps lost: more than most answers take,
/// and less than half of our patience, so that a second answer may take as long.
const AGAIN: Duration = Duration::from_millis(800);

/// Some servers send more than they were told they may.
const ANSWER_ROOM: usize = 4096;

/// Late answers and guesses that are passed over before we give a server up.
const STRANGERS_MAX: usize = 16;

#[cfg(test)]
mod tests;
