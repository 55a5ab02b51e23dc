mod kept;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use ligase_verifier::Presented;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor, TlsConnector, TlsStream};

use self::kept::Kept;
use super::event::Totals;
use super::outbox::Outbox;
use crate::stream::{Management, Stanza};
use crate::tls;

/// A socket that can turn to TLS, with what was read and what is to be written.
///
/// One task owns it and moves both directions at once, so neither waits for the other.
#[derive(Debug)]
pub struct Wire {
    socket: Socket,
    /// What was read and is not understood yet.
    pub incoming: BytesMut,
    outgoing: BytesMut,
    /// How many bytes of our own words, at most, are among those.
    said: usize,
    /// Stanzas of which bytes are still in `outgoing`, and where each ends, counted from the first
    /// byte ever written.
    flight: VecDeque<(u64, Stanza)>,
    queued: u64,
    written: u64,
    unflushed: bool,
    kept: Kept,
    /// What has been carried so far; the stanzas that come in are counted by whoever reads them.
    pub totals: Totals,
}

#[derive(Debug)]
enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// Lost in a handshake that failed.
    Lost,
}

/// What a turn of the wire brought.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Turn {
    /// Something was read.
    Read,
    /// The far end will send no more.
    Ended,
}

/// Chooses a TLS server's configuration by the name that the client asks for.
pub type Choose = Box<dyn FnOnce(Option<&str>) -> Option<Arc<ServerConfig>> + Send>;

/// Which end of TLS we are, and what we show.
pub enum Handshake {
    /// The client's end, towards this name.
    Initiate(Arc<ClientConfig>, ServerName<'static>),
    /// The server's.
    Receive(Arc<ServerConfig>),
    /// The server's, as the name that the client asks for decides.
    ReceiveBy(Choose),
}

impl Wire {
    /// A wire over a fresh connection.
    pub fn new(socket: TcpStream) -> Self {
        Self {
            socket: Socket::Plain(socket),
            incoming: BytesMut::new(),
            outgoing: BytesMut::new(),
            said: 0,
            flight: VecDeque::new(),
            queued: 0,
            written: 0,
            unflushed: false,
            kept: Kept::default(),
            totals: Totals::default(),
        }
    }

    /// A wire over a connection of which something was read already, and so many bytes in all.
    pub fn resume(socket: TcpStream, incoming: BytesMut, bytes_in: u64) -> Self {
        let totals = Totals { bytes_in, ..Totals::default() };
        Self { incoming, totals, ..Self::new(socket) }
    }

    /// Puts words of our own before everything that still waits in the outbox.
    pub fn say(&mut self, text: &str) {
        self.outgoing.extend_from_slice(text.as_bytes());
        self.said += text.len();
        self.queued += text.len() as u64;
    }

    /// Whether everything taken so far was handed to the network.
    pub fn is_flushed(&self) -> bool {
        self.outgoing.is_empty() && !self.unflushed
    }

    /// How many bytes it holds in memory, roughly: what was read, what is to be written, what waits to
    /// be acknowledged, and what TLS needs.
    pub fn held(&self) -> usize {
        let tls = match self.socket {
            Socket::Tls(_) => TLS_HELD,
            Socket::Plain(_) | Socket::Lost => 0,
        };
        // The stanzas of which bytes are still in `outgoing` are as long as those bytes, or little more.
        let flight = usize::try_from(self.queued - self.written).unwrap_or(usize::MAX);
        self.incoming.capacity() + self.outgoing.capacity() + flight + self.kept.bytes + tls
    }

    /// Writes what there is, the stanzas of the outbox included if there is one, and reads if `reading`; comes back when
    /// something was read. Cancel-safe: what was read or taken stays.
    ///
    /// Nothing is read from a far end that leaves our answers unread: what it asks costs it little,
    /// and every answer would be kept for it.
    ///
    /// # Errors
    /// The network's.
    pub async fn turn(&mut self, outbox: Option<&Outbox>, reading: bool) -> io::Result<Turn> {
        poll_fn(|cx| {
            self.poll_write(cx, outbox)?;
            if reading && self.said < SAID_MAX { self.poll_read(cx) } else { Poll::Pending }
        })
        .await
    }

    /// Writes what was taken so far. Cancel-safe.
    ///
    /// # Errors
    /// The network's.
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|cx| {
            self.poll_write(cx, None)?;
            if self.is_flushed() { Poll::Ready(Ok(())) } else { Poll::Pending }
        })
        .await
    }

    /// Writes until there is nothing left or the network takes no more.
    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: Option<&Outbox>) -> io::Result<()> {
        loop {
            if self.outgoing.is_empty()
                && let Some(outbox) = outbox
            {
                if self.kept.bytes < KEPT_MAX {
                    self.take(outbox);
                }
                self.ask();
            }
            if self.outgoing.is_empty() {
                break;
            }
            match self.socket.poll_write(cx, &self.outgoing) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => self.settle(count),
                Poll::Ready(Err(error)) => return Err(error),
            }
        }
        if self.unflushed {
            match self.socket.poll_flush(cx) {
                Poll::Pending => (),
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes as many stanzas as make a good write. Each is whole in one write: a parser may sit on
    /// a stanza whose end comes later until still more comes.
    fn take(&mut self, outbox: &Outbox) {
        let (outgoing, flight, queued) = (&mut self.outgoing, &mut self.flight, &mut self.queued);
        outbox.pop_while(|stanza| {
            outgoing.extend_from_slice(stanza.bytes());
            *queued += stanza.bytes().len() as u64;
            flight.push_back((*queued, stanza));
            outgoing.len() < WRITE_GOOD
        });
    }

    fn settle(&mut self, count: usize) {
        self.outgoing.advance(count);
        self.unflushed = true;
        self.written += count as u64;
        self.totals.bytes_out = self.written;
        while self.flight.front().is_some_and(|(end, _)| *end <= self.written) {
            let Some((end, stanza)) = self.flight.pop_front() else { break };
            self.totals.stanzas_out += 1;
            if self.kept.from.is_some_and(|from| from < end) {
                self.kept.bytes += stanza.bytes().len();
                self.kept.stanzas.push_back(stanza);
            }
        }
        if self.outgoing.is_empty() {
            self.said = 0;
        }
        if self.outgoing.is_empty() && OUTGOING_KEPT < self.outgoing.capacity() {
            // An idle connection keeps no buffers.
            self.outgoing = BytesMut::new();
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Turn>> {
        thread_local! {
            // One buffer a worker, so that a quiet connection needs none of its own.
            static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_MAX].into());
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            match self.socket.poll_read(cx, &mut buffer) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => Poll::Ready(Ok(Turn::Ended)),
                Poll::Ready(Ok(())) => {
                    self.totals.bytes_in += buffer.filled().len() as u64;
                    self.incoming.extend_from_slice(buffer.filled());
                    Poll::Ready(Ok(Turn::Read))
                }
            }
        })
    }

    /// Shakes hands. What the far end sent before is gone by then, or the caller has refused to go
    /// on (B-07).
    ///
    /// # Errors
    /// The handshake failed; the wire is of no more use.
    pub async fn start_tls(&mut self, handshake: Handshake) -> io::Result<Option<Presented>> {
        let Socket::Plain(socket) = std::mem::replace(&mut self.socket, Socket::Lost) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let stream: TlsStream<TcpStream> = match handshake {
            Handshake::Initiate(config, name) => {
                TlsConnector::from(config).connect(name, socket).await?.into()
            }
            Handshake::Receive(config) => TlsAcceptor::from(config).accept(socket).await?.into(),
            Handshake::ReceiveBy(choose) => {
                let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), socket);
                let start = start.await?;
                let config = choose(start.client_hello().server_name());
                start.into_stream(config.ok_or(io::ErrorKind::PermissionDenied)?).await?.into()
            }
        };
        let presented = tls::presented(stream.get_ref().1);
        self.socket = Socket::Tls(Box::new(stream));
        Ok(presented)
    }

    /// Which TLS came up, if it did.
    pub fn version(&self) -> Option<tls::Version> {
        match &self.socket {
            Socket::Tls(stream) => tls::version(stream.get_ref().1),
            Socket::Plain(_) | Socket::Lost => None,
        }
    }

    /// Ends our half: what was taken is written, then the far end hears that there is no more.
    /// Reads on for a moment, so that its unread bytes do not make the network throw ours away.
    pub async fn finish(&mut self) {
        if self.flush().await.is_err() {
            return;
        }
        let shut = match &mut self.socket {
            Socket::Plain(socket) => socket.shutdown().await,
            Socket::Tls(stream) => stream.shutdown().await,
            Socket::Lost => return,
        };
        for _ in 0..FAREWELL_READS_MAX {
            self.incoming.clear();
            let read = poll_fn(|cx| self.poll_read(cx)).await;
            if shut.is_err() || !matches!(read, Ok(Turn::Read)) {
                break;
            }
        }
    }

    /// Hangs up without another word.
    pub fn give_up(&mut self) {
        if let Socket::Plain(socket) = &self.socket {
            // The far end sees a reset, and none of what we had ready for it.
            let _ = socket.set_zero_linger();
        }
        self.outgoing.clear();
        self.said = 0;
        self.incoming.clear();
        self.socket = Socket::Lost;
    }

    /// Keeps what is said and taken from now on until it is acknowledged, or nothing any more.
    pub fn keep(&mut self, keep: bool) {
        self.kept = Kept::beginning(keep.then_some(self.queued));
    }

    /// Forgets what the far end says that it has taken: so many stanzas, counted from the first that
    /// was kept. Tells whether that many were sent.
    pub fn acknowledge(&mut self, count: u32) -> bool {
        self.kept.acknowledge(count)
    }

    /// How long the far end took to answer how much it has taken, told once.
    pub fn round_trip(&mut self) -> Option<Duration> {
        self.kept.round_trip()
    }

    /// Asks how much the far end has taken, once for everything that was written since it was asked
    /// last.
    fn ask(&mut self) {
        let counted = self.kept.from.is_some();
        let waits = !self.kept.stanzas.is_empty() || !self.flight.is_empty();
        if counted && waits && self.kept.ask() {
            let request = Management::Request.to_xml();
            self.outgoing.extend_from_slice(request.as_bytes());
            self.queued += request.len() as u64;
        }
    }

    /// The stanzas that were to be acknowledged, and were not. Those whose writing failed are among
    /// them: TLS tells that a record was not written, and not how many before it were.
    pub fn unconfirmed(&mut self) -> Vec<Stanza> {
        let mut unconfirmed = std::mem::take(&mut self.kept.stanzas);
        if let Some(from) = self.kept.from {
            let early = self.flight.iter().take_while(|(end, _)| *end <= from).count();
            unconfirmed.extend(self.flight.split_off(early).into_iter().map(|it| it.1));
        }
        unconfirmed.into()
    }

    /// The stanzas that were taken and not wholly handed to the network, but for those that are
    /// [`unconfirmed`](Self::unconfirmed).
    pub fn unsent(&mut self) -> impl Iterator<Item = Stanza> {
        std::mem::take(&mut self.flight).into_iter().map(|(_, stanza)| stanza)
    }
}

impl Socket {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_write(cx, bytes),
            Self::Lost => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_flush(cx),
            Self::Lost => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_read(cx, buffer),
            Self::Lost => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

/// One read, and so one batch of stanzas: large enough to spare system calls, small enough to be
/// fair to the other connections.
const READ_MAX: usize = 32 * 1024;
/// Four TLS records; more in one write saves nothing.
const WRITE_GOOD: usize = 64 * 1024;
/// What one connection takes of the TLS library, with its buffers.
const TLS_HELD: usize = 12 * 1024;
/// What an idle connection may keep of its outgoing buffer.
const OUTGOING_KEPT: usize = 4 * 1024;
/// How often is read, at most, what comes after our half has ended.
const FAREWELL_READS_MAX: usize = 64;
/// How many bytes may be written and not acknowledged: what a fast connection around the world has
/// under way, and no more than its outbox may hold. Beyond that its outbox fills, and whoever brings
/// more waits.
const KEPT_MAX: usize = 1024 * 1024;
/// How many bytes of answers may wait for a far end that goes on asking: some hundreds.
const SAID_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests;
