//! Prosody or ejabberd as this machine has it, with a configuration and data of its own.

use std::fs::{self, File};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::component::Component;
use super::ears::Ears;
use super::papers::Folder;
use super::proxy::free_addresses;
use super::trouble::{Result, Trouble, While};

/// Which of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Prosody,
    Ejabberd,
}

/// A server that runs until it is dropped. Everybody at its domain speaks through one component.
#[derive(Debug)]
pub(super) struct Installed {
    /// Where other servers reach it.
    pub(super) address: SocketAddr,
    kind: Kind,
    domain: &'static str,
    accounts: SocketAddr,
    folder: PathBuf,
    ears: Arc<Ears>,
    running: Option<(Child, Component)>,
}

impl Kind {
    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Prosody => "Prosody",
            Self::Ejabberd => "ejabberd",
        }
    }

    /// What has to be installed for it and is not.
    pub(super) fn missing(self) -> Option<&'static str> {
        let is_there = |path: &str| Path::new(path).exists();
        let (there, packages) = match self {
            Self::Prosody => (
                is_there(PROSODY) && library("lua/5.4/lunbound.so").is_some(),
                "Prosody is not installed here; on Debian: apt install prosody lua-unbound",
            ),
            Self::Ejabberd => (
                is_there(ERLANG) && library("ejabberd-").is_some(),
                "ejabberd is not installed here; on Debian: apt install ejabberd",
            ),
        };
        (!there).then_some(packages)
    }
}

impl Installed {
    /// Starts one at free ports of this address, which asks `resolver` about others.
    pub(super) async fn start(
        kind: Kind,
        domain: &'static str,
        at: IpAddr,
        resolver: SocketAddr,
        folder: &Folder,
    ) -> Result<Self> {
        let [address, accounts] = free_addresses(at).await?;
        let mut server = Self {
            address,
            kind,
            domain,
            accounts,
            folder: folder.folder(kind.name())?,
            ears: Arc::new(Ears::new()),
            running: None,
        };
        server.ask_at(resolver).await?;
        Ok(server)
    }

    /// Starts it anew with another `resolv.conf`, as it were.
    pub(super) async fn ask_at(&mut self, resolver: SocketAddr) -> Result<()> {
        let doing = &format!("start {}", self.kind.name());
        if let Some((mut child, _)) = self.running.take() {
            child.kill().await.or_trouble("stop a server")?;
        }
        let mut command = match self.kind {
            Kind::Prosody => self.prosody(resolver),
            Kind::Ejabberd => self.ejabberd(resolver),
        }
        .or_trouble(doing)?;
        let output = File::create(self.folder.join("output")).or_trouble(doing)?;
        let errors = output.try_clone().or_trouble(doing)?;
        let mut child = command
            .current_dir(&self.folder)
            .env("HOME", &self.folder)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .kill_on_drop(true)
            .process_group(0)
            .spawn()
            .or_trouble(doing)?;
        let component = timeout(PATIENCE, self.reach(&mut child)).await;
        let component = component.or_trouble(doing).flatten()?;
        self.running = Some((child, component));
        Ok(())
    }

    /// Speaks to it as soon as it listens.
    async fn reach(&self, child: &mut Child) -> Result<Component> {
        loop {
            let connected = Component::connect(self.accounts, self.domain, SECRET, &self.ears);
            if let Ok(component) = connected.await {
                return Ok(component);
            }
            if let Ok(Some(status)) = child.try_wait() {
                let output = fs::read_to_string(self.folder.join("output")).unwrap_or_default();
                let last = output.trim().lines().next_back().unwrap_or("no word");
                let name = self.kind.name();
                return Err(Trouble::new(format!("{name} ended ({status}): {last}")));
            }
            sleep(BREATHER).await;
        }
    }

    /// Has it carry a stanza.
    pub(super) async fn send(&mut self, stanza: &str) -> Result<()> {
        match &mut self.running {
            Some((_, component)) => component.send(stanza).await,
            None => Err(Trouble::new("the server does not run")),
        }
    }

    /// What has come to it.
    pub(super) fn ears(&self) -> &Ears {
        &self.ears
    }

    /// Its name, for the story.
    pub(super) fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn prosody(&self, resolver: SocketAddr) -> std::io::Result<Command> {
        let folder = self.folder.display();
        let (domain, address, accounts) = (self.domain, self.address, self.accounts);
        let (ip, s2s, component) = (address.ip(), address.port(), accounts.port());
        let (asked, port) = (resolver.ip(), resolver.port());
        let text = format!(
            r#"run_as_root = true
data_path = "{folder}"
certificates = "{folder}"
modules_enabled = {{ "dialback", "s2s" }}
modules_disabled = {{ "posix", "c2s", "s2s_auth_certs" }}
interfaces = {{ "{ip}" }}
s2s_ports = {{ {s2s} }}
s2s_require_encryption = false
s2s_secure_auth = false
s2s_allow_encryption = false
component_ports = {{ {component} }}
component_interfaces = {{ "{ip}" }}
unbound = {{
  resolvconf = false;
  forward = {{ "{asked}@{port}" }};
  options = {{ ["do-not-query-localhost:"] = "no" }};
}}
log = {{ info = "{folder}/log" }}
-- It wants a host of its own; nobody lives there.
VirtualHost "verona.invalid"
Component "{domain}"
  component_secret = "{SECRET}"
"#
        );
        let config = self.folder.join("prosody.cfg.lua");
        fs::write(&config, text)?;
        let mut command = Command::new(PROSODY);
        command.arg("--config").arg(config).arg("-F");
        Ok(command)
    }

    fn ejabberd(&self, resolver: SocketAddr) -> std::io::Result<Command> {
        let (domain, address, accounts) = (self.domain, self.address, self.accounts);
        let (ip, s2s, component) = (address.ip(), address.port(), accounts.port());
        let text = format!(
            r#"# It wants a host of its own; nobody lives there.
hosts: [verona.invalid]
s2s_use_starttls: false
listen:
  - {{port: {s2s}, ip: "{ip}", module: ejabberd_s2s_in}}
  - port: {component}
    ip: "{ip}"
    module: ejabberd_service
    hosts: {{{domain}: {{password: "{SECRET}"}}}}
modules: {{mod_s2s_dialback: {{}}}}
"#
        );
        let (asked, port) = (resolver.ip().to_string().replace('.', ","), resolver.port());
        let names = format!(
            "{{lookup, [dns]}}.\n{{resolv_conf, \"\"}}.\n{{hosts_file, \"\"}}.\n\
             {{nameserver, {{{asked}}}, {port}}}.\n"
        );
        let file = |name: &str| self.folder.join(name);
        fs::write(file("ejabberd.yml"), text)?;
        fs::write(file("inetrc"), names)?;
        let libraries = library("ejabberd-").ok_or(std::io::ErrorKind::NotFound)?;
        let mut command = Command::new(ERLANG);
        command
            .env("ERL_LIBS", libraries)
            .env("ERL_INETRC", file("inetrc"))
            .env("ERL_CRASH_DUMP_BYTES", "0")
            .env("EJABBERD_CONFIG_PATH", file("ejabberd.yml"))
            .env("EJABBERD_LOG_PATH", file("log"))
            .arg("-noinput")
            .args(["-mnesia", "dir"])
            .arg(format!("\"{}\"", file("spool").display()))
            .args(["-ejabberd", "quiet", "true", "-s", "ejabberd"]);
        Ok(command)
    }
}

/// The folder among those of each architecture's libraries that has an entry of this beginning.
fn library(beginning: &str) -> Option<PathBuf> {
    let (below, beginning) = beginning.rsplit_once('/').unwrap_or(("", beginning));
    let begins = |path: &PathBuf| {
        let entries = fs::read_dir(path.join(below)).into_iter().flatten();
        let mut names = entries.filter_map(|it| it.ok()?.file_name().into_string().ok());
        names.any(|name| name.starts_with(beginning))
    };
    let folders = fs::read_dir("/usr/lib").into_iter().flatten();
    let mut folders = folders.filter_map(|it| Some(it.ok()?.path()));
    folders.find(begins)
}

/// Where the packages put them.
const PROSODY: &str = "/usr/bin/prosody";
const ERLANG: &str = "/usr/bin/erl";

/// Between two programs of this demo on loopback, which ends in a minute.
const SECRET: &str = "out, out, brief candle";

/// How long a server may take to start on a machine that is busy; Erlang needs a second or two.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two tries to speak to a server that is starting.
const BREATHER: Duration = Duration::from_millis(50);
