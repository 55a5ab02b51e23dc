//! Server: a real XMPP server, as Debian installs it, with other host names.
//!
//! A server sees its own folders in the place of `/etc/prosody`, `/var/lib/ejabberd` and their
//! like, so that not even a path in its configuration is changed for the tests' sake.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::host::{give, run};
use crate::{Certificate, Host, OrFail, Process, ejabberd, prosody};

/// Which program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Debian's Prosody.
    Prosody,
    /// Debian's ejabberd.
    Ejabberd,
}

/// How a server treats other servers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Manner {
    /// As its package has it.
    #[default]
    Default,
    /// Without TLS, by dialback.
    InTheClear,
    /// With TLS, but satisfied with dialback (`s2s_secure_auth = false`; ejabberd's default).
    Unproven,
}

/// A server before it is started.
#[derive(Clone, Debug)]
pub struct Setup {
    pub(crate) kind: Kind,
    pub(crate) host: Host,
    pub(crate) domains: Vec<String>,
    pub(crate) certificate: Certificate,
    pub(crate) manner: Manner,
    /// Where it listens for TLS from the first byte, too. No package does so by default.
    pub(crate) direct_port: Option<u16>,
    /// Whether it speaks in both directions on one connection (XEP-0288); only Prosody can.
    pub(crate) bidi: bool,
    /// Domains with a certificate of their own.
    pub(crate) own: Vec<(String, Certificate)>,
    /// Whether it does without dialback.
    pub(crate) strict: bool,
}

/// A server that runs. It is killed when dropped.
#[derive(Debug)]
pub struct Server {
    setup: Setup,
    log: Process,
    program: Process,
}

impl Setup {
    /// A server of that kind for these domains, each with its conference rooms.
    pub fn new(kind: Kind, host: &Host, domains: &[&str], certificate: &Certificate) -> Self {
        let domains = domains.iter().map(|&it| it.to_owned()).collect();
        Self {
            kind,
            host: host.clone(),
            domains,
            certificate: certificate.clone(),
            manner: Manner::Default,
            direct_port: None,
            bidi: false,
            own: Vec::new(),
            strict: false,
        }
    }

    /// Treats other servers in that manner.
    pub fn in_manner(mut self, manner: Manner) -> Self {
        self.manner = manner;
        self
    }

    /// Listens at that port for TLS from the first byte, too.
    pub fn with_direct_tls(mut self, port: u16) -> Self {
        self.direct_port = Some(port);
        self
    }

    /// Shows another certificate for one of its domains; only Prosody can.
    pub fn with_certificate(mut self, domain: &str, certificate: &Certificate) -> Self {
        assert_eq!(self.kind, Kind::Prosody, "no other server can");
        self.own.push((domain.to_owned(), certificate.clone()));
        self
    }

    /// Takes nobody's key (XEP-0220), and has none: only certificates count. Only ejabberd can.
    pub fn without_dialback(mut self) -> Self {
        assert_eq!(self.kind, Kind::Ejabberd, "no other server can");
        self.strict = true;
        self
    }

    /// Speaks in both directions on one connection, where others do too (XEP-0288).
    pub fn with_bidi(mut self) -> Self {
        assert_eq!(self.kind, Kind::Prosody, "no other server can");
        self.bidi = true;
        self
    }

    /// Starts the server and waits until it listens.
    pub fn start(self) -> Server {
        let name = self.name();
        for folder in ["run", "lib", "log"] {
            fs::create_dir_all(self.folder(folder).join(name)).or_fail("make a server's folder");
        }
        let config = self.host.etc(name);
        run(Command::new("cp").arg("-a").arg(format!("/etc/{name}")).arg(&config));
        match self.kind {
            Kind::Prosody => prosody::configure(&self, &config),
            Kind::Ejabberd => ejabberd::configure(&self, &config),
        }
        for folder in ["run", "lib", "log"] {
            give(&self.folder(folder).join(name), name);
        }
        give(&config, name);
        self.start_again()
    }

    /// Starts the server where it ran before, with the accounts that it had.
    pub fn start_again(self) -> Server {
        let name = self.name();
        let file = self.folder("log").join(name).join(format!("{name}.log"));
        // What an earlier run logged is kept, but would be taken for what this one logs.
        if file.exists() {
            fs::rename(&file, file.with_extension("old")).or_fail("put an old log away");
        }
        let log = Process::follow(&file);
        let (program, arguments, listens) = match self.kind {
            Kind::Prosody => prosody::START,
            Kind::Ejabberd => ejabberd::START,
        };
        let mut command = self.command(program);
        command.args(arguments);
        let program = Process::start(&format!("{name} of {}", self.domains.join(", ")), command);
        for line in listens {
            log.hear(line, START_PATIENCE);
        }
        Server { setup: self, log, program }
    }

    /// The name of the package, of its user and of its folders.
    pub(crate) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Prosody => "prosody",
            Kind::Ejabberd => "ejabberd",
        }
    }

    /// A command that sees what the server sees, and runs as the server's user.
    pub(crate) fn command(&self, program: &str) -> Command {
        let name = self.name();
        let binds = [
            (self.folder("run"), "/run"),
            (self.folder("lib").join(name), &*format!("/var/lib/{name}")),
            (self.folder("log").join(name), &*format!("/var/log/{name}")),
        ];
        self.host.command_among(&binds, name, program)
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.host.folder(name)
    }
}

impl Server {
    /// The machine it runs on.
    pub fn host(&self) -> &Host {
        &self.setup.host
    }

    /// Which program it is.
    pub fn kind(&self) -> Kind {
        self.setup.kind
    }

    /// How it treats other servers.
    pub fn manner(&self) -> Manner {
        self.setup.manner
    }

    /// The first of its domains.
    pub fn domain(&self) -> &str {
        self.setup.domains.first().map_or("", String::as_str)
    }

    /// Opens an account.
    pub fn register(&self, name: &str, domain: &str) {
        match self.setup.kind {
            Kind::Prosody => prosody::register(&self.setup, name, domain),
            Kind::Ejabberd => ejabberd::register(&self.setup, name, domain),
        }
    }

    /// Shows another certificate for a domain from now on, without a restart; only Prosody can.
    pub fn renew(&self, domain: &str, certificate: &Certificate) {
        assert_eq!(self.setup.kind, Kind::Prosody, "no other server can");
        prosody::renew(&self.setup, domain, certificate);
    }

    /// Sends `count` chat messages at once in a user's name, each of `size` letters after its
    /// number, past the limits that a server sets to how fast a user may speak.
    pub fn pour(&self, from: &str, to: &str, count: usize, size: usize) {
        match self.setup.kind {
            Kind::Prosody => prosody::pour(&self.setup, from, to, count, size),
            Kind::Ejabberd => ejabberd::pour(&self.setup, from, to, count, size),
        }
    }

    /// What it logs.
    pub fn log(&self) -> &Process {
        &self.log
    }

    /// Its program, which ends when it is killed.
    pub fn program(&self) -> &Process {
        &self.program
    }

    /// Every line in which its configuration differs from its package's, `+` or `-` before it.
    pub fn changes(&self) -> Vec<String> {
        let config = self.setup.host.etc(self.setup.name());
        match self.setup.kind {
            Kind::Prosody => prosody::changes(&config),
            Kind::Ejabberd => ejabberd::changes(&config),
        }
    }
}

/// The lines in which two files differ, `-` before the first's and `+` before the second's.
pub(crate) fn differences(before: &Path, after: &Path) -> Vec<String> {
    let mut diff = Command::new("diff");
    diff.args(["--unchanged-line-format=", "--old-line-format=-%L", "--new-line-format=+%L"]);
    let found = diff.arg(before).arg(after).output().or_fail("run diff");
    // 0: the same, 1: different, 2: trouble.
    assert!(found.status.code().is_some_and(|it| it < 2), "cannot compare {before:?}: {found:?}");
    String::from_utf8_lossy(&found.stdout).lines().map(str::to_owned).collect()
}

/// A machine with two cores may start a dozen servers at once.
const START_PATIENCE: Duration = Duration::from_secs(180);
