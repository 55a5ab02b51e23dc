//! Users: people with accounts, who log in, say and hear.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::{Host, OrFail, Process};

/// Everybody who uses the servers of a world: one program with a real client library.
/// Copies mean the same people.
#[derive(Clone, Debug)]
pub struct Users {
    line: Arc<Line>,
}

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub struct User {
    line: Arc<Line>,
    /// Whose account it is, without a resource.
    pub jid: String,
    /// The same with the resource that the server gave.
    pub full: String,
}

/// What became of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It arrived.
    Heard,
    /// It came back, with this condition and text.
    Returned(String),
    /// Nothing more was heard of it.
    Unknown,
}

/// The line to the program; any number of questions may be on their way at once.
#[derive(Debug)]
struct Line {
    program: Mutex<Process>,
    asked: Mutex<Asked>,
}

#[derive(Debug, Default)]
struct Asked {
    number: u64,
    waiting: Vec<(u64, Sender<Value>)>,
}

impl Users {
    /// Starts the program on a host, with nobody logged in.
    pub(crate) fn start(host: &Host) -> Self {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = tests.join("../.venv/bin/python");
        assert!(python.exists(), "no {}: run tests/install.sh", python.display());
        let mut command = host.command(&python.display().to_string());
        command.arg("-u").arg(tests.join("python/users.py"));
        let program = Process::start("users", command);
        let hearing = program.hearing();
        let line = Arc::new(Line { program: Mutex::new(program), asked: Mutex::default() });
        let told = Arc::downgrade(&line);
        thread::spawn(move || {
            for said in hearing {
                let Some(line) = told.upgrade() else { return };
                line.pass_on(&said);
            }
            // The program has ended, and whoever still waits is told so.
            if let Some(line) = told.upgrade() {
                lock(&line.asked).waiting.clear();
            }
        });
        Self { line }
    }

    /// Logs in at a server of that address.
    pub fn login(&self, jid: &str, server: &Host) -> User {
        let host = server.v4.to_string();
        let question = json!({
            "do": "login", "jid": jid, "password": PASSWORD, "host": host, "port": 5222
        });
        let full = self.line.ask(question).or_fail(&format!("log {jid} in"));
        let full = full.as_str().unwrap_or_default().to_owned();
        User { line: self.line.clone(), jid: jid.to_owned(), full }
    }
}

impl User {
    /// The domain of this user's account.
    pub fn domain(&self) -> &str {
        self.jid.split_once('@').map_or("", |(_, domain)| domain)
    }

    /// Sends a chat message.
    pub fn say(&self, to: &str, body: &str) {
        self.must(json!({"do": "say", "to": to, "body": body}));
    }

    /// Sends a chat message to somebody of this world, and waits for what becomes of it.
    #[track_caller]
    pub fn convey(&self, to: &Self, body: &str, patience: Duration) -> Fate {
        let within = patience.as_secs();
        let question = json!({"do": "convey", "to": to.jid, "body": body, "within": within});
        let fate = self.must(question);
        match fate["returned"].as_str() {
            Some(error) => Fate::Returned(error.to_owned()),
            None if fate["heard"] == true => Fate::Heard,
            None => Fate::Unknown,
        }
    }

    /// Waits for a chat message with just this body.
    #[track_caller]
    pub fn hear(&self, from: &str, body: &str) {
        self.hear_within(from, body, PATIENCE);
    }

    /// Waits that long for a chat message with just this body.
    #[track_caller]
    pub fn hear_within(&self, from: &str, body: &str, patience: Duration) {
        let wanted = json!({"kind": "message", "type": "chat", "from": from, "body": body});
        self.take(wanted, patience);
    }

    /// Whether a chat message with just this body comes within that time.
    pub fn hears(&self, from: &str, body: &str, patience: Duration) -> bool {
        let wanted = json!({"kind": "message", "type": "chat", "from": from, "body": body});
        self.ask(json!({"do": "take", "wanted": wanted, "within": patience.as_secs()})).is_ok()
    }

    /// Whether the bounce of something sent to `from` comes within that time.
    pub fn hears_error(&self, from: &str, patience: Duration) -> bool {
        let wanted = json!({"kind": "message", "type": "error", "from": from});
        self.ask(json!({"do": "take", "wanted": wanted, "within": patience.as_secs()})).is_ok()
    }

    /// Waits for the bounce of something sent to `from`, and returns its condition and its text.
    #[track_caller]
    pub fn hear_error(&self, from: &str, patience: Duration) -> String {
        let wanted = json!({"kind": "message", "type": "error", "from": from});
        let stanza = self.take(wanted, patience);
        stanza.get("error").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Whether a message has come from there that nobody has taken yet.
    pub fn has_heard_from(&self, from: &str) -> bool {
        let wanted = json!({"kind": "message", "type": "chat", "from": from});
        self.must(json!({"do": "count", "wanted": wanted})).as_u64() != Some(0)
    }

    /// Waits for all that a server [pours](crate::Server::pour) in a user's name, or at least the
    /// first `count` of it; all in order and whole.
    #[track_caller]
    pub fn hear_pour(&self, from: &str, count: usize, size: usize, patience: Duration) {
        let within = patience.as_secs();
        self.must(json!({
            "do": "take_pour", "sender": from, "count": count, "size": size, "within": within
        }));
    }

    /// Sends presence to one address: `None` says "available".
    pub fn present(&self, to: &str, kind: Option<&str>) {
        self.must(json!({"do": "presence", "to": to, "kind": kind}));
    }

    /// Waits for presence of that type.
    #[track_caller]
    pub fn see(&self, from: &str, kind: &str) {
        self.take(json!({"kind": "presence", "type": kind, "from": from}), PATIENCE);
    }

    /// Pings an address (XEP-0199).
    #[track_caller]
    pub fn ping(&self, to: &str) {
        self.must(json!({"do": "ping", "to": to}));
    }

    /// Pings an address that does not answer as it should, and returns what came instead.
    pub fn ping_in_vain(&self, to: &str, patience: Duration) -> Result<(), String> {
        let question = json!({"do": "ping", "to": to, "within": patience.as_secs()});
        self.ask(question).map(drop)
    }

    /// What an address says that it is: `category/type` (XEP-0030).
    #[track_caller]
    pub fn disco(&self, to: &str) -> Vec<String> {
        let found = self.must(json!({"do": "disco", "to": to}));
        let identities = found.as_array().map(Vec::as_slice).unwrap_or_default();
        identities.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Publishes a card with a name on it (XEP-0054).
    pub fn publish_card(&self, name: &str) {
        self.must(json!({"do": "publish_card", "name": name}));
    }

    /// The name on somebody's card (XEP-0054).
    #[track_caller]
    pub fn read_card(&self, of: &str) -> String {
        let name = self.must(json!({"do": "read_card", "of": of}));
        name.as_str().unwrap_or_default().to_owned()
    }

    /// Joins a room, and opens it if it is new (XEP-0045).
    #[track_caller]
    pub fn join(&self, room: &str, nick: &str) {
        self.must(json!({"do": "join", "room": room, "nick": nick}));
    }

    /// Says something in a room.
    pub fn say_in(&self, room: &str, body: &str) {
        self.must(json!({"do": "say", "to": room, "body": body, "kind": "groupchat"}));
    }

    /// Waits for something that `nick` says in a room.
    #[track_caller]
    pub fn hear_in(&self, room: &str, nick: &str, body: &str) {
        let from = format!("{room}/{nick}");
        let wanted = json!({"kind": "message", "type": "groupchat", "from": from, "body": body});
        self.take(wanted, PATIENCE);
    }

    /// Logs out.
    pub fn logout(self) {
        self.must(json!({"do": "logout"}));
    }

    #[track_caller]
    fn take(&self, wanted: Value, patience: Duration) -> Value {
        self.must(json!({"do": "take", "wanted": wanted, "within": patience.as_secs()}))
    }

    #[track_caller]
    fn must(&self, question: Value) -> Value {
        let doing = question.to_string();
        match self.ask(question) {
            Ok(value) => value,
            Err(error) => panic!("{} cannot {doing:.200}: {error}", self.jid),
        }
    }

    fn ask(&self, mut question: Value) -> Result<Value, String> {
        question["jid"] = json!(self.jid);
        self.line.ask(question)
    }
}

impl Line {
    fn ask(&self, mut question: Value) -> Result<Value, String> {
        let answer = self.expect(&mut question);
        lock(&self.program).tell(&question.to_string());
        let mut answer = answer.recv().map_err(|_| "the users' program has ended".to_owned())?;
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer["ok"].take()),
        }
    }

    /// Gives a question its number, and a place for its answer.
    fn expect(&self, question: &mut Value) -> Receiver<Value> {
        let (sender, receiver) = channel();
        let mut asked = lock(&self.asked);
        asked.number += 1;
        question["id"] = json!(asked.number);
        let number = asked.number;
        asked.waiting.push((number, sender));
        receiver
    }

    fn pass_on(&self, said: &str) {
        let Ok(answer) = serde_json::from_str::<Value>(said) else {
            return;
        };
        let Some(number) = answer.get("id").and_then(Value::as_u64) else {
            return;
        };
        let mut asked = lock(&self.asked);
        if let Some(at) = asked.waiting.iter().position(|(waiting, _)| *waiting == number) {
            // Nobody waits any more only if the test is over.
            let _ = asked.waiting.swap_remove(at).1.send(answer);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Everybody has the same.
pub const PASSWORD: &str = "wherefore";

/// How long a user waits for what should come: as long as an ejabberd waits for a connection.
const PATIENCE: Duration = Duration::from_secs(30);
