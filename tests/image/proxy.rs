//! The proxy in its container, with as few rights as a cluster leaves it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ligase_tests::{Capture, Host, OrFail as _, Podman, Process, Proxy, World, peer};

use crate::LIGASE;

#[test]
fn the_program_says_what_it_is() {
    let revision = ligase_tests::image::argument("REVISION");
    let said = format!("ligase {} (revision {revision}; ", env!("CARGO_PKG_VERSION"));
    let alone = ["--network=none", &LIGASE, "--version"];
    let (status, version) = Podman::new().done("version", &alone);
    assert!(status.success() && version.starts_with(&said), "{version}");
}

/// Nothing but the program is there to help the demo: no network, no shell, no user of that name.
#[test]
fn the_demo_runs_in_the_container() {
    let alone = ["--network=none", "--cap-drop=all", "--env=NO_COLOR=1", &LIGASE, "demo"];
    let (status, said) = Podman::new().done("demo", &alone);
    assert!(status.success(), "{said}");
    assert!(said.contains("checks held"), "{said}");
}

/// As a cluster runs it that gives each program a user of its own: nothing may be written but the
/// volume, and nothing may be done that a user may not.
#[test]
fn any_user_runs_it_with_a_read_only_root_and_no_capability() {
    let podman = Podman::new();
    let mut world = World::new();
    let (host, proxy) = proxy(&mut world);
    let network = format!("--network=ns:{}", host.network().display());
    let config = format!("--volume={}:/etc/ligase/config:ro", proxy.display());
    for user in ["7269:7269", "123456:0", "123456:123456"] {
        let options = [
            &format!("--user={user}"),
            "--read-only",
            // There is no other place to write, as in a cluster.
            "--read-only-tmpfs=false",
            "--tmpfs=/var/lib/ligase:size=1m",
            "--cap-drop=all",
            "--security-opt=no-new-privileges",
            &network,
            &config,
            &LIGASE,
        ];
        let container = podman.start("proxy", &options);
        let log = container.log();
        host.run(&peer::program("ligase-peer"), &["await", ADMIN, "/ready", ""]);
        podman.run(&["healthcheck", "run", container.name()]);

        let status = format!("/proc/{}/status", container.pid());
        let status = fs::read_to_string(status).or_fail("read what the process may do");
        let value = |key: &str| status.lines().find_map(|it| it.strip_prefix(key)).map(str::trim);
        for rights in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
            assert_eq!(value(rights), Some("0000000000000000"), "{user}: {rights}");
        }
        assert_eq!(value("NoNewPrivs:"), Some("1"), "{user}");
        let uid = user.split(':').next();
        assert_eq!(value("Uid:").and_then(|it| it.split('\t').next()), uid);

        container.signal("TERM");
        assert_eq!(container.end(), 0, "{user}: {:?}", log.lines());
    }
}

/// A server waits for the sidecar before it, and peers wait for the server.
#[test]
fn it_is_ready_a_moment_after_it_was_started() {
    let mut world = World::new();
    let (host, config) = proxy(&mut world);
    // The image's files, and no more: not even the names of resolvers, hosts and users that a
    // container is given.
    let root = host.folder("root");
    let files = ligase_tests::image::folder().join("ligase/.");
    run(Command::new("cp").arg("--archive").arg(files).arg(&root));
    run(Command::new("cp").arg("-r").arg(config.join(".")).arg(root.join("etc/ligase/config")));
    let mut times: Vec<_> = (0..5).map(|_| time_to_ready(&host, &root)).collect();
    times.sort();
    println!("from start to ready: {times:?}");
    let median = times.get(2).or_fail("find the median");
    assert!(*median < Duration::from_millis(200), "{times:?}");
}

/// Who asks looks every 25 ms, which is part of the time.
#[expect(clippy::disallowed_methods, reason = "what is measured is the time it takes")]
fn time_to_ready(host: &Host, root: &Path) -> Duration {
    let mut command = host.command("chroot");
    command.arg("--userspec=7269:7269").arg(root).arg("/ligase");
    command.args(["run", "--config", "/etc/ligase/config/ligase.yaml"]);
    let begin = Instant::now();
    let mut ligase = Process::start("ligase", command);
    host.run(&peer::program("ligase-peer"), &["await", ADMIN, "/ready", ""]);
    let took = begin.elapsed();
    ligase.signal("TERM");
    let ended = ligase.end(Duration::from_secs(10));
    assert_eq!(ended.code(), Some(0), "{:?}", ligase.lines());
    took
}

/// A host with a proxy's configuration, as a ConfigMap and Secrets would bring it.
fn proxy(world: &mut World) -> (Host, PathBuf) {
    let host = world.host("montague");
    world.open();
    let domains = ["montague.lab".to_owned()];
    let certificate = world.authority.issue(&["montague.lab", "xmpp.montague.lab"]);
    let mut proxy = Proxy::new(world, &host, Capture::Dns, &domains, &certificate);
    let inside = |name: &str| format!("/etc/ligase/config/{name}");
    let (chain, key) = (inside("tls.crt"), inside("tls.key"));
    proxy.set("certificates", &format!("[{{chain: {chain}, key: {key}}}]"));
    proxy.set("resolver.trust_anchor", &inside("root.key"));
    proxy.set("trust.roots", "system");
    let ca = "{certificate: /var/lib/ligase/ca.crt, key: /var/lib/ligase/ca.key}";
    proxy.set("backend.local_ca", ca);
    proxy.write();
    let folder = proxy.folder();
    // A Secret is laid down so that whoever the container runs as may read it.
    run(Command::new("chmod").args(["-R", "a+rX"]).arg(&folder));
    (host, folder)
}

fn run(command: &mut Command) {
    let done = command.output().or_fail(&format!("start {command:?}"));
    let why = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{command:?}: {why}");
}

const ADMIN: &str = "127.0.0.1:7290";
