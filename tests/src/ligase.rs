//! Ligase: the program under test, started as an operator would start it.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::host::give;
use crate::peer::program;
use crate::{Certificate, Cgroup, Host, OrFail, Process, World};

/// How the backend's streams come to the proxy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Capture {
    /// By what the backend's resolver says.
    Dns,
    /// By netfilter.
    Redirect,
}

/// A proxy before it is started.
#[derive(Clone, Debug)]
pub struct Proxy {
    host: Host,
    domains: Vec<String>,
    capture: Capture,
    /// The lines of the configuration that a test may change, by key.
    settings: Vec<(String, String)>,
    /// Whether nothing but itself keeps an image of its memory from being written.
    core_unlimited: bool,
    /// How many file descriptors it may have at most, if it is told.
    descriptors: Option<u32>,
    /// Whose memory it shares, if it is counted.
    group: Option<Arc<Cgroup>>,
}

/// A proxy that runs. It is killed when dropped.
#[derive(Debug)]
pub struct Ligase {
    proxy: Proxy,
    program: Process,
}

impl Proxy {
    /// A proxy on the backend's host, for these domains, with a certificate of its own.
    pub fn new(
        world: &World,
        host: &Host,
        capture: Capture,
        domains: &[String],
        certificate: &Certificate,
    ) -> Self {
        let (host, domains) = (host.clone(), domains.to_vec());
        let mut proxy = Self {
            host,
            domains,
            capture,
            settings: Vec::new(),
            core_unlimited: false,
            descriptors: None,
            group: None,
        };
        let folder = proxy.folder();
        let (chain, key) = certificate.write(&folder, "tls");
        let roots = folder.join("roots.pem");
        fs::write(&roots, world.authority.pem()).or_fail("write the trusted roots");
        let anchor = folder.join("root.key");
        fs::copy(world.trust_anchor(), &anchor).or_fail("copy the trust anchor");

        let name = proxy.domains.first().cloned().unwrap_or_default();
        proxy.set("server_name", &format!("xmpp.{name}"));
        proxy.set("hosts", &format!("[{}]", proxy.domains.join(", ")));
        let (chain, key) = (chain.display(), key.display());
        proxy.set("certificates", &format!("[{{chain: {chain}, key: {key}}}]"));
        proxy.set("resolver.servers", &format!("[\"{}\"]", world.resolver()));
        proxy.set("resolver.trust_anchor", &anchor.display().to_string());
        proxy.set("trust.roots", &roots.display().to_string());
        proxy.set("drain_seconds", "5");
        proxy.set("backend.address", "127.0.0.1:5269");
        let (ca, ca_key) = (folder.join("ca/ca.crt"), folder.join("ca/ca.key"));
        let (ca, ca_key) = (ca.display(), ca_key.display());
        proxy.set("backend.local_ca", &format!("{{certificate: {ca}, key: {ca_key}}}"));
        proxy.set("listen.federation", "\"[::]:7269\"");
        proxy.set("listen.backend", "[\"127.0.0.1:7270\", \"[::1]:7270\"]");
        proxy.set("listen.admin", &format!("\"{ADMIN}\""));
        let (name, dns) = match capture {
            Capture::Dns => ("dns", "[\"127.0.0.1:53\", \"[::1]:53\"]"),
            Capture::Redirect => ("redirect", "[\"127.0.0.1:7253\", \"[::1]:7253\"]"),
        };
        if capture == Capture::Redirect {
            proxy.set("redirect.uid", USER);
        }
        proxy.set("capture", name);
        proxy.set("listen.dns", dns);
        proxy
    }

    /// Sets a key of the configuration: `policy.default`.
    pub fn set(&mut self, key: &str, value: &str) {
        self.settings.retain(|(old, _)| old != key);
        self.settings.push((key.to_owned(), value.to_owned()));
    }

    /// Takes a key out of the configuration.
    pub fn unset(&mut self, key: &str) {
        self.settings.retain(|(old, _)| old != key);
    }

    /// Has it start without a limit of the size of what is written of its memory when it ends badly.
    pub fn unlimit_core(&mut self) {
        self.core_unlimited = true;
    }

    /// Has it start with so many file descriptors, and no right to more.
    pub fn limit_descriptors(&mut self, most: u32) {
        self.descriptors = Some(most);
    }

    /// Has it run in a group of processes.
    pub fn confine(&mut self, group: &Arc<Cgroup>) {
        self.group = Some(Arc::clone(group));
    }

    /// Writes the configuration, as a start does. Whoever reads it meanwhile has the old one or the
    /// new one, whole.
    pub fn write(&self) {
        let draft = self.folder().join("draft.yaml");
        fs::write(&draft, self.text()).or_fail("write a configuration");
        give(&self.folder(), USER);
        fs::rename(draft, self.config()).or_fail("configure ligase");
    }

    /// Starts the proxy and waits until it is ready; from then on the host trusts what it mints,
    /// and nothing else.
    pub fn start(self) -> Ligase {
        self.write();
        if self.capture == Capture::Dns {
            let inside = self
                .settings
                .iter()
                .any(|(key, value)| key == "listen.dns" && !value.contains("127.0.0.1"));
            let own: IpAddr =
                if inside { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() };
            self.host.resolve_by(&[own]);
        } else {
            let (status, said) = self.capture("apply");
            assert!(status.success(), "capture apply: {status} {said}");
        }
        let ligase = self.start_again();
        let authority = fs::read_to_string(ligase.proxy.folder().join("ca/ca.crt"));
        let authority = authority.or_fail("read the local authority");
        ligase.proxy.host.trust_pem(&[authority]);
        ligase
    }

    /// Starts the proxy where it ran before, and waits until it is ready.
    pub fn start_again(self) -> Ligase {
        let config = self.config().display().to_string();
        let mut command = match &self.group {
            Some(group) => group.command(&self.host, "setpriv"),
            None => self.host.command("setpriv"),
        };
        command.args(["--reuid", USER, "--regid", USER, "--clear-groups", "--no-new-privs"]);
        if self.core_unlimited {
            // It is written where the program is at home, and may write.
            command.arg("env").arg("--chdir").arg(self.folder());
            command.args(["prlimit", "--core=unlimited"]);
        }
        if let Some(most) = self.descriptors {
            command.arg("prlimit").arg(format!("--nofile={most}:{most}"));
        }
        command.arg(program("ligase")).args(["run", "--config", &config]);
        let name = format!("ligase of {}", self.domains.join(", "));
        let program = Process::start(&name, command);
        let ligase = Ligase { proxy: self, program };
        ligase.await_start();
        ligase
    }

    /// Asks whether the configuration is sound: the exit status, and what was said.
    pub fn validate(&self) -> (ExitStatus, String) {
        self.write();
        let mut command = self.host.command(&program("ligase"));
        command.args(["validate", "--config"]).arg(self.config());
        heard(command)
    }

    /// Does something about the rules of the packet filter, as root: `"apply"`, `"status"`,
    /// `"remove"`. Returns the exit status, and what was said.
    pub fn capture(&self, what: &str) -> (ExitStatus, String) {
        let mut command = self.host.command(&program("ligase"));
        command.args(["capture", what, "--config"]).arg(self.config());
        heard(command)
    }

    /// Starts the proxy as a user that it was not set up for, who is given everything that it
    /// reads, and waits until it ends by itself: the exit status, and what was said.
    pub fn run_as(&self, user: &str) -> (ExitStatus, String) {
        self.write();
        give(&self.folder(), user);
        let mut command = self.host.command("timeout");
        command.args(["20", "setpriv", "--reuid", user, "--regid", user, "--clear-groups"]);
        command.arg(program("ligase")).args(["run", "--config"]).arg(self.config());
        heard(command)
    }

    /// Its folder, with its configuration and keys.
    pub fn folder(&self) -> PathBuf {
        let folder = self.host.folder("ligase");
        fs::create_dir_all(folder.join("ca")).or_fail("make a folder for the local authority");
        folder
    }

    /// Its configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder().join("ligase.yaml")
    }

    /// The configuration, as YAML.
    fn text(&self) -> String {
        let mut settings: Vec<_> = self.settings.iter().collect();
        // The keys of one section stand together, after those that belong to none.
        settings.sort_by_key(|(key, _)| key.split_once('.').map(|(section, _)| section));
        let mut text = String::new();
        let mut open = "";
        for (key, value) in settings {
            let line = match key.split_once('.') {
                None => format!("{key}: {value}\n"),
                Some((section, key)) if section == open => format!("  {key}: {value}\n"),
                Some((section, key)) => {
                    open = section;
                    format!("{section}:\n  {key}: {value}\n")
                }
            };
            text.push_str(&line);
        }
        text
    }
}

impl Ligase {
    /// The machine it runs on.
    pub fn host(&self) -> &Host {
        &self.proxy.host
    }

    /// Its folder, with its configuration and keys.
    pub fn folder(&self) -> PathBuf {
        self.proxy.folder()
    }

    /// How it was set up. What is changed here takes effect when it is [written](Proxy::write)
    /// and the program told.
    pub fn proxy(&mut self) -> &mut Proxy {
        &mut self.proxy
    }

    /// What it logs.
    pub fn log(&self) -> &Process {
        &self.program
    }

    /// Its program, which ends when it is killed.
    pub fn program(&mut self) -> &mut Process {
        &mut self.program
    }

    /// Waits until it says that it is ready. If it does not, its last words tell why.
    #[track_caller]
    fn await_start(&self) {
        let mut command = self.host().command(&program("ligase-peer"));
        let command = command.args(["await", ADMIN, "/ready", ""]).stderr(Stdio::null());
        let mut asking = command.spawn().or_fail("ask whether ligase is ready");
        loop {
            let answer = asking.try_wait().or_fail("ask whether ligase is ready");
            if answer.is_some_and(|it| it.success()) {
                return;
            }
            if answer.is_some() || self.program.has_ended() {
                // Nobody answers it any more, and it may have seen so.
                let _ = asking.kill();
                let _ = asking.wait();
                let lines = self.program.lines();
                let last = lines.len().saturating_sub(LAST_WORDS);
                panic!("ligase does not start, and says\n{}", lines[last..].join("\n"));
            }
            sleep(BREATHER);
        }
    }

    /// Waits until it says that it is ready.
    pub fn await_ready(&self) {
        self.await_answer("/ready", "");
    }

    /// Waits until the admin port answers with this text.
    #[track_caller]
    pub fn await_answer(&self, path: &str, text: &str) {
        self.host().run(&program("ligase-peer"), &["await", ADMIN, path, text]);
    }

    /// Asks the admin port: the status and the body.
    pub fn get(&self, path: &str) -> (u16, String) {
        let answer = self.host().run(&program("ligase-peer"), &["get", ADMIN, path]);
        let (status, body) = answer.split_once('\n').or_fail("read an answer");
        (status.parse().or_fail("read a status"), body.to_owned())
    }

    /// Asks the admin port for JSON.
    pub fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).or_fail(&format!("read {path}"))
    }

    /// The sum of all samples of a metric whose labels hold each of these texts.
    pub fn metric(&self, family: &str, labels: &[&str]) -> f64 {
        let (_, text) = self.get("/metrics");
        let samples = text.lines().filter(|line| {
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            name == family && labels.iter().all(|label| line.contains(label))
        });
        samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// How much processor time it has used, and how much memory it holds (seconds, bytes).
    pub fn cost(&self) -> (f64, f64) {
        let cpu = self.metric("process_cpu_seconds_total", &[]);
        (cpu, self.metric("process_resident_memory_bytes", &[]))
    }

    /// Asks it to end, and waits for it.
    pub fn terminate(&mut self, patience: Duration) -> ExitStatus {
        self.program.signal("TERM");
        self.program.end(patience)
    }
}

/// Runs a command to its end: its exit status, and all that it said.
fn heard(mut command: Command) -> (ExitStatus, String) {
    let done = command.output().or_fail(&format!("start {command:?}"));
    let said = [done.stdout, done.stderr].concat();
    (done.status, String::from_utf8_lossy(&said).into_owned())
}

/// Lines that tell why a program does not start.
const LAST_WORDS: usize = 8;

const BREATHER: Duration = Duration::from_millis(20);

/// The user that the proxy runs as, which no other program does.
const USER: &str = "7269";

const ADMIN: &str = "127.0.0.1:7290";
