//! Flood: many short conversations with a server, each from another address, which say whatever
//! strangers may say.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ligase_tests::flood::name;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::timeout;

use crate::tls::Wire;
use crate::{spawn, tell};

/// Runs the flood: `TO FROM FIRST COUNT SCRIPTS`, where FROM is the first of 16384 addresses that are
/// ours, and SCRIPTS is a JSON list of conversations, each a list of steps. Each of them is held for
/// the names with the numbers from FIRST on.
///
/// It says how the conversations ended when all have.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    let [to, from, first, count, scripts] = arguments else {
        return ExitCode::from(2);
    };
    let (Ok(to), Ok(from)) = (to.parse(), from.parse()) else {
        return ExitCode::from(2);
    };
    let (Ok(first), Ok(count)) = (first.parse(), count.parse()) else {
        return ExitCode::from(2);
    };
    let Ok(scripts) = serde_json::from_str(scripts) else {
        return ExitCode::from(2);
    };
    Flood { to, from, first, count, scripts }.run()
}

struct Flood {
    to: SocketAddr,
    from: Ipv4Addr,
    first: u64,
    count: u64,
    scripts: Vec<Vec<Value>>,
}

/// How many conversations ended in each way.
type Ends = Arc<Mutex<BTreeMap<&'static str, u64>>>;

impl Flood {
    #[tokio::main(flavor = "current_thread")]
    async fn run(self) -> ExitCode {
        let (flood, next, ends) = (Arc::new(self), Arc::new(AtomicU64::new(0)), Ends::default());
        let (done, mut finished) = unbounded_channel::<()>();
        for _ in 0..AT_A_TIME {
            let (flood, next, ends) = (Arc::clone(&flood), Arc::clone(&next), Arc::clone(&ends));
            let done = done.clone();
            spawn(async move {
                // It is dropped with the last of them.
                let _done = done;
                loop {
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    if flood.count * flood.scripts.len() as u64 <= turn {
                        return;
                    }
                    let end = flood.converse(turn).await;
                    *ends.lock().unwrap_or_else(PoisonError::into_inner).entry(end).or_default() +=
                        1;
                }
            });
        }
        drop(done);
        let _ = finished.recv().await;
        tell(json!(*ends.lock().unwrap_or_else(PoisonError::into_inner)));
        ExitCode::SUCCESS
    }

    async fn converse(&self, turn: u64) -> &'static str {
        let scripts = self.scripts.len() as u64;
        let number = self.first + turn / scripts;
        let script = usize::try_from(turn % scripts).ok().and_then(|it| self.scripts.get(it));
        let address = Ipv4Addr::from_bits(self.from.to_bits() + (turn % ADDRESSES) as u32);
        let Some(script) = script else { return "lost" };
        match timeout(PATIENCE, play(self.to, address, script, number)).await {
            Ok(Ok(end)) => end,
            Ok(Err(_)) => "broken",
            Err(_) => "silent",
        }
    }
}

/// Plays a script to its end, and hears all that comes until the other end has closed.
async fn play(
    to: SocketAddr,
    from: Ipv4Addr,
    script: &[Value],
    number: u64,
) -> io::Result<&'static str> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    let mut wire = Wire::Plain(socket.connect(to).await?);
    wire.set_nodelay();
    for step in script {
        let text = |key: &str| step.get(key).and_then(Value::as_str);
        if let Some(said) = text("say") {
            wire.write_all(filled(said, number).as_bytes()).await?;
            wire.flush().await?;
        } else if let Some(bytes) = step.get("bytes").and_then(Value::as_array) {
            let bytes: Vec<_> =
                bytes.iter().filter_map(|it| u8::try_from(it.as_u64()?).ok()).collect();
            wire.write_all(&bytes).await?;
        } else if let Some(named) = text("hello") {
            wire.write_all(&client_hello(filled(named, number).as_bytes())).await?;
        } else if let Some(awaited) = text("hear") {
            hear(&mut wire, awaited).await?;
        } else if let Some(named) = text("tls") {
            let order = json!({"as": "client", "name": named});
            wire = wire.secure(&order).await.map_err(io::Error::other)?.0;
        }
    }
    // There is nothing more to say, so nobody waits for it.
    wire.shutdown().await?;
    let mut rest = vec![0; 4096];
    while 0 < wire.read(&mut rest).await? {}
    Ok("ended")
}

async fn hear(wire: &mut Wire, awaited: &str) -> io::Result<()> {
    let (mut heard, mut buffer) = (Vec::new(), vec![0; 4096]);
    while !String::from_utf8_lossy(&heard).contains(awaited) {
        let read = wire.read(&mut buffer).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        heard.extend_from_slice(buffer.get(..read).unwrap_or_default());
    }
    Ok(())
}

/// A text with its number and its name: `{name}` as XML has it between quotes, `{raw}` as it is.
fn filled(text: &str, number: u64) -> String {
    let mut text = text.replace("{number}", &number.to_string());
    if text.contains("{raw}") {
        text = text.replace("{raw}", &name(number));
    }
    if text.contains("{name}") {
        let quoted: String = name(number).chars().map(quoted).collect();
        text = text.replace("{name}", &quoted);
    }
    text
}

fn quoted(letter: char) -> String {
    match letter {
        '<' | '>' | '&' | '\'' | '"' | '\0'..='\u{1f}' => format!("&#x{:x};", u32::from(letter)),
        _ => letter.to_string(),
    }
}

/// A ClientHello (RFC 8446 §4.1.2) that asks for this name and this protocol, whatever they are.
/// Its key is anybody's, so it costs next to nothing.
fn client_hello(name: &[u8]) -> Vec<u8> {
    let name = name.get(..name.len().min(16_000)).unwrap_or_default();
    let protocol = name.get(..name.len().min(255)).unwrap_or_default();
    let server_name = long(&[&[0], &*long(name)].concat());
    let protocols = long(&short(protocol));
    let extensions = [
        extension(0x00, &server_name),
        extension(0x0a, &[0, 2, 0, 0x1d]),
        extension(0x0d, &[0, 2, 4, 3]),
        extension(0x10, &protocols),
        extension(0x2b, &[2, 3, 4]),
        extension(0x33, &long(&[&[0, 0x1d][..], &long(&[9; 32])].concat())),
    ];
    let fixed = [&[3, 3][..], &[7; 32], &[0], &[0, 2, 0x13, 1], &[1, 0]].concat();
    let hello = [fixed, long(&extensions.concat())].concat();
    let handshake = [&[1, 0][..], &long(&hello)].concat();
    [&[0x16, 3, 1][..], &long(&handshake)].concat()
}

fn extension(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[0, kind][..], &long(body)].concat()
}

/// Bytes behind their length in two bytes.
fn long(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&length[..], bytes].concat()
}

/// Bytes behind their length in one.
fn short(bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    [&[length][..], bytes].concat()
}

/// Conversations at a time: enough to keep a proxy busy.
const AT_A_TIME: usize = 64;

/// Addresses that the conversations come from, by turns.
const ADDRESSES: u64 = 1 << 14;

/// How long a conversation may take; the proxy ends each sooner.
const PATIENCE: Duration = Duration::from_secs(40);
