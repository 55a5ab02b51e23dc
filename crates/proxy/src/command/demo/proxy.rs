//! A `ligase run` of its own, as an operator would start it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::papers::{Folder, Paper};
use super::trouble::{Result, Trouble, While};

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub(super) struct Proxy {
    /// Where peers reach it.
    pub(super) federation: SocketAddr,
    /// Where its own server's resolver asks.
    pub(super) dns: SocketAddr,
    /// Where operators ask.
    pub(super) admin: SocketAddr,
    /// Its configuration.
    pub(super) config: PathBuf,
    /// What it logs.
    pub(super) log: PathBuf,
    child: Child,
}

/// What a proxy is told.
#[derive(Debug)]
pub(super) struct Orders<'a> {
    /// What the house is called, and its files.
    pub(super) name: &'a str,
    /// The domains that its server hosts.
    pub(super) domains: &'a [&'a str],
    /// The proxy's own name.
    pub(super) server_name: &'a str,
    /// Its certificate.
    pub(super) paper: &'a Paper,
    /// Its server, at whose address it is too.
    pub(super) backend: SocketAddr,
    /// The demo's DNS.
    pub(super) resolver: SocketAddr,
    /// The port of the demo's web servers; the usual one is root's.
    pub(super) posh_port: u16,
}

impl Proxy {
    /// Starts one and waits until it is ready. `ca.crt` and `anchor` are in the folder.
    pub(super) async fn start(folder: &Folder, orders: &Orders<'_>) -> Result<Self> {
        let doing = &format!("start ligase for {}", orders.name);
        let [federation, backend, dns, admin] = free_addresses(orders.backend.ip()).await?;
        folder.folder(&format!("{}-ca", orders.name))?;
        let text = configuration(folder, orders, [federation, backend, dns, admin]);
        let config = folder.write(&format!("{}.yaml", orders.name), &text)?;
        let log = folder.path().join(format!("{}.log", orders.name));
        let errors = File::create(&log).or_trouble(doing)?;
        let program = std::env::current_exe().or_trouble(doing)?;
        let child = Command::new(program)
            .arg("run")
            .arg("--config")
            .arg(&config)
            .env_remove("LIGASE_LOG")
            .env_remove("LIGASE_LOG_FORMAT")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .kill_on_drop(true)
            // A Ctrl-C is for the demo, which then ends its proxies.
            .process_group(0)
            .spawn()
            .or_trouble(doing)?;
        let mut proxy = Self { federation, dns, admin, config, log, child };
        let ready = timeout(PATIENCE, proxy.await_ready()).await;
        ready.or_trouble(doing).flatten()?;
        Ok(proxy)
    }

    async fn await_ready(&mut self) -> Result<()> {
        loop {
            if self.get("/ready").await.is_ok() {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                let log = fs::read_to_string(&self.log).unwrap_or_default();
                let last = log.trim().lines().next_back().unwrap_or("no word");
                return Err(Trouble::new(format!("ligase ended ({status}): {last}")));
            }
            sleep(BREATHER).await;
        }
    }

    /// Ends it and waits until it has ended.
    pub(super) async fn stop(&mut self) {
        // It ended already, or it ends now.
        let _ = self.child.kill().await;
    }

    /// Asks the admin port.
    pub(super) async fn get(&self, path: &str) -> Result<String> {
        let doing = &format!("ask {}{path}", self.admin);
        let asked = timeout(PATIENCE, get(self.admin, path)).await;
        asked.or_trouble(doing)?.or_trouble(doing)
    }

    /// The connections to peers: what `/connections` says of those on the public side.
    pub(super) async fn peers(&self) -> Result<Vec<Value>> {
        let text = self.get("/connections").await?;
        let all: Vec<Value> = serde_json::from_str(&text).or_trouble("read /connections")?;
        let is_public = |it: &Value| it["side"] == "public";
        Ok(all.into_iter().filter(is_public).collect())
    }

    /// Waits until it has no connection to peers any more.
    pub(super) async fn await_no_peers(&self) -> Result<()> {
        let gone = timeout(PATIENCE, async {
            while !self.peers().await?.is_empty() {
                sleep(BREATHER).await;
            }
            Ok(())
        });
        gone.await.or_trouble("see a connection cut")?
    }

    /// Which pairs the connections to peers carry: what `/bindings` says.
    pub(super) async fn bindings(&self) -> Result<Vec<Value>> {
        let text = self.get("/bindings").await?;
        serde_json::from_str(&text).or_trouble("read /bindings")
    }

    /// Waits until the log has a line with all these words: what it says from the first on.
    pub(super) async fn logged(&self, words: &[&str]) -> Result<String> {
        let doing = &format!("find {} in the log", words.join(" "));
        let found = timeout(PATIENCE, async {
            loop {
                let log = fs::read_to_string(&self.log).or_trouble(doing)?;
                let mut lines = log.lines();
                if let Some(line) = lines.find(|it| words.iter().all(|word| it.contains(word))) {
                    let at = words.first().and_then(|first| line.find(first)).unwrap_or_default();
                    return Ok(line[at..].to_owned());
                }
                sleep(BREATHER).await;
            }
        });
        found.await.or_trouble(doing)?
    }

    /// The counters of some families, by their name and labels.
    pub(super) async fn counters(&self, families: &[&str]) -> Result<BTreeMap<String, f64>> {
        let text = self.get("/metrics").await?;
        let counters = text.lines().filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            let family = name.split('{').next()?;
            families.contains(&family).then(|| Some((name.to_owned(), value.parse().ok()?)))?
        });
        Ok(counters.collect())
    }
}

fn configuration(folder: &Folder, orders: &Orders<'_>, ours: [SocketAddr; 4]) -> String {
    let [federation, backend, dns, admin] = ours;
    let path = folder.path().display();
    let Orders { name, server_name, paper, backend: server, resolver, posh_port, .. } = orders;
    let domains = orders.domains.join(", ");
    let (chain, key) = (paper.chain.display(), paper.key.display());
    format!(
        "server_name: {server_name}
hosts: [{domains}]
certificates:
  - {{chain: \"{chain}\", key: \"{key}\"}}
backend:
  address: \"{server}\"
  local_ca: {{certificate: \"{path}/{name}-ca/ca.crt\", key: \"{path}/{name}-ca/ca.key\"}}
capture: dns
listen:
  federation: \"{federation}\"
  backend: \"{backend}\"
  dns: \"{dns}\"
  admin: \"{admin}\"
resolver:
  servers: [\"{resolver}\"]
  trust_anchor: \"{path}/anchor\"
  allow: [loopback]
trust:
  roots: \"{path}/ca.crt\"
  posh_port: {posh_port}
policy:
  default: dna
# Peers come by the wire that is watched, so the records lead there and not to where we listen.
self_check_seconds: 0
"
    )
}

/// Addresses that nobody listened at a moment ago.
pub(super) async fn free_addresses<const N: usize>(at: IpAddr) -> Result<[SocketAddr; N]> {
    let doing = "find a free port";
    let mut listeners = Vec::with_capacity(N);
    let mut addresses = [SocketAddr::new(at, 0); N];
    for address in &mut addresses {
        // All are held until all are known, so that no two are the same.
        let listener = TcpListener::bind((at, 0)).await.or_trouble(doing)?;
        *address = listener.local_addr().or_trouble(doing)?;
        listeners.push(listener);
    }
    Ok(addresses)
}

/// The body of an answer that says yes.
async fn get(from: SocketAddr, path: &str) -> Result<String> {
    let doing = "ask";
    let socket = TcpStream::connect(from).await.or_trouble(doing)?;
    let handshake = http1::handshake(TokioIo::new(socket)).await;
    let (mut sender, connection) = handshake.or_trouble(doing)?;
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let request = Request::get(path).header("host", from.to_string());
    let request = request.body(Empty::<Bytes>::new()).or_trouble(doing)?;
    let answer = sender.send_request(request).await.or_trouble(doing)?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), BODY_MAX).collect().await;
    let body = body.or_trouble(doing)?.to_bytes();
    if !status.is_success() {
        return Err(Trouble::new(format!("the answer is {status}")));
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// How long a proxy may take to start or to answer, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(15);

/// Between two questions whether it is ready; a start takes some tens of milliseconds.
const BREATHER: Duration = Duration::from_millis(20);

/// The longest answer that is read; the metrics of a small proxy are some 100 KiB.
const BODY_MAX: usize = 4 * 1024 * 1024;
