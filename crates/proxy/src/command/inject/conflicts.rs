//! What in a pod leaves no room for a sidecar.

use super::sidecar::{INIT_CONTAINERS, name_of};
use super::yaml::{Map, Node};
use crate::args::{Inject, InjectCapture};

/// What is ours in a pod.
pub(super) struct Ours {
    pub(super) containers: [&'static str; 2],
    pub(super) volumes: [&'static str; 4],
    /// From which port on one need not be root.
    pub(super) sysctl: &'static str,
}

/// All of it.
pub(super) const LIGASE: Ours = Ours {
    containers: ["ligase", "ligase-capture"],
    volumes: ["ligase-config", "ligase-tls", "ligase-dialback", "ligase-state"],
    sysctl: "net.ipv4.ip_unprivileged_port_start",
};

/// What keeps a sidecar out of a pod: what is there would be overwritten, or would not work any more.
pub(super) fn conflicts(kind: &str, spec: &Map, args: &Inject) -> Vec<String> {
    let mut found = Vec::new();
    let containers = [INIT_CONTAINERS, "containers", "ephemeralContainers"];
    let containers = containers.iter().filter_map(|key| spec.get(key)).flat_map(Node::items);
    let containers: Vec<&Map> = containers.filter_map(Node::map).collect();
    if spec.get("containers").is_none_or(|it| it.items().is_empty()) {
        found.push("it has no containers".to_owned());
    }
    find_names(spec, &containers, &mut found);
    find_ports(&containers, args.capture, &mut found);
    match args.capture {
        InjectCapture::Dns => find_dns(spec, &mut found),
        InjectCapture::Redirect => find_user(spec, &containers, &mut found),
        InjectCapture::Explicit => (),
    }
    let of_host = spec.get("hostNetwork").is_some_and(Node::is_true);
    if of_host && args.capture != InjectCapture::Explicit {
        found.push("hostNetwork: what is captured would be the whole machine's".to_owned());
    }
    let system = spec.get("os").and_then(Node::map).and_then(|it| it.get("name"));
    if system.and_then(Node::text).is_some_and(|it| it != "linux") {
        found.push("os.name: ligase runs on linux".to_owned());
    }
    if args.plain_sidecar && ["Job", "CronJob"].contains(&kind) {
        found.push(
            "an ordinary container would keep it from ending: leave --plain-sidecar".to_owned(),
        );
    }
    found
}

fn find_names(spec: &Map, containers: &[&Map], found: &mut Vec<String>) {
    let text = |map: &&Map| map.get("name").and_then(Node::text).map(str::to_owned);
    for name in containers.iter().filter_map(text) {
        if LIGASE.containers.contains(&name.as_str()) {
            found.push(format!("a container is called {name} already, and was not injected"));
        }
    }
    for name in spec.get("volumes").map_or(&[][..], Node::items).iter().filter_map(name_of) {
        if LIGASE.volumes.contains(&name) {
            found.push(format!("a volume is called {name} already"));
        }
    }
}

fn find_ports(containers: &[&Map], capture: InjectCapture, found: &mut Vec<String>) {
    let ports = containers.iter().filter_map(|it| it.get("ports")).flat_map(Node::items);
    for port in ports.filter_map(Node::map) {
        let name = port.get("name").and_then(Node::text).unwrap_or_default();
        if PORT_NAMES.contains(&name) {
            found.push(format!("a port is called {name} already"));
        }
        let is_udp = port.get("protocol").and_then(Node::text) == Some("UDP");
        for number in port.get("containerPort").map(Node::numbers).unwrap_or_default() {
            let dns = capture == InjectCapture::Dns && number == DNS_PORT;
            if dns || (PORTS.contains(&number) && !is_udp) {
                found.push(format!("containerPort {number} is taken, and ligase needs it"));
            }
        }
    }
}

fn find_dns(spec: &Map, found: &mut Vec<String>) {
    let policy = spec.get("dnsPolicy").and_then(Node::text).unwrap_or("ClusterFirst");
    if policy != "ClusterFirst" {
        found.push("dnsPolicy: it would be overwritten; take it away if that is right".to_owned());
    }
    if spec.get("dnsConfig").is_some_and(|it| !it.is_null()) {
        found.push("dnsConfig: it would be overwritten; take it away if that is right".to_owned());
    }
    let security = spec.get("securityContext").and_then(Node::map);
    let sysctls = security.and_then(|it| it.get("sysctls")).map_or(&[][..], Node::items);
    if sysctls.iter().any(|it| name_of(it) == Some(LIGASE.sysctl)) {
        let sysctl = LIGASE.sysctl;
        found.push(format!("securityContext.sysctls: {sysctl} would be overwritten"));
    }
}

/// The rules let through whatever is sent by the user that ligase runs as.
fn find_user(spec: &Map, containers: &[&Map], found: &mut Vec<String>) {
    let user = |map: &Map| {
        let user = map.get("securityContext")?.map()?.get("runAsUser")?.numbers();
        user.contains(&UID).then_some(())
    };
    if containers.iter().copied().chain([spec]).any(|it| user(it).is_some()) {
        found.push(format!(
            "runAsUser {UID} is who ligase is: what that user sends is not redirected"
        ));
    }
}

/// Where ligase listens for peers, and for whoever looks after it.
const PORTS: [u64; 2] = [7269, 7290];
const PORT_NAMES: [&str; 2] = ["ligase-s2s", "ligase-admin"];
const DNS_PORT: u64 = 53;

/// Who ligase is in a pod.
const UID: u64 = 7269;
