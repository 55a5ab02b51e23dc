//! A network namespace with the servers of the tree and those who ask them.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;
use std::{env, process, str};

use ligase_tests::{Authority, OrFail, Process};

use crate::tree::{DEEP, MIDDLE, ROOT, TOP, Tree};

/// Who asks the servers of the tree. Only two of them validate.
pub(crate) const PLAIN_UNBOUND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 20);
pub(crate) const PLAIN_BIND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 21);
pub(crate) const UNBOUND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 22);
pub(crate) const BIND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 23);

/// The running servers.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) folder: PathBuf,
    _servers: Vec<Process>,
}

/// Does something in a namespace of its own in which all servers run.
///
/// The test calls itself again there, by its name, since a program cannot move once it has threads.
/// Everything started there ends with it.
pub(crate) fn within(test: &str, work: impl FnOnce(&Lab)) {
    if let Some(folder) = env::var_os(INSIDE) {
        return work(&Lab::start(Path::new(&folder)));
    }
    let folder = grown();
    let mut command = Command::new("unshare");
    let is_root = fs::metadata("/proc/self").or_fail("look at this process").uid() == 0;
    if !is_root {
        command.arg("--map-root-user");
    }
    command.args(["--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-ec", RAISE]);
    let myself = env::current_exe().or_fail("find this program");
    command.arg(myself).args([test, "--exact", "--nocapture"]).env(INSIDE, folder);
    let done = command.output().or_fail("start unshare");
    let (said, complaint) =
        (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    println!("{said}");
    assert!(done.status.success(), "{complaint}");
    assert!(said.contains("1 passed"), "there is no test of the name {test}");
}

/// The tree, which all tests of this run share. The oldest run cleans up behind the others.
fn grown() -> &'static Path {
    static GROWN: OnceLock<PathBuf> = OnceLock::new();
    GROWN.get_or_init(|| {
        sweep();
        let folder = env::temp_dir().join(format!("{PREFIX}{}", process::id()));
        fs::create_dir(&folder).or_fail("make a folder for the tree");
        Tree::grow(&folder).folder
    })
}

/// Removes the trees of runs that are over.
fn sweep() {
    for entry in fs::read_dir(env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        let pid = name.strip_prefix(PREFIX).unwrap_or_default();
        if !pid.is_empty() && !Path::new("/proc").join(pid).exists() {
            // What cannot be removed is not in the way.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

impl Lab {
    fn start(tree: &Path) -> Self {
        let folder = tree.join(format!("servers-{}", nonce()));
        fs::create_dir(&folder).or_fail("make a folder for the servers");
        let mut servers = Vec::new();
        for server in [ROOT, TOP, MIDDLE, DEEP] {
            let zones = Tree::zones(server, tree);
            let options = format!("{NAMED} listen-on {{ {server}; }}; recursion no;");
            let text = format!("options {{ {options} }};\ncontrols {{ }};\n{zones}");
            servers.push(named(&folder, server, &text));
        }
        let hints = folder.join("hints");
        fs::write(&hints, format!(". 3600000 IN NS ns.\nns. 3600000 IN A {ROOT}\n"))
            .or_fail("write the hints");
        let anchor = Tree::anchor(tree);
        let bind_anchor = bind_anchor(&anchor);
        fs::write(folder.join("delv.keys"), &bind_anchor).or_fail("write the anchor for delv");
        for (address, validates) in [(PLAIN_BIND, "no"), (BIND, "yes")] {
            let text = format!(
                "{bind_anchor}options {{ {NAMED} listen-on {{ {address}; }}; recursion yes; \
                 allow-recursion {{ any; }}; dnssec-validation {validates}; \
                 empty-zones-enable no; }};\ncontrols {{ }};\n\
                 zone \".\" {{ type hint; file \"{}\"; }};\n",
                hints.display()
            );
            servers.push(named(&folder, &address.to_string(), &text));
        }
        for (address, modules) in [(PLAIN_UNBOUND, "iterator"), (UNBOUND, "validator iterator")] {
            let text = UNBOUND_CONF
                .replace("ADDRESS", &address.to_string())
                .replace("MODULES", modules)
                .replace("HINTS", &hints.display().to_string())
                .replace("ANCHOR", &anchor.display().to_string());
            let file = folder.join(format!("{address}.conf"));
            fs::write(&file, text).or_fail("configure unbound");
            let mut unbound = Command::new("unbound");
            unbound.arg("-d").arg("-c").arg(&file);
            let unbound = Process::start("unbound", unbound);
            unbound.hear("start of service", PATIENCE);
            servers.push(unbound);
        }
        fs::copy(&anchor, folder.join("root.key")).or_fail("copy the trust anchor");
        fs::write(folder.join(ROOTS), Authority::new("Verona").pem())
            .or_fail("write the authorities");
        Self { folder, _servers: servers }
    }

    /// The file with the root's key.
    pub(crate) fn anchor(&self) -> PathBuf {
        self.folder.join("root.key")
    }

    /// The same for `delv`.
    pub(crate) fn delv_anchor(&self) -> PathBuf {
        self.folder.join("delv.keys")
    }

    /// The file with authorities. No certificate is looked at here, but some there must be.
    pub(crate) fn roots(&self) -> PathBuf {
        self.folder.join(ROOTS)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self._servers.clear();
        // What cannot be removed is not in the way.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Process ids start anew in each namespace, the inode of the namespace does not.
fn nonce() -> u64 {
    fs::metadata("/proc/self/ns/pid").or_fail("look at the namespace").ino()
}

fn named(folder: &Path, name: &str, text: &str) -> Process {
    let file = folder.join(format!("{name}.conf"));
    fs::write(&file, text).or_fail("configure named");
    let mut named = Command::new("named");
    named.current_dir(folder).args(["-g", "-n", "1", "-c"]).arg(&file);
    let named = Process::start(&format!("named at {name}"), named);
    named.hear("running", PATIENCE);
    named
}

/// A key as BIND has it.
fn bind_anchor(file: &Path) -> String {
    let text = fs::read_to_string(file).or_fail("read the trust anchor");
    let record = text.lines().find(|it| !it.starts_with(';')).or_fail("find a key");
    let words: Vec<&str> = record.split_whitespace().skip_while(|it| *it != "DNSKEY").collect();
    let [_, flags, protocol, algorithm, ref key @ ..] = words[..] else {
        panic!("this is no key: {record}");
    };
    let key = key.concat();
    format!("trust-anchors {{ . static-key {flags} {protocol} {algorithm} \"{key}\"; }};\n")
}

/// Where a port of this machine is.
pub(crate) fn at(address: Ipv4Addr) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(address), 53)
}

/// Runs a program to its end in a folder, and returns what it said. It must succeed.
#[track_caller]
pub(crate) fn run(program: &str, folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    let done = command.current_dir(folder).args(arguments).output();
    let done = done.or_fail(&format!("start {program}"));
    let complaint = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{program} {arguments:?}: {complaint}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// Gives the loopback its addresses, and becomes the rest of its arguments.
const RAISE: &str = "ip link set lo up; for last in 10 11 12 13 20 21 22 23; do \
     ip addr add 127.0.0.$last/32 dev lo; done; exec \"$0\" \"$@\"";

/// Says that we are inside, and where the tree is.
const INSIDE: &str = "LIGASE_TESTS_DNSSEC_TREE";

const PREFIX: &str = "ligase-dnssec-";

const ROOTS: &str = "roots.pem";

const NAMED: &str = "pid-file none; session-keyfile none; listen-on-v6 { none; }; \
     allow-query { any; };";

const UNBOUND_CONF: &str = r#"
server:
  chroot: ""
  username: ""
  pidfile: ""
  directory: "/"
  interface: ADDRESS
  outgoing-interface: ADDRESS
  do-ip6: no
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  use-syslog: no
  logfile: ""
  log-time-ascii: no
  verbosity: 1
  num-threads: 1
  root-hints: "HINTS"
  module-config: "MODULES"
  trust-anchor-file: "ANCHOR"
  local-zone: "plain." transparent
remote-control:
  control-enable: no
"#;

const PATIENCE: Duration = Duration::from_secs(20);
