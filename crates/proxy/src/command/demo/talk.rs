use std::io;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::trouble::{Result, Trouble, While};
use crate::stream::{Frame, Limits, Reader};

/// One end of a stream, as its server reads and writes it.
#[derive(Debug)]
pub(super) struct Talk<S> {
    socket: S,
    reader: Reader,
    buffer: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    /// A stream on which nothing was said yet.
    pub(super) fn new(socket: S) -> Self {
        Self { socket, reader: Reader::new(LIMITS), buffer: BytesMut::new() }
    }

    /// Says this.
    pub(super) async fn say(&mut self, text: &str) -> io::Result<()> {
        self.socket.write_all(text.as_bytes()).await?;
        self.socket.flush().await
    }

    /// What is said next; `None` when nothing more will be.
    pub(super) async fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let frame = self.reader.next(&mut self.buffer);
            let refused = |error: crate::stream::StreamError| io::Error::other(error.because);
            if let Some(frame) = frame.map_err(refused)? {
                return Ok(Some(frame));
            }
            if self.socket.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Says this and waits for what is said next, which must come.
    pub(super) async fn ask(&mut self, text: &str, doing: &str) -> Result<Frame> {
        self.say(text).await.or_trouble(doing)?;
        self.hear(doing).await
    }

    /// What is said next, which must come.
    pub(super) async fn hear(&mut self, doing: &str) -> Result<Frame> {
        let next = timeout(PATIENCE, self.next()).await;
        let next = next.or_trouble(doing)?.or_trouble(doing)?;
        next.ok_or_else(|| Trouble::new(format!("cannot {doing}: the connection was closed")))
    }

    /// The socket, with all that is yet to be read on it.
    pub(super) fn into_inner(self) -> S {
        self.socket
    }
}

/// What the other end may send: the demo's stanzas are short, a proxy's greetings too.
const LIMITS: Limits = Limits { element: 64 * 1024, depth: 64, attributes: 64 };

/// Longer than any answer takes on one machine, retries of DNS included.
const PATIENCE: Duration = Duration::from_secs(10);
