//! Pulse and echo: two servers behind two proxies. The one sends a message many times a second, the
//! other sends each back, and the first knows how long it took.

use std::collections::HashMap;
use std::io;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ligase_tests::xml::attribute;
use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::backend::listen;
use crate::load::{FEATURES, element, header, lines, open};
use crate::{spawn, tell};

/// Beats: from `LOCAL` to the echo at `REMOTE`. It says `ready` when it listens; told `beat` it
/// begins, and says `tick` every second; told `begin` it forgets what it has measured, and told
/// `tell` it says how long the beats since then took, in milliseconds.
pub(crate) fn beat(local: &str, remote: &str) -> ExitCode {
    code("pulse", pulse(local.to_owned(), remote.to_owned()))
}

/// Echoes what comes to `LOCAL` from a pulse, and drops all else that comes. It says `ready` when
/// it listens, and does what each line of its input says: `pour` sends `count` messages of `bytes`
/// each to the domain `to`, `claim` opens a stream for each of the domains in `to`.
pub(crate) fn echo(local: &str) -> ExitCode {
    code("echo", echoing(local.to_owned()))
}

fn code(name: &str, run: impl Future<Output = io::Result<()>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.and_then(|it| it.block_on(run)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What is on its way, and how long it took what has come back.
#[derive(Default)]
struct Beats {
    sent: u32,
    under_way: HashMap<u32, Instant>,
    took: Vec<Duration>,
}

type Books = Arc<Mutex<Beats>>;

async fn pulse(local: String, remote: String) -> io::Result<()> {
    let mut orders = lines();
    let books = Books::default();
    let shared = books.clone();
    let _served = listen(move |socket, number, _| {
        let books = shared.clone();
        receive(socket, number, move |_, number| {
            let mut beats = lock(&books);
            let sent = number.parse().ok().and_then(|it: u32| beats.under_way.remove(&it));
            beats.took.extend(sent.map(|it| it.elapsed()));
        })
    })
    .await?;
    tell(json!("ready"));
    let mut stream = None;
    while let Some(order) = orders.recv().await {
        match order.as_str() {
            "beat" if stream.is_none() => {
                let socket = open(&local, &remote).await?;
                let name = (local.clone(), remote.clone());
                spawn(go_on(socket, name, books.clone()));
                stream = Some(());
            }
            "begin" => lock(&books).took.clear(),
            _ => tell(lock(&books).measured()),
        }
    }
    Ok(())
}

/// Sends beat after beat.
async fn go_on(mut socket: TcpStream, (local, remote): (String, String), books: Books) {
    let mut clock = interval(BEAT);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        let number = {
            let mut beats = lock(&books);
            beats.sent += 1;
            let number = beats.sent;
            beats.under_way.insert(number, now());
            number
        };
        let message = format!(
            "<message from='{PULSE}@{local}' to='{PULSE}@{remote}' id='{number}'>\
             <body>beat</body></message>"
        );
        if let Err(error) = socket.write_all(message.as_bytes()).await {
            return tell(json!({"broken": error.to_string()}));
        }
        if number.is_multiple_of(BEATS_A_TICK) {
            tell(json!({"tick": number}));
        }
    }
}

impl Beats {
    /// How long they took. What is still under way counts as if it had just come back.
    fn measured(&self) -> Value {
        let waiting = self.under_way.values().map(Instant::elapsed);
        let mut took: Vec<_> = self.took.iter().copied().chain(waiting).collect();
        took.sort_unstable();
        let share = |of_hundred: usize| {
            let at = (took.len() * of_hundred / 100).min(took.len().saturating_sub(1));
            took.get(at).map_or(0.0, |it| it.as_secs_f64() * 1000.0)
        };
        json!({
            "beats": took.len(), "under_way": self.under_way.len(),
            "median": share(50), "p99": share(99), "worst": share(100),
        })
    }
}

async fn echoing(local: String) -> io::Result<()> {
    let mut orders = lines();
    let (heard, beats) = unbounded_channel();
    let _served = listen(move |socket, number, _| {
        let heard = heard.clone();
        receive(socket, number, move |remote, id| {
            // Nobody answers any more only when the program ends.
            let _ = heard.send((remote.to_owned(), id.to_owned()));
        })
    })
    .await?;
    spawn(answer(local.clone(), beats));
    tell(json!("ready"));
    while let Some(line) = orders.recv().await {
        let order: Value = serde_json::from_str(&line)?;
        let number = |key: &str| order.get(key).and_then(Value::as_u64).unwrap_or_default();
        if order.get("do").and_then(Value::as_str) == Some("pour") {
            let to = order.get("to").and_then(Value::as_str).unwrap_or_default().to_owned();
            spawn(pour(local.clone(), to, number("count"), number("bytes")));
        } else {
            let to = order.get("to").and_then(Value::as_array).cloned().unwrap_or_default();
            for remote in to {
                let (own, remote) = (local.clone(), remote.as_str().unwrap_or("").to_owned());
                spawn(async move {
                    let way = open(&own, &remote).await;
                    let how = way.err().map_or_else(|| "valid".to_owned(), |it| it.to_string());
                    tell(json!({"claimed": remote, "how": how}));
                });
            }
        }
    }
    Ok(())
}

/// Sends every beat back, on a stream to its domain that is opened for the first.
async fn answer(local: String, mut beats: UnboundedReceiver<(String, String)>) {
    let mut ways = HashMap::<String, TcpStream>::new();
    while let Some((remote, id)) = beats.recv().await {
        let said = async {
            if !ways.contains_key(&remote) {
                ways.insert(remote.clone(), open(&local, &remote).await?);
            }
            let message =
                format!("<message from='{PULSE}@{local}' to='{PULSE}@{remote}' id='{id}'/>");
            let way = ways.get_mut(&remote).ok_or(io::ErrorKind::NotFound)?;
            way.write_all(message.as_bytes()).await
        };
        if let Err(error) = said.await {
            ways.remove(&remote);
            tell(json!({"broken": error.to_string()}));
        }
    }
}

/// Sends as many messages as it is told to, as fast as they are taken.
async fn pour(local: String, remote: String, count: u64, bytes: u64) {
    let poured = async {
        let mut way = open(&local, &remote).await?;
        tell(json!({"pouring": remote}));
        let body = "o".repeat(usize::try_from(bytes).unwrap_or_default());
        let message =
            format!("<message from='{local}' to='{remote}'><body>{body}</body></message>");
        for _ in 0..count {
            way.write_all(message.as_bytes()).await?;
        }
        Ok::<_, io::Error>(())
    };
    let how = poured.await.err().map_or_else(|| "all".to_owned(), |error| error.to_string());
    tell(json!({"poured": remote, "how": how}));
}

/// Serves a stream of the proxy's, and hands over of every beat whose it is and its number. Once
/// anything else has come, nothing of that stream is looked at any more.
async fn receive(
    mut socket: TcpStream,
    number: u32,
    take: impl Fn(&str, &str) + Send,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut text = String::new();
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
            format!("<db:result from='{to}' to='{from}' type='valid'/>")
        } else if said.starts_with("</stream:stream") {
            return socket.write_all(b"</stream:stream>").await;
        } else if !said.starts_with("<message") {
            continue;
        } else if let Some(domain) = from.strip_prefix(&format!("{PULSE}@")) {
            take(domain, &name("id"));
            continue;
        } else {
            copy(&mut socket, &mut sink()).await?;
            return Ok(());
        };
        socket.write_all(answer.as_bytes()).await?;
    }
}

#[expect(clippy::disallowed_methods, reason = "what is measured is the time it takes")]
fn now() -> Instant {
    Instant::now()
}

fn lock(books: &Books) -> MutexGuard<'_, Beats> {
    books.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who beats, and who echoes.
const PULSE: &str = "pulse";

/// How often it beats: often enough that one in a hundred is many of them, seldom enough to be no
/// load.
const BEAT: Duration = Duration::from_millis(20);
const BEATS_A_TICK: u32 = 50;
