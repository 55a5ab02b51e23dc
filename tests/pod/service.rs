//! Service: the addresses at which a pod is found, whatever pod it is.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ligase_tests::{Host, OrFail as _, Process, World, Zone};
use serde_yaml::Value;

use crate::kubelet::{items, port};

/// Where peers find a pod, by IPv4 and IPv6.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    pub(crate) v4: Ipv4Addr,
    pub(crate) v6: Ipv6Addr,
}

impl Service {
    /// The addresses of the Service in front of that place: another network than the pods'.
    pub(crate) fn of(host: &Host) -> Self {
        let [a, b, _, number] = host.v4.octets();
        let v6 = host.v6.to_bits() | 1 << 64;
        Self { v4: Ipv4Addr::new(a, b, 1, number), v6: Ipv6Addr::from_bits(v6) }
    }

    /// Tells the world that a name is at these addresses.
    pub(crate) fn publish(self, zone: &mut Zone, name: &str) {
        zone.record(name, "A", &self.v4.to_string());
        zone.record(name, "AAAA", &self.v6.to_string());
    }

    /// Leads every port of a manifest's Service to the container's port that it names, as the packet
    /// filter of a node does with a Service of type LoadBalancer.
    pub(crate) fn open(self, world: &World, host: &Host, manifest: &Value, container: &Value) {
        let mut rules = HEAD.to_owned();
        for entry in items(&manifest["spec"]["ports"]) {
            let from = entry["port"].as_u64().or_fail("read a Service's port");
            let to = port(container, &entry["targetPort"]);
            let (v4, v6) = (self.v4, self.v6);
            // Writing into a String cannot fail.
            let _ = writeln!(
                rules,
                "add rule inet services in ip daddr {v4} tcp dport {from} dnat ip to {}:{to}\n\
                 add rule inet services in ip6 daddr {v6} tcp dport {from} dnat ip6 to [{}]:{to}",
                host.v4, host.v6
            );
        }
        let mut nft = world.hub.command("nft");
        nft.args(["-f", "-"]);
        let mut nft = Process::start("nft", nft);
        nft.tell(&rules);
        nft.hush();
        assert!(nft.end(Duration::from_secs(10)).success(), "{rules}");
    }
}

/// Makes the hub of a world carry what is for Services.
pub(crate) fn carry(world: &World) {
    for setting in ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"] {
        world.hub.run("sysctl", &["-qw", setting]);
    }
    // What comes by the bridge goes back by the bridge, which is what a Service is for.
    world.hub.run("sysctl", &["-qw", "net.ipv4.conf.br0.send_redirects=0"]);
}

/// Who comes by a Service comes from the node, as with `externalTrafficPolicy: Cluster`.
const HEAD: &str = "add table inet services
add chain inet services in { type nat hook prerouting priority dstnat; }
add chain inet services out { type nat hook postrouting priority srcnat; }
flush chain inet services out
add rule inet services out ct status dnat masquerade
";
