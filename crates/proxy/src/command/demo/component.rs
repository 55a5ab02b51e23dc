//! An external component (XEP-0114): how romeo speaks by a server that is not ours.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinSet;

use super::ears::Ears;
use super::trouble::{Result, Trouble, While};
use crate::stream::{Framer, Limits, Piece};

/// A component that speaks for a whole domain, until it is dropped.
#[derive(Debug)]
pub(super) struct Component {
    writer: OwnedWriteHalf,
    _tasks: JoinSet<()>,
}

/// What comes from the server, piece by piece.
#[derive(Debug)]
struct Pieces {
    reader: OwnedReadHalf,
    framer: Framer,
    buffer: BytesMut,
}

impl Component {
    /// Connects to a server, as `domain`; what comes is kept in `ears`.
    pub(super) async fn connect(
        at: SocketAddr,
        domain: &str,
        secret: &str,
        ears: &Arc<Ears>,
    ) -> Result<Self> {
        let doing = "speak to the server as a component";
        let socket = TcpStream::connect(at).await.or_trouble(doing)?;
        let (reader, mut writer) = socket.into_split();
        let mut pieces = Pieces { reader, framer: Framer::new(LIMITS), buffer: BytesMut::new() };
        let header = format!(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' \
             xmlns:stream='http://etherx.jabber.org/streams' to='{domain}'>"
        );
        writer.write_all(header.as_bytes()).await.or_trouble(doing)?;
        let Some(Piece::Header(header)) = pieces.next().await? else {
            return Err(Trouble::new(format!("cannot {doing}: no header came")));
        };
        // §3: the digest of the stream's id and of what both know.
        let id = header.attribute("id").unwrap_or_default();
        let proof = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{id}{secret}").as_bytes());
        let proof: String = proof.as_ref().iter().map(|it| format!("{it:02x}")).collect();
        let handshake = format!("<handshake>{proof}</handshake>");
        let sent = writer.write_all(handshake.as_bytes()).await;
        sent.or_trouble(doing)?;
        match pieces.next().await? {
            Some(Piece::Element(answer)) if answer.local_name() == b"handshake" => (),
            _ => return Err(Trouble::new(format!("cannot {doing}: it is not believed"))),
        }
        let mut tasks = JoinSet::new();
        let ears = Arc::clone(ears);
        tasks.spawn(async move {
            while let Ok(Some(piece)) = pieces.next().await {
                if let Piece::Element(stanza) = piece {
                    ears.keep(stanza.bytes());
                }
            }
        });
        Ok(Self { writer, _tasks: tasks })
    }

    /// Hands a stanza to the server.
    pub(super) async fn send(&mut self, stanza: &str) -> Result<()> {
        let sent = self.writer.write_all(stanza.as_bytes()).await;
        sent.or_trouble("hand a stanza to the server")
    }
}

impl Pieces {
    /// The next one; `None` when there will be no more.
    async fn next(&mut self) -> Result<Option<Piece>> {
        let doing = "read what the server says";
        loop {
            let piece = self.framer.next(&mut self.buffer);
            let piece = piece.map_err(|error| error.because).or_trouble(doing)?;
            if piece.is_some() {
                return Ok(piece);
            }
            let read = self.reader.read_buf(&mut self.buffer).await;
            if read.or_trouble(doing)? == 0 {
                return Ok(None);
            }
        }
    }
}

/// What the server may send; the demo's stanzas are short.
const LIMITS: Limits = Limits { element: 64 * 1024, depth: 64, attributes: 64 };
