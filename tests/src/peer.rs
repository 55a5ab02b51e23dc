//! Peer: a scripted end of XMPP streams, which says what the test says, true or not.

mod middle;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{env, thread};

use serde_json::{Value, json};

pub use self::middle::Join;
use crate::{Certificate, Host, OrFail, Process, xml};

/// Sockets on a host.
#[derive(Clone, Debug)]
pub struct Peer {
    shared: Arc<Shared>,
}

/// One connection, and what has come on it.
#[derive(Clone, Debug)]
pub struct Stream {
    shared: Arc<Shared>,
    number: u64,
}

/// What the other end of a TLS handshake showed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Seen {
    /// The digest of its leaf ([`Certificate::digest`]), if it showed one.
    pub leaf: Option<String>,
    /// The name it asked for (SNI), if it is the client.
    pub name: Option<String>,
    /// The protocol agreed on (ALPN).
    pub alpn: Option<String>,
    /// Whether it went on with an earlier session.
    pub resumed: bool,
}

#[derive(Debug)]
struct Shared {
    program: Mutex<Process>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Whether the program has ended, and nothing more will come.
    ended: bool,
    dialed: u64,
    listening: Vec<String>,
    /// Accepted, by the address listened at, and not yet taken.
    accepted: Vec<(String, u64)>,
    wires: HashMap<u64, Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    text: String,
    /// The answers to handshakes.
    secured: Option<Seen>,
    dialed: bool,
    closed: Option<String>,
}

impl Peer {
    /// A peer on a host, which neither listens nor has dialed yet.
    pub fn on(host: &Host) -> Self {
        let program = Process::start("peer", host.command(&program("ligase-peer")));
        let hearing = program.hearing();
        let shared = Arc::new(Shared {
            program: Mutex::new(program),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let told = Arc::downgrade(&shared);
        thread::spawn(move || {
            for said in hearing {
                let Some(shared) = told.upgrade() else { return };
                let event = serde_json::from_str(&said).unwrap_or(Value::Null);
                lock(&shared.state).note(&event);
                shared.changed.notify_all();
            }
            if let Some(shared) = told.upgrade() {
                lock(&shared.state).ended = true;
                shared.changed.notify_all();
            }
        });
        Self { shared }
    }

    /// Listens at a port of every address.
    pub fn listen(&self, port: u16) {
        self.listen_at(&format!("[::]:{port}"));
    }

    /// Listens at an address and port.
    pub fn listen_at(&self, at: &str) {
        self.tell_to_listen(at, json!({"do": "listen", "at": at}));
    }

    /// Listens at a port of every address, where TLS comes with the first byte; who cannot shake
    /// hands is never heard of.
    pub fn listen_tls(&self, port: u16, certificate: &Certificate) {
        let at = format!("[::]:{port}");
        let (chain, key) = (certificate.chain(), certificate.key());
        self.tell_to_listen(
            &at,
            json!({"do": "listen", "at": at, "as": "server", "chain": chain, "key": key}),
        );
    }

    /// Listens at a port of every address, and hears nothing on a connection before it was told to do
    /// something there.
    pub fn listen_silently(&self, port: u16) {
        let at = format!("[::]:{port}");
        self.tell_to_listen(&at, json!({"do": "listen", "at": at, "silent": true}));
    }

    fn tell_to_listen(&self, at: &str, order: Value) {
        self.shared.tell(order);
        self.shared.wait(PATIENCE, &format!("listen at {at}"), |state| {
            state.listening.iter().any(|it| it == at).then_some(())
        });
    }

    /// Takes the next connection that somebody makes to that port.
    #[track_caller]
    pub fn accept(&self, port: u16, patience: Duration) -> Stream {
        match self.accept_within(port, patience) {
            Some(stream) => stream,
            None => panic!("nobody connects to port {port}"),
        }
    }

    /// Sends the program a signal: `STOP`, and it neither hears nor says anything until `CONT`.
    pub fn signal(&self, signal: &str) {
        lock(&self.shared.program).signal(signal);
    }

    /// Whether the program has ended, as it does with its host.
    pub fn has_ended(&self) -> bool {
        lock(&self.shared.state).ended
    }

    /// Takes the next connection to that port, if somebody makes one in time.
    pub fn accept_within(&self, port: u16, patience: Duration) -> Option<Stream> {
        let port = format!(":{port}");
        let number = self.shared.await_change(patience, |state| {
            let at = state.accepted.iter().position(|(at, _)| at.ends_with(&port))?;
            Some(state.accepted.remove(at).1)
        })?;
        Some(Stream { shared: self.shared.clone(), number })
    }

    /// Connects to an address and port.
    #[track_caller]
    pub fn dial(&self, to: &str) -> Stream {
        match self.try_dial(to) {
            Ok(stream) => stream,
            Err(error) => panic!("a scripted peer cannot dial {to}: {error}"),
        }
    }

    /// Connects to an address and port, if somebody listens there.
    pub fn try_dial(&self, to: &str) -> Result<Stream, String> {
        self.try_dial_from(None, to)
    }

    /// The same from this one of the host's addresses.
    pub fn try_dial_from(&self, from: Option<&str>, to: &str) -> Result<Stream, String> {
        let mut state = lock(&self.shared.state);
        state.dialed += 2;
        let number = state.dialed;
        state.wires.insert(number, Heard::default());
        drop(state);
        self.shared.tell(json!({"do": "dial", "wire": number, "to": to, "from": from}));
        self.shared.wait(PATIENCE, &format!("dial {to}"), |state| {
            let heard = state.wires.get(&number)?;
            let closed = heard.closed.clone().map(Err);
            heard.dialed.then_some(Ok(())).or(closed)
        })?;
        let shared = self.shared.clone();
        Ok(Stream { shared, number })
    }
}

impl Stream {
    /// Says this.
    pub fn send(&self, text: &str) {
        self.shared.tell(json!({"do": "send", "wire": self.number, "text": text}));
    }

    /// Says these bytes, in pieces of so many at a time: each a TLS record, or a segment, by itself.
    pub fn send_bytes(&self, bytes: &[u8], pieces: usize) {
        self.shared
            .tell(json!({"do": "send", "wire": self.number, "bytes": bytes, "pieces": pieces}));
    }

    /// Takes all that came up to and with this text, which is to come.
    #[track_caller]
    pub fn expect(&self, text: &str) -> String {
        self.take(PATIENCE, &format!("hear {text:?}"), |heard| {
            let end = heard.text.find(text)? + text.len();
            Some(heard.text.drain(..end).collect())
        })
    }

    /// Takes the next thing said: a header, an element or the end of a stream, whole.
    #[track_caller]
    pub fn next(&self) -> String {
        self.take(PATIENCE, "hear another element", |heard| xml::split_first(&mut heard.text))
    }

    /// Takes the next thing said, unless the connection ends before or nothing comes in time.
    pub fn next_within(&self, patience: Duration) -> Option<String> {
        self.shared.await_change(patience, |state| {
            let heard = state.wires.get_mut(&self.number)?;
            let next = xml::split_first(&mut heard.text);
            next.map(Some).or_else(|| heard.closed.is_some().then_some(None))
        })?
    }

    /// Takes the next thing said, however long it takes; None at the end of the connection.
    pub fn next_ever(&self) -> Option<String> {
        loop {
            let said = self.next_within(PATIENCE);
            if said.is_some() || self.has_ended() {
                return said;
            }
        }
    }

    /// Whether the connection is closed, or its host gone.
    pub fn has_ended(&self) -> bool {
        let state = lock(&self.shared.state);
        let heard = state.wires.get(&self.number);
        state.ended || heard.is_none_or(|heard| heard.closed.is_some())
    }

    /// Waits until the other end has closed the connection, and takes all that it said till then.
    #[track_caller]
    pub fn expect_end(&self) -> String {
        self.take(PATIENCE, "hear the end", |heard| {
            heard.closed.as_ref()?;
            Some(std::mem::take(&mut heard.text))
        })
    }

    /// Waits until the connection has ended: all that was said till then, and how it ended.
    pub fn end_within(&self, patience: Duration) -> Option<(String, String)> {
        self.shared.await_change(patience, |state| {
            let heard = state.wires.get_mut(&self.number)?;
            let how = heard.closed.clone()?;
            Some((std::mem::take(&mut heard.text), how))
        })
    }

    /// Says the last words in the clear, and shakes hands as the TLS server.
    pub fn accept_tls(&self, last: &str, certificate: &Certificate) -> Result<Seen, String> {
        self.secure(json!({
            "as": "server", "text": last, "chain": certificate.chain(), "key": certificate.key()
        }))
    }

    /// Shakes hands as the TLS client, asking for that name, with a certificate or without.
    pub fn start_tls(&self, name: &str, certificate: Option<&Certificate>) -> Result<Seen, String> {
        self.start_tls_for(name, None, certificate)
    }

    /// The same, offering one protocol only (ALPN).
    pub fn start_tls_for(
        &self,
        name: &str,
        protocol: Option<&str>,
        certificate: Option<&Certificate>,
    ) -> Result<Seen, String> {
        let (chain, key) = (certificate.map(Certificate::chain), certificate.map(Certificate::key));
        self.secure(
            json!({"as": "client", "name": name, "alpn": protocol, "chain": chain, "key": key}),
        )
    }

    /// Closes the connection.
    pub fn close(&self) {
        self.shared.tell(json!({"do": "close", "wire": self.number}));
    }

    pub(crate) fn secure(&self, mut order: Value) -> Result<Seen, String> {
        order["do"] = json!("tls");
        order["wire"] = json!(self.number);
        self.shared.tell(order);
        self.shared.wait(PATIENCE, "shake hands", |state| {
            let heard = state.wires.get_mut(&self.number)?;
            let seen = heard.secured.take().map(Ok);
            seen.or_else(|| heard.closed.clone().map(Err))
        })
    }

    #[track_caller]
    fn take<T>(
        &self,
        patience: Duration,
        doing: &str,
        take: impl Fn(&mut Heard) -> Option<T>,
    ) -> T {
        self.shared.wait(patience, doing, |state| state.wires.get_mut(&self.number).and_then(&take))
    }
}

impl State {
    fn note(&mut self, event: &Value) {
        let text = |key: &str| event.get(key).and_then(Value::as_str).map(str::to_owned);
        if let Some(at) = text("listening") {
            assert_eq!(text("error"), None, "cannot listen at {at}");
            self.listening.push(at);
        }
        let Some(number) = event.get("wire").and_then(Value::as_u64) else {
            return;
        };
        let heard = self.wires.entry(number).or_default();
        heard.dialed |= event.get("dialed").is_some();
        heard.text.push_str(&text("text").unwrap_or_default());
        if let Some(why) = text("closed") {
            heard.closed = Some(why);
        }
        if let Some(seen) = event.get("secured") {
            let text = |key: &str| seen.get(key).and_then(Value::as_str).map(str::to_owned);
            let resumed = seen.get("resumed") == Some(&Value::Bool(true));
            let (leaf, name, alpn) = (text("leaf"), text("name"), text("alpn"));
            heard.secured = Some(Seen { leaf, name, alpn, resumed });
        }
        if let Some(at) = text("at") {
            self.accepted.push((at, number));
        }
    }
}

impl Shared {
    fn tell(&self, order: Value) {
        lock(&self.program).tell(&order.to_string());
    }

    /// Waits for a change that `take` is looking for; there must be one in time.
    #[track_caller]
    fn wait<T>(
        &self,
        patience: Duration,
        doing: &str,
        take: impl FnMut(&mut State) -> Option<T>,
    ) -> T {
        match self.await_change(patience, take) {
            Some(taken) => taken,
            None => {
                let state = lock(&self.state);
                let wires = state.wires.iter().map(|(number, heard)| {
                    let Heard { text, closed, .. } = heard;
                    format!("{number}: {text:.200?} {closed:?}")
                });
                let wires: Vec<_> = wires.take(20).collect();
                panic!("a scripted peer cannot {doing}: {wires:?}")
            }
        }
    }

    fn await_change<T>(
        &self,
        patience: Duration,
        mut take: impl FnMut(&mut State) -> Option<T>,
    ) -> Option<T> {
        let mut taken = None;
        let state = lock(&self.state);
        let waited = self.changed.wait_timeout_while(state, patience, |state| {
            taken = take(state);
            taken.is_none() && !state.ended
        });
        drop(waited);
        taken
    }
}

/// A program of this workspace, built beside the one that runs.
pub fn program(name: &str) -> String {
    let here = env::current_exe().or_fail("find out where this program is");
    let folder = here.parent().and_then(|it| it.parent()).or_fail("find the folder of programs");
    let program: PathBuf = folder.join(name);
    assert!(program.exists(), "no {}: build the workspace first", program.display());
    program.display().to_string()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a scripted peer waits for what should come: longer than any single step may take.
const PATIENCE: Duration = Duration::from_secs(30);
