//! The packet filter's rules, as text and as nothing else.

use std::fmt;

/// What is captured, and where it is turned to.
///
/// The same rules hold for IPv4 and IPv6, in this order, because the order is their meaning:
///
/// 1. What we send ourselves is never captured: we are the way out. Nor is what a resolver on this
///    machine sends that we ask: its questions would come back to us, and so to it, without end.
/// 2. All DNS queries come to our responder, those to a resolver on loopback included.
/// 3. Nothing else within this machine is captured: that is how we reach the backend.
/// 4. Connections to the ports of peers come to our backend listener.
/// 5. All other TCP connections pass, and are counted: were one of them to a peer, it went by us.
/// 6. Connections from the network to the ports of peers come to our federation listener, although
///    the backend listens on them; unless they only pass through this machine, and are somebody
///    else's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rules {
    /// The user that we run as, and nobody else does.
    pub uid: u32,
    /// The user that the resolver on this machine runs as which we ask, if we ask one.
    pub resolver_uid: Option<u32>,
    /// The ports that servers listen on for their peers.
    pub peers: Vec<u16>,
    /// Our listener for peers.
    pub federation: u16,
    /// Our listener for the backend, on loopback.
    pub backend: u16,
    /// Our DNS responder, on loopback.
    pub dns: u16,
}

/// What a rule catches, and so what it counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Caught {
    /// Whatever this user sends, who is us or the resolver that we ask.
    Spared(u32),
    /// DNS queries over this protocol, turned to this port.
    Dns(&'static str, u16),
    /// Whatever stays within this machine.
    Within,
    /// Connections from this machine to the first port, turned to the second.
    Out(u16, u16),
    /// All other TCP connections from this machine.
    Uncaptured,
    /// What only passes through this machine.
    Through,
    /// What came from this machine itself.
    Back,
    /// Connections from elsewhere to the first port, turned to the second.
    In(u16, u16),
}

/// One rule, in the words of both programs.
pub(super) struct Rule {
    pub(super) caught: Caught,
    /// `counter` stands where its counter is.
    pub(super) nft: String,
    pub(super) iptables: String,
}

impl Rules {
    /// One transaction for `nft -f -`, which puts these rules in place of any that were ours
    /// before: deleting a table that has just been added cannot fail.
    pub fn nft(&self) -> String {
        format!("{NFT_REMOVE}{}", self.nft_table())
    }

    /// The table as `nft` lists it, but for what has been counted.
    pub(super) fn nft_table(&self) -> String {
        let chains: Vec<_> = self.chains().iter().map(|(chain, rules)| chain.nft(rules)).collect();
        format!("table inet ligase {{\n{}}}\n", chains.join("\n"))
    }

    /// Input for `iptables-restore --noflush` and `ip6tables-restore --noflush`, which replaces
    /// our two chains and touches no others. It makes all our rules count from their first packet
    /// on, at once or not at all. `led` names those of our chains that are led to already.
    pub(super) fn iptables(&self, led: &[&Chain]) -> String {
        let mut lines = vec!["*nat".to_owned()];
        lines.extend(CHAINS.iter().map(|chain| format!(":{} - [0:0]", chain.ours)));
        lines.extend(self.iptables_rules());
        for chain in &CHAINS {
            let Chain { base, ours, .. } = chain;
            if led.contains(&chain) {
                lines.push(format!("-D {base} -j {ours}"));
            }
            // Before all others: what they do to a connection first, we cannot undo.
            lines.push(format!("-I {base} 1 -j {ours}"));
        }
        lines.push("COMMIT\n".to_owned());
        lines.join("\n")
    }

    /// The rules in our two chains, as `iptables -S` lists them.
    pub(super) fn iptables_rules(&self) -> Vec<String> {
        let chains = self.chains();
        let all = chains.iter().flat_map(|(chain, rules)| {
            rules.iter().map(|rule| format!("-A {} {}", chain.ours, rule.iptables))
        });
        all.collect()
    }

    /// What each rule catches, in their order.
    pub fn caught(&self) -> Vec<Caught> {
        self.chains().iter().flat_map(|(_, rules)| rules.iter().map(|rule| rule.caught)).collect()
    }

    fn chains(&self) -> [(&'static Chain, Vec<Rule>); 2] {
        let mut output = vec![spared(self.uid)];
        output.extend(self.resolver_uid.map(spared));
        for protocol in ["udp", "tcp"] {
            output.push(redirect(Caught::Dns(protocol, self.dns), protocol, DNS, self.dns));
        }
        output.push(left(Caught::Within, "oifname \"lo\"", "-o lo"));
        let peers = self.peers.iter().copied();
        output.extend(
            { peers }
                .map(|port| redirect(Caught::Out(port, self.backend), "tcp", port, self.backend)),
        );
        output.push(Rule {
            caught: Caught::Uncaptured,
            // By its number: a name is listed only where there is a file of them.
            nft: "meta l4proto 6 counter".to_owned(),
            iptables: "-p tcp".to_owned(),
        });
        let mut prerouting = vec![
            left(Caught::Through, "fib daddr type != local", "-m addrtype ! --dst-type LOCAL"),
            left(Caught::Back, "iifname \"lo\"", "-i lo"),
        ];
        let peers = self.peers.iter().copied();
        prerouting.extend(
            { peers }.map(|port| {
                redirect(Caught::In(port, self.federation), "tcp", port, self.federation)
            }),
        );
        [(&CHAINS[0], output), (&CHAINS[1], prerouting)]
    }
}

fn spared(uid: u32) -> Rule {
    let iptables = format!("-m owner --uid-owner {uid}");
    left(Caught::Spared(uid), &format!("meta skuid {uid}"), &iptables)
}

/// What this matches is left alone by all rules after this one.
fn left(caught: Caught, nft: &str, iptables: &str) -> Rule {
    let (nft, iptables) = (format!("{nft} counter return"), format!("{iptables} -j RETURN"));
    Rule { caught, nft, iptables }
}

fn redirect(caught: Caught, protocol: &str, port: u16, to: u16) -> Rule {
    Rule {
        caught,
        nft: format!("{protocol} dport {port} counter redirect to :{to}"),
        iptables: format!("-p {protocol} -m {protocol} --dport {port} -j REDIRECT --to-ports {to}"),
    }
}

/// A chain of ours, and where it stands.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Chain {
    /// The hook that it stands at, and so what it is called in our table for `nft`.
    hook: &'static str,
    /// The chain of iptables that leads to ours.
    pub(super) base: &'static str,
    /// What ours is called there.
    pub(super) ours: &'static str,
}

impl Chain {
    /// It stands just before those of others that translate addresses: what they do to a
    /// connection first, we cannot undo.
    fn nft(&self, rules: &[Rule]) -> String {
        let hook = self.hook;
        let head = format!("type nat hook {hook} priority {PRIORITY}; policy accept;");
        let rules: String = rules.iter().map(|rule| format!("\t\t{}\n", rule.nft)).collect();
        format!("\tchain {hook} {{\n\t\t{head}\n{rules}\t}}\n")
    }
}

impl fmt::Display for Caught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spared(uid) => write!(f, "sent by user {uid}: left alone"),
            Self::Dns("udp", to) => write!(f, "DNS queries by UDP: turned to port {to}"),
            Self::Dns(_, to) => write!(f, "DNS queries by TCP: turned to port {to}"),
            Self::Within => write!(f, "within this machine: left alone"),
            Self::Out(port, to) => write!(f, "out to port {port}: turned to port {to}"),
            Self::Uncaptured => write!(f, "other TCP connections that left uncaptured"),
            Self::Through => write!(f, "through this machine: left alone"),
            Self::Back => write!(f, "from this machine to itself: left alone"),
            Self::In(port, to) => write!(f, "in to port {port}: turned to port {to}"),
        }
    }
}

/// Input for `nft -f -` that removes what [`Rules::nft`] added, if it did.
pub const NFT_REMOVE: &str = "add table inet ligase\ndelete table inet ligase\n";

/// For what is sent from here, and for what comes.
pub(super) const CHAINS: [Chain; 2] = [
    Chain { hook: "output", base: "OUTPUT", ours: "LIGASE_OUTPUT" },
    Chain { hook: "prerouting", base: "PREROUTING", ours: "LIGASE_PREROUTING" },
];

/// One before `dstnat`.
const PRIORITY: i32 = -101;

const DNS: u16 = 53;

#[cfg(test)]
mod tests;
