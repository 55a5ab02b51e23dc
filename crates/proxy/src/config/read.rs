use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{self, Path, PathBuf};
use std::time::Duration;

use serde_yaml::Value;

use super::backends::backends;
use super::doors::{capture, listen};
use super::file::{FILE, Problems, Section, one_of};
use super::policy::{Believed, policy};
use super::relays::proxy_protocol;
use super::values::{domain, home, network, non_empty, read_text, secret_at, socket_address};
use super::{
    BackendSide, BackendTls, Capture, CertificateFiles, Channels, Config, DialbackSecret, Dnssec,
    Error, Limits, Listen, LocalCaFiles, Log, LogFormat, LogLevel, Public, Resolver,
    ResolverServers, Roots, checks,
};
use crate::binding::Home;

/// The key of the file that holds the dialback secret.
const SECRET_FILE: &str = "dialback_secret.file";

/// What the environment says instead of the file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Overrides {
    /// `LIGASE_LOG`: how much is logged.
    pub log_level: Option<String>,
    /// `LIGASE_LOG_FORMAT`: how it looks.
    pub log_format: Option<String>,
}

impl Config {
    /// Reads a configuration file and the lists and secrets that it names.
    ///
    /// # Errors
    /// Every problem there is, not only the first.
    pub fn read(path: &Path, overrides: &Overrides) -> Result<Self, Vec<Error>> {
        Self::read_but(path, overrides, None)
    }

    /// The same without the dialback secret, for who has no business with it and, in a pod, cannot
    /// read it: the step that puts up the packet filter's rules.
    ///
    /// # Errors
    /// Every other problem.
    pub fn read_without_secret(path: &Path, overrides: &Overrides) -> Result<Self, Vec<Error>> {
        Self::read_but(path, overrides, Some(SECRET_FILE))
    }

    fn read_but(path: &Path, overrides: &Overrides, but: Option<&str>) -> Result<Self, Vec<Error>> {
        let text = read_text(path, FILE_BYTES_MAX).map_err(|problem| {
            let problem = format!("{}: {problem}: name another with --config", path.display());
            vec![Error::at(FILE, problem)]
        })?;
        // Whatever becomes of the working directory, the paths stay what they are.
        let path = path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let folder = path.parent().unwrap_or_else(|| Path::new("/"));
        let config = Self::parse_but(&text, folder, overrides, but)?;
        let problems = Problems::default();
        // Without the file, the resolver has its own say about there being no servers.
        if let Ok(system) = read_text(Path::new(RESOLV_CONF), FILE_BYTES_MAX) {
            checks::check_system(&config, &system, &problems);
        }
        if problems.any() {
            return Err(problems.into_vec());
        }
        Ok(config)
    }

    /// Reads the text of a configuration file; relative paths in it start from `folder`.
    ///
    /// # Errors
    /// Every problem there is, not only the first.
    pub fn parse(text: &str, folder: &Path, overrides: &Overrides) -> Result<Self, Vec<Error>> {
        Self::parse_but(text, folder, overrides, None)
    }

    /// The same, whatever is wrong with one key.
    fn parse_but(
        text: &str,
        folder: &Path,
        overrides: &Overrides,
        but: Option<&str>,
    ) -> Result<Self, Vec<Error>> {
        let problems = Problems::default();
        let mut file = Section::parse(text, &problems);
        if problems.any() {
            return Err(problems.into_vec()); // Not YAML: every key would be reported missing.
        }
        let config = read_file(&mut file, folder, overrides);
        file.finish();
        if let Some(config) = &config {
            checks::check(config, &problems);
        }
        let mut problems = problems.into_vec();
        problems.retain(|problem| but != Some(problem.key.as_str()));
        match (config, problems) {
            (Some(config), problems) if problems.is_empty() => Ok(config),
            (_, problems) => Err(problems),
        }
    }
}

/// Reads every key. `None` when something that has no default is missing or wrong.
fn read_file(file: &mut Section<'_>, folder: &Path, overrides: &Overrides) -> Option<Config> {
    let path = |text: &str| Ok(folder.join(non_empty(text)?));
    let server_name =
        file.required("server_name", "write the name that the certificate bears", domain);
    let (backend, address) = backend(file.section("backend"), folder);
    let backends = backends(file, folder, address);
    let certificates = certificates(file, folder);
    let capture = capture(file);
    let listen = listen(file.section("listen"), capture);
    let steer = steer(file.section("steer"), &listen);
    let public = public(file.section("public"), &listen, capture);
    let proxy_protocol = proxy_protocol(file.section("proxy_protocol"));

    let resolver = resolver(file.section("resolver"), folder);
    let mut section = file.section("trust");
    let roots = section
        .text("roots", |text| match text {
            "system" => Ok(Roots::System),
            file => Ok(Roots::File(path(file)?)),
        })
        .unwrap_or(Roots::System);
    let revocations = section.text("revocations", path);
    let posh_port = section.number("posh_port", u64::from(HTTPS), 1..=u64::from(u16::MAX));
    section.finish();

    let mut section = file.section("channels");
    let channels = Channels {
        server_names: section.flag("server_names", true),
        bidi: section.flag("bidi", true),
    };
    section.finish();
    let Believed { policy, prooftypes, tlsa_usages } = policy(file.section("policy"));
    let dialback_secret = dialback_secret(file, folder);
    let mut section = file.section("limits");
    let limits = Limits::read(&mut section);
    section.finish();
    let drain = file.number("drain_seconds", 10, 0..=DRAIN_SECONDS_MAX);
    let self_check = self_check(file);
    let log = log(file.section("log"), overrides, file);

    Some(Config {
        server_name: server_name?,
        certificates,
        backends,
        backend,
        capture,
        steer,
        listen,
        public,
        proxy_protocol,
        resolver,
        roots,
        revocations,
        posh_port: u16::try_from(posh_port).unwrap_or(HTTPS),
        channels,
        policy,
        prooftypes,
        tlsa_usages,
        dialback_secret,
        limits,
        drain: Duration::from_secs(drain),
        self_check,
        log,
    })
}

fn self_check(file: &mut Section<'_>) -> Option<Duration> {
    let seconds = file.number("self_check_seconds", 3600, 0..=SELF_CHECK_SECONDS_MAX);
    if (1..SELF_CHECK_SECONDS_MIN).contains(&seconds) {
        let least = format!("write 0 for never, or at least {SELF_CHECK_SECONDS_MIN}");
        file.problem("self_check_seconds", &least);
    }
    (seconds != 0).then(|| Duration::from_secs(seconds))
}

fn certificates(file: &mut Section<'_>, folder: &Path) -> Vec<CertificateFiles> {
    let values = match file.take("certificates") {
        Some(Value::Sequence(values)) => values,
        Some(_) => {
            file.problem("certificates", "must be a list of {chain: PATH, key: PATH}");
            return Vec::new();
        }
        None => Vec::new(),
    };
    if values.is_empty() {
        file.problem("certificates", "name at least one {chain: PATH, key: PATH}");
    }
    let mut certificates = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let mut section = file.within(format!("certificates[{index}]"), value);
        let path = |text: &str| Ok(folder.join(non_empty(text)?));
        let chain = section.required("chain", "write the path of a PEM file, leaf first", path);
        let key = section.required("key", "write the path of its private key, PEM", path);
        let next_key = section.text("next_key", path);
        section.finish();
        if let (Some(chain), Some(key)) = (chain, key) {
            certificates.push(CertificateFiles { chain, key, next_key });
        }
    }
    certificates
}

/// How our own servers are met, and the address of the one that stands alone.
fn backend(mut section: Section<'_>, folder: &Path) -> (BackendSide, Option<Home>) {
    let address = section.text("address", home);
    let networks = section.texts("networks", network).unwrap_or_default();
    let tls = section.word("tls", BackendTls::ALL, BackendTls::as_str, BackendTls::Auto);
    let mut local_ca = section.section("local_ca");
    let path = |text: &str| Ok(folder.join(non_empty(text)?));
    let certificate = local_ca.text("certificate", path);
    let key = local_ca.text("key", path);
    local_ca.finish();
    let share_streams = section.flag("share_streams", false);
    section.finish();
    let local_ca = LocalCaFiles {
        certificate: certificate.unwrap_or_else(|| PathBuf::from("/var/lib/ligase/ca.crt")),
        key: key.unwrap_or_else(|| PathBuf::from("/var/lib/ligase/ca.key")),
    };
    (BackendSide { networks, tls, local_ca, share_streams }, address)
}

/// Where our own servers find us: at the listener's address, or on loopback where that is any.
fn steer(mut section: Section<'_>, listen: &Listen) -> SocketAddr {
    let to = section.text("to", |text| {
        let to = socket_address(text)?;
        match to.port() == 0 || to.ip().is_unspecified() {
            true => Err(format!("{to} cannot be connected to: {REACHED}")),
            false => Ok(to),
        }
    });
    section.finish();
    to.unwrap_or_else(|| {
        let first = listen.backend.first().copied();
        let first = first.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        let ip = match first {
            it if !it.ip().is_unspecified() => it.ip(),
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        SocketAddr::new(ip, first.port())
    })
}

/// Both ways to begin are understood at every port that we listen at. With `capture: redirect` the
/// usual port is turned to us.
fn public(mut section: Section<'_>, listen: &Listen, capture: Capture) -> Public {
    let usual = match capture {
        Capture::Redirect { .. } => PORT,
        Capture::Dns | Capture::Explicit => listen.federation.first().map_or(0, SocketAddr::port),
    };
    let mut port = |key, default| {
        let port = section.number(key, u64::from(default), 1..=u64::from(u16::MAX));
        u16::try_from(port).unwrap_or(default)
    };
    let starttls = port("starttls", usual);
    let direct_tls = port("direct_tls", starttls);
    section.finish();
    Public { starttls, direct_tls }
}

fn resolver(mut section: Section<'_>, folder: &Path) -> Resolver {
    let path = |text: &str| Ok(folder.join(non_empty(text)?));
    let asked = servers(&mut section, "servers").unwrap_or(ResolverServers::System);
    let resolver = Resolver {
        forward: servers(&mut section, "forward").unwrap_or_else(|| asked.clone()),
        servers: asked,
        dnssec: section.word("dnssec", Dnssec::ALL, Dnssec::as_str, Dnssec::Validate),
        trust_anchor: section.text("trust_anchor", path),
        allow_loopback: !section
            .texts("allow", |text| one_of(text, &["loopback"], |it| it))
            .unwrap_or_default()
            .is_empty(),
    };
    section.finish();
    resolver
}

fn servers(section: &mut Section<'_>, key: &'static str) -> Option<ResolverServers> {
    let value = section.take(key)?;
    if value.as_str() == Some("system") {
        return Some(ResolverServers::System);
    }
    if value.as_sequence().is_some_and(Vec::is_empty) {
        section.problem(key, "name at least one IP:PORT, or write `system`");
    }
    let servers = section.each(&section.path(key), value, |text| {
        let bare = text.parse::<IpAddr>();
        bare.map_or_else(|_| socket_address(text), |ip| Ok(SocketAddr::new(ip, 53)))
    });
    Some(ResolverServers::Listed(servers))
}

fn dialback_secret(file: &mut Section<'_>, folder: &Path) -> Option<DialbackSecret> {
    let value = file.take("dialback_secret")?;
    let mut section = file.within("dialback_secret".to_owned(), value);
    let path = section.required("file", "write the path of a file with the secret in it", |text| {
        Ok(folder.join(non_empty(text)?))
    });
    let secret = path.and_then(|path| {
        secret_at(&path)
            .map_err(|problem| section.problem("file", format!("{}: {problem}", path.display())))
            .ok()
    });
    section.finish();
    secret
}

fn log(mut section: Section<'_>, overrides: &Overrides, file: &Section<'_>) -> Log {
    let level = section.word("level", LogLevel::ALL, LogLevel::as_str, LogLevel::Info);
    let format = section.word("format", LogFormat::ALL, LogFormat::as_str, LogFormat::Plain);
    section.finish();
    let level = overrides
        .log_level
        .as_deref()
        .map_or(Ok(level), |text| one_of(text, LogLevel::ALL, LogLevel::as_str));
    let format = overrides
        .log_format
        .as_deref()
        .map_or(Ok(format), |text| one_of(text, LogFormat::ALL, LogFormat::as_str));
    Log {
        level: level.unwrap_or_else(|problem| {
            file.problem("LIGASE_LOG", problem);
            LogLevel::Info
        }),
        format: format.unwrap_or_else(|problem| {
            file.problem("LIGASE_LOG_FORMAT", problem);
            LogFormat::Plain
        }),
    }
}

/// What to write instead of an address that nobody can connect to.
const REACHED: &str = "write where listen.backend is reached";

/// Where servers look for each other when nobody tells them (RFC 6120 §14.7).
const PORT: u16 = 5269;

/// Where POSH documents are (RFC 7711 §3).
const HTTPS: u16 = 443;

/// Where a system names its resolver.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Some hundred times the size of a configuration that names every key.
const FILE_BYTES_MAX: u64 = 1_048_576;

/// A minute: each time everything that our domains publish is looked up.
const SELF_CHECK_SECONDS_MIN: u64 = 60;

/// A day: who looks less often hears of a key that does not fit after everybody else.
const SELF_CHECK_SECONDS_MAX: u64 = 86_400;

/// Ten minutes; whoever ends us kills us before.
const DRAIN_SECONDS_MAX: u64 = 600;
