//! Peers that are not who they say, or cannot show it: nothing gets through that policy forbids.

use std::time::Duration;

use ligase_tests::{
    Authority, Capture, Certificate, Host, Kind, Leaf, Manner, Outcome, Peer, Stranger, World,
};

use crate::conversation::chat;
use crate::verona::{House, Plan, Rows, names_of};

/// What is wrong with a peer's certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    SelfSigned,
    UnknownAuthority,
    Expired,
    OtherName,
    /// An authority vouches for it, but the domain has pinned another (RFC 7673 §4).
    OtherThanPinned,
    /// None is shown. (No server can do without.)
    Missing,
}

impl Fault {
    const ALL: [Self; 6] = [
        Self::SelfSigned,
        Self::UnknownAuthority,
        Self::Expired,
        Self::OtherName,
        Self::OtherThanPinned,
        Self::Missing,
    ];

    /// The name of a domain with this fault.
    fn domain(self, below: &str) -> String {
        format!("{self:?}.{below}.lab").to_lowercase()
    }

    fn certificate(self, world: &World, domain: &str) -> Certificate {
        let leaf = Leaf::of(&[domain]);
        match self {
            Self::SelfSigned | Self::Missing => leaf.self_signed(),
            Self::UnknownAuthority => leaf.signed_by(&Authority::new("Padua")),
            Self::Expired => leaf.expired().signed_by(&world.authority),
            Self::OtherName => world.authority.issue(&["padua.lab"]),
            Self::OtherThanPinned => leaf.signed_by(&world.authority),
        }
    }

    /// Whether a peer with this fault is let in where dialback over TLS will do.
    fn is_forgivable(self) -> bool {
        // Who contradicts what a domain has published is refused at every level (F-03).
        self != Self::OtherThanPinned
    }
}

/// A house behind a proxy, and a good peer of it.
struct Scene {
    house: House,
    paris: House,
}

impl Scene {
    /// Something good comes through, and shows that the house still stands.
    fn canary(&self) {
        chat(&self.paris.by_starttls, &self.house.by_starttls);
    }
}

/// Where dialback over TLS is enough, and where it is not.
const LAX: &str = "lax";
const STRICT: &str = "strict";

#[test]
fn a_peer_is_let_in_only_by_what_policy_asks_for() {
    let mut world = World::new();
    let plan = Plan::behind("montague", Kind::Prosody, Manner::Default, Capture::Dns);
    let paris = Plan::bare("paris", Kind::Prosody, true);
    let house = plan.publish(&mut world);
    let paris_host = paris.publish(&mut world);
    let padua = world.host("padua");
    let rows: Vec<_> =
        Fault::ALL.into_iter().flat_map(|fault| [(fault, LAX), (fault, STRICT)]).collect();
    for (number, (fault, level)) in rows.iter().enumerate() {
        let (domain, port) = (fault.domain(level), port(number));
        world.zone.server(&domain, port, &format!("xmpp.{domain}"));
        world.zone.address(&format!("xmpp.{domain}"), &padua);
        if *fault == Fault::OtherThanPinned {
            let other = world.authority.issue(&[&domain]);
            world.zone.tlsa(&format!("xmpp.{domain}"), port, &other);
        }
    }
    world.open();
    let house = plan.build(&world, &house, |proxy| {
        proxy.set("policy.default", "encrypted");
        proxy.set("policy.peers", "{\"*.strict.lab\": pkix}");
    });
    let paris = paris.build(&world, &paris_host, |_| ());
    let scene = Scene { house, paris };

    let results = Rows::default();
    for (number, (fault, level)) in rows.into_iter().enumerate() {
        let domain = fault.domain(level);
        let certificate = fault.certificate(&world, &domain);
        let stranger = Stranger::listen(&padua, port(number), &domain, &certificate);
        let lets_in = level == LAX && fault.is_forgivable();
        results.run(&format!("{domain} inbound"), || {
            let shown = (fault != Fault::Missing).then_some(&certificate);
            knock(&scene, &stranger, shown, lets_in);
        });
        if fault != Fault::Missing {
            results.run(&format!("{domain} outbound"), || call(&scene, &stranger, lets_in));
        }
    }
    results.finish();
}

fn port(number: usize) -> u16 {
    // No other server listens there.
    u16::try_from(6000 + number).unwrap_or_default()
}

/// The stranger comes to us, and speaks whether it may or not.
fn knock(scene: &Scene, stranger: &Stranger, shown: Option<&Certificate>, lets_in: bool) {
    let romeo = &scene.house.by_starttls;
    let speaker = format!("gregory@{}", stranger.domain());
    let message = chat_stanza(&speaker, &romeo.jid, "Knock");
    let at = format!("{}:7269", scene.house.server.host().v4);
    let outcome = stranger.claim(&at, stranger.domain(), "montague.lab", shown, &message);
    if lets_in {
        assert_eq!(outcome, Outcome::Let);
        romeo.hear(&speaker, "Knock");
    } else {
        assert_ne!(outcome, Outcome::Let);
        // What follows on another stream has come through, so what went before would have.
        scene.canary();
        assert!(!romeo.has_heard_from(&speaker), "{speaker} was heard");
    }
}

/// We call the stranger.
fn call(scene: &Scene, stranger: &Stranger, lets_in: bool) {
    let romeo = &scene.house.by_starttls;
    let listener = format!("sampson@{}", stranger.domain());
    romeo.say(&listener, "Do you quarrel, sir?");
    if lets_in {
        stranger.hear("Do you quarrel, sir?");
    } else {
        let error = romeo.hear_error(&listener, Duration::from_secs(10));
        assert!(error.starts_with("remote-server-"), "{error}");
        let heard = stranger.heard();
        assert!(!heard.iter().any(|it| it.starts_with("<message")), "{heard:?}");
    }
}

/// A certificate that is good for another domain, and a key that its domain never made: the claim
/// of somebody else's name is refused whoever vouches for the claimant.
#[test]
fn nobody_speaks_for_another_domain() {
    let mut world = World::new();
    let plan = Plan::behind("montague", Kind::Prosody, Manner::Default, Capture::Dns);
    let paris = Plan::bare("paris", Kind::Prosody, true);
    let house = plan.publish(&mut world);
    let paris_host = paris.publish(&mut world);
    let padua = world.host("padua");
    world.zone.server("padua.lab", 6000, "xmpp.padua.lab");
    world.zone.address("xmpp.padua.lab", &padua);
    world.open();
    let house = plan.build(&world, &house, |_| ());
    let paris = paris.build(&world, &paris_host, |_| ());
    let scene = Scene { house, paris };
    scene.canary();

    let good = world.authority.issue(&["padua.lab"]);
    let forged = Leaf::of(&names_of("paris.lab").each_ref().map(String::as_str)).self_signed();
    let stranger = Stranger::listen(&padua, 6000, "padua.lab", &good);
    let rows = Rows::default();
    for (name, certificate) in
        [("its own certificate", Some(&good)), ("a forged one", Some(&forged)), ("none", None)]
    {
        rows.run(name, || lie(&scene, &stranger, certificate));
    }
    rows.finish();
    // Whoever was lied about is as welcome as before.
    scene.canary();
}

/// The stranger claims to be Paris.
fn lie(scene: &Scene, stranger: &Stranger, certificate: Option<&Certificate>) {
    let romeo = &scene.house.by_starttls;
    let at = format!("{}:7269", scene.house.server.host().v4);
    let message = chat_stanza("liar@paris.lab", &romeo.jid, "I am the county");
    let outcome = stranger.claim(&at, "paris.lab", "montague.lab", certificate, &message);
    assert_ne!(outcome, Outcome::Let);
    scene.canary();
    assert!(!romeo.has_heard_from("liar@paris.lab"), "the liar was heard");
}

/// A stranger on the network cannot come in by the door that is for the backend.
#[test]
fn the_backends_doors_are_closed_to_strangers() {
    let mut world = World::new();
    let plan = Plan::behind("montague", Kind::Prosody, Manner::Default, Capture::Dns);
    let house = plan.publish(&mut world);
    let padua = world.host("padua");
    world.open();
    let house = plan.build(&world, &house, |_| ());
    for port in [7270, 7290, 53] {
        assert!(!can_connect(&padua, &format!("{}:{port}", house.server.host().v4)), "{port}");
    }
    assert!(can_connect(&padua, &format!("{}:7269", house.server.host().v4)));
}

fn can_connect(from: &Host, to: &str) -> bool {
    Peer::on(from).try_dial(to).is_ok()
}

fn chat_stanza(from: &str, to: &str, body: &str) -> String {
    format!("<message type='chat' from='{from}' to='{to}'><body>{body}</body></message>")
}
