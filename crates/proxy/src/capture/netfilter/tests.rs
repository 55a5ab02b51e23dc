use std::env;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::program::{run, succeed};
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
    Rules {
        uid,
        resolver_uid: None,
        peers: vec![5269, 5270],
        federation: FEDERATION,
        backend: BACKEND,
        dns: DNS,
    }
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
    command.args(["--net", "--mount", "--"]).arg(env::current_exe().unwrap());
    command.args(["--exact", &format!("{}::{name}", TESTS)]);
    command.env(INSIDE, "yes");
    if let Some(path) = path {
        command.env("PATH", path);
    }
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
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
        for port in UNTOUCHED {
            is_refused(&TcpStream::connect((next, port)).await);
        }
        // To our own address, as whoever finds itself behind its public name.
        let caller = TcpStream::connect((here, 5269)).await.unwrap();
        let (_, peer) = arrival(&server).await;
        assert_eq!(plain(peer), caller.local_addr().unwrap());
    }
}

/// What a server uses besides: to its users, to their browsers, to its database.
const UNTOUCHED: [u16; 5] = [5222, 5280, 443, 5432, 5271];

/// What the rules have counted of all that.
async fn count(tool: Tool, times: u64) {
    let standing = status(&rules(UID)).await.unwrap();
    assert_eq!(standing.tool, tool);
    let count = |wanted| {
        let of = |(caught, count): &(Caught, u64)| (*caught == wanted).then_some(*count);
        standing.counts.iter().find_map(of).unwrap()
    };
    for port in [5269, 5270] {
        assert_eq!(count(Caught::Out(port, BACKEND)), 2 * times, "{standing:?}");
        assert_eq!(count(Caught::In(port, FEDERATION)), 2 * times, "{standing:?}");
    }
    assert_eq!(count(Caught::Uncaptured), 2 * UNTOUCHED.len() as u64 * times, "{standing:?}");
    assert_eq!(count(Caught::Spared(UID)), 0, "{standing:?}");
}

/// All queries come to the responder, wherever they were sent.
async fn answers() {
    let settings = Settings {
        listen: LOOPBACK.map(|it| (it, DNS).into()).to_vec(),
        upstream: vec![],
        steering: Steering { address: Ipv4Addr::LOCALHOST.into(), port: BACKEND },
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

/// What passes through this machine on its way to a peer is somebody else's.
async fn lets_others_through(outside: &Outside) {
    sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
    outside.sh("ip route add 203.0.113.7 via 10.9.0.1 && ip route add 2001:db8:1::7 via fd00::1");
    let federation = bind((Ipv6Addr::UNSPECIFIED, FEDERATION).into()).unwrap();
    for far in ["203.0.113.7", "2001:db8:1::7"] {
        // Nobody is there who would answer.
        let line = format!("timeout 0.3 bash -c \"exec 3<>/dev/tcp/{far}/5269\"; test $? != 0");
        outside.sh(&line);
    }
    let late = timeout(Duration::ZERO, federation.accept()).await;
    assert!(late.is_err(), "{late:?}");
    let standing = status(&rules(UID)).await.unwrap();
    let through = standing.counts.iter().find(|(caught, _)| *caught == Caught::Through).unwrap();
    assert!(2 <= through.1, "{standing:?}");
    sh("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0");
}

/// What the rules do to the process that they are for: nothing.
async fn spares_us() {
    for next in NEXT {
        is_refused(&TcpStream::connect((next, 5269)).await);
    }
}

async fn stand_and_fall(tool: Tool) {
    let outside = Outside::new().await;
    let absent = status(&rules(UID)).await.unwrap_err();
    assert_eq!(absent.to_string(), "no rules stand");
    tool.apply(&rules(UID)).await.unwrap();
    captures(&outside).await;
    count(tool, 1).await;
    answers().await;
    captures(&outside).await;
    count(tool, 2).await;

    // Again, and with something changed: nothing is left of what was.
    tool.apply(&rules(UID)).await.unwrap();
    captures(&outside).await;
    count(tool, 1).await;
    lets_others_through(&outside).await;
    tool.apply(&rules(0)).await.unwrap();
    spares_us().await;
    let other = status(&rules(UID)).await.unwrap_err().to_string();
    assert!(other.starts_with("a rule does not stand in its place: "), "{other}");
    let backend = bind((Ipv4Addr::LOCALHOST, BACKEND).into()).unwrap();
    tool.apply(&Rules { resolver_uid: Some(0), ..rules(UID) }).await.unwrap();
    spares_us().await;
    tool.apply(&rules(UID)).await.unwrap();
    let _caller = TcpStream::connect((FAR[0], 5269)).await.unwrap();
    arrival(&backend).await;

    remove().await.unwrap();
    spares_us().await;
    assert!(matches!(status(&rules(UID)).await, Err(Error::Absent)));
    assert_eq!(left().await, "");
    remove().await.unwrap();
}

/// Every line about us, whoever keeps it.
async fn left() -> String {
    let mut all = succeed("nft", &["list", "ruleset"], "").await.unwrap();
    for tool in ["iptables-legacy-save", "ip6tables-legacy-save"] {
        all += &succeed(tool, &[], "").await.unwrap();
    }
    let ours = all.lines().filter(|line| line.to_lowercase().contains("ligase"));
    ours.collect::<Vec<_>>().join("\n")
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

#[test]
fn what_the_old_iptables_is_told_stands_and_falls() {
    let name = "what_the_old_iptables_is_told_stands_and_falls";
    in_its_own_network(name, None, stand_and_fall(Tool::IptablesLegacy));
}

/// The rules of others, before which ours stand whenever they are put there.
#[test]
fn a_mesh_does_not_get_what_is_ours() {
    in_its_own_network("a_mesh_does_not_get_what_is_ours", None, async {
        let outside = Outside::new().await;
        for tool in Tool::ALL {
            let mesh = |tables: &str, how: &str| {
                sh(&format!("{tables} -t nat -{how} OUTPUT -p tcp -j REDIRECT --to-ports 15001"));
                let take = "-p tcp --dport 5269 -j REDIRECT --to-ports 15006";
                sh(&format!("{tables} -t nat -{how} PREROUTING {take}"));
            };
            let programs = match tool {
                Tool::IptablesLegacy => ["iptables-legacy", "ip6tables-legacy"],
                Tool::Nft | Tool::Iptables => ["iptables", "ip6tables"],
            };
            programs.iter().for_each(|it| mesh(it, "A"));
            tool.apply(&rules(UID)).await.unwrap();
            let federation = bind((Ipv6Addr::UNSPECIFIED, FEDERATION).into()).unwrap();
            let backends = LOOPBACK.map(|it| bind((it, BACKEND).into()).unwrap());
            for ((far, here), backend) in FAR.into_iter().zip(HERE).zip(&backends) {
                let _caller = TcpStream::connect((far, 5269)).await.unwrap();
                arrival(backend).await;
                outside.dial(here, 5269);
                arrival(&federation).await;
                is_refused(&TcpStream::connect((far, 5222)).await);
            }
            if tool != Tool::Nft {
                // It came later and pushed itself forward: that is seen, and mended by a repetition.
                programs.iter().for_each(|it| mesh(it, "I"));
                let error = tool.counts(&rules(UID)).await.unwrap_err().to_string();
                assert!(error.contains("-A OUTPUT -j LIGASE_OUTPUT (the first in"), "{error}");
                tool.apply(&rules(UID)).await.unwrap();
                tool.counts(&rules(UID)).await.unwrap();
            }
            remove().await.unwrap();
            programs.iter().for_each(|it| sh(&format!("{it} -t nat -F")));
        }
    });
}

/// What was put there by one program does not stand beside what another puts there.
#[test]
fn only_one_set_of_rules_stands() {
    in_its_own_network("only_one_set_of_rules_stands", None, async {
        for first in Tool::ALL {
            first.apply(&rules(1)).await.unwrap();
        }
        assert_eq!(apply(&rules(UID)).await.unwrap(), Tool::Nft);
        let left = left().await;
        assert!(!left.contains("LIGASE"), "{left}");
        let standing = status(&rules(UID)).await.unwrap();
        assert_eq!(standing.counts.len(), rules(UID).caught().len());
        assert!(standing.counts.iter().all(|(_, count)| *count == 0), "{standing:?}");
        remove().await.unwrap();
    });
}

/// A directory with a few programs in it, which goes when the test does.
struct Programs(PathBuf);

impl Programs {
    fn new(names: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ligase-programs-{}-{count}", std::process::id());
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        for name in names {
            let paths = env::var_os("PATH").unwrap();
            let found = env::split_paths(&paths).map(|it| it.join(name));
            let found = { found }.find(|it| it.exists()).unwrap();
            symlink(found, path.join(name)).unwrap();
        }
        Self(path)
    }

    /// Has a shell script beside them.
    fn with(self, name: &str, script: &str) -> Self {
        let path = self.0.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
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
        let none = "there is no nft here\nthere is no iptables here\n\
                    there is no iptables-legacy here";
        assert_eq!(apply(&rules(UID)).await.unwrap_err().to_string(), none);
        let none = "there is no nft here\nthere is no iptables here";
        assert_eq!(remove().await.unwrap_err().to_string(), none);
        assert_eq!(status(&rules(UID)).await.unwrap_err().to_string(), none);
    });
}

/// Where IPv6 cannot be captured, IPv4 is not either: half a capture is none.
#[test]
fn without_ipv6_tables_nothing_is_captured() {
    let name = "without_ipv6_tables_nothing_is_captured";
    let programs =
        ["unshare", "iptables", "ip6tables", "iptables-restore", "iptables-save", "sh", "cat"];
    // It is found out at once, or only when it is done.
    let says = "cat >&2; echo \"can't initialize ip6tables table \\`nat'\" >&2; exit 3";
    let late = format!("case \"$*\" in *--test) exec cat;; esac; {says}");
    for script in [says, &late] {
        let programs = env::var_os(INSIDE)
            .is_none()
            .then(|| Programs::new(&programs).with("ip6tables-restore", script));
        let path = programs.as_ref().map(|it| it.0.as_path());
        in_its_own_network(name, path, async {
            let error = apply(&rules(UID)).await.unwrap_err().to_string();
            assert!(error.contains("can't initialize ip6tables table `nat'"), "{error}");
            let saved = succeed("iptables-save", &[], "").await.unwrap();
            assert!(!saved.contains("LIGASE"), "{saved}");
        });
    }
}

/// Each family is put in place at once; whoever is stopped between them leaves one.
#[test]
fn what_a_crash_left_behind_is_seen_and_mended() {
    in_its_own_network("what_a_crash_left_behind_is_seen_and_mended", None, async {
        for (tool, restore, other) in [
            (Tool::Iptables, "iptables-restore", "ip6tables"),
            (Tool::IptablesLegacy, "iptables-legacy-restore", "ip6tables-legacy"),
        ] {
            succeed(restore, &["--noflush"], &rules(UID).iptables(&[])).await.unwrap();
            let error = tool.counts(&rules(UID)).await.unwrap_err().to_string();
            assert!(error.contains(&format!("(the first in {other})")), "{error}");
            tool.apply(&rules(UID)).await.unwrap();
            tool.counts(&rules(UID)).await.unwrap();
            remove().await.unwrap();
            assert_eq!(left().await, "");
        }
    });
}

/// As an init container has it: nothing may be written, not even `/run/xtables.lock`.
#[test]
fn nothing_need_be_written() {
    in_its_own_network("nothing_need_be_written", None, async {
        sh("mount -t tmpfs none /run && mount -o remount,ro /run");
        sh("mount -t tmpfs none /tmp && mount -o remount,ro /tmp");
        assert!(fs::write("/run/xtables.lock", "").is_err());
        for tool in Tool::ALL {
            tool.apply(&rules(UID)).await.unwrap();
            tool.counts(&rules(UID)).await.unwrap();
            remove().await.unwrap();
        }
    });
}

#[test]
fn who_lacks_the_right_is_told_what_it_takes() {
    in_its_own_network("who_lacks_the_right_is_told_what_it_takes", None, async {
        // Once it has been asked, the old iptables has tables of its own.
        sh("iptables-legacy -t nat -S >/dev/null");
        let programs = env::var_os("PATH").unwrap();
        let shown = programs.to_str().unwrap();
        for tool in ["nft", "iptables", "iptables-legacy"] {
            let dropped = Programs::new(&["setpriv", "sh"]);
            let real = env::split_paths(&programs).map(|it| it.join(tool)).find(|it| it.exists());
            let arguments = "--bounding-set -net_admin --inh-caps -net_admin";
            let script = format!("exec setpriv {arguments} {} \"$@\"", real.unwrap().display());
            let dropped = dropped.with(tool, &script);
            let path = format!("{}:{shown}", dropped.0.display());
            let listing = match tool {
                "nft" => ["-y", "list", "ruleset"],
                _ => ["-t", "nat", "-S"],
            };
            let shell = format!("PATH={path} exec {tool} \"$@\"");
            let arguments = [&["-c", &shell, "sh"], &listing[..]].concat();
            let done = run("sh", &arguments, "").await.unwrap();
            let error = program::refused(tool, &done);
            assert!(matches!(error, Error::Unprivileged { .. }), "{tool}: {error}");
            assert!(error.to_string().contains("NET_ADMIN"), "{error}");
        }
    });
}

#[test]
fn a_rule_that_does_not_stand_is_named() {
    let check = |found: &[&str], expect: &str| {
        let said =
            stands(found, &["a", "b"]).map_or_else(|error| error.to_string(), |()| "".into());
        assert_eq!(said, expect, "{found:?}");
    };
    check(&["a", "b"], "");
    check(&["a"], "a rule does not stand in its place: b");
    check(&["b", "a"], "a rule does not stand in its place: a");
    check(&["a", "x", "b"], "a rule does not stand in its place: b");
    check(&["a", "b", "x"], "a rule stands among ours that is none: x");
}

#[test]
fn what_was_counted_is_read_out_of_listings() {
    let listing = "\ttcp dport 53 counter packets 7 bytes 420 redirect to :7253\n\
                   \tmeta l4proto 6 counter packets 0 bytes 0\n";
    let text = "tcp dport 53 counter redirect to :7253\nmeta l4proto 6 counter\n";
    assert_eq!(nft::without_counts(listing), (text.to_owned(), vec![7, 0]));

    let listed = "-A LIGASE_OUTPUT -p tcp -m tcp --dport 53 -c 7 420 -j REDIRECT --to-ports 7253";
    let rule = "-A LIGASE_OUTPUT -p tcp -m tcp --dport 53 -j REDIRECT --to-ports 7253";
    assert_eq!(iptables::without_count(listed), (rule.to_owned(), Some(7)));
    assert_eq!(iptables::without_count("-N LIGASE_OUTPUT").1, None);
}
