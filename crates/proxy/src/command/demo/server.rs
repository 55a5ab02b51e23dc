//! A server of old: it knows dialback, and nothing of TLS or certificates.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::rand;
use ligase_verifier::Domain;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::ears::Ears;
use super::nameserver::find;
use super::talk::Talk;
use super::trouble::{Result, Trouble, While};
use crate::binding::{DomainPair, StreamId};
use crate::net::listener::{Admission, Arrival, Limits, accept_all};
use crate::stream::{Dialback, Frame, Header, Ids, Keys, Offer, Part, Word};

/// A server that runs until it is dropped. Every address at its domain has an account.
#[derive(Debug)]
pub(super) struct Server {
    /// Where other servers reach it.
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

/// A stream to another server, on which it believes us.
#[derive(Debug)]
pub(super) struct Line(Talk<TcpStream>);

#[derive(Debug)]
struct Shared {
    domain: Domain,
    keys: Keys,
    seed: [u8; 32],
    streams: AtomicU64,
    /// Whom it asks about other domains; `resolv.conf`, as it were.
    resolver: Mutex<SocketAddr>,
    ears: Ears,
}

impl Server {
    /// Starts one at a free port of this address.
    pub(super) async fn start(domain: &str, at: IpAddr, resolver: SocketAddr) -> Result<Self> {
        let doing = &format!("start the server of {domain}");
        let listener = TcpListener::bind((at, 0)).await.or_trouble(doing)?;
        let address = listener.local_addr().or_trouble(doing)?;
        let (mut secret, mut seed) = (vec![0; 32], [0; 32]);
        rand::fill(&mut secret).or_trouble(doing)?;
        rand::fill(&mut seed).or_trouble(doing)?;
        let shared = Arc::new(Shared {
            domain: domain.parse().or_trouble(doing)?,
            keys: Keys::new(&[secret]),
            seed,
            streams: AtomicU64::new(0),
            resolver: Mutex::new(resolver),
            ears: Ears::new(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, _tasks: tasks })
    }

    /// Changes whom it asks about other domains, as `resolv.conf` would. Nothing else of it is
    /// ever changed.
    pub(super) fn ask_at(&self, resolver: SocketAddr) {
        let known = self.shared.resolver.lock();
        *known.unwrap_or_else(PoisonError::into_inner) = resolver;
    }

    /// The key by which it asks for a pair on a stream of this id.
    pub(super) fn key(&self, pair: &DomainPair, id: &StreamId) -> String {
        self.shared.keys.make(pair, id)
    }

    /// Opens a stream to another domain and waits until it is believed there.
    pub(super) async fn call(&self, remote: &str) -> Result<Line> {
        let doing = &format!("call {remote} from {}", self.shared.domain);
        let remote: Domain = remote.parse().or_trouble(doing)?;
        let (mut talk, id) = self.shared.greet(&remote).await?;
        let pair = DomainPair::new(self.shared.domain.clone(), remote);
        let key = self.shared.keys.make(&pair, &id);
        let asked = Dialback { part: Part::Result, pair, word: Word::Request(key) };
        let answer = talk.ask(&asked.to_xml(), doing).await?;
        says_yes(&asked, &answer).or_trouble(doing)?;
        Ok(Line(talk))
    }

    /// What has come to it.
    pub(super) fn ears(&self) -> &Ears {
        &self.shared.ears
    }
}

impl Line {
    /// Sends a stanza.
    pub(super) async fn send(&mut self, stanza: &str) -> Result<()> {
        self.0.say(stanza).await.or_trouble("send a stanza")
    }
}

/// Whether a frame is the good answer to a request, and what it is if not.
fn says_yes(asked: &Dialback, answer: &Frame) -> std::result::Result<(), String> {
    let is_yes = matches!(answer, Frame::Dialback(it) if *it == asked.answer(Word::Valid));
    if is_yes { Ok(()) } else { Err(said(answer)) }
}

/// What a frame is, for a sentence about why it was not what we waited for.
#[expect(clippy::wildcard_enum_match_arm, reason = "whatever else may be said is shown as it is")]
pub(super) fn said(frame: &Frame) -> String {
    match frame {
        Frame::Dialback(dialback) => match &dialback.word {
            Word::Invalid => "the key is not believed".to_owned(),
            Word::Error(Some(error)) => format!("the answer is {}", error.as_str()),
            word => format!("the answer is {word:?}"),
        },
        Frame::Error(Some(condition)) => format!("the stream is closed: {}", condition.as_str()),
        other => format!("the answer is {other:?}"),
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
                // A stream that ends badly has told its other end, and is missed by those who
                // wait for what it should have brought.
                let _ = shared.receive(Talk::new(socket)).await;
                drop(seat);
            });
        }
    })
    .await;
}

impl Shared {
    /// Connects to a domain and exchanges greetings: the stream and its id.
    async fn greet(&self, remote: &Domain) -> Result<(Talk<TcpStream>, StreamId)> {
        let doing = &format!("greet {remote} from {}", self.domain);
        let resolver = *self.resolver.lock().unwrap_or_else(PoisonError::into_inner);
        let address = find(resolver, remote.ascii()).await?;
        let socket = timeout(PATIENCE, TcpStream::connect(address)).await;
        let socket = socket.or_trouble(doing)?.or_trouble(doing)?;
        let mut talk = Talk::new(socket);
        let header = Header {
            from: Some(self.domain.clone()),
            to: Some(remote.clone()),
            id: None,
            version_1: true,
        };
        let frame = talk.ask(&header.to_xml(), doing).await?;
        let Frame::Header(Header { id: Some(id), version_1, .. }) = frame else {
            return Err(Trouble::new(format!("cannot {doing}: {}", said(&frame))));
        };
        // What it offers is of no use to us: we know dialback.
        if version_1 {
            talk.hear(doing).await?;
        }
        Ok((talk, id))
    }

    /// Serves a stream that somebody opened to us.
    async fn receive(&self, mut talk: Talk<TcpStream>) -> Result<()> {
        let doing = "serve a stream";
        let number = self.streams.fetch_add(1, Ordering::Relaxed);
        let id = Ids::derived(self.seed, number).issue();
        let mut believed = HashSet::new();
        while let Some(frame) = talk.next().await.or_trouble(doing)? {
            let answer = match frame {
                Frame::Header(header) => self.welcome(&header, &id),
                Frame::Dialback(dialback) => {
                    let Some(answer) = self.judge(&dialback, &id).await else {
                        continue;
                    };
                    if answer.part == Part::Result && answer.word == Word::Valid {
                        believed.insert(dialback.pair.sender);
                    }
                    answer.to_xml()
                }
                Frame::Stanza(stanza) if believed.contains(&stanza.pair.sender) => {
                    self.ears.keep(stanza.bytes());
                    continue;
                }
                Frame::Close => "</stream:stream>".to_owned(),
                // A server of old knows nothing of all this, and lets no stranger say anything.
                Frame::Bidi(_)
                | Frame::Management(_)
                | Frame::Features(_)
                | Frame::StartTls
                | Frame::Proceed
                | Frame::TlsFailure
                | Frame::Auth(_)
                | Frame::Success
                | Frame::SaslFailure
                | Frame::Stanza(_)
                | Frame::Error(_)
                | Frame::Unknown => continue,
            };
            talk.say(&answer).await.or_trouble(doing)?;
        }
        Ok(())
    }

    fn welcome(&self, header: &Header, id: &StreamId) -> String {
        let answer = header.answer(&self.domain, id.clone());
        let offer = Offer::default();
        let features = header.version_1.then(|| offer.to_xml());
        answer.to_xml() + &features.unwrap_or_default()
    }

    /// The answer to a request for us to judge a key.
    async fn judge(&self, asked: &Dialback, stream: &StreamId) -> Option<Dialback> {
        let Word::Request(key) = &asked.word else {
            return None;
        };
        let is_good = match &asked.part {
            Part::Result => self.verify(&asked.pair, stream, key).await.is_ok(),
            Part::Verify(id) => self.keys.is_ours(&asked.pair.reversed(), id, key),
        };
        Some(asked.answer(if is_good { Word::Valid } else { Word::Invalid }))
    }

    /// Asks whoever serves a domain, if DNS is to be believed, whether a key is its own.
    async fn verify(&self, pair: &DomainPair, stream: &StreamId, key: &str) -> Result<()> {
        let doing = &format!("verify a key of {}", pair.sender);
        let (mut talk, _) = self.greet(&pair.sender).await?;
        let asked = Dialback {
            part: Part::Verify(stream.clone()),
            pair: pair.reversed(),
            word: Word::Request(key.to_owned()),
        };
        let answer = talk.ask(&asked.to_xml(), doing).await?;
        let _ = talk.say("</stream:stream>").await;
        says_yes(&asked, &answer).or_trouble(doing)
    }
}

/// Connections at once; the demo needs a handful.
const CONNECTIONS_MAX: usize = 64;

/// Longer than connecting takes on one machine.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
