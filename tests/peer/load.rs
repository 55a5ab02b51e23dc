//! Load: a server behind a proxy that is as fast as it can be. It speaks dialback in the clear,
//! opens a stream for each pair of its domains and the other's, and sends stanzas on all of them
//! at once, while it checks that what comes is whole and in order.

use std::collections::HashMap;
use std::io::{self, stdin};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use ligase_tests::xml::{attribute, split_first};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::backend::listen;
use crate::{spawn, tell};

/// Runs the load: `LOCAL REMOTE DOMAINS COUNT`, where domains are called `LOCAL0.lab` and so on,
/// and `COUNT` is the number of stanzas for each pair.
///
/// It says `ready` when it listens; told `open` it opens its streams and says `opened`; told `go`
/// it sends, and says what came when all has come.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    let [local, remote, domains, count] = arguments else {
        return ExitCode::from(2);
    };
    let (Ok(domains), Ok(count)) = (domains.parse(), count.parse()) else {
        return ExitCode::from(2);
    };
    let load = Load { local: (*local).to_owned(), remote: (*remote).to_owned(), domains, count };
    match load.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Load {
    local: String,
    remote: String,
    domains: u32,
    count: u32,
}

/// What has come, by pair.
#[derive(Default)]
struct Arrived {
    next: HashMap<(String, String), u32>,
    total: u32,
    disordered: u32,
}

impl Arrived {
    fn tell(&self, seconds: f64) -> Value {
        json!({
            "arrived": self.total,
            "pairs": self.next.len(),
            "disordered": self.disordered,
            "seconds": seconds,
        })
    }
}

type Books = Arc<Mutex<Arrived>>;

impl Load {
    #[tokio::main(flavor = "current_thread")]
    #[expect(clippy::disallowed_methods, reason = "what is measured is the time it takes")]
    async fn run(self) -> io::Result<()> {
        let mut orders = lines();
        let books = Books::default();
        let total = self.domains * self.domains * self.count;
        let shared = books.clone();
        let mut finished = listen(move |socket, number, done| {
            receive(socket, number, shared.clone(), total, done)
        })
        .await?;
        tell(json!("ready"));
        orders.recv().await;

        let start = Instant::now();
        let mut opening = Vec::new();
        for (local, remote) in self.pairs() {
            let (done, opened) = unbounded_channel();
            spawn(async move {
                // Whoever waits sees that nothing was sent.
                let _ = done.send(open(&local, &remote).await);
            });
            opening.push(opened);
        }
        let mut streams = Vec::new();
        for mut opened in opening {
            let stream = opened.recv().await.unwrap_or_else(|| Err(io::Error::other("lost")));
            streams.push(stream?);
        }
        tell(json!({"opened": streams.len(), "seconds": start.elapsed().as_secs_f64()}));
        orders.recv().await;

        let start = Instant::now();
        for (stream, (local, remote)) in streams.into_iter().zip(self.pairs()) {
            spawn(pump(stream, local, remote, self.count));
        }
        finished.recv().await;
        let seconds = start.elapsed().as_secs_f64();
        tell(books.lock().unwrap_or_else(PoisonError::into_inner).tell(seconds));
        orders.recv().await;
        Ok(())
    }

    fn pairs(&self) -> impl Iterator<Item = (String, String)> {
        let (local, remote, domains) = (&self.local, &self.remote, self.domains);
        (0..domains * domains).map(move |it| {
            (format!("{local}{}.lab", it / domains), format!("{remote}{}.lab", it % domains))
        })
    }
}

/// Opens a stream to the proxy as if it were the remote server, and has it verified.
pub(crate) async fn open(local: &str, remote: &str) -> io::Result<TcpStream> {
    let mut socket = TcpStream::connect(PROXY).await?;
    socket.set_nodelay(true)?;
    let header = header(local, remote, None);
    let claim = format!("<db:result from='{local}' to='{remote}'>0123</db:result>");
    socket.write_all(format!("{header}{claim}").as_bytes()).await?;
    let mut text = String::new();
    loop {
        let said = element(&mut socket, &mut text).await?;
        if said.starts_with("<db:result") {
            return match attribute(&said, "type") {
                Some("valid") => Ok(socket),
                _ => Err(io::Error::other(said)),
            };
        }
        if said.starts_with("<stream:error") || said.starts_with("</stream:stream") {
            return Err(io::Error::other(said));
        }
    }
}

/// Sends all stanzas of a pair, and stays.
async fn pump(mut socket: TcpStream, local: String, remote: String, count: u32) {
    let body = "o".repeat(BODY_SIZE);
    for first in (0..count).step_by(BATCH) {
        let batch: String = (first..count)
            .take(BATCH)
            .map(|id| {
                format!(
                    "<message from='{local}' to='{remote}' id='{id}'><body>{body}</body></message>"
                )
            })
            .collect();
        if let Err(error) = socket.write_all(batch.as_bytes()).await {
            return tell(json!({"broken": error.to_string(), "pair": [local, remote]}));
        }
    }
    let mut text = String::new();
    let end = element(&mut socket, &mut text).await;
    tell(json!({"ended": end.unwrap_or_else(|error| error.to_string())}));
}

/// Listens for the proxy; what is returned tells when all has come.
async fn receive(
    mut socket: TcpStream,
    number: u32,
    books: Books,
    total: u32,
    done: UnboundedSender<()>,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut text = String::new();
    loop {
        let said = element(&mut socket, &mut text).await?;
        let name = |key| attribute(&said, key).unwrap_or_default().to_owned();
        let (from, to) = (name("from"), name("to"));
        let answer = if said.starts_with("<stream:stream") {
            let header = header(&to, &from, Some(number));
            format!("{header}{FEATURES}")
        } else if said.starts_with("<db:verify") {
            // There is nobody here who would forge a key.
            format!("<db:verify from='{to}' to='{from}' id='{}' type='valid'/>", name("id"))
        } else if said.starts_with("<db:result") {
            format!("<db:result from='{to}' to='{from}' type='valid'/>")
        } else if said.starts_with("</stream:stream") {
            return socket.write_all(b"</stream:stream>").await;
        } else {
            if said.starts_with("<message") {
                text.insert_str(0, &said);
                return count(socket, text, &books, total, &done).await;
            }
            continue;
        };
        socket.write_all(answer.as_bytes()).await?;
    }
}

/// Counts messages, and nothing else comes any more.
async fn count(
    mut socket: TcpStream,
    mut text: String,
    books: &Books,
    total: u32,
    done: &UnboundedSender<()>,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let mut taken = 0;
        let mut arrived = Vec::new();
        while let Some(end) = text.get(taken..).and_then(|rest| rest.find(END)) {
            let end = taken + end + END.len();
            let message = text.get(taken..end).unwrap_or_default();
            let value = |key| attribute(message, key).unwrap_or_default().to_owned();
            arrived.push(((value("from"), value("to")), value("id").parse().unwrap_or(u32::MAX)));
            taken = end;
        }
        text.drain(..taken);
        if note(books, arrived) == total {
            // Nobody waits only if the program is about to end.
            let _ = done.send(());
        }
        let read = socket.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        text.push_str(&String::from_utf8_lossy(buffer.get(..read).unwrap_or_default()));
    }
}

/// Writes down what has arrived, and returns how much it is by now.
fn note(books: &Books, arrived: Vec<((String, String), u32)>) -> u32 {
    let mut books = books.lock().unwrap_or_else(PoisonError::into_inner);
    for (pair, id) in arrived {
        let next = books.next.entry(pair).or_default();
        let is_next = *next == id;
        *next = id.wrapping_add(1);
        books.disordered += u32::from(!is_next);
        books.total += 1;
    }
    books.total
}

/// The next whole thing that is said on a stream.
pub(crate) async fn element(
    socket: &mut (impl AsyncRead + Unpin),
    text: &mut String,
) -> io::Result<String> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        if let Some(element) = split_first(text) {
            return Ok(element);
        }
        match socket.read(&mut buffer).await? {
            0 => return Err(io::Error::other("the end")),
            read => {
                text.push_str(&String::from_utf8_lossy(buffer.get(..read).unwrap_or_default()));
            }
        }
    }
}

pub(crate) fn header(from: &str, to: &str, id: Option<u32>) -> String {
    let id = id.map(|id| format!(" id='{to}-{id}'")).unwrap_or_default();
    format!(
        "<stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' \
         xmlns:stream='http://etherx.jabber.org/streams' from='{from}' to='{to}'{id} \
         version='1.0'>"
    )
}

pub(crate) fn lines() -> UnboundedReceiver<String> {
    let (sender, lines) = unbounded_channel();
    thread::spawn(move || {
        for line in stdin().lines().map_while(Result::ok) {
            // Nobody listens any more only when the program ends.
            let _ = sender.send(line);
        }
    });
    lines
}

pub(crate) const FEATURES: &str = "<stream:features><dialback xmlns='urn:xmpp:features:dialback'>\
                        <errors/></dialback></stream:features>";

pub(crate) const PROXY: &str = "127.0.0.1:7270";
pub(crate) const BACKEND: &str = "127.0.0.1:5269";

const END: &str = "</message>";

/// What people write is about as long.
const BODY_SIZE: usize = 100;

/// Stanzas written at once, as a busy server does.
const BATCH: usize = 16;
