//! Lab: the proxy before our own server, an honest peer, and an attacker.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use ligase_tests::{
    Capture, Certificate, Host, Ligase, OrFail, Peer, Proxy, Stranger, Stream, World,
};

use crate::backend::{Backend, Behind, Speaker};
use crate::bytes::{claim, message};
use crate::canary::{Canary, Way};
use crate::deeds::{Door, PATIENCE};
use crate::forge::forge;
use crate::negotiate::{authorize, next, secure};
use crate::revoked;
use crate::victims::Victims;
use crate::zones::{Liars, RESOLVER};

/// Everybody who takes part. The server serves `l1.lab`, `l2.lab` and `conference.l1.lab`; `r1.lab`
/// is the honest peer's, every other name the attacker's. Who is below `weak.lab` may be proven by
/// dialback.
pub(crate) struct Lab {
    pub(crate) canary: Canary,
    pub(crate) ligase: Ligase,
    /// The server behind the proxy.
    pub(crate) behind: Backend,
    /// What the server and the proxy show.
    pub(crate) own: Certificate,
    /// The server of `r1.lab`.
    pub(crate) honest: Stranger,
    pub(crate) attacker: Peer,
    /// The honest peer's machine, where a peer is, too, that only dialback proves: `r1.weak.lab`.
    weak: Peer,
    /// A web server that takes connections, and no more.
    _slow: Peer,
    /// A program beside the server.
    pub(crate) intruder: Peer,
    /// Where the proxy takes the streams of the server behind it.
    backend_door: String,
    hosts: BTreeMap<&'static str, Host>,
    fresh: AtomicUsize,
    liars: Option<Liars>,
    pub(crate) victims: Victims,
    pub(crate) world: World,
}

impl Lab {
    /// A lab with this server, and the proxy's configuration changed so.
    pub(crate) fn new(behind: Behind, settings: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut world = World::new();
        let hosts: BTreeMap<_, _> =
            ["house", "garden", "padua", "tower"].map(|name| (name, world.host(name))).into();
        let (house, garden, padua) = (&hosts["house"], &hosts["garden"], &hosts["padua"]);
        publish(&mut world, [house, garden, padua, &hosts["tower"]]);
        let hub = world.hub.clone();
        let is_lied_to = settings.contains_key(RESOLVER);
        let liars = is_lied_to.then(|| Liars::start(&mut world.zone, &hub, padua));
        let victims = Victims::publish(&mut world, garden);
        world.open();

        let own = world.authority.issue(&HOSTED);
        let ligase = proxy(&world, house, &own, settings).start();
        let behind = Backend::start(behind, house, &own)?;
        let theirs = world.authority.issue(&["r1.lab"]);
        let honest = Stranger::listen(garden, 5269, "r1.lab", &theirs);
        Stranger::listen(garden, 5270, "r1.weak.lab", &theirs);
        let attacker = Peer::on(padua);
        attacker.listen(5269);
        attacker.listen(5271);
        // Whoever begins with TLS has to be answered with a certificate of the case's choosing.
        attacker.listen_silently(5270);
        let (weak, intruder) = (Peer::on(garden), Peer::on(house));
        let slow = Peer::on(&hosts["tower"]);
        slow.listen_silently(443);

        let inbound = weak.dial(&format!("{}:{STARTTLS}", house.v4));
        secure(&inbound, "r1.lab", "l1.lab", Some(&theirs))?;
        authorize(&inbound, "r1.lab", "l1.lab")?;
        let backend_door = match capture(settings) {
            Capture::Dns => BACKEND.to_owned(),
            // Wherever a server is called, the packet filter turns it to the proxy.
            Capture::Redirect => format!("{}:5269", garden.v4),
        };
        let says_out = behind.speaker(&intruder, &backend_door, &own)?;
        let canary = canary(inbound, says_out, &behind, &honest);
        let fresh = AtomicUsize::new(0);
        let lab = Self {
            canary,
            ligase,
            behind,
            own,
            honest,
            attacker,
            weak,
            _slow: slow,
            intruder,
            backend_door,
            hosts,
            fresh,
            liars,
            victims,
            world,
        };
        lab.canary.sing()?;
        lab.watch_calls()?;
        Ok(lab)
    }

    /// Where peers come to.
    pub(crate) fn door(&self, door: Door) -> String {
        let port = match door {
            Door::StartTls => STARTTLS,
            Door::Direct => DIRECT,
        };
        format!("{}:{port}", self.ligase.host().v4)
    }

    /// Where the proxy listens for the server behind it.
    pub(crate) fn backend_door(&self) -> &str {
        &self.backend_door
    }

    /// A machine, by its name.
    pub(crate) fn host(&self, name: &str) -> Result<&Host, String> {
        self.hosts.get(name).ok_or_else(|| format!("no such host: {name}"))
    }

    /// A certificate, by the word that a case has for it.
    pub(crate) fn certificate(&self, word: &str) -> Result<Option<Certificate>, String> {
        match self.victims.certificate(word) {
            Some(certificate) => Ok(Some(certificate)),
            None => forge(&self.world.authority, word),
        }
    }

    /// A domain of the attacker's that no case has used yet.
    pub(crate) fn fresh(&self) -> String {
        fresh(self.fresh.fetch_add(1, Ordering::Relaxed) % FRESH_COUNT)
    }

    /// Those who lie here.
    pub(crate) fn liars(&self) -> Result<&Liars, String> {
        self.liars.as_ref().ok_or_else(|| "nobody lies here".to_owned())
    }

    /// The text, with the address of each machine in the place of its name, where that is a word.
    pub(crate) fn name_addresses(&self, text: &str) -> String {
        let word =
            |it: &str| self.hosts.get(it).map_or_else(|| it.to_owned(), |host| host.v4.to_string());
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }

    /// Somebody comes whose domain only dialback proves, and is let in without a wait.
    pub(crate) fn let_weak_in(&self, patience: std::time::Duration) -> Result<(), String> {
        let stream = self.weak.try_dial(&self.door(Door::StartTls))?;
        let [from, to] = WEAK;
        secure(&stream, from, to, None)?;
        stream.send(&claim(from, to));
        let answer = next(&stream, patience)?;
        stream.close();
        let is_in = answer.contains("type='valid'");
        if is_in { Ok(()) } else { Err(format!("who only dialback proves is told {answer}")) }
    }

    /// Asks the admin port: the status and the body.
    pub(crate) fn ask(&self, path: &str) -> Result<(u16, String), String> {
        let stream = self.intruder.try_dial(ADMIN)?;
        stream.send(&format!("GET {path} HTTP/1.1\r\nHost: {ADMIN}\r\nConnection: close\r\n\r\n"));
        let told = stream.end_within(PATIENCE).map(|(told, _)| told);
        let told = told.ok_or_else(|| format!("the admin port does not answer {path}"))?;
        let (head, body) = told.split_once("\r\n\r\n").unwrap_or((&told, ""));
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or_default();
        Ok((status, body.to_owned()))
    }

    /// The ports that the proxy may connect to in a case that names these.
    pub(crate) fn may_call(
        &self,
        named: &BTreeSet<String>,
    ) -> Result<BTreeSet<SocketAddr>, String> {
        let hub = &self.world.hub;
        let mut calls = BTreeSet::from([
            SocketAddr::from((hub.v4, 53)),
            SocketAddr::from((hub.v6, 53)),
            SocketAddr::from(([127, 0, 0, 1], 5269)),
        ]);
        for name in named {
            if let Ok(address) = name.parse() {
                calls.insert(address);
                continue;
            }
            let (name, port) = name.split_once(':').unwrap_or((name, "5269"));
            let port: u16 = port.parse().map_err(|_| format!("no port: {port}"))?;
            let host = self.host(name)?;
            calls.extend([SocketAddr::from((host.v4, port)), SocketAddr::from((host.v6, port))]);
        }
        Ok(calls)
    }
}

/// Songs both ways: what the honest peer says to our own server, and what that says to it.
fn canary(inbound: Stream, says_out: Speaker, behind: &Backend, honest: &Stranger) -> Canary {
    let (hears_in, hears_out) = (behind.clone(), honest.clone());
    Canary::start([
        Way {
            say: Box::new(move |body| {
                inbound.send(&message("nurse@r1.lab", "romeo@l1.lab", body));
            }),
            count: Box::new({
                let hears_in = hears_in.clone();
                move || hears_in.count()
            }),
            hear: Box::new(move |start, body| hears_in.hear(start, body, PATIENCE)),
        },
        Way {
            say: Box::new(move |body| says_out.send(body)),
            count: Box::new({
                let hears_out = hears_out.clone();
                move || hears_out.count()
            }),
            hear: Box::new(move |start, body| {
                let is_heard = hears_out.hears(start, body, PATIENCE);
                if is_heard { Ok(()) } else { Err(format!("{body:?} does not come out")) }
            }),
        },
    ])
}

/// Says in the DNS who serves what.
fn publish(world: &mut World, [house, garden, padua, tower]: [&Host; 4]) {
    let zone = &mut world.zone;
    for domain in HOSTED {
        zone.server(domain, STARTTLS, "xmpp.l1.lab");
        zone.direct_server(domain, DIRECT, "xmpp.l1.lab");
    }
    zone.address("xmpp.l1.lab", house);
    zone.server("r1.lab", 5269, "xmpp.r1.lab");
    zone.address("xmpp.r1.lab", garden);
    zone.server("r1.weak.lab", 5270, "xmpp.r1.lab");
    // Nobody has this address, so nobody answers.
    zone.record("*.hole.weak.lab", "SRV", "0 5 5269 hole.lab.");
    zone.record("hole.lab", "A", "198.18.0.250");
    // One web server never says a word, and where the other should be nobody listens.
    zone.record("*.slow.lab", "A", &tower.v4.to_string());
    zone.record("*.shut.weak.lab", "SRV", "0 5 5269 tower.lab.");
    zone.address("tower.lab", tower);
    zone.record("*.shut.lab", "A", &padua.v4.to_string());
    // Whoever asks where it is served is led to the proxy itself.
    zone.server("self.weak.lab", STARTTLS, "xmpp.l1.lab");
    for number in 0..SLEEPERS {
        zone.server(&format!("z{number}.lab"), 5272, "xmpp.a.lab");
    }
    for domain in ATTACKERS {
        zone.server(domain, 5269, "xmpp.a.lab");
    }
    for number in 0..FRESH_COUNT {
        zone.server(&fresh(number), 5269, "xmpp.a.lab");
    }
    // What nobody signs delegates nothing.
    zone.server("w.u.old", 5269, "xmpp.a.lab");
    zone.address("xmpp.a.lab", padua);
}

fn proxy(
    world: &World,
    house: &Host,
    own: &Certificate,
    settings: &BTreeMap<String, String>,
) -> Proxy {
    let hosted = HOSTED.map(str::to_owned);
    let mut proxy = Proxy::new(world, house, capture(settings), &hosted, own);
    proxy.set("listen.federation", &format!("[\"[::]:{STARTTLS}\", \"[::]:{DIRECT}\"]"));
    proxy.set("policy.default", "dna");
    proxy.set("policy.peers", "{\"*.weak.lab\": encrypted}");
    // What nobody answers is given up soon.
    proxy.set("limits.step_seconds", "2");
    proxy.set("limits.ladder_seconds", "8");
    for (key, value) in settings {
        if key == DESCRIPTORS {
            proxy.limit_descriptors(value.parse().or_fail("read how many descriptors there are"));
        } else if value == UNSET {
            proxy.unset(key);
        } else {
            proxy.set(key, &revoked::fill(world, &proxy.folder(), value));
        }
    }
    proxy
}

/// How the server's streams come to the proxy.
fn capture(settings: &BTreeMap<String, String>) -> Capture {
    let is_redirect = settings.get("capture").is_some_and(|it| it == "redirect");
    if is_redirect { Capture::Redirect } else { Capture::Dns }
}

fn fresh(number: usize) -> String {
    format!("c{number}.lab")
}

pub(crate) const HOSTED: [&str; 3] = ["l1.lab", "l2.lab", "conference.l1.lab"];

/// The pair of a peer that only dialback proves.
pub(crate) const WEAK: [&str; 2] = ["r1.weak.lab", "l1.lab"];

/// Domains that DNS says are the attacker's.
const ATTACKERS: [&str; 6] =
    ["a.lab", "b.lab", "sub.a.lab", "v.weak.lab", "a.weak.lab", "xn--fa-hia.lab"];

/// More than there are runs that need one.
const FRESH_COUNT: usize = 200;

/// Where peers come to who ask for TLS, and who begin with it.
const STARTTLS: u16 = 7269;
const DIRECT: u16 = 7271;

/// Where the proxy takes the streams of our server, unless they are redirected.
const BACKEND: &str = "127.0.0.1:7270";

/// What is no key of the configuration, but how many descriptors the proxy is given.
pub(crate) const DESCRIPTORS: &str = "(descriptors)";

/// The value of a key that is taken out of the configuration.
const UNSET: &str = "-";

/// Domains of the attacker's that have a server in some cases only.
pub(crate) const SLEEPERS: usize = 10;

const ADMIN: &str = "127.0.0.1:7290";
