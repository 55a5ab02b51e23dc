//! Channels: many pairs of domains on one connection.

use std::collections::HashSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use ligase_tests::peer::program;
use ligase_tests::xml::attribute;
use ligase_tests::{
    Capture, Host, Kind, Leaf, Ligase, OldServer, OrFail, Process, Proxy, Setup, World,
};
use serde_json::Value;

use crate::conversation::{chat, pour};
use crate::verona::{self, certificate, publish};

/// Two servers of a hundred domains each, all of which talk with all of the other's: one connection
/// carries them, by one certificate that names the server and none of them.
#[test]
fn ten_thousand_pairs_share_one_connection() {
    let mut world = World::new();
    let hosts = houses(&mut world, MANY, 7269);
    world.open();
    let mut sides = hosts.map(|(name, host)| Side::start(&world, name, &host));
    let pairs = MANY * MANY;

    // One side asks first, so that it is one connection; the other's pairs come in by it.
    for side in &mut sides {
        side.server.tell("open");
        let opened = side.hear("opened");
        println!("{}: {opened}", side.name);
        assert_eq!(opened["opened"], pairs);
        let seconds = opened["seconds"].as_f64().unwrap_or(f64::MAX);
        assert!(seconds < AUTHORIZED_WITHIN, "{seconds} s to authorize {pairs} pairs");
    }
    for side in &mut sides {
        side.server.tell("go");
    }
    for side in &mut sides {
        let arrived = side.hear("arrived");
        let (_, memory) = side.ligase.cost();
        println!("{}: {arrived}, {:.1} MiB resident", side.name, memory / f64::from(1 << 20));
        assert_eq!(arrived["arrived"], pairs);
        let public = public(&side.ligase);
        assert_eq!(public.len(), 1, "{public:?}");
        assert_eq!(public[0]["mode"], "server-name");
        assert_eq!(public[0]["bidi"], true);
        // Each pair both ways, seen from either end.
        assert_eq!(public[0]["pairs"], 2 * pairs);
    }
    assert_eq!(sockets(&sides[0].host, &sides[1].host), 1);
}

/// Debian's ejabberd and Prosody with twenty domains each, as their packages have them: what passes
/// between them takes one connection with proxies, and hundreds without.
#[test]
fn four_hundred_pairs_of_real_servers_share_one_connection() {
    let [with, without] = [true, false].map(|proxies| {
        let mut world = World::new();
        let houses = houses(&mut world, FEW, if proxies { 7269 } else { 5269 });
        world.open();
        let measured = exchange(&world, &houses, proxies);
        println!("{}: {measured:?}", if proxies { "with proxies" } else { "without" });
        measured
    });
    assert_eq!(with.connections, 1, "{with:?}");
    assert!(300 < without.connections, "{without:?}");
}

/// What it took to have everybody hear everybody.
#[derive(Debug)]
#[expect(dead_code, reason = "it is printed")]
struct Measured {
    /// TCP connections between the two hosts.
    connections: usize,
    /// Until all had heard from all, both ways.
    seconds: f64,
    /// What the servers and the proxies hold in memory, in MiB.
    servers: [f64; 2],
    proxies: [f64; 2],
}

#[expect(clippy::disallowed_methods, reason = "what is measured is the time it takes")]
fn exchange(world: &World, houses: &[(&'static str, Host); 2], proxies: bool) -> Measured {
    let kinds = [Kind::Ejabberd, Kind::Prosody];
    let built: Vec<_> = thread::scope(|scope| {
        let building = houses.iter().zip(kinds).map(|((name, host), kind)| {
            scope.spawn(move || {
                let ligase = proxies.then(|| proxy(world, name, host, FEW, |_| ()));
                let domains = domains_of(name, FEW);
                let domains: Vec<_> = domains.iter().map(String::as_str).collect();
                let own = match proxies {
                    // What it shows to its users need not be known to anybody else.
                    true => Leaf::of(&domains).self_signed(),
                    false => Leaf::of(&domains).signed_by(&world.authority),
                };
                let server = Setup::new(kind, host, &domains, &own).start();
                let people = domains.iter().map(|domain| {
                    server.register("friend", domain);
                    world.users().login(&format!("friend@{domain}"), host)
                });
                let people: Vec<_> = people.collect();
                (server, ligase, people)
            })
        });
        let building: Vec<_> = building.collect();
        building.into_iter().filter_map(|it| it.join().ok()).collect()
    });
    let [(_, _, ours), (_, _, theirs)] = &built[..] else {
        panic!("two houses were to be built");
    };
    let start = Instant::now();
    // One side speaks first, and the other answers: neither has to dial at the same moment.
    for (from, to) in [(ours, theirs), (theirs, ours)] {
        // One after the other: ejabberd gives up what takes it longer than half a minute.
        for sender in from {
            to.iter().for_each(|target| sender.say(&target.jid, &sender.jid));
            to.iter().for_each(|target| target.hear_within(&sender.full, &sender.jid, PATIENCE));
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let [(_, here), (_, there)] = houses;
    let servers = [here.resident("beam.smp"), there.resident("lua5.4")].map(mebibytes);
    let proxies = [here.resident("ligase"), there.resident("ligase")].map(mebibytes);
    Measured { connections: sockets(here, there), seconds, servers, proxies }
}

/// A domain is taken off a proxy while stanzas to it are on their way: each arrives, or its sender
/// hears that it did not; and when the domain is back, so is the way to it.
#[test]
fn what_is_on_its_way_when_a_right_ends_arrives_or_comes_back() {
    let mut world = World::new();
    let houses = houses(&mut world, 2, 7269);
    world.open();
    let [(_, here), (_, there)] = &houses;
    let [ours, mut theirs] =
        houses.each_ref().map(|(name, host)| proxy(&world, name, host, 2, |_| ()));
    let romeo = OldServer::start(here, "montague0.lab");
    let juliet = OldServer::start(there, "capulet0.lab");
    let (from, to) = ("romeo@montague0.lab", "juliet@capulet0.lab");
    romeo.say(from, to, "before");
    juliet.hear(from, to, "before");

    let send = |number: u32| {
        let body = format!("<body>{number}</body>");
        romeo.send(to, &format!("<message id='{number}' from='{from}' to='{to}'>{body}</message>"));
    };
    (1..=50).for_each(send);
    host_only(&mut theirs, "[capulet1.lab]");
    (51..=100).for_each(send);
    theirs.log().hear_after(0, "reason=host-removed", PATIENCE);
    // What is sent from now on can only come back.
    send(101);
    let is_bounce = |number: u32| {
        move |stanza: &str| {
            attribute(stanza, "type") == Some("error")
                && attribute(stanza, "id") == Some(&number.to_string())
        }
    };
    romeo.await_stanza("hear that the last came to nothing", PATIENCE, is_bounce(101));
    let (mut arrived, mut returned) = (0, 0);
    for number in 1..=100 {
        if romeo.inbox().iter().any(|it| is_bounce(number)(it)) {
            returned += 1;
        } else {
            juliet.hear(from, to, &number.to_string());
            arrived += 1;
        }
    }
    println!("{arrived} arrived, {returned} came back");
    let public_before = public(&ours);
    assert_eq!(public_before.len(), 1, "the connection was to stay: {public_before:?}");

    host_only(&mut theirs, "[capulet0.lab, capulet1.lab]");
    theirs.await_answer("/config", "capulet0.lab");
    romeo.say(from, to, "after");
    juliet.hear(from, to, "after");
    let public_after = public(&ours);
    assert_eq!(public_after[0]["id"], public_before[0]["id"], "by the same connection");
    assert_eq!(public_after.len(), 1);
}

/// Each proxy has dialed the other. Then the first of the two connections of a pair is broken while
/// stanzas are on it: the second carries on, and what was not confirmed comes back.
#[test]
fn when_the_first_connection_breaks_the_second_carries_on() {
    let mut world = World::new();
    let houses = houses(&mut world, 1, 7269);
    world.open();
    let [(_, here), (_, there)] = &houses;
    // The first connection is for one direction only, so that there will be a second.
    let [mut ours, theirs] = houses.each_ref().map(|(name, host)| {
        let adjust = |proxy: &mut Proxy| proxy.set("channels.bidi", "false");
        proxy(&world, name, host, 1, |proxy| {
            if *name == "montague" {
                adjust(proxy)
            }
        })
    });
    let romeo = OldServer::start(here, "montague0.lab");
    let juliet = OldServer::start(there, "capulet0.lab");
    let (from, to) = ("romeo@montague0.lab", "juliet@capulet0.lab");
    romeo.say(from, to, "hark");
    juliet.hear(from, to, "hark");
    ours.proxy().set("channels.bidi", "true");
    ours.proxy().write();
    ours.program().signal("HUP");
    ours.log().hear_after(0, "reloaded", PATIENCE);
    juliet.say(to, from, "who's there");
    romeo.hear(to, from, "who's there");
    assert_eq!(public(&ours).len(), 2, "both were to dial: {:?}", public(&ours));
    let ways = exits(&ours, "montague0.lab", "capulet0.lab");
    assert_eq!(ways.len(), 2, "one was to stand by: {}", ours.json("/bindings"));

    assert!(public(&ours).iter().all(|it| it["confirms"] == true), "{:?}", public(&ours));
    let send = |number: u32| {
        let body = format!("<body>{number}{}</body>", "o".repeat(1000));
        romeo.send(to, &format!("<message id='{number}' from='{from}' to='{to}'>{body}</message>"));
    };
    let arrived = |number: u32, stanza: &str| {
        let is_error = attribute(stanza, "type") == Some("error");
        attribute(stanza, "id") == Some(&number.to_string()) && !is_error
    };
    thread::scope(|scope| {
        scope.spawn(|| (1..=2000).for_each(send));
        juliet.await_stanza("hear the first", PATIENCE, |stanza| arrived(1, stanza));
        break_off(&ours, ways[0], here);
    });
    let numbers = |stanzas: &[String]| -> Vec<u32> {
        let numbers = stanzas.iter().filter_map(|it| attribute(it, "id")?.parse().ok());
        numbers.collect()
    };
    // Each is with one of the two before long.
    let lost = || -> Vec<u32> {
        let known = [numbers(&juliet.inbox()), numbers(&romeo.inbox())].concat();
        let known: HashSet<_> = known.into_iter().collect();
        (2..=2000).filter(|it| !known.contains(it)).collect()
    };
    // What nobody confirmed may have arrived all the same, and late; what has not come back is in
    // order.
    let ordered = || {
        let returned: HashSet<_> = numbers(&romeo.inbox()).into_iter().collect();
        let heard = numbers(&juliet.inbox()).into_iter().filter(|it| !returned.contains(it));
        heard.is_sorted()
    };
    let is_settled = || lost().is_empty() && ordered();
    let glances = PATIENCE.as_millis() / GLANCE.as_millis();
    let settled = (0..glances).any(|_| is_settled() || juliet.await_inbox(GLANCE, |_| false));
    assert!(settled, "lost: {:?}, out of order: {:?}", lost(), numbers(&juliet.inbox()));
    let heard = numbers(&juliet.inbox());
    println!("{} arrived, {} came back", heard.len() + 1, numbers(&romeo.inbox()).len());
    let once: HashSet<_> = heard.iter().collect();
    assert_eq!(once.len(), heard.len(), "some arrived twice");
    let again = exits(&ours, "montague0.lab", "capulet0.lab");
    assert_eq!(again, ways[1..], "by the one that stood by");
    drop(theirs);
}

/// The connections by which a pair leaves, in the order in which they are used.
fn exits(ligase: &Ligase, local: &str, remote: &str) -> Vec<u64> {
    let bindings = ligase.json("/bindings");
    let all = bindings.as_array().into_iter().flatten();
    let pair = all.filter(|it| it["local"] == local && it["remote"] == remote);
    let connections = pair.flat_map(|it| it["connections"].as_array().into_iter().flatten());
    let sending = connections.filter(|it| it["send"] == true);
    sending.filter_map(|it| it["id"].as_u64()).collect()
}

/// Has the kernel break a public connection off.
fn break_off(ligase: &Ligase, id: u64, host: &Host) {
    let connections = public(ligase);
    let connection = connections.iter().find(|it| it["id"] == id).or_fail("find the connection");
    let peer = connection["peer_address"].as_str().unwrap_or_default();
    let port = peer.rsplit(':').next().unwrap_or_default();
    host.run("ss", &["-K", "-Htn", "state", "established", "dport", "=", port]);
}

/// Prosody with its module for both directions, whoever of the two dials.
#[test]
fn a_peer_that_knows_both_directions_needs_one_connection() {
    let mut world = World::new();
    let montague = world.host("montague");
    publish(&mut world, "montague0.lab", &montague, 7269);
    let peers = ["escalus.lab", "paris.lab"].map(|domain| {
        let host = world.host(domain.trim_end_matches(".lab"));
        publish(&mut world, domain, &host, 5269);
        (domain, host)
    });
    world.open();
    let certificate = certificate(&world, "montague0.lab");
    let domains = ["montague0.lab".to_owned()];
    let ligase = Proxy::new(&world, &montague, Capture::Dns, &domains, &certificate).start();
    let own = Leaf::of(&["montague0.lab"]).self_signed();
    let server = Setup::new(Kind::Ejabberd, &montague, &["montague0.lab"], &own).start();
    server.register("romeo", "montague0.lab");
    let romeo = world.users().login("romeo@montague0.lab", &montague);
    for ((domain, host), dials) in peers.iter().zip([true, false]) {
        let theirs = verona::certificate(&world, domain);
        let prosody = Setup::new(Kind::Prosody, host, &[domain], &theirs).with_bidi().start();
        prosody.register("somebody", domain);
        let somebody = world.users().login(&format!("somebody@{domain}"), host);
        let (first, second) = if dials { (&romeo, &somebody) } else { (&somebody, &romeo) };
        chat(first, second);
        chat(second, first);
        pour(&server, &romeo, &somebody);
        pour(&prosody, &somebody, &romeo);
        assert_eq!(sockets(&montague, host), 1, "{domain}: {:?}", public(&ligase));
        let connection = public(&ligase).into_iter().next_back().or_fail("find the connection");
        assert_eq!(connection["bidi"], true, "{connection:#}");
        let direction = if dials { "outbound" } else { "inbound" };
        assert_eq!(connection["direction"], direction, "{connection:#}");
        assert_eq!(connection["confirms"], true, "{connection:#}");
        drop(prosody);
    }
}

/// A provider's list of ten thousand domains, by one certificate: tenants come and go by a reload,
/// and nobody else notices.
#[test]
fn ten_thousand_domains_are_hosted_and_tenants_come_and_go() {
    let mut world = World::new();
    let houses = houses(&mut world, 2, 7269);
    world.open();
    let [(_, here), (_, there)] = &houses;
    let list = here.folder("hosts").join("hosts.txt");
    let write = |tenants: &[&str]| {
        let others = (0..TENANTS).map(|it| format!("tenant{it}.lab"));
        let all: Vec<_> = tenants.iter().map(|&it| it.to_owned()).chain(others).collect();
        fs::write(&list, all.join("\n")).or_fail("write the list of tenants");
    };
    write(&["montague0.lab"]);
    let file = format!("{{file: {}}}", list.display());
    let [mut ours, _theirs] = houses.each_ref().map(|(name, host)| {
        proxy(&world, name, host, 2, |proxy| {
            if *name == "montague" {
                proxy.set("hosts", &file);
            }
        })
    });
    let romeo = OldServer::start(here, "montague0.lab");
    let juliet = OldServer::start(there, "capulet0.lab");
    let (from, to) = ("romeo@montague0.lab", "juliet@capulet0.lab");
    romeo.say(from, to, "before");
    juliet.hear(from, to, "before");
    let connection = public(&ours)[0]["id"].clone();

    // Nobody serves the second yet, so nobody reaches it.
    let stranger = "nurse@montague1.lab";
    let bounce = format!("<message id='1' from='{to}' to='{stranger}'><body>who?</body></message>");
    let refused = catch_unwind(AssertUnwindSafe(|| juliet.send(stranger, &bounce)));
    assert!(refused.is_err(), "a domain that is not hosted took a stream");

    let mut since = 0;
    for tenants in [&["montague0.lab", "montague1.lab"][..], &["montague0.lab"][..]] {
        write(tenants);
        ours.program().signal("HUP");
        (since, _) = ours.log().hear_after(since, "reloaded", PATIENCE);
        romeo.say(from, to, &format!("with {}", tenants.len()));
        juliet.hear(from, to, &format!("with {}", tenants.len()));
        assert_eq!(public(&ours)[0]["id"], connection, "the others noticed");
    }
    let (_, memory) = ours.cost();
    println!("{TENANTS} domains hosted, {:.1} MiB resident", memory / f64::from(1 << 20));
}

fn host_only(ligase: &mut Ligase, hosts: &str) {
    ligase.proxy().set("hosts", hosts);
    ligase.proxy().write();
    ligase.program().signal("HUP");
}

/// A scripted server behind a proxy.
struct Side {
    name: &'static str,
    host: Host,
    ligase: Ligase,
    server: Process,
    heard: usize,
}

impl Side {
    fn start(world: &World, name: &'static str, host: &Host) -> Self {
        let ligase = proxy(world, name, host, MANY, |proxy| {
            proxy.set("backend.share_streams", "true");
            proxy.set("log.level", "warn");
        });
        let other = if name == "montague" { "capulet" } else { "montague" };
        let mut command = host.command(&program("ligase-peer"));
        command.args(["channel", name, other, &MANY.to_string()]);
        let server = Process::start(&format!("server of {name}"), command);
        let (heard, _) = server.hear_after(0, "ready", PATIENCE);
        Self { name, host: host.clone(), ligase, server, heard }
    }

    fn hear(&mut self, key: &str) -> Value {
        let (heard, line) = self.server.hear_after(self.heard, key, PATIENCE);
        self.heard = heard;
        serde_json::from_str(&line).or_fail("read what the server says")
    }
}

/// Two hosts, and that many domains delegated to each by signed records.
fn houses(world: &mut World, domains: u32, port: u16) -> [(&'static str, Host); 2] {
    ["montague", "capulet"].map(|name| {
        let host = world.host(name);
        let target = format!("xmpp.{name}.lab");
        for domain in domains_of(name, domains) {
            world.zone.server(&domain, port, &target);
        }
        world.zone.address(&target, &host);
        (name, host)
    })
}

/// A proxy whose only certificate names its server.
fn proxy(
    world: &World,
    name: &str,
    host: &Host,
    domains: u32,
    adjust: impl Fn(&mut Proxy),
) -> Ligase {
    let server_name = format!("xmpp.{name}.lab");
    let certificate = Leaf::of(&[&server_name]).signed_by(&world.authority);
    let domains = domains_of(name, domains);
    let mut proxy = Proxy::new(world, host, Capture::Dns, &domains, &certificate);
    proxy.set("server_name", &server_name);
    adjust(&mut proxy);
    proxy.start()
}

/// The public connections, as the proxy tells of them.
fn public(ligase: &Ligase) -> Vec<Value> {
    let all = ligase.json("/connections");
    let all = all.as_array().into_iter().flatten();
    all.filter(|it| it["side"] == "public").cloned().collect()
}

/// The TCP connections between two hosts, as the kernel of the first counts them.
fn sockets(here: &Host, there: &Host) -> usize {
    let said = here.run("ss", &["-Htn", "state", "established"]);
    let (v4, v6) = (format!("{}:", there.v4), format!("[{}]:", there.v6));
    let mapped = format!("[::ffff:{}]:", there.v4);
    let leads = |line: &&str| {
        let peer = line.split_whitespace().nth(3).unwrap_or_default();
        [&v4, &v6, &mapped].into_iter().any(|it| peer.starts_with(it.as_str()))
    };
    said.lines().filter(leads).count()
}

fn domains_of(name: &str, count: u32) -> Vec<String> {
    (0..count).map(|it| format!("{name}{it}.lab")).collect()
}

/// Between two looks at what has come.
const GLANCE: Duration = Duration::from_millis(100);

/// Domains that are hosted besides those that speak.
const TENANTS: u32 = 10_000;

/// Domains on either side, of scripted servers and of real ones.
const MANY: u32 = 100;
const FEW: u32 = 20;

/// How long it may take to authorize all pairs of them, in seconds.
const AUTHORIZED_WITHIN: f64 = 10.0;

/// The tests run a program that is not built for speed, beside others.
const PATIENCE: Duration = Duration::from_secs(120);
