//! Load: many pairs at once through two proxies.

use std::time::Duration;

use ligase_tests::peer::program;
use ligase_tests::{Capture, Host, Leaf, Ligase, OrFail, Process, Proxy, World};
use serde_json::Value;

/// A hundred pairs share what is between two proxies; everything arrives, in the order of its
/// pair, and what it cost is printed.
#[test]
fn a_hundred_pairs_share_a_channel_and_lose_nothing() {
    let mut world = World::new();
    let hosts = ["montague", "capulet"].map(|name| {
        let host = world.host(name);
        let target = format!("xmpp.{name}.lab");
        for domain in domains_of(name) {
            world.zone.server(&domain, 7269, &target);
        }
        world.zone.address(&target, &host);
        (name, host)
    });
    world.open();
    let mut sides = hosts.map(|(name, host)| Side::start(&world, name, &host));

    let orders = ["open", "go"];
    let [opened, arrived] = orders.map(|order| {
        for side in &mut sides {
            side.load.tell(order);
        }
        let key = if order == "open" { "opened" } else { "arrived" };
        sides.each_mut().map(|side| side.hear(key))
    });
    for (side, (opened, arrived)) in sides.iter().zip(opened.iter().zip(&arrived)) {
        println!("{}: opened {opened}, then {arrived}", side.name);
        assert_eq!(arrived["arrived"], PAIRS * COUNT);
        assert_eq!(arrived["pairs"], PAIRS);
        assert_eq!(arrived["disordered"], 0);
        side.audit();
    }
}

struct Side {
    name: &'static str,
    ligase: Ligase,
    load: Process,
    heard: usize,
    /// Processor time used before the load.
    before: f64,
}

impl Side {
    fn start(world: &World, name: &'static str, host: &Host) -> Self {
        let domains = domains_of(name);
        let names = [vec![format!("xmpp.{name}.lab")], domains.clone()].concat();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let certificate = Leaf::of(&names).signed_by(&world.authority);
        let mut proxy = Proxy::new(world, host, Capture::Dns, &domains, &certificate);
        proxy.set("server_name", &format!("xmpp.{name}.lab"));
        let ligase = proxy.start();
        let other = if name == "montague" { "capulet" } else { "montague" };
        let mut command = host.command(&program("ligase-peer"));
        command.args(["load", name, other, &DOMAINS.to_string(), &COUNT.to_string()]);
        let load = Process::start(&format!("load of {name}"), command);
        let (heard, _) = load.hear_after(0, "ready", PATIENCE);
        let (before, _) = ligase.cost();
        Self { name, ligase, load, heard, before }
    }

    fn hear(&mut self, key: &str) -> Value {
        let (heard, line) = self.load.hear_after(self.heard, key, PATIENCE);
        self.heard = heard;
        serde_json::from_str(&line).or_fail("read what the load says")
    }

    /// What it cost, and by how many connections.
    fn audit(&self) {
        let (after, memory) = self.ligase.cost();
        let stanzas = f64::from(2 * PAIRS * COUNT);
        let each = (after - self.before) / stanzas * 1e6;
        let mebibytes = memory / f64::from(1 << 20);
        println!("{}: {each:.1} µs of CPU a stanza, {mebibytes:.1} MiB resident", self.name);
        let connections = self.ligase.metric("ligase_connections_active", &["side=\"public\""]);
        println!("{}: {connections} public connections for {PAIRS} pairs", self.name);
        // One in each direction, or one in both (N-01).
        assert!((1.0..=2.0).contains(&connections), "{connections} public connections");
        assert!(mebibytes < MEMORY_MAX, "{mebibytes} MiB");
    }
}

fn domains_of(name: &str) -> Vec<String> {
    (0..DOMAINS).map(|it| format!("{name}{it}.lab")).collect()
}

/// Domains on either side; every one of them talks with every one of the other's.
const DOMAINS: u32 = 10;
const PAIRS: u32 = DOMAINS * DOMAINS;

/// Stanzas of each pair each way.
const COUNT: u32 = 1000;

/// Under half of what a sidecar of a pod is commonly given.
const MEMORY_MAX: f64 = 120.0;

/// The tests run a program that is not built for speed, beside others.
const PATIENCE: Duration = Duration::from_secs(120);
