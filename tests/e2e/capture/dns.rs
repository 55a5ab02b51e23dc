//! `capture: dns` as in a pod: its resolver is the proxy, behind which is that of a cluster.

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use std::thread;

use ligase_tests::{Capture, Host, Kind, Manner, OrFail, Proxy, World};

use crate::conversation::chat;
use crate::verona::{Plan, certificate, domains_of, names_of, proofs};

/// Where the pod looks for names that have fewer than five dots.
const SEARCHES: &str = "search chat.svc.cluster.local svc.cluster.local cluster.local\n\
                        options ndots:5\n";

/// A cluster with a database, some names of every kind outside, and a pod.
fn pod(world: &mut World) -> Host {
    let host = world.host("montague");
    let zone = &mut world.zone;
    zone.record("postgres.chat.svc.cluster.local", "A", "198.18.0.99");
    zone.record("postgres.chat.svc.cluster.local", "AAAA", "fd77::99");
    zone.record("elsewhere.other.svc.cluster.local", "A", "198.18.0.98");
    let port = "0 0 5432 postgres.chat.svc.cluster.local.";
    zone.record("_postgresql._tcp.postgres.chat.svc.cluster.local", "SRV", port);
    zone.record("six.capulet.lab", "AAAA", "2001:db8::6");
    zone.record("one.capulet.lab", "CNAME", "two.capulet.lab.");
    zone.record("two.capulet.lab", "CNAME", "three.capulet.lab.");
    zone.record("three.capulet.lab", "A", "198.51.100.3");
    zone.record("strange.capulet.lab", "TYPE65280", r"\# 4 DEADBEEF");
    zone.record("_5269._tcp.xmpp.capulet.lab", "TLSA", &format!("3 1 1 {}", "ab".repeat(32)));
    zone.record("_xmpp-client._tcp.capulet.lab", "SRV", "0 5 5222 xmpp.capulet.lab.");
    for number in 0..60 {
        let text = format!("\"wherefore art thou, Romeo? {number:03}\"");
        zone.record("long.capulet.lab", "TXT", &text);
    }
    // Peers at any port, by either service, and one below a search suffix of the pod.
    for (domain, port) in [("capulet.lab", 5269), ("padua.lab", 443), ("xmpp.verona.local", 1)] {
        zone.server(domain, port, "xmpp.capulet.lab");
        zone.direct_server(domain, port, "xmpp.capulet.lab");
    }
    zone.server("tybalt.other.svc.cluster.local", 5269, "elsewhere.other.svc.cluster.local");
    host
}

/// Everything but where peers are is as if the proxy were not there, by any way of asking.
#[test]
fn a_pod_finds_its_cluster_and_its_peers() {
    for own in ["127.0.0.1", "::1"] {
        let own: IpAddr = own.parse().or_fail("read an address");
        let mut world = World::new();
        let host = pod(&mut world);
        world.open();
        let hub: IpAddr = match own {
            IpAddr::V4(_) => world.hub.v4.into(),
            IpAddr::V6(_) => world.hub.v6.into(),
        };
        let certificate = certificate(&world, "montague.lab");
        let names = names_of("montague.lab");
        let mut proxy = Proxy::new(&world, &host, Capture::Dns, &names, &certificate);
        inside(&mut proxy, own, hub);
        let _ligase = proxy.start();
        let mut resolv_conf = String::new();
        // Writing into a String cannot fail.
        let _ = write!(resolv_conf, "nameserver {own}\n{SEARCHES}");
        fs::write(host.etc("resolv.conf"), resolv_conf).or_fail("write resolv.conf");

        passes_unchanged(&host, own, hub);
        steers(&host, own);
        resolves(&host);
    }
}

/// Whatever the backend asks about is answered word for word as the cluster's DNS does.
fn passes_unchanged(host: &Host, own: IpAddr, hub: IpAddr) {
    let questions = [
        "postgres.chat.svc.cluster.local A",
        "postgres.chat.svc.cluster.local AAAA",
        "_postgresql._tcp.postgres.chat.svc.cluster.local SRV",
        "six.capulet.lab A",
        "six.capulet.lab AAAA",
        "one.capulet.lab A",
        "one.capulet.lab AAAA",
        "strange.capulet.lab TYPE65280",
        "_5269._tcp.xmpp.capulet.lab TLSA",
        "_xmpp-client._tcp.capulet.lab SRV",
        "nobody.capulet.lab A",
        "capulet.lab.chat.svc.cluster.local A",
        "long.capulet.lab TXT",
        ". DNSKEY",
        ". SOA",
    ];
    let manners = [
        "+noedns +ignore",
        "+edns=0 +bufsize=512 +ignore",
        "+edns=0 +bufsize=4096 +ignore",
        "+dnssec +bufsize=1232",
        "+tcp +noedns",
        "+tcp +dnssec",
        "",
    ];
    let mut file = String::new();
    for question in questions {
        for manner in manners {
            // Writing into a String cannot fail.
            let _ = writeln!(file, "{question} {manner} {ALL}");
        }
    }
    let path = host.folder("dig").join("questions");
    fs::write(&path, file).or_fail("write questions");
    let path = path.display().to_string();
    let [ours, theirs] =
        [own, hub].map(|server| answers(&host.run("dig", &[&format!("@{server}"), "-f", &path])));
    assert_eq!(ours.len(), theirs.len());
    let all = questions.len() * manners.len();
    assert!(all <= theirs.len(), "{} of {all} were answered", theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs);
    }
}

/// What `dig` prints, answer by answer, in an order that does not change.
fn answers(said: &str) -> Vec<Vec<String>> {
    let mut answers = vec![Vec::new()];
    for line in said.lines().filter_map(told) {
        if line.starts_with(";; ->>") {
            answers.push(Vec::new());
        }
        answers.last_mut().or_fail("find an answer").push(line);
    }
    for answer in &mut answers {
        // Which records of many are left when an answer is cut, is another each time.
        if answer.iter().any(|it| it.starts_with(";; flags:") && it.contains(" tc ")) {
            answer.retain(|it| it.starts_with(";; ->>"));
            answer.push("truncated".to_owned());
        }
        answer.sort();
    }
    answers
}

/// How `dig` is to ask and to print.
const ALL: &str = "+tries=2 +time=5 +nocookie +nostats +nocmd +noquestion";

/// What is worth comparing of a line: no numbers, and what they mean as one blank.
fn told(line: &str) -> Option<String> {
    let line = line.split(", id:").next().unwrap_or_default();
    let words: Vec<_> = line.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Every peer is here, at whichever port it is, and none by direct TLS.
fn steers(host: &Host, own: IpAddr) {
    let peers = [
        "capulet.lab",
        "padua.lab",
        "xmpp.verona.local",
        "tybalt.other.svc.cluster.local",
        "nobody.lab",
        // What a resolver makes of a name before it asks for the name itself.
        "capulet.lab.chat.svc.cluster.local",
    ];
    for peer in peers {
        for manner in ["+noedns", "+dnssec", "+tcp"] {
            let ask = |service: &str| {
                let name = format!("{service}._tcp.{peer}");
                host.run("dig", &[&format!("@{own}"), "+short", manner, &name, "SRV"])
            };
            assert_eq!(ask("_xmpp-server").trim(), format!("0 0 7270 {own}."), "{peer} {manner}");
            assert_eq!(ask("_xmpps-server").trim(), "", "{peer} {manner}");
        }
    }
    let searched = ["+search", "+short", "_xmpp-server._tcp.capulet.lab", "SRV"];
    assert_eq!(host.run("dig", &searched).trim(), format!("0 0 7270 {own}."));
}

/// The system's own resolver, with its search suffixes.
fn resolves(host: &Host) {
    let ask = |database: &str, name: &str| {
        let mut command: Command = host.command("getent");
        let done = command.args([database, name]).output().or_fail("run getent");
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        said.split_whitespace().next().unwrap_or_default().to_owned()
    };
    for name in ["postgres", "postgres.chat", "postgres.chat.svc.cluster.local"] {
        assert_eq!(ask("ahostsv4", name), "198.18.0.99", "{name}");
        assert_eq!(ask("ahostsv6", name), "fd77::99", "{name}");
    }
    assert_eq!(ask("ahostsv4", "elsewhere.other"), "198.18.0.98");
    assert_eq!(ask("ahostsv4", "one.capulet.lab"), "198.51.100.3");
    assert_eq!(ask("ahostsv6", "six.capulet.lab"), "2001:db8::6");
    assert_eq!(ask("ahostsv4", "nobody.capulet.lab"), "");
}

/// Pods that have nothing but IPv6 between them, and Debian's servers in them.
#[test]
fn servers_talk_where_there_is_only_ipv6() {
    let plans = [
        Plan::behind("montague", Kind::Ejabberd, Manner::Default, Capture::Dns),
        Plan::behind("capulet", Kind::Prosody, Manner::Default, Capture::Dns),
    ];
    let mut world = World::new();
    let hosts = plans.clone().map(|plan| {
        let host = world.host(plan.name);
        let target = format!("xmpp.{}.lab", plan.name);
        for domain in domains_of(plan.name).iter().flat_map(|it| names_of(it)) {
            world.zone.server(&domain, 7269, &target);
        }
        world.zone.record(&target, "AAAA", &host.v6.to_string());
        host
    });
    world.open();
    let hub: IpAddr = world.hub.v6.into();
    let own: IpAddr = "::1".parse().or_fail("read an address");
    let houses: Vec<_> = thread::scope(|scope| {
        let world = &world;
        let building = plans.iter().zip(&hosts).map(|(plan, host)| {
            scope.spawn(move || plan.build(world, host, |proxy| inside(proxy, own, hub)))
        });
        let building: Vec<_> = building.collect();
        building.into_iter().filter_map(|house| house.join().ok()).collect()
    });
    let [montague, capulet] = houses.as_slice() else {
        panic!("not every house was built");
    };
    chat(&montague.by_starttls, &capulet.by_starttls);
    chat(&capulet.by_starttls, &montague.by_starttls);
    for (house, peer) in [(montague, "capulet.lab"), (capulet, "montague.lab")] {
        // One connection serves both ways, whoever opened it.
        let proofs = ["inbound", "outbound"].map(|way| proofs(house.proxy(), peer, way)).concat();
        assert!(!proofs.is_empty() && proofs.iter().all(|it| it == "pkix"), "{proofs:?}");
        let led = house.proxy().metric("ligase_capture_connections_total", &["mode=\"dns\""]);
        assert!(0.0 < led, "nobody was led by DNS");
    }
}

/// Everything that the pod uses is at one address, and the cluster's DNS at another.
fn inside(proxy: &mut Proxy, own: IpAddr, cluster: IpAddr) {
    let at = |ip: IpAddr, port: u16| format!("\"{}\"", SocketAddr::new(ip, port));
    proxy.set("listen.dns", &at(own, 53));
    proxy.set("listen.backend", &at(own, 7270));
    proxy.set("resolver.servers", &format!("[{}]", at(cluster, 53)));
}
