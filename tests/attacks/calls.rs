//! Calls: whom the proxy connects to, or asks, as the packet filter of its machine sees it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use serde_json::Value;

use crate::lab::Lab;

/// How many packets that begin something it has sent, by address and port.
pub(crate) type Calls = BTreeMap<SocketAddr, u64>;

impl Lab {
    /// Has the packet filter count every connection that the proxy opens, and every datagram.
    pub(crate) fn watch_calls(&self) -> Result<(), String> {
        RULES.lines().try_for_each(|rule| self.filter(rule).map(drop))
    }

    /// Whom it has called till now.
    pub(crate) fn calls(&self) -> Result<Calls, String> {
        let listed = self.filter("list table inet watch")?;
        let told: Value = serde_json::from_str(&listed).map_err(|error| error.to_string())?;
        let sets = told["nftables"].as_array().into_iter().flatten();
        let elements = sets.flat_map(|it| it["set"]["elem"].as_array().into_iter().flatten());
        elements.map(|it| call(it).ok_or_else(|| format!("the packet filter says {it}"))).collect()
    }

    fn filter(&self, command: &str) -> Result<String, String> {
        let mut nft = self.ligase.host().command("nft");
        let done = nft.args(["--json", "--numeric", command]).output();
        let done = done.map_err(|error| format!("cannot run nft: {error}"))?;
        if !done.status.success() {
            return Err(format!("nft {command}: {}", String::from_utf8_lossy(&done.stderr)));
        }
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }
}

/// An element of a set: an address, a port, and a counter.
fn call(element: &Value) -> Option<(SocketAddr, u64)> {
    let element = &element["elem"];
    let pair = &element["val"]["concat"];
    let address: IpAddr = pair[0].as_str()?.parse().ok()?;
    let port = u16::try_from(pair[1].as_u64()?).ok()?;
    Some((SocketAddr::from((address, port)), element["counter"]["packets"].as_u64()?))
}

/// The proxy is told from others by its user. What it opens is a first segment without an answer's
/// flag; a datagram is a call by itself, unless it answers one that came to the proxy's own port 53.
const RULES: &str = "add table inet watch
add set inet watch v4 { type ipv4_addr . inet_service; size 65535; flags dynamic; counter; }
add set inet watch v6 { type ipv6_addr . inet_service; size 65535; flags dynamic; counter; }
add chain inet watch out { type filter hook output priority 0; policy accept; }
add rule inet watch out skuid != 7269 accept
add rule inet watch out tcp flags & (syn | ack) == syn add @v4 { ip daddr . tcp dport counter }
add rule inet watch out tcp flags & (syn | ack) == syn add @v6 { ip6 daddr . tcp dport counter }
add rule inet watch out udp sport != 53 add @v4 { ip daddr . udp dport counter }
add rule inet watch out udp sport != 53 add @v6 { ip6 daddr . udp dport counter }
";
