//! A server behind a proxy that shares its streams: it opens one for each of its domains, and asks
//! on it for all of the other's domains in turn; and it lets the proxy do the same.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ligase_tests::xml::attribute;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::backend::listen;
use crate::load::{FEATURES, PROXY, element, header, lines};
use crate::{spawn, tell};

/// Runs it: `LOCAL REMOTE DOMAINS`, where domains are called `LOCAL0.lab` and so on.
///
/// It says `ready` when it listens; told `open` it asks for all pairs and says `opened` when all are
/// granted; told `go` it sends a message for each. It says `arrived` when one has come of each of
/// the other's pairs.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    let [local, remote, domains] = arguments else {
        return ExitCode::from(2);
    };
    let Ok(domains) = domains.parse() else {
        return ExitCode::from(2);
    };
    let names = |of: &str| (0..domains).map(|it| format!("{of}{it}.lab")).collect();
    let server = Channel { locals: names(local), remotes: names(remote) };
    match server.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("channel: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Channel {
    locals: Vec<String>,
    remotes: Vec<String>,
}

/// What has come.
#[derive(Default)]
struct Books {
    pairs: HashSet<(String, String)>,
    /// Streams that the proxy opened.
    streams: u32,
}

type Shared = Arc<Mutex<Books>>;

impl Channel {
    #[tokio::main(flavor = "current_thread")]
    #[expect(clippy::disallowed_methods, reason = "what is measured is the time it takes")]
    async fn run(self) -> io::Result<()> {
        let mut orders = lines();
        let books = Shared::default();
        let total = self.locals.len() * self.remotes.len();
        let shared = books.clone();
        let mut finished = listen(move |socket, number, done| {
            receive(socket, number, shared.clone(), total, done)
        })
        .await?;
        tell(json!("ready"));
        orders.recv().await;

        let start = Instant::now();
        let remotes = Arc::new(self.remotes);
        let opening: Vec<_> = self
            .locals
            .into_iter()
            .map(|local| {
                let (done, opened) = unbounded_channel();
                let remotes = Arc::clone(&remotes);
                spawn(async move {
                    let opened = open(&local, &remotes).await.map(|stream| (local, stream));
                    // Whoever waits sees that nothing was sent.
                    let _ = done.send(opened);
                });
                opened
            })
            .collect();
        let mut streams = Vec::new();
        for mut opened in opening {
            let stream = opened.recv().await.unwrap_or_else(|| Err(io::Error::other("lost")));
            streams.push(stream?);
        }
        tell(json!({"opened": total, "seconds": start.elapsed().as_secs_f64()}));
        orders.recv().await;

        let start = Instant::now();
        let mut open = Vec::new();
        for (local, mut stream) in streams {
            let messages: String = remotes
                .iter()
                .map(|it| format!("<message from='{local}' to='{it}'><body>hi</body></message>"))
                .collect();
            stream.write_all(messages.as_bytes()).await?;
            open.push(stream);
        }
        finished.recv().await;
        let (pairs, streams) = {
            let books = lock(&books);
            (books.pairs.len(), books.streams)
        };
        let seconds = start.elapsed().as_secs_f64();
        tell(json!({"arrived": pairs, "streams": streams, "seconds": seconds}));
        orders.recv().await;
        Ok(())
    }
}

/// Opens a stream for a domain, and asks on it for all of its peers, a few at a time.
async fn open(local: &str, remotes: &[String]) -> io::Result<TcpStream> {
    let mut socket = TcpStream::connect(PROXY).await?;
    socket.set_nodelay(true)?;
    let first = remotes.first().map_or("", String::as_str);
    socket.write_all(header(local, first, None).as_bytes()).await?;
    let mut rest = remotes.iter();
    let mut awaited = BTreeSet::new();
    let mut text = String::new();
    loop {
        let mut claims = String::new();
        while awaited.len() < ASKS_MAX
            && let Some(remote) = rest.next()
        {
            claims += &format!("<db:result from='{local}' to='{remote}'>0123</db:result>");
            awaited.insert(remote.clone());
        }
        if awaited.is_empty() {
            return Ok(socket);
        }
        socket.write_all(claims.as_bytes()).await?;
        let said = element(&mut socket, &mut text).await?;
        if said.starts_with("<db:result") {
            if attribute(&said, "type") != Some("valid") {
                return Err(io::Error::other(said));
            }
            awaited.remove(attribute(&said, "from").unwrap_or_default());
        } else if said.starts_with("<stream:error") || said.starts_with("</stream:stream") {
            return Err(io::Error::other(said));
        }
    }
}

/// Listens for the proxy; what is returned tells when all has come.
async fn receive(
    mut socket: TcpStream,
    number: u32,
    books: Shared,
    total: usize,
    done: UnboundedSender<()>,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut text = String::new();
    let mut counted = false;
    loop {
        let said = element(&mut socket, &mut text).await?;
        let name = |key| attribute(&said, key).unwrap_or_default().to_owned();
        let (from, to) = (name("from"), name("to"));
        let answer = if said.starts_with("<stream:stream") {
            format!("{}{FEATURES}", header(&to, &from, Some(number)))
        } else if said.starts_with("<db:verify") {
            // There is nobody here who would forge a key.
            format!("<db:verify from='{to}' to='{from}' id='{}' type='valid'/>", name("id"))
        } else if said.starts_with("<db:result") {
            if !counted {
                lock(&books).streams += 1;
                counted = true;
            }
            format!("<db:result from='{to}' to='{from}' type='valid'/>")
        } else if said.starts_with("</stream:stream") {
            return socket.write_all(b"</stream:stream>").await;
        } else {
            if said.starts_with("<message") {
                let mut books = lock(&books);
                books.pairs.insert((from, to));
                if books.pairs.len() == total {
                    // Nobody waits only if the program is about to end.
                    let _ = done.send(());
                }
            }
            continue;
        };
        socket.write_all(answer.as_bytes()).await?;
    }
}

fn lock(books: &Shared) -> MutexGuard<'_, Books> {
    books.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many answers may be due on a stream at a time.
const ASKS_MAX: usize = 16;
