//! Calls: whom the proxy connects to, or asks, as the packet filter of its machine sees it.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::process::Stdio;

use serde_json::Value;

use crate::lab::Lab;

impl Lab {
    /// Has the packet filter note every connection that the proxy opens, and every datagram.
    pub(crate) fn watch_calls(&self) -> Result<(), String> {
        self.filter(RULES).map(drop)
    }

    /// Whom it has called since the last time, by address and port.
    pub(crate) fn calls(&self) -> Result<BTreeSet<SocketAddr>, String> {
        let listed = self.filter(
            "list set inet watch v4\nlist set inet watch v6\n\
             flush set inet watch v4\nflush set inet watch v6\n",
        )?;
        let mut calls = BTreeSet::new();
        for line in listed.lines().filter(|it| !it.trim().is_empty()) {
            let told: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
            let sets = told["nftables"].as_array().into_iter().flatten();
            for element in sets.flat_map(|it| it["set"]["elem"].as_array().into_iter().flatten()) {
                let pair = &element["concat"];
                let address: Option<IpAddr> = pair[0].as_str().and_then(|it| it.parse().ok());
                let port = pair[1].as_u64().and_then(|it| u16::try_from(it).ok());
                match (address, port) {
                    (Some(address), Some(port)) => calls.insert(SocketAddr::from((address, port))),
                    _ => return Err(format!("the packet filter says {element}")),
                };
            }
        }
        Ok(calls)
    }

    fn filter(&self, commands: &str) -> Result<String, String> {
        let mut nft = self.ligase.host().command("nft");
        nft.args(["--json", "--numeric", "--file", "-"]);
        nft.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let told = |error: std::io::Error| format!("cannot run nft: {error}");
        let mut nft = nft.spawn().map_err(told)?;
        let mut stdin = nft.stdin.take().ok_or("cannot speak to nft")?;
        stdin.write_all(commands.as_bytes()).map_err(told)?;
        drop(stdin);
        let done = nft.wait_with_output().map_err(told)?;
        if !done.status.success() {
            return Err(format!("nft: {}", String::from_utf8_lossy(&done.stderr)));
        }
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }
}

/// The proxy is told from others by its user. What it opens is a first segment without an answer's
/// flag; a datagram is a call by itself, unless it answers one that came to the proxy's own port 53.
const RULES: &str = "add table inet watch
add set inet watch v4 { type ipv4_addr . inet_service; size 65535; flags dynamic; }
add set inet watch v6 { type ipv6_addr . inet_service; size 65535; flags dynamic; }
add chain inet watch out { type filter hook output priority 0; policy accept; }
add rule inet watch out skuid != 7269 accept
add rule inet watch out tcp flags & (syn | ack) == syn add @v4 { ip daddr . tcp dport }
add rule inet watch out tcp flags & (syn | ack) == syn add @v6 { ip6 daddr . tcp dport }
add rule inet watch out udp sport != 53 add @v4 { ip daddr . udp dport }
add rule inet watch out udp sport != 53 add @v6 { ip6 daddr . udp dport }
";
