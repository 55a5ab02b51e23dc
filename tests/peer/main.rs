//! Wires in a network namespace, driven line by line: what a scripted peer is made of.
//!
//! Every line on standard input is a JSON object, `{"do": NAME, "wire": N, ...}`; what happens is
//! told on standard output in the same way. A wire decides nothing: what is said on it, and when
//! it turns to TLS, is up to the test that holds the other end of these two pipes.
//!
//! Besides, `ligase-peer get ADDRESS PATH` prints what an HTTP server answers, and
//! `ligase-peer await ADDRESS PATH TEXT` asks until it answers 200 and this text; `ligase-peer
//! load` is a server that is as fast as it can be, `ligase-peer channel` one that shares its
//! streams, `ligase-peer pulse` and `ligase-peer echo` two that measure how long a stanza takes,
//! `ligase-peer crowd` many strangers at once, `ligase-peer flood` a crowd that nobody wants;
//! `ligase-peer scan` finds open ports, `ligase-peer oracle` compares how long answers take;
//! `ligase-peer web AT CHAIN KEY FOLDER` serves documents by HTTPS, `ligase-peer site AT` whatever
//! it is told to, and `ligase-peer liar AT SOURCE` is a DNS server that lies.

#![forbid(unsafe_code)]

mod backend;
mod channel;
mod crowd;
mod flood;
mod http;
mod join;
mod liar;
mod load;
mod oracle;
mod passer;
mod pourer;
mod pulse;
mod records;
mod scan;
mod site;
mod talker;
mod tls;
mod web;

use std::collections::HashMap;
use std::env::args;
use std::io::{self, stdin};
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::tls::Wire;

fn main() -> ExitCode {
    let arguments: Vec<_> = args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => wires(),
        ["get", address, path] => http::get(address, path),
        ["await", address, path, text] => http::await_text(address, path, text),
        ["load", rest @ ..] => load::run(rest),
        ["channel", rest @ ..] => channel::run(rest),
        ["crowd", target] => crowd::run(target),
        ["oracle", target] => oracle::run(target),
        ["scan", address] => scan::scan(address),
        ["pulse", local, remote] => pulse::beat(local, remote),
        ["echo", local] => pulse::echo(local),
        ["flood", rest @ ..] => flood::run(rest),
        ["web", at, chain, key, folder] => web::serve(at, chain, key, folder),
        ["liar", at, source] => liar::serve(at, source),
        ["site", at] => site::serve(at),
        _ => {
            eprintln!(
                "usage: ligase-peer [get ... | await ... | load ... | channel ... | crowd ... | \
                 pulse ... | echo ... | flood ... | scan ... | oracle ... | web ... | liar ... | \
                 site ...]"
            );
            ExitCode::from(2)
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn wires() -> ExitCode {
    let mut wires = Wires::default();
    let (sender, mut lines) = unbounded_channel();
    thread::spawn(move || {
        for line in stdin().lines().map_while(Result::ok) {
            // Nobody listens any more only when the program ends.
            let _ = sender.send(line);
        }
    });
    while let Some(line) = lines.recv().await {
        match serde_json::from_str(&line) {
            Ok(order) => wires.obey(order).await,
            Err(error) => tell(json!({"error": error.to_string()})),
        }
    }
    ExitCode::SUCCESS
}

/// The wires there are. Those that the test opens have even numbers, the others odd ones.
#[derive(Default)]
struct Wires {
    dialed: HashMap<u64, UnboundedSender<Value>>,
    accepted: Arc<std::sync::Mutex<HashMap<u64, UnboundedSender<Value>>>>,
    count: Arc<AtomicU64>,
}

impl Wires {
    async fn obey(&mut self, order: Value) {
        let text = |key: &str| order.get(key).and_then(Value::as_str).unwrap_or_default();
        let number = order.get("wire").and_then(Value::as_u64).unwrap_or_default();
        match text("do") {
            "listen" => self.listen(order).await,
            "dial" => {
                let (orders, inbox) = unbounded_channel();
                self.dialed.insert(number, orders);
                let (to, from) = (text("to").to_owned(), text("from").parse().ok());
                spawn(async move {
                    match connect(from, &to).await {
                        Ok(socket) => {
                            tell(json!({"wire": number, "dialed": to}));
                            serve(number, Wire::Plain(socket), inbox, None).await;
                        }
                        Err(error) => tell(json!({"wire": number, "closed": error.to_string()})),
                    }
                });
            }
            _ => {
                let accepted = self.accepted.lock().ok();
                let accepted = accepted.as_ref().and_then(|it| it.get(&number));
                // A wire that has ended takes no more orders, and its end has been told.
                let _ = self.dialed.get(&number).or(accepted).map(|wire| wire.send(order));
            }
        }
    }

    /// Listens, and begins with TLS if the order brings a certificate.
    async fn listen(&self, order: Value) {
        let at = order.get("at").and_then(Value::as_str).unwrap_or_default().to_owned();
        let listener = match TcpListener::bind(&at).await {
            Ok(listener) => listener,
            Err(error) => return tell(json!({"listening": at, "error": error.to_string()})),
        };
        tell(json!({"listening": at}));
        let (accepted, count) = (self.accepted.clone(), self.count.clone());
        spawn(async move {
            while let Ok((socket, from)) = listener.accept().await {
                let number = 2 * count.fetch_add(1, Ordering::Relaxed) + 1;
                let (orders, mut inbox) = unbounded_channel();
                if let Ok(mut accepted) = accepted.lock() {
                    accepted.insert(number, orders);
                }
                let (at, order) = (at.clone(), order.clone());
                spawn(async move {
                    let mut wire = Wire::Plain(socket);
                    if order.get("chain").is_some() {
                        // Whoever cannot shake hands has never been here.
                        let Ok((secured, _)) = wire.secure(&order).await else { return };
                        wire = secured;
                    }
                    tell(json!({"wire": number, "accepted": from.to_string(), "at": at}));
                    // Who is silent hears nothing either, before it was told to do something.
                    let is_silent = order.get("silent").is_some();
                    let first = if is_silent { inbox.recv().await } else { None };
                    serve(number, wire, inbox, first).await;
                });
            }
        });
    }
}

/// Does as it is told with one wire, first of all what it was told already, and tells what comes
/// from it, until it ends.
async fn serve(
    number: u64,
    mut wire: Wire,
    mut inbox: UnboundedReceiver<Value>,
    mut first: Option<Value>,
) {
    // What is written is a whole thing to say; it shall not wait for more.
    wire.set_nodelay();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        tokio::select! {
            // What was told already comes before what has come since.
            biased;
            order = next(&mut first, &mut inbox) => {
                let Some(order) = order else { return };
                if order.get("do").and_then(Value::as_str) == Some("join") {
                    // One more order parts them again.
                    let ended = tokio::select! {
                        ended = join::join(wire, &order) => ended,
                        _ = inbox.recv() => "by us".to_owned(),
                    };
                    return tell(json!({"wire": number, "closed": ended}));
                }
                match obey(number, wire, &order).await {
                    Ok(Some(same)) => wire = same,
                    Ok(None) => return tell(json!({"wire": number, "closed": "by us"})),
                    Err(error) => return tell(json!({"wire": number, "closed": error})),
                }
            }
            read = wire.read(&mut buffer) => match read {
                Ok(0) => return tell(json!({"wire": number, "closed": "by the other end"})),
                Ok(read) => {
                    let text = String::from_utf8_lossy(buffer.get(..read).unwrap_or_default());
                    tell(json!({"wire": number, "text": text}));
                }
                Err(error) => return tell(json!({"wire": number, "closed": error.to_string()})),
            },
        }
    }
}

async fn next(first: &mut Option<Value>, inbox: &mut UnboundedReceiver<Value>) -> Option<Value> {
    match first.take() {
        Some(order) => Some(order),
        None => inbox.recv().await,
    }
}

/// Obeys one order; None means that the wire is no more.
async fn obey(number: u64, mut wire: Wire, order: &Value) -> Result<Option<Wire>, String> {
    let text = order.get("text").and_then(Value::as_str).unwrap_or_default();
    let bytes = match order.get("bytes").and_then(Value::as_array) {
        Some(bytes) => bytes.iter().filter_map(byte).collect(),
        None => text.as_bytes().to_vec(),
    };
    // What is flushed by itself is a TLS record, or a segment, by itself.
    for piece in pieces(&bytes, order.get("pieces")) {
        wire.write_all(piece).await.map_err(|error| error.to_string())?;
        wire.flush().await.map_err(|error| error.to_string())?;
    }
    match order.get("do").and_then(Value::as_str) {
        Some("send") => Ok(Some(wire)),
        Some("lend") => Err(join::lend(number, wire)),
        Some("renegotiate") => Err(records::renegotiate(number, wire, order).await),
        Some("tls") => {
            let (wire, seen) = wire.secure(order).await?;
            tell(json!({"wire": number, "secured": seen}));
            Ok(Some(wire))
        }
        _ => {
            // The other end may have closed it first.
            let _ = wire.shutdown().await;
            Ok(None)
        }
    }
}

/// Connects from this address, where it matters.
async fn connect(from: Option<IpAddr>, to: &str) -> io::Result<TcpStream> {
    let (Some(from), Ok(to)) = (from, to.parse::<SocketAddr>()) else {
        return TcpStream::connect(to).await;
    };
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(to).await
}

fn byte(value: &Value) -> Option<u8> {
    value.as_u64().and_then(|it| u8::try_from(it).ok())
}

/// Divides what is to be written: into pieces of so many bytes each, or not at all.
fn pieces<'a>(bytes: &'a [u8], length: Option<&Value>) -> std::slice::Chunks<'a, u8> {
    let length = length.and_then(Value::as_u64);
    let length = length.and_then(|it| usize::try_from(it).ok());
    bytes.chunks(length.unwrap_or(bytes.len()).max(1))
}

#[expect(clippy::disallowed_methods, reason = "this is the program's driver")]
fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}

fn tell(event: Value) {
    println!("{event}");
}
