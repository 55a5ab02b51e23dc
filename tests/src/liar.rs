//! Liar: a DNS server before the world's own, with zones below `liar.` about which it lies, and a
//! web server that serves whatever it is told to.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::peer::program;
use crate::{Certificate, Host, OrFail, Process};

/// A DNS server that lies. It is killed when dropped.
#[derive(Debug)]
pub struct Liar {
    at: String,
    vouch: String,
    orders: Orders,
}

/// An HTTPS server at port 443 of a host. It is killed when dropped.
#[derive(Debug)]
pub struct Sites(Orders);

/// A program that is told what to do, and says when it has done it.
#[derive(Debug)]
struct Orders {
    program: Process,
    count: u64,
}

/// What a web server says to one question.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// What it says first, whole.
    pub head: Vec<u8>,
    /// What it says then.
    pub body: Vec<u8>,
    /// How often it says that.
    pub times: u64,
    /// How many octets of it at a time.
    pub piece: usize,
    /// How long it waits before each piece.
    pub pace: Duration,
}

impl Liar {
    /// Starts one at port 5353 of a host; what it has no zone for it asks at port 53.
    pub fn start(host: &Host) -> Self {
        let (at, source) = (format!("{}:{LIAR}", host.v4), format!("{}:53", host.v4));
        let mut command = host.command(&program("ligase-peer"));
        command.args(["liar", &at, &source]);
        let program = Process::start("liar", command);
        let said = program.hear("vouch", PATIENCE);
        let said: Value = serde_json::from_str(&said).or_fail("read what the liar says");
        let vouch = said["vouch"].as_str().unwrap_or_default().to_owned();
        Self { at, vouch, orders: Orders { program, count: 0 } }
    }

    /// Where it is to be asked.
    pub fn at(&self) -> &str {
        &self.at
    }

    /// The DS record that the root has to have for `liar.`, where its zones begin.
    pub fn vouch(&self) -> &str {
        &self.vouch
    }

    /// Begins a zone: `signed`, `unsigned` or `nsec3 ITERATIONS`. Below `liar.`, the one above it
    /// says so.
    pub fn zone(&mut self, name: &str, how: &str) -> Result<(), String> {
        self.orders.tell(json!({"do": "zone", "name": name, "how": how}))
    }

    /// Adds a record to the zone begun last, written as in its file.
    pub fn record(&mut self, name: &str, kind: &str, data: &str) -> Result<(), String> {
        self.orders.tell(json!({"do": "record", "name": name, "kind": kind, "how": data}))
    }

    /// Lies about a name and type of the zone begun last.
    pub fn lie(&mut self, name: &str, kind: &str, how: &str) -> Result<(), String> {
        self.orders.tell(json!({"do": "lie", "name": name, "kind": kind, "how": how}))
    }
}

/// Every way to lie ([`Liar::lie`]).
pub const LIES: [&str; 18] = [
    "authentic",
    "bend",
    "crowd",
    "cut",
    "empty",
    "expired",
    "fails",
    "forge",
    "future",
    "last-month",
    "lost",
    "no-name",
    "refused",
    "signer",
    "source",
    "strip",
    "turn",
    "unvouched",
];

impl Sites {
    /// Starts one without a site.
    pub fn start(host: &Host) -> Self {
        let mut command = host.command(&program("ligase-peer"));
        command.args(["site", "[::]:443"]);
        let program = Process::start("site", command);
        program.hear("serving", PATIENCE);
        Self(Orders { program, count: 0 })
    }

    /// Begins the site of a host, with this certificate.
    pub fn site(&mut self, host: &str, certificate: &Certificate) -> Result<(), String> {
        let (chain, key) = (certificate.chain(), certificate.key());
        self.0.tell(json!({"do": "site", "host": host, "chain": chain, "key": key}))
    }

    /// Has something said where somebody asks a site for a path.
    pub fn page(&mut self, host: &str, path: &str, page: &Page) -> Result<(), String> {
        let (head, body) = (BASE64_STANDARD.encode(&page.head), BASE64_STANDARD.encode(&page.body));
        let (times, piece, pace) = (page.times, page.piece, page.pace.as_millis());
        let pace = u64::try_from(pace).or_fail("wait so long");
        self.0.tell(json!({
            "do": "page", "host": host, "path": path, "head": head, "body": body,
            "times": times, "piece": piece, "pace": pace,
        }))
    }
}

impl Orders {
    /// Tells it to do something, and waits until that is done.
    fn tell(&mut self, mut order: Value) -> Result<(), String> {
        self.count += 1;
        order["number"] = json!(self.count);
        let start = self.program.count();
        self.program.tell(&order.to_string());
        let done = format!("\"done\":{}", self.count);
        let mut next = start;
        loop {
            let (after, said) = self.program.hear_after(next, &done, PATIENCE);
            let said: Value = serde_json::from_str(&said).unwrap_or_default();
            if said["done"] == self.count {
                let problem = said["error"].as_str();
                return problem.map_or(Ok(()), |it| Err(it.to_owned()));
            }
            next = after;
        }
    }
}

/// Where the liar is asked.
const LIAR: u16 = 5353;

const PATIENCE: Duration = Duration::from_secs(10);
