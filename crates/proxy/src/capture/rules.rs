//! The packet filter's rules, as text and as nothing else.

/// What is captured, and where it is turned to.
///
/// The same rules hold for IPv4 and IPv6, in this order, because the order is their meaning:
///
/// 1. What we send ourselves is never captured: we are the way out.
/// 2. All DNS queries come to our responder, those to a resolver on loopback included.
/// 3. Nothing else on loopback is captured: that is how we reach the backend.
/// 4. Connections to the ports of peers come to our backend listener.
/// 5. Connections from the network to those ports come to our federation listener, although the
///    backend listens on them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rules {
    /// The user that we run as, and nobody else does.
    pub uid: u32,
    /// The ports that servers listen on for their peers.
    pub peers: Vec<u16>,
    /// Our listener for peers.
    pub federation: u16,
    /// Our listener for the backend, on loopback.
    pub backend: u16,
    /// Our DNS responder, on loopback.
    pub dns: u16,
}

impl Rules {
    /// One transaction for `nft -f -`, which puts these rules in place of any that were ours
    /// before: deleting a table that has just been added cannot fail.
    pub fn nft(&self) -> String {
        let mut output = vec![format!("meta skuid {} return", self.uid)];
        for protocol in ["udp", "tcp"] {
            output.push(format!("{protocol} dport {DNS} redirect to :{}", self.dns));
        }
        output.push("oifname \"lo\" return".to_owned());
        output.extend(self.nft_peers(self.backend));
        let mut prerouting = vec!["iifname \"lo\" return".to_owned()];
        prerouting.extend(self.nft_peers(self.federation));
        format!(
            "{NFT_REMOVE}table inet ligase {{\n{}{}}}\n",
            nft_chain("output", &output),
            nft_chain("prerouting", &prerouting),
        )
    }

    /// Input for `iptables-restore --noflush` and `ip6tables-restore --noflush`, which replaces
    /// our two chains and touches no others. Nothing leads to them yet.
    pub fn iptables(&self) -> String {
        let mut lines = vec![
            "*nat".to_owned(),
            format!(":{OUTPUT} - [0:0]"),
            format!(":{PREROUTING} - [0:0]"),
            format!("-A {OUTPUT} -m owner --uid-owner {} -j RETURN", self.uid),
        ];
        for protocol in ["udp", "tcp"] {
            lines.push(iptables_redirect(OUTPUT, protocol, DNS, self.dns));
        }
        lines.push(format!("-A {OUTPUT} -o lo -j RETURN"));
        let peers = self.peers.iter();
        lines.extend(peers.map(|port| iptables_redirect(OUTPUT, "tcp", *port, self.backend)));
        lines.push(format!("-A {PREROUTING} -i lo -j RETURN"));
        let peers = self.peers.iter();
        lines
            .extend(peers.map(|port| iptables_redirect(PREROUTING, "tcp", *port, self.federation)));
        lines.push("COMMIT\n".to_owned());
        lines.join("\n")
    }

    fn nft_peers(&self, to: u16) -> impl Iterator<Item = String> {
        let peers = self.peers.iter();
        peers.map(move |port| format!("tcp dport {port} redirect to :{to}"))
    }
}

/// A chain of ours that stands just before those of others that translate addresses: what they do
/// to a connection first, we cannot undo.
fn nft_chain(hook: &str, rules: &[String]) -> String {
    let mut text = format!(
        "\tchain {hook} {{\n\t\ttype nat hook {hook} priority {PRIORITY}; policy accept;\n"
    );
    for rule in rules {
        text.push_str(&format!("\t\t{rule}\n"));
    }
    text.push_str("\t}\n");
    text
}

fn iptables_redirect(chain: &str, protocol: &str, port: u16, to: u16) -> String {
    format!("-A {chain} -p {protocol} -m {protocol} --dport {port} -j REDIRECT --to-ports {to}")
}

/// Input for `nft -f -` that removes what [`Rules::nft`] added, if it did.
pub const NFT_REMOVE: &str = "add table inet ligase\ndelete table inet ligase\n";

/// Our chains for iptables, by the chain that leads to each.
pub(super) const OUTPUT: &str = "LIGASE_OUTPUT";
pub(super) const PREROUTING: &str = "LIGASE_PREROUTING";

/// One before `dstnat`.
const PRIORITY: i32 = -101;

const DNS: u16 = 53;

#[cfg(test)]
mod tests;
