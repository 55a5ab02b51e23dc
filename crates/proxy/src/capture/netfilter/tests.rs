use std::env;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Child;
use tokio::task::JoinSet;

use super::*;
use crate::capture::dns::{Responder, Settings, Sources, Steering};
use crate::net::inherited::Inherited;
use crate::net::listener::bind;
use crate::net::original::{Origin, judge, original};
use crate::net::plain;

const UID: u32 = 7269;
const FEDERATION: u16 = 7269;
const BACKEND: u16 = 7270;
const DNS: u16 = 7253;

fn rules(uid: u32) -> Rules {
    Rules { uid, peers: vec![5269, 5270], federation: FEDERATION, backend: BACKEND, dns: DNS }
}

/// Set in a test that is run once more, in a network of its own.
const INSIDE: &str = "LIGASE_TEST_IN_ITS_OWN_NETWORK";

/// Runs a future in a network that this test has to itself: the test is run once more, in there,
/// with this search path, if any.
#[track_caller]
fn in_its_own_network(name: &str, path: Option<&Path>, future: impl Future<Output = ()>) {
    if env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        return runtime.block_on(async {
            timeout(Duration::from_secs(60), future).await.unwrap();
        });
    }
    let mut command = std::process::Command::new("unshare");
    command.args(["--net", "--"]).arg(env::current_exe().unwrap());
    command.args(["--exact", &format!("{}::{name}", TESTS)]);
    command.env(INSIDE, "yes");
    if let Some(path) = path {
        command.env("PATH", path);
    }
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

/// Where these tests are, for the test program.
const TESTS: &str = "capture::netfilter::tests";

#[track_caller]
fn sh(line: &str) {
    let done = std::process::Command::new("sh").args(["-c", line]).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{line}: {done:?}");
}

/// The network outside, which ends when this is dropped: one host, through which all routes lead.
struct Outside {
    host: Child,
}

/// Both families of one place.
const HERE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(10, 9, 0, 1)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1)),
];
const NEXT: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(10, 9, 0, 2)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2)),
];
const FAR: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7)),
];
const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

impl Outside {
    async fn new() -> Self {
        let mut host = Command::new("unshare")
            .args(["--net", "--", "sh", "-c", "echo ready; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut stdout = BufReader::new(host.stdout.take().unwrap());
        stdout.read_line(&mut said).await.unwrap();
        assert_eq!(said, "ready\n");
        let outside = Self { host };
        let pid = outside.pid();
        sh("ip link set lo up && ip link add here type veth peer name there");
        sh(&format!("ip link set there netns {pid}"));
        outside.sh("ip link set lo up && ip link set there up");
        for (here, next) in HERE.iter().zip(NEXT) {
            let length = if here.is_ipv4() { "24" } else { "64 nodad" };
            sh(&format!("ip addr add dev here {here}/{length}"));
            outside.sh(&format!("ip addr add dev there {next}/{length}"));
        }
        sh("ip link set here up");
        for (family, next) in ["-4", "-6"].iter().zip(NEXT) {
            sh(&format!("ip {family} route add default via {next} dev here"));
        }
        outside
    }

    fn pid(&self) -> u32 {
        self.host.id().unwrap()
    }

    #[track_caller]
    fn sh(&self, line: &str) {
        let pid = self.pid();
        sh(&format!("nsenter --target {pid} --net sh -c '{line}'"));
    }

    /// Connects to us from outside, and closes again.
    fn dial(&self, address: IpAddr, port: u16) {
        let pid = self.pid();
        let line = format!("exec 3<>/dev/tcp/{address}/{port}");
        sh(&format!("nsenter --target {pid} --net bash -c '{line}'"));
    }
}

async fn arrival(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let accepted = timeout(Duration::from_secs(5), listener.accept()).await;
    accepted.unwrap().unwrap()
}

#[track_caller]
fn is_refused(connected: &io::Result<TcpStream>) {
    let refused = connected.as_ref().unwrap_err().kind();
    assert_eq!(refused, io::ErrorKind::ConnectionRefused);
}

/// Everything that the rules are for, with the listeners in place.
async fn captures(outside: &Outside) {
    let federation = bind((Ipv6Addr::UNSPECIFIED, FEDERATION).into()).unwrap();
    let backends = LOOPBACK.map(|it| bind((it, BACKEND).into()).unwrap());
    // The server behind us, on the port that its peers know.
    let server = bind((Ipv6Addr::UNSPECIFIED, 5269).into()).unwrap();
    let listening = [
        federation.local_addr().unwrap(),
        backends[0].local_addr().unwrap(),
        backends[1].local_addr().unwrap(),
    ];

    for (far, backend) in FAR.into_iter().zip(&backends) {
        for port in [5269, 5270] {
            let _caller = TcpStream::connect((far, port)).await.unwrap();
            let (socket, _) = arrival(backend).await;
            let bound_for = original(&socket).unwrap();
            assert_eq!(bound_for, Some((far, port).into()));
            let origin = judge(bound_for, socket.local_addr().unwrap(), &listening);
            assert_eq!(origin, Origin::Redirected((far, port).into()));
        }
    }
    for (loopback, backend) in LOOPBACK.into_iter().zip(&backends) {
        let _caller = TcpStream::connect((loopback, BACKEND)).await.unwrap();
        let (socket, _) = arrival(backend).await;
        let local = socket.local_addr().unwrap();
        let origin = judge(original(&socket).unwrap(), local, &listening);
        // Whom our DNS answers sent here; nothing has turned them.
        assert_eq!(origin, Origin::Direct);

        let caller = TcpStream::connect((loopback, 5269)).await.unwrap();
        let (_, peer) = arrival(&server).await;
        assert_eq!(plain(peer), caller.local_addr().unwrap());
    }
    for (here, next) in HERE.into_iter().zip(NEXT) {
        for port in [5269, 5270, FEDERATION] {
            outside.dial(here, port);
            let (_, peer) = arrival(&federation).await;
            assert_eq!(plain(peer).ip(), next);
        }
        is_refused(&TcpStream::connect((next, 5222)).await);
    }
}

/// All queries come to the responder, wherever they were sent.
async fn answers() {
    let settings = Settings {
        listen: LOOPBACK.map(|it| (it, DNS).into()).to_vec(),
        upstream: vec![],
        steering: Steering { address: Ipv4Addr::LOCALHOST.into(), port: BACKEND, suffixes: vec![] },
        sources: Sources::ThisHost,
    };
    let responder = Responder::bind(settings, &mut Inherited::default()).unwrap();
    let _serving = JoinSet::from_iter([responder.serve()]);
    for server in FAR.into_iter().chain(LOOPBACK) {
        for transport in ["+notcp", "+tcp"] {
            let done = Command::new("dig")
                .args([&format!("@{server}"), transport, "+short", "+tries=1"])
                .args(["_xmpp-server._tcp.capulet.example", "SRV"])
                .output()
                .await
                .unwrap();
            let said = String::from_utf8_lossy(&done.stdout);
            assert_eq!(said.trim(), "0 0 7270 127.0.0.1.", "{server} {transport}");
        }
    }
}

/// What the rules do to the process that they are for: nothing.
async fn spares_us() {
    for next in NEXT {
        is_refused(&TcpStream::connect((next, 5269)).await);
    }
}

async fn stand_and_fall(tool: Tool) {
    let outside = Outside::new().await;
    apply_by(tool, &rules(UID)).await.unwrap();
    captures(&outside).await;
    answers().await;

    // Again, and with something changed: nothing is left of what was.
    apply_by(tool, &rules(UID)).await.unwrap();
    captures(&outside).await;
    apply_by(tool, &rules(0)).await.unwrap();
    spares_us().await;
    let backend = bind((Ipv4Addr::LOCALHOST, BACKEND).into()).unwrap();
    apply_by(tool, &rules(UID)).await.unwrap();
    let _caller = TcpStream::connect((FAR[0], 5269)).await.unwrap();
    arrival(&backend).await;

    remove().await.unwrap();
    spares_us().await;
    let left = succeed("nft", &["list", "ruleset"], "").await.unwrap();
    assert!(!left.to_lowercase().contains("ligase"), "{left}");
    remove().await.unwrap();
}

#[test]
fn what_nft_is_told_stands_and_falls() {
    let name = "what_nft_is_told_stands_and_falls";
    in_its_own_network(name, None, stand_and_fall(Tool::Nft));
}

#[test]
fn what_iptables_is_told_stands_and_falls() {
    let name = "what_iptables_is_told_stands_and_falls";
    in_its_own_network(name, None, stand_and_fall(Tool::Iptables));
}

/// A directory with a few programs in it, which goes when the test does.
struct Programs(PathBuf);

impl Programs {
    fn new(names: &[&str]) -> Self {
        let name = format!("ligase-programs-{}", std::process::id());
        let path = env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        for name in names {
            let paths = env::var_os("PATH").unwrap();
            let found = env::split_paths(&paths).map(|it| it.join(name));
            let found = { found }.find(|it| it.exists()).unwrap();
            symlink(found, path.join(name)).unwrap();
        }
        Self(path)
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn iptables_is_used_where_nft_is_missing() {
    let programs = ["unshare", "iptables", "ip6tables", "iptables-restore", "ip6tables-restore"];
    let programs = env::var_os(INSIDE).is_none().then(|| Programs::new(&programs));
    let path = programs.as_ref().map(|it| it.0.as_path());
    in_its_own_network("iptables_is_used_where_nft_is_missing", path, async {
        assert_eq!(apply(&rules(UID)).await.unwrap(), Tool::Iptables);
        remove().await.unwrap();
    });
}

#[test]
fn without_any_program_nothing_is_claimed() {
    let programs = env::var_os(INSIDE).is_none().then(|| Programs::new(&["unshare"]));
    let path = programs.as_ref().map(|it| it.0.as_path());
    in_its_own_network("without_any_program_nothing_is_claimed", path, async {
        let error = apply(&rules(UID)).await.unwrap_err();
        assert_eq!(error.to_string(), "there is no iptables-restore here");
        assert!(matches!(remove().await, Err(Error::NoTool(_))));
    });
}

#[test]
fn a_rule_that_does_not_stand_is_named() {
    let listing = "table inet ligase {\n  udp dport 53 redirect to :7253\n}\n";
    assert!(stands(listing, "\tudp dport 53 redirect to :7253\n}\n").is_ok());
    let error = stands(listing, "udp dport 53 redirect to :7254\n}").unwrap_err();
    assert_eq!(error.to_string(), "a rule does not stand: udp dport 53 redirect to :7254");
}
