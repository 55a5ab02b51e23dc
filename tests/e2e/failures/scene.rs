//! Scene: our server behind a proxy, and everybody whom it cannot reach.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use ligase_tests::{
    Authority, Capture, Certificate, Host, Kind, Leaf, Ligase, Manner, OrFail, Proxy, Server,
    Setup, User, Web, World,
};

use super::Failure;
use super::told::Told;

/// Everybody who takes part.
pub(super) struct Scene {
    /// Last to go are the hosts, so it stands behind what runs on them.
    pub(super) ligase: Ligase,
    pub(super) proxy: Mutex<Proxy>,
    pub(super) ours: Mutex<Option<Server>>,
    pub(super) hosts: Hosts,
    /// Most peers, and what vouches for one of them.
    pub(super) verona: Server,
    pub(super) asleep: Mutex<Option<Server>>,
    /// Where our tenant was before.
    pub(super) elder: Mutex<Option<Server>>,
    _others: [Server; 2],
    _web: Web,
    /// Who is logged in, by domain.
    pub(super) users: Mutex<HashMap<String, User>>,
    pub(super) world: Mutex<World>,
}

/// The machines.
pub(super) struct Hosts {
    pub(super) montague: Host,
    pub(super) verona: Host,
    /// A server that takes no keys.
    strict: Host,
    /// One that does, and the one to which a domain has moved.
    pub(super) capulet: Host,
    /// Where our tenant was before.
    elder: Host,
    /// Nothing runs here.
    pub(super) asleep: Host,
}

impl Scene {
    pub(super) fn new() -> Self {
        let mut world = World::new();
        world.zone.ttl = TTL;
        let hosts = Hosts {
            montague: world.host("montague"),
            verona: world.host("verona"),
            strict: world.host("strict"),
            capulet: world.host("capulet"),
            elder: world.host("elder"),
            asleep: world.host("asleep"),
        };
        let pinned = world.authority.issue(&["pinned.lab"]);
        hosts.publish(&mut world);
        let other = world.authority.issue(&["pinned.lab"]);
        world.zone.tlsa("xmpp.pinned.lab", 5269, &other);
        world.open();
        wall_off(&hosts.verona, "web", 443);
        wall_off(&hosts.verona, "xmpp", 5270);

        let built = &world;
        let proxy = proxy(built, &hosts.montague);
        let ligase = proxy.clone().start();
        let own = Leaf::of(&["montague.lab"]).self_signed();
        let ours =
            Setup::new(Kind::Prosody, &hosts.montague, &["montague.lab", "tenant.lab"], &own);
        let strict =
            Setup::new(Kind::Ejabberd, &hosts.strict, &["strict.lab"], &good(built, "strict.lab"));
        let capulet = Setup::new(
            Kind::Prosody,
            &hosts.capulet,
            &["capulet.lab", "moved.lab"],
            &built.authority.issue(&["capulet.lab", "moved.lab"]),
        );
        let elder =
            Setup::new(Kind::Prosody, &hosts.elder, &["tenant.lab"], &good(built, "tenant.lab"));
        let verona = peers(built, &hosts.verona, &pinned);
        let setups =
            [ours, verona, strict.without_dialback(), capulet.in_manner(Manner::Unproven), elder];
        let servers = std::thread::scope(|scope| {
            let starting = setups.map(|setup| scope.spawn(move || setup.start()));
            starting.map(|it| it.join().unwrap_or_else(|why| std::panic::resume_unwind(why)))
        });
        let [ours, verona, strict, capulet, elder] = servers;
        let vouched = Leaf::of(&["posh.lab"]).self_signed();
        verona.renew("posh.lab", &vouched);
        let web = Web::start(&hosts.verona, &built.authority.issue(&["posh.lab"]));
        web.vouch("posh.lab", &vouched, 3600);
        ours.register("somebody", "montague.lab");
        ours.register("somebody", "tenant.lab");
        for domain in PEERS {
            verona.register("somebody", domain);
        }
        strict.register("somebody", "strict.lab");
        capulet.register("somebody", "capulet.lab");
        capulet.register("somebody", "moved.lab");
        let scene = Self {
            ligase,
            proxy: Mutex::new(proxy),
            ours: Mutex::new(Some(ours)),
            hosts,
            verona,
            asleep: Mutex::default(),
            elder: Mutex::new(Some(elder)),
            _others: [strict, capulet],
            _web: web,
            users: Mutex::default(),
            world: Mutex::new(world),
        };
        // Everybody talks to these two.
        for domain in ["montague.lab", "tenant.lab"] {
            scene.login(domain);
        }
        scene
    }

    /// Stages a failure: somebody writes and gets the message back; the operator looks, does what
    /// he is told, and the next message arrives.
    pub(super) fn stage(&self, failure: &Failure) -> Told {
        let (from, to) = match failure.is_outbound {
            true => (failure.local, failure.remote),
            false => (failure.remote, failure.local),
        };
        let sender = self.login(from);
        let listener = format!("somebody@{to}");
        sender.say(&listener, "Do you quarrel, sir?");
        let heard = sender.hear_error(&listener, PATIENCE);
        let told = Told::collect(&self.ligase, failure, heard);
        told.assert_true(failure);
        (failure.cure)(self, &told);
        self.retry(failure.remote);
        let listening = self.login(to);
        sender.say(&listener, "Quarrel, sir? No, sir.");
        listening.hear(&sender.full, "Quarrel, sir? No, sir.");
        told.assert_over(&self.ligase, failure);
        told
    }

    /// Ends our own server, without a word.
    pub(super) fn stop_our_server(&self) {
        self.ours.lock().or_fail("find our server").take();
    }

    /// Has the proxy try a peer again at once.
    fn retry(&self, remote: &str) {
        let program = ligase_tests::peer::program("ligase");
        self.hosts.montague.run(&program, &["retry", remote]);
    }

    /// Somebody who lives at a domain, once for all.
    fn login(&self, domain: &str) -> User {
        if let Some(known) = self.users.lock().or_fail("find the users").get(domain) {
            return known.clone();
        }
        let host = match domain {
            "montague.lab" | "tenant.lab" => &self.hosts.montague,
            "strict.lab" => &self.hosts.strict,
            "capulet.lab" | "moved.lab" => &self.hosts.capulet,
            "asleep.lab" => &self.hosts.asleep,
            _ => &self.hosts.verona,
        };
        let users = self.world.lock().or_fail("find the world").users().clone();
        let user = users.login(&format!("somebody@{domain}"), host);
        // Until the server has taken note, it would keep for later what comes.
        user.see(&user.full, "available");
        let mut known = self.users.lock().or_fail("find the users");
        known.insert(domain.to_owned(), user.clone());
        user
    }
}

impl Hosts {
    /// Publishes where everybody is, or is said to be.
    fn publish(&self, world: &mut World) {
        let zone = &mut world.zone;
        let places = PEERS.map(|domain| (domain, &self.verona));
        let others = [
            ("strict.lab", &self.strict),
            ("capulet.lab", &self.capulet),
            ("asleep.lab", &self.asleep),
            ("tenant.lab", &self.elder),
            ("moved.lab", &self.verona),
        ];
        for (domain, host) in places.into_iter().chain(others) {
            let target = format!("xmpp.{domain}");
            zone.address(&target, host);
            match domain {
                "walled.lab" => zone.direct_server(domain, 5270, &target),
                _ => zone.server(domain, 5269, &target),
            }
        }
        zone.address("posh.lab", &self.verona);
        zone.address("xmpp.montague.lab", &self.montague);
        for domain in ["montague.lab", "conference.montague.lab"] {
            zone.server(domain, 7269, "xmpp.montague.lab");
        }
        zone.forge("0 5 5269 xmpp.forged.lab.", "0 6 5269 xmpp.forged.lab.");
    }
}

/// A proxy with a certificate such as public authorities sign today.
fn proxy(world: &World, host: &Host) -> Proxy {
    let certificate = ours().only_for(ligase_tests::Purpose::Server).signed_by(&world.authority);
    let hosted = ["montague.lab", "conference.montague.lab", "tenant.lab"].map(str::to_owned);
    let mut proxy = Proxy::new(world, host, Capture::Dns, &hosted, &certificate);
    proxy.set("policy.default", "dna");
    // Nobody waits for our own server longer than that.
    proxy.set("limits.queue_seconds", "3");
    proxy
}

/// What our certificate says: nothing of a tenant.
pub(super) fn ours() -> Leaf {
    Leaf::of(&["xmpp.montague.lab", "montague.lab", "conference.montague.lab"])
}

/// A server for most peers, with a certificate for each.
fn peers(world: &World, host: &Host, pinned: &Certificate) -> Setup {
    let authority: &Authority = &world.authority;
    let fallback = good(world, "verona.lab");
    let mut setup = Setup::new(Kind::Prosody, host, &PEERS, &fallback).with_direct_tls(5270);
    for domain in PEERS {
        let leaf = Leaf::of(&[domain]);
        let shown = match domain {
            "pinned.lab" => pinned.clone(),
            "expired.lab" => leaf.expired().signed_by(authority),
            "misnamed.lab" => authority.issue(&["xmpp.padua.lab"]),
            "posh.lab" | "modest.lab" => leaf.self_signed(),
            _ => leaf.signed_by(authority),
        };
        setup = setup.with_certificate(domain, &shown);
    }
    setup
}

/// A certificate without any fault.
pub(super) fn good(world: &World, domain: &str) -> Certificate {
    world.authority.issue(&[domain])
}

/// Drops what comes to a port of a host, without a word.
fn wall_off(host: &Host, name: &str, port: u16) {
    let rules = format!(
        "table inet {name} {{\n  chain input {{\n    type filter hook input priority 0\n    \
         tcp dport {port} drop\n  }}\n}}\n"
    );
    let folder = host.folder("walls");
    let file = folder.join(name);
    std::fs::write(&file, rules).or_fail("write rules");
    host.run("nft", &["--file", &file.display().to_string()]);
}

/// Who lives at the one server.
const PEERS: [&str; 7] = [
    "forged.lab",
    "pinned.lab",
    "expired.lab",
    "misnamed.lab",
    "posh.lab",
    "walled.lab",
    "modest.lab",
];

/// What is mended in DNS is to be seen soon by those whom we cannot ask to look again.
const TTL: u32 = 2;

/// As long as a user may have to wait for an error.
const PATIENCE: Duration = Duration::from_secs(30);
