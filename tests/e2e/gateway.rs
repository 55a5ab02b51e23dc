//! A gateway: several proxies behind a load balancer, in front of several servers.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ligase_tests::{
    Capture, Host, Kind, Leaf, Ligase, Manner, OrFail, Process, Proxy, Server, Setup, User, World,
};

use crate::conversation::chat;
use crate::verona::{names_of, proofs};

/// Three replicas, two servers of which one is ejabberd and one Prosody, and a peer that only knows
/// dialback. Which replica a connection comes to, the load balancer decides: the peer's question
/// about a key goes to another than the one that made it, and so does each server's. Everybody talks
/// with everybody; what passes between the two servers behind the gateway does, too.
#[test]
fn any_replica_answers_for_the_others_and_each_domain_is_at_home() {
    let fleet = Fleet::raise();
    let [romeo, juliet, paris] = [&fleet.montague.1, &fleet.capulet.1, &fleet.paris.1];
    for (from, to) in [(romeo, paris), (paris, romeo), (juliet, paris), (paris, juliet)] {
        chat(from, to);
    }
    for (from, to) in [(romeo, juliet), (juliet, romeo)] {
        chat(from, to);
    }
    // The peer took keys, and asked whom it was led to about them.
    let asked = |role: &str| -> f64 {
        let each = fleet.replicas.iter();
        each.map(|it| it.metric("ligase_dialback_total", &[role, "result=\"valid\""])).sum()
    };
    assert!(2.0 <= asked("role=\"authoritative\""), "nobody was asked about a key");
    let by: Vec<_> =
        fleet.replicas.iter().flat_map(|it| proofs(it, "paris.lab", "inbound")).collect();
    assert!(!by.is_empty() && by.iter().all(|it| it == "dialback"), "{by:?}");
    // Peers are known by their own addresses, whoever brings them.
    for replica in &fleet.replicas {
        let text = replica.get("/connections").1;
        let address = format!("\"{}:", fleet.paris.0.host().v4);
        let brought = text.contains("\"inbound\"") && text.contains("\"public\"");
        assert!(!brought || text.contains(&address), "{text}");
    }
    let busy = fleet.replicas.iter().filter(|it| it.get("/bindings").1.contains("\"local\""));
    assert!(1 < busy.count(), "one replica has it all");
    // What a replica tells of the servers behind it.
    for replica in &fleet.replicas {
        let status = replica.json("/status");
        let up: Vec<_> = status["backends"].as_array().into_iter().flatten().collect();
        assert_eq!(up.len(), 2, "{status}");
        assert!(up.iter().all(|it| it["up"] == true), "{up:?}");
    }
}

/// All three are started anew, one after the other, while everybody talks: what is said arrives, or
/// comes back to whoever said it. Only what an ejabberd hands to a stream in the moment that it hears
/// of its end is lost by itself, which it does with any peer; so it may miss one for each stream.
#[test]
fn a_rolling_restart_loses_nothing() {
    let mut fleet = Fleet::raise();
    let ways = {
        let [romeo, juliet, paris] = [&fleet.montague.1, &fleet.capulet.1, &fleet.paris.1];
        [(romeo, paris), (paris, romeo), (juliet, paris), (paris, juliet), (romeo, juliet)]
            .map(|(from, to)| (from.clone(), to.clone()))
    };
    for (from, to) in &ways {
        chat(from, to);
    }
    let done = AtomicBool::new(false);
    let said: Vec<usize> = thread::scope(|scope| {
        let talking: Vec<_> =
            ways.iter().map(|(from, to)| scope.spawn(|| talk(from, to, &done))).collect();
        for at in 0..fleet.replicas.len() {
            fleet.restart(at);
            thread::sleep(BETWEEN);
        }
        done.store(true, Ordering::Relaxed);
        talking.into_iter().map(|it| it.join().unwrap_or_default()).collect()
    });
    for ((from, to), said) in ways.iter().zip(said) {
        // Lines of one speaker stay in order, so that all have come when the last has.
        to.hears(&from.full, &line(said), SETTLE);
        let lost = (0..said).filter(|number| !to.hears(&from.full, &line(*number), A_MOMENT));
        let missing: Vec<_> = lost.collect();
        println!("{} to {}: {said} said, did not arrive: {missing:?}", from.jid, to.jid);
        let returned = missing.iter().take_while(|_| from.hears_error(&to.jid, A_MOMENT)).count();
        let spared = if from.domain() == "montague.lab" { fleet.replicas.len() } else { 0 };
        assert!(missing.len() - returned <= spared, "lost: {missing:?}, {returned} came back");
        assert!(100 < said, "only {said} were said");
    }
}

/// Says a few lines at once, takes a breath, and says more, until it is done; tells how many. (Without
/// a breath, what a server hands to a stream in the moment it hears of its end may be lost, whoever
/// ends it: that is so between two servers without a proxy, too.)
fn talk(from: &User, to: &User, done: &AtomicBool) -> usize {
    let mut said = 0;
    while !done.load(Ordering::Relaxed) {
        for _ in 0..BREATH {
            from.say(&to.jid, &line(said));
            said += 1;
        }
        thread::sleep(PAUSE);
    }
    // What closes the account.
    from.say(&to.jid, &line(said));
    said
}

fn line(number: usize) -> String {
    format!("line {number}")
}

/// A gateway and all around it.
struct Fleet {
    replicas: Vec<Ligase>,
    montague: (Server, User),
    capulet: (Server, User),
    paris: (Server, User),
    _balancer: Process,
    _world: World,
}

impl Fleet {
    fn raise() -> Self {
        let mut world = World::new();
        let balancer = world.host("balancer");
        let replicas = ["one", "two", "three"].map(|name| world.host(name));
        let servers = ["montague", "capulet"].map(|name| world.host(name));
        let paris = world.host("paris");
        for (name, host) in ["montague", "capulet"].iter().zip(&servers) {
            for domain in names_of(&format!("{name}.lab")) {
                world.zone.server(&domain, 5269, "gateway.lab");
            }
            world.zone.address(&format!("{name}.cluster.lab"), host);
        }
        world.zone.address("gateway.lab", &balancer);
        for domain in names_of("paris.lab") {
            world.zone.server(&domain, 5269, "xmpp.paris.lab");
        }
        world.zone.address("xmpp.paris.lab", &paris);
        world.open();

        let replicas = gateways(&world, &balancer, &replicas);
        let proxy = balance(&balancer, &replicas);
        let nameservers: Vec<_> = replicas.iter().map(|it| it.host().v4.into()).collect();
        let ca = fs::read_to_string(replicas[0].folder().join("ca/ca.crt"));
        let ca = ca.or_fail("read the local authority");
        let [montague, capulet] = [(Kind::Ejabberd, 0), (Kind::Prosody, 1)].map(|(kind, at)| {
            let (host, name) = (&servers[at], ["montague", "capulet"][at]);
            host.resolve_by(&nameservers);
            host.trust_pem(std::slice::from_ref(&ca));
            live(&world, kind, Manner::Default, host, &format!("{name}.lab"))
        });
        // It trusts nobody, so that dialback is all it knows.
        paris.trust(&[]);
        let paris = live(&world, Kind::Prosody, Manner::Unproven, &paris, "paris.lab");
        Self { replicas, montague, capulet, paris, _balancer: proxy, _world: world }
    }

    /// Starts one replica anew, as a rollout does: it is told to end, and another takes its place.
    fn restart(&mut self, at: usize) {
        let mut old = self.replicas.remove(at);
        let ended = old.terminate(Duration::from_secs(15));
        assert_eq!(ended.code(), Some(0), "{ended}");
        // Shown when the test fails.
        println!("replica {at} until it ended:\n{}", old.log().lines().join("\n"));
        let proxy = old.proxy().clone();
        drop(old);
        self.replicas.insert(at, proxy.start_again());
    }
}

/// The replicas: one certificate, one secret, one local authority.
fn gateways(world: &World, balancer: &Host, hosts: &[Host; 3]) -> Vec<Ligase> {
    let domains: Vec<_> =
        ["montague.lab", "capulet.lab"].iter().flat_map(|it| names_of(it)).collect();
    let names: Vec<_> = domains.iter().map(String::as_str).chain(["gateway.lab"]).collect();
    let certificate = Leaf::of(&names).signed_by(&world.authority);
    let mut replicas: Vec<Ligase> = Vec::new();
    for host in hosts {
        let mut proxy = Proxy::new(world, host, Capture::Dns, &domains, &certificate);
        let folder = proxy.folder();
        fs::write(folder.join("secret"), format!("{}\n", "0123456789abcdef".repeat(4)))
            .or_fail("write the secret");
        if let Some(first) = replicas.first() {
            for file in ["ca/ca.crt", "ca/ca.key"] {
                fs::copy(first.folder().join(file), folder.join(file))
                    .or_fail("copy the authority");
            }
        }
        proxy.unset("hosts");
        proxy.unset("backend.address");
        proxy.set("server_name", "gateway.lab");
        let backend = |name: &str| {
            let [domain, rooms] = names_of(&format!("{name}.lab"));
            format!(
                "{{name: {name}, address: \"{name}.cluster.lab:5269\", hosts: [{domain}, {rooms}]}}"
            )
        };
        proxy.set("backends", &format!("[{}, {}]", backend("montague"), backend("capulet")));
        proxy.set("backend.networks", "[198.18.0.0/24]");
        proxy.set("listen.backend", "\"[::]:7270\"");
        proxy.set("listen.dns", "\"[::]:53\"");
        proxy.set("listen.admin", "\"[::]:7290\"");
        proxy.set("proxy_protocol.trusted", &format!("[{}]", balancer.v4));
        proxy.set("public.starttls", "5269");
        proxy.set("steer.to", &format!("\"{}:7270\"", balancer.v4));
        proxy.set("dialback_secret.file", &folder.join("secret").display().to_string());
        replicas.push(proxy.start());
    }
    replicas
}

/// A real load balancer, which takes one replica after the other, and none that is not ready.
fn balance(host: &Host, replicas: &[Ligase]) -> Process {
    let mut text =
        "global\n  maxconn 1000\ndefaults\n  mode tcp\n  retries 5\n  option redispatch 1\n  \
                    timeout connect 2s\n  timeout client 1h\n  timeout server 1h\n  \
                    option httpchk GET /ready\n  balance roundrobin\n"
            .to_owned();
    for (name, port, to, how) in
        [("peers", 5269, 7269, " send-proxy-v2"), ("servers", 7270, 7270, "")]
    {
        text += &format!("listen {name}\n  bind :::{port} v4v6\n");
        for (number, replica) in replicas.iter().enumerate() {
            let address = replica.host().v4;
            text += &format!(
                "  server replica{number} {address}:{to} check port 7290 inter 200ms rise 1 fall 1{how}\n"
            );
        }
    }
    let config = host.folder("haproxy").join("haproxy.cfg");
    fs::write(&config, text).or_fail("configure haproxy");
    let mut command = host.command("haproxy");
    command.args(["-db", "-f"]).arg(&config);
    Process::start("haproxy", command)
}

/// A server, and somebody who lives there.
fn live(world: &World, kind: Kind, manner: Manner, host: &Host, domain: &str) -> (Server, User) {
    let own = Leaf::of(&[domain]).self_signed();
    let server = Setup::new(kind, host, &[domain], &own).in_manner(manner).start();
    server.register("somebody", domain);
    let user = world.users().login(&format!("somebody@{domain}"), host);
    (server, user)
}

/// Lines in a breath.
const BREATH: usize = 10;

/// Between two breaths: a little longer than the lull that a proxy waits for.
const PAUSE: Duration = Duration::from_millis(300);

/// Between two replicas that are started anew: enough for the balancer to see that one is ready.
const BETWEEN: Duration = Duration::from_secs(2);

/// For what must be there already.
const A_MOMENT: Duration = Duration::from_secs(1);

/// Until what is on its way has arrived.
const SETTLE: Duration = Duration::from_secs(30);
