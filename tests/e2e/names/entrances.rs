//! Entrances: every place where a domain name comes in, and what becomes there of one that is none, or
//! that may be read as somebody else's.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ligase_tests::{
    Capture, Certificate, Leaf, Ligase, OrFail, Outcome, Peer, Proxy, Stranger, Stream, Web, World,
};

use crate::verona::Rows;

/// Names that nobody has, or that two standards give to two.
const VILE: [&str; 12] = [
    "fa\u{df}.lab",
    "xn--fa-hia.lab",
    "a\u{ad}.lab",
    "a\u{2024}lab",
    "a\u{3002}lab",
    "\u{ff41}.lab",
    "\u{5e9}\u{5dc}.lab",
    "a_b.lab",
    "-a.lab",
    "a..lab",
    "198.18.0.2",
    "xn--v-.lab",
];

/// What somebody does with a name, and fails unless it is refused.
type Entrance = (&'static str, fn(&Scene, &str));

const ENTRANCES: [Entrance; 14] = [
    ("header from", |scene, name| {
        let stream = scene.attacker.dial(&scene.public());
        stream.send(&header(name, "l1.lab"));
        refused(&stream);
    }),
    ("header to", |scene, name| {
        let stream = scene.attacker.dial(&scene.public());
        stream.send(&header("a.lab", name));
        refused(&stream);
    }),
    ("result from", |scene, name| {
        let stream = scene.secured();
        stream.send(&format!("<db:result from='{name}' to='l1.lab'>00</db:result>"));
        refused(&stream);
    }),
    ("result to", |scene, name| {
        let stream = scene.secured();
        stream.send(&format!("<db:result from='a.lab' to='{name}'>00</db:result>"));
        refused(&stream);
    }),
    ("verify from", |scene, name| {
        let stream = scene.secured();
        stream.send(&format!("<db:verify from='{name}' to='l1.lab' id='1'>00</db:verify>"));
        refused(&stream);
    }),
    ("verify to", |scene, name| {
        let stream = scene.secured();
        stream.send(&format!("<db:verify from='a.lab' to='{name}' id='1'>00</db:verify>"));
        refused(&stream);
    }),
    ("authorization identity", |scene, name| {
        let stream = scene.secured();
        let identity = BASE64_STANDARD.encode(name);
        stream.send(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>{identity}</auth>"
        ));
        let answer = next(&stream);
        assert!(answer.contains("<invalid-authzid"), "{answer}");
    }),
    ("stanza from", |scene, name| {
        let stream = scene.authorized();
        stream.send(&message(&format!("m@{name}"), "u@l1.lab"));
        refused(&stream);
    }),
    ("stanza to", |scene, name| {
        let stream = scene.authorized();
        stream.send(&message("m@a.lab", &format!("u@{name}")));
        refused(&stream);
    }),
    ("our own server's header from", |scene, name| {
        let stream = scene.intruder.dial(BACKEND);
        stream.send(&header(name, "a.lab"));
        refused(&stream);
    }),
    ("our own server's header to", |scene, name| {
        let stream = scene.intruder.dial(BACKEND);
        stream.send(&header("l1.lab", name));
        refused(&stream);
    }),
    ("question at the admin port", |scene, name| {
        let name: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for path in [
            format!("/explain?local=l1.lab&remote={name}"),
            format!("/explain?local={name}&remote=a.lab"),
        ] {
            let (status, said) = scene.ligase.get(&path);
            assert_eq!(status, 400, "{said}");
            assert!(said.contains("is not a domain name"), "{said}");
        }
    }),
    ("configuration: hosts", |scene, name| {
        scene.invalid("hosts", &format!("[l1.lab, \"{name}\"]"))
    }),
    ("configuration: server_name", |scene, name| {
        scene.invalid("server_name", &format!("\"{name}\""))
    }),
];

#[test]
fn every_entrance_is_closed_to_vile_names() {
    let scene = Scene::new();
    let rows = Rows::default();
    for (entrance, enter) in ENTRANCES {
        for name in VILE {
            rows.run(&format!("{entrance}: {name:?}"), || enter(&scene, name));
        }
    }
    // The same steps with a good name go well, so it was the name that was refused.
    let stream = scene.authorized();
    stream.send(&message("m@a.lab", "u@l1.lab").replace(MARK, "good"));
    scene.server.hear("good");
    assert_eq!(scene.ligase.get("/explain?local=l1.lab&remote=a.lab").0, 200);
    let heard = scene.server.heard();
    assert!(!heard.iter().any(|it| it.contains(MARK)), "{heard:?}");
    rows.finish();
}

/// What DNS leads to, and what a web server refers to, are names as well: such that a careless reader
/// would find somebody by them who answers.
#[test]
fn no_vile_name_is_followed() {
    let mut world = World::new();
    let (house, padua) = (world.host("house"), world.host("padua"));
    world.zone.server("l1.lab", 7269, "xmpp.l1.lab");
    world.zone.address("xmpp.l1.lab", &house);
    let named = ["good.lab", "docs.lab", "xmpp.a.lab", "a_b.lab"];
    for name in named.into_iter().chain(VILE_REFERENCES.map(|(name, _)| name)) {
        world.zone.address(name, &padua);
    }
    for (number, name) in TARGETS.iter().enumerate() {
        world.zone.server(&format!("t{number}.lab"), 5269, name);
    }
    world.zone.record("fa\\195\\159.lab", "A", &padua.v4.to_string());
    world.zone.server("t.lab", 5270, "xmpp.a.lab");
    world.open();
    let own = world.authority.issue(&["l1.lab"]);
    let mut proxy = Proxy::new(&world, &house, Capture::Dns, &["l1.lab".to_owned()], &own);
    proxy.set("policy.default", "dna");
    proxy.set("limits.ladder_seconds", "8");
    let ligase = proxy.start();
    let _home = Stranger::listen_for(&house, 5269, &["l1.lab"], &own);
    let web = Web::start(&padua, &world.authority.issue(&["good.lab", "*.vile.lab", "docs.lab"]));
    let rows = Rows::default();

    // POSH: only a reference that is a name is followed.
    let shown = Leaf::of(&["padua.lab"]).self_signed();
    let stranger = Stranger::listen(&padua, 6000, "good.lab", &shown);
    web.vouch("docs.lab", &shown, 600);
    let refer = |domain: &str, host: &str| {
        let url = format!("https://{host}/.well-known/posh/xmpp-server.json");
        web.publish(domain, &format!("{{\"url\":\"{url}\",\"expires\":600}}"));
    };
    let at = format!("{}:7269", house.v4);
    let claim = |domain: &str| {
        stranger.claim(&at, domain, "l1.lab", Some(&shown), &message("m@x.lab", "u@l1.lab"))
    };
    refer("good.lab", "docs.lab");
    assert_eq!(claim("good.lab"), Outcome::Let);
    for (domain, host) in VILE_REFERENCES {
        rows.run(&format!("POSH: {host:?}"), || {
            refer(domain, host);
            assert_ne!(claim(domain), Outcome::Let);
        });
    }

    // SRV: only a target that is a host name is dialed.
    let peer = Peer::on(&padua);
    peer.listen(5269);
    peer.listen(5270);
    let server = Peer::on(&house);
    let call = |domain: &str| {
        let stream = server.dial(BACKEND);
        secure(&stream, "l1.lab", domain, Some(&own));
        stream.send(&format!("<db:result from='l1.lab' to='{domain}'>00</db:result>"));
        stream
    };
    let _called = call("t.lab");
    peer.accept(5270, PATIENCE);
    for (number, target) in TARGETS.iter().enumerate() {
        rows.run(&format!("SRV: {target:?}"), || {
            let answer = next(&call(&format!("t{number}.lab")));
            assert!(answer.contains("<remote-connection-failed"), "{answer}");
        });
    }
    assert!(peer.accept_within(5269, Duration::ZERO).is_none(), "somebody was called");
    rows.finish();
    drop(ligase);
}

/// Domains, and where their web server says that their document is.
const VILE_REFERENCES: [(&str, &str); 4] = [
    ("dot.vile.lab", "docs\u{3002}lab"),
    ("wide.vile.lab", "\u{ff44}ocs.lab"),
    ("hidden.vile.lab", "do\u{ad}cs.lab"),
    ("under.vile.lab", "docs_.lab"),
];

/// Targets as zone files have them: each of them has an address where somebody listens.
const TARGETS: [&str; 2] = ["a_b.lab", "fa\\195\\159.lab"];

/// A proxy between a server and an attacker, who has a domain of its own, `a.lab`.
struct Scene {
    ligase: Ligase,
    server: Stranger,
    attacker: Peer,
    intruder: Peer,
    shown: Certificate,
    world: World,
}

impl Scene {
    fn new() -> Self {
        let mut world = World::new();
        let (house, padua) = (world.host("house"), world.host("padua"));
        world.zone.server("l1.lab", 7269, "xmpp.l1.lab");
        world.zone.address("xmpp.l1.lab", &house);
        world.zone.server("a.lab", 5269, "xmpp.a.lab");
        world.zone.address("xmpp.a.lab", &padua);
        world.open();
        let own = world.authority.issue(&["l1.lab"]);
        let mut proxy = Proxy::new(&world, &house, Capture::Dns, &["l1.lab".to_owned()], &own);
        proxy.set("policy.default", "dna");
        let ligase = proxy.start();
        let server = Stranger::listen_for(&house, 5269, &["l1.lab"], &own);
        let shown = world.authority.issue(&["a.lab"]);
        let (attacker, intruder) = (Peer::on(&padua), Peer::on(&house));
        Self { ligase, server, attacker, intruder, shown, world }
    }

    fn public(&self) -> String {
        format!("{}:7269", self.ligase.host().v4)
    }

    /// A stream of the attacker's, in its own name, within TLS.
    fn secured(&self) -> Stream {
        let stream = self.attacker.dial(&self.public());
        secure(&stream, "a.lab", "l1.lab", Some(&self.shown));
        stream
    }

    /// The same, and it may send.
    fn authorized(&self) -> Stream {
        let stream = self.secured();
        stream.send("<db:result from='a.lab' to='l1.lab'>00</db:result>");
        let answer = next(&stream);
        assert!(answer.contains("type='valid'"), "{answer}");
        stream
    }

    /// A configuration with this is refused, and the key is named.
    fn invalid(&self, key: &str, value: &str) {
        let domains = ["l1.lab".to_owned()];
        let own = self.world.authority.issue(&["l1.lab"]);
        let elsewhere = &self.world.hub;
        let mut proxy = Proxy::new(&self.world, elsewhere, Capture::Dns, &domains, &own);
        proxy.set(key, value);
        let (status, said) = proxy.validate();
        assert!(!status.success(), "{said}");
        assert!(said.contains(key) && said.contains("domain name"), "{said}");
    }
}

/// A stream is ended with an error, or at least what was asked for is.
#[track_caller]
fn refused(stream: &Stream) {
    let mut said = String::new();
    while let Some(next) = stream.next_within(PATIENCE) {
        said.push_str(&next);
        if said.contains("<stream:error") || said.contains("type='error'") {
            break;
        }
    }
    let conditions = ["<improper-addressing", "<not-acceptable", "<jid-malformed", "<invalid-from"];
    assert!(conditions.iter().any(|it| said.contains(it)), "{said:?}");
    assert!(!said.contains("type='valid'"), "{said}");
}

fn secure(stream: &Stream, from: &str, to: &str, certificate: Option<&Certificate>) {
    stream.send(&header(from, to));
    stream.expect("</stream:features>");
    stream.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    stream.expect("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    stream.start_tls(to, certificate).or_fail("shake hands");
    stream.send(&header(from, to));
    stream.expect("</stream:features>");
}

#[track_caller]
fn next(stream: &Stream) -> String {
    stream.next_within(PATIENCE).or_fail("hear an answer")
}

fn header(from: &str, to: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
         xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' \
         from='{from}' to='{to}' version='1.0'>"
    )
}

fn message(from: &str, to: &str) -> String {
    format!("<message from='{from}' to='{to}' id='1'><body>{MARK}</body></message>")
}

/// What must never come through.
const MARK: &str = "by a vile name";

/// Where the proxy listens for the server behind it.
const BACKEND: &str = "127.0.0.1:7270";

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
