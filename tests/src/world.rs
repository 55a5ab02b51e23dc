//! World: hosts on one network, with the DNS and the certificate authority that all share.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Once, OnceLock};
use std::time::Duration;
use std::{env, fs, process};

use crate::host::{Host, etc, run};
use crate::process::Process;
use crate::{Authority, OrFail, Users, Zone};

/// A network of hosts, with a DNS that all ask and an authority that all trust.
///
/// A world comes in two steps: hosts are added and names published; then it is [opened](Self::open)
/// and servers are started. When it is dropped nothing is left of it.
#[derive(Debug)]
pub struct World {
    name: String,
    root: PathBuf,
    /// What the world's DNS will say, or says.
    pub zone: Zone,
    /// The authority that every host trusts unless told otherwise.
    pub authority: Authority,
    /// The host in the middle, where DNS answers and users and scripted peers live.
    pub hub: Host,
    hosts: Vec<Host>,
    users: OnceLock<Users>,
    named: Option<Process>,
}

impl World {
    /// Makes a world with nobody in it.
    pub fn new() -> Self {
        static SWEPT: Once = Once::new();
        SWEPT.call_once(sweep);
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{count}", process::id());
        let root = env::temp_dir().join(&name);
        fs::create_dir(&root).or_fail("make the world's folder");

        let authority = Authority::new("Verona");
        let hub = raise(&name, &root, "hub", 1);
        hub.trust(&[&authority]);
        let link = "link add br0 type bridge";
        run(Command::new("ip").args(["-n", &hub.namespace]).args(link.split(' ')));
        let hosts = Vec::new();
        let zone = Zone::default();
        let world =
            Self { name, root, zone, authority, hub, hosts, users: OnceLock::new(), named: None };
        world.address(&world.hub, "br0");
        world
    }

    /// Adds a host, which asks the world's DNS and trusts the world's authority.
    pub fn host(&mut self, name: &str) -> Host {
        let host = raise(&self.name, &self.root, name, self.number());
        self.plug(&host);
        host.resolve_by(&[IpAddr::V4(self.hub.v4)]);
        host.trust(&[&self.authority]);
        self.hosts.push(host.clone());
        host
    }

    /// Keeps a place for a host that somebody else makes, as podman makes a pod. Until it has
    /// [settled](Self::settle), it is no more than its addresses and its files.
    pub fn place(&mut self, name: &str) -> Host {
        let host = found(&self.name, &self.root, name, self.number());
        self.hosts.push(host.clone());
        host
    }

    /// Puts the network namespace of that process in a host's place.
    pub fn settle(&self, host: &Host, process: u64) {
        let attach = format!("netns attach {} {process}", host.namespace);
        run(Command::new("ip").args(attach.split(' ')));
        self.plug(host);
    }

    /// Leaves a host's place empty for the next that is to settle there.
    pub fn vacate(&self, host: &Host) {
        let unplug = format!("-n {} link del {}", self.hub.namespace, cable(host));
        run(Command::new("ip").args(unplug.split(' ')));
        run(Command::new("ip").args(["netns", "del", &host.namespace]));
    }

    /// The last number in the addresses of the next host.
    fn number(&self) -> u8 {
        u8::try_from(self.hosts.len() + 10).or_fail("count hosts")
    }

    /// Connects a host with the hub.
    fn plug(&self, host: &Host) {
        let (hub, cable) = (&self.hub.namespace, cable(host));
        let namespace = &host.namespace;
        let commands = [
            format!("-n {hub} link add {cable} type veth peer name eth0 netns {namespace}"),
            format!("-n {hub} link set {cable} master br0 up"),
        ];
        for command in commands {
            run(Command::new("ip").args(command.split(' ')));
        }
        self.address(host, "eth0");
    }

    /// Signs the zone and starts the DNS. Servers may be started from now on.
    pub fn open(&mut self) {
        let folder = self.hub.folder("dns");
        let _ = self.zone.write(&folder);
        let named = self.zone.serve(&self.hub, &folder);
        self.named = Some(named);
    }

    /// Changes what the DNS says while everything runs.
    pub fn republish(&mut self, change: impl FnOnce(&mut Zone)) {
        change(&mut self.zone);
        let serial = self.zone.write(&self.hub.folder("dns"));
        let named = self.named.as_ref().or_fail("find the DNS open");
        named.signal("HUP");
        named.hear(&format!("zone ./IN: loaded serial {serial}"), Duration::from_secs(20));
    }

    /// The file with the root's DNSKEY, which a validating resolver trusts.
    pub fn trust_anchor(&self) -> PathBuf {
        self.hub.folder("dns").join(Zone::TRUST_ANCHOR)
    }

    /// Where a resolver asks: the world's DNS.
    pub fn resolver(&self) -> String {
        format!("{}:53", self.hub.v4)
    }

    /// The DNS, which says every question that it is asked.
    pub fn dns(&self) -> &Process {
        self.named.as_ref().or_fail("find the DNS open")
    }

    /// Everyone who uses the servers of this world.
    pub fn users(&self) -> &Users {
        self.users.get_or_init(|| Users::start(&self.hub))
    }

    fn address(&self, host: &Host, device: &str) {
        let commands = [
            format!("addr add {}/24 dev {device}", host.v4),
            format!("addr add {}/64 dev {device} nodad", host.v6),
            format!("link set {device} up"),
        ];
        for command in commands {
            run(Command::new("ip").args(["-n", &host.namespace]).args(command.split(' ')));
        }
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.users = OnceLock::new();
        self.named = None;
        for host in self.hosts.iter().chain([&self.hub]) {
            raze(&host.namespace);
        }
        // What cannot be removed is swept by the next run.
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// The hub's end of a host's cable.
fn cable(host: &Host) -> String {
    let [.., number] = host.v4.octets();
    format!("cable{number}")
}

/// Gives a host its name, its folder and its addresses.
fn found(world: &str, root: &Path, name: &str, number: u8) -> Host {
    let root = root.join(name);
    fs::create_dir(&root).or_fail("make a host's folder");
    let [a, b, c, _] = V4.octets();
    let v4 = Ipv4Addr::new(a, b, c, number);
    let v6 = Ipv6Addr::from_bits(V6.to_bits() | u128::from(number));
    Host { namespace: format!("{world}-{name}"), root, v4, v6 }
}

/// Makes a namespace with its own loopback and its own files in `/etc`.
fn raise(world: &str, root: &Path, name: &str, number: u8) -> Host {
    let host = found(world, root, name, number);
    let namespace = &host.namespace;
    fs::create_dir_all(etc(namespace).join("ssl")).or_fail("make a host's own /etc");
    let openssl = etc(namespace).join("ssl/openssl.cnf");
    fs::copy("/etc/ssl/openssl.cnf", openssl).or_fail("give a host the settings of openssl");
    run(Command::new("ip").args(["netns", "add", namespace]));
    run(Command::new("ip").args(["-n", namespace, "link", "set", "lo", "up"]));
    // In a pod, too, a program that is not root may listen on any port.
    let ports = "net.ipv4.ip_unprivileged_port_start=0";
    run(Command::new("ip").args(["netns", "exec", namespace, "sysctl", "-qw", ports]));
    host
}

/// Ends whatever runs in a namespace of ours, and the namespace.
fn raze(namespace: &str) {
    // Each step is as good as it can be: there may be nothing to end.
    let pids = Command::new("ip").args(["netns", "pids", namespace]).output();
    if let Ok(pids) = pids {
        for pid in String::from_utf8_lossy(&pids.stdout).lines() {
            let _ = Command::new("kill").args(["-s", "KILL", pid]).output();
        }
    }
    let _ = Command::new("ip").args(["netns", "del", namespace]).output();
    let _ = fs::remove_dir_all(etc(namespace));
}

/// Removes the worlds of test runs that were killed and could not do it themselves.
fn sweep() {
    for namespace in names("/run/netns").chain(names("/etc/netns")) {
        if is_orphan(&namespace) {
            raze(&namespace);
        }
    }
    let parent = env::temp_dir();
    for folder in names(&parent).filter(|it| is_orphan(it)) {
        let _ = fs::remove_dir_all(parent.join(folder));
    }
}

/// Whether this is the name of something that a test run made which is no more.
fn is_orphan(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else {
        return false;
    };
    let pid: String = rest.chars().take_while(char::is_ascii_digit).collect();
    !pid.is_empty() && !Path::new("/proc").join(pid).exists()
}

fn names(folder: impl AsRef<Path>) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok())
}

/// Every namespace and folder of ours begins so; the process id follows.
const PREFIX: &str = "ligase-world-";

/// The addresses for benchmarks (RFC 2544): nobody's, and no program treats them as private.
const V4: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);

/// A network of unique local addresses (RFC 4193).
const V6: Ipv6Addr = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 0);
