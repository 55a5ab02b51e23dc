//! Crowd: strangers by the thousand, each of whom connects, says what he was told to, and stays
//! until he is thrown out.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use crate::load::{header, lines};
use crate::{passer, pourer, spawn, talker, tell, tls};

/// Sends crowds to `TARGET`, an address and port, until its standard input ends.
///
/// Each line is an order: `manner` is how they behave, `count` how many they are, `from` the
/// addresses that they come from in turn, `over` the seconds in which all of them come, one after
/// the other, and `every` the seconds after which some of them say a byte more. When all have come
/// it says how many were let in; when all have gone, after how many seconds the first and the last
/// were, and how.
pub(crate) fn run(target: &str) -> ExitCode {
    let Ok(target) = target.parse() else {
        return ExitCode::from(2);
    };
    serve(target)
}

#[tokio::main(flavor = "current_thread")]
async fn serve(target: SocketAddr) -> ExitCode {
    let mut orders = lines();
    while let Some(line) = orders.recv().await {
        match Crowd::read(&line, target) {
            Ok(crowd) => spawn(Arc::new(crowd).come()),
            Err(error) => tell(json!({"error": error})),
        }
    }
    ExitCode::SUCCESS
}

/// Strangers of one manner.
struct Crowd {
    target: SocketAddr,
    name: String,
    manner: Manner,
    count: u32,
    from: Vec<IpAddr>,
    over: Duration,
    every: Duration,
    order: Value,
}

/// How they behave.
enum Manner {
    /// They say the first of these at once, and of the second a byte from time to time.
    Speak(Vec<u8>, Vec<u8>),
    /// They prove who they are and say as much as they can.
    Talk,
    /// They prove who they are, ask to be told everything on the same connection, and then read
    /// nothing of it.
    Deaf,
    /// They shake hands and hang up.
    Shake,
    /// They break off in the middle of things.
    Abort,
    /// They say names that nobody else has.
    Name,
    /// They ask for a stream's id.
    Ask,
    /// They prove who they are, and say blanks.
    Blank,
    /// They have a right to send, and do; from outside, or from beside our own server.
    Pour(bool),
}

/// What became of one of them.
enum News {
    /// Whether he was let in.
    Came(bool),
    /// After what time he was gone, and how.
    Left(Duration, String),
}

impl Crowd {
    fn read(line: &str, target: SocketAddr) -> Result<Self, String> {
        let order: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let text = |key: &str| order.get(key).and_then(Value::as_str).unwrap_or_default();
        let seconds = |key: &str| {
            let seconds = order.get(key).and_then(Value::as_f64).unwrap_or_default();
            Duration::try_from_secs_f64(seconds).map_err(|error| format!("{key}: {error}"))
        };
        let from = order.get("from").and_then(Value::as_array).into_iter().flatten();
        let from: Vec<_> = from.filter_map(|it| it.as_str()?.parse().ok()).collect();
        let count = order.get("count").and_then(Value::as_u64);
        let count = count.and_then(|it| u32::try_from(it).ok()).unwrap_or_default();
        if from.is_empty() || count == 0 {
            return Err("nobody, or from nowhere".to_owned());
        }
        let name = text("manner").to_owned();
        let manner = Manner::of(&name)?;
        let (over, every) = (seconds("over")?, seconds("every")?);
        Ok(Self { target, name, manner, count, from, over, every, order })
    }

    /// Sends all of them, and tells what became of them.
    async fn come(self: Arc<Self>) {
        let start = now();
        let (news, mut heard) = unbounded_channel();
        for number in 0..self.count {
            let (crowd, news) = (Arc::clone(&self), news.clone());
            spawn(async move {
                sleep_until(start + crowd.over.mul_f64(f64::from(number) / f64::from(crowd.count)))
                    .await;
                let left = crowd.visit(number, &news).await;
                let _ = news.send(left);
            });
        }
        drop(news);
        let (mut come, mut let_in) = (0, 0);
        let (mut earliest, mut latest) = (Duration::MAX, Duration::ZERO);
        let mut endings = BTreeMap::<String, u32>::new();
        while let Some(news) = heard.recv().await {
            match news {
                News::Came(is_in) => {
                    come += 1;
                    let_in += u32::from(is_in);
                    if come == self.count {
                        tell(json!({"connected": self.name, "count": let_in}));
                    }
                }
                News::Left(age, how) => {
                    (earliest, latest) = (earliest.min(age), latest.max(age));
                    *endings.entry(how).or_default() += 1;
                }
            }
        }
        let (earliest, latest) = (earliest.as_secs_f64(), latest.as_secs_f64());
        tell(json!({
            "gone": self.name, "earliest": earliest, "latest": latest, "endings": endings
        }));
    }

    /// One of them, from when he comes to when he is gone.
    async fn visit(&self, number: u32, news: &UnboundedSender<News>) -> News {
        let socket = self.connect(number).await;
        // Whoever counts them waits until all are gone.
        let _ = news.send(News::Came(socket.is_ok()));
        let socket = match socket {
            Ok(socket) => socket,
            Err(error) => return News::Left(Duration::ZERO, error.to_string()),
        };
        let since = now();
        let how = match &self.manner {
            Manner::Speak(first, rest) => linger(socket, first, rest, self.every).await,
            Manner::Talk => talker::talk(socket, &self.order, number).await,
            Manner::Deaf => talker::be_deaf(socket, &self.order, number).await,
            Manner::Shake => passer::shake(socket, &self.order).await,
            Manner::Abort => passer::abort(socket, &self.order, number).await,
            Manner::Name => passer::name(socket, &self.order, number).await,
            Manner::Ask => passer::ask_id(socket, number).await,
            Manner::Blank => passer::be_blank(socket, &self.order, number).await,
            Manner::Pour(outside) => pourer::pour(socket, &self.order, number, *outside).await,
        };
        let how = how.err().map_or_else(|| "the end".to_owned(), |error| error.to_string());
        News::Left(since.elapsed(), how)
    }

    async fn connect(&self, number: u32) -> io::Result<TcpStream> {
        let at = usize::try_from(number).unwrap_or_default() % self.from.len();
        let from = self.from.get(at).ok_or(io::ErrorKind::NotFound)?;
        let socket = match from {
            IpAddr::V4(_) => TcpSocket::new_v4()?,
            IpAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.bind(SocketAddr::new(*from, 0))?;
        let socket = socket.connect(self.target).await?;
        socket.set_nodelay(true)?;
        Ok(socket)
    }
}

impl Manner {
    fn of(name: &str) -> Result<Self, String> {
        let whole = header("stranger.lab", "somebody.lab", None).into_bytes();
        Ok(match name {
            "silent" => Self::Speak(Vec::new(), Vec::new()),
            "trickling" => Self::Speak(Vec::new(), whole),
            "blank" => Self::Speak(b" ".to_vec(), b" ".repeat(whole.len())),
            "halved" => {
                let half = whole.len() / 2;
                Self::Speak(whole.into_iter().take(half).collect(), Vec::new())
            }
            "greeting" => Self::Speak(hello()?, Vec::new()),
            "stuttering" => Self::Speak(hello()?.into_iter().take(3).collect(), Vec::new()),
            "talking" => Self::Talk,
            "deaf" => Self::Deaf,
            "shaking" => Self::Shake,
            "aborting" => Self::Abort,
            "naming" => Self::Name,
            "asking" => Self::Ask,
            "spacing" => Self::Blank,
            "pouring-in" => Self::Pour(true),
            "pouring-out" => Self::Pour(false),
            _ => return Err(format!("nobody is {name}")),
        })
    }
}

/// The first record of a TLS handshake (RFC 8446 §4.1.2), as a client of today says it.
fn hello() -> Result<Vec<u8>, String> {
    let config = Arc::new(tls::client(None, None)?);
    let name = ServerName::try_from("somebody.lab").map_err(|error| error.to_string())?;
    let mut client = ClientConnection::new(config, name).map_err(|error| error.to_string())?;
    let mut hello = Vec::new();
    client.write_tls(&mut hello).map_err(|error| error.to_string())?;
    Ok(hello)
}

/// Says `first`, then a byte of `rest` after each `every`, and waits for the other end to hang up.
async fn linger(
    mut socket: TcpStream,
    first: &[u8],
    rest: &[u8],
    every: Duration,
) -> io::Result<()> {
    let mut buffer = [0; 4096];
    socket.write_all(first).await?;
    let mut rest = rest.iter();
    let mut next = now() + every;
    loop {
        tokio::select! {
            read = socket.read(&mut buffer) => if read? == 0 { return Ok(()) },
            () = sleep_until(next), if !rest.as_slice().is_empty() => {
                next += every;
                if let Some(byte) = rest.next() {
                    socket.write_all(&[*byte]).await?;
                }
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "what is measured is how long one may stay")]
fn now() -> Instant {
    Instant::now()
}
