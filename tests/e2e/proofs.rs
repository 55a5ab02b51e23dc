//! Every prooftype at work: how peers are proven, what refutes them, and what happens when a proof
//! ends.

mod books;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use ligase_tests::{
    Capture, Certificate, Host, Kind, Leaf, Ligase, Manner, OrFail, Outcome, Server, Setup,
    Stranger, User, Web, World,
};

use crate::conversation::chat;
use crate::verona::{House, Plan, Rows, certificate, names_of, proofs_of, publish};

/// A server by itself, and somebody who lives there.
struct Peer {
    domain: String,
    _server: Server,
    user: User,
}

impl Peer {
    fn start(world: &World, host: &Host, domain: &str, kind: Kind, shown: &Certificate) -> Self {
        let server = Setup::new(kind, host, &[domain], shown).start();
        server.register("somebody", domain);
        let user = world.users().login(&format!("somebody@{domain}"), host);
        Self { domain: domain.to_owned(), _server: server, user }
    }
}

/// A certificate for a domain and its rooms that nobody but itself vouches for.
fn unvouched(domain: &str) -> Certificate {
    let names = names_of(domain);
    Leaf::of(&names.each_ref().map(String::as_str)).self_signed()
}

/// TLSA records, a POSH document, and a certificate that names only the host to which signed DNS
/// delegates the domain: each proves its peer by itself, to the proxy of either server, whoever
/// connects.
#[test]
fn each_prooftype_proves_a_peer_in_both_directions() {
    let mut world = World::new();
    let plans = [
        Plan::behind("montague", Kind::Ejabberd, Manner::Default, Capture::Dns),
        Plan::behind("capulet", Kind::Prosody, Manner::Default, Capture::Dns),
    ];
    let places = plans.each_ref().map(|plan| plan.publish(&mut world));
    let peers = [("dane", Kind::Prosody), ("posh", Kind::Prosody), ("pkix", Kind::Ejabberd)];
    let peers = peers.map(|(name, kind)| {
        let (host, domain) = (world.host(name), format!("{name}.lab"));
        publish(&mut world, &domain, &host, 5269);
        (host, domain, kind)
    });
    let [pinned, vouched] = ["dane.lab", "posh.lab"].map(unvouched);
    let delegated = world.authority.issue(&["xmpp.pkix.lab"]);
    world.zone.tlsa("xmpp.dane.lab", 5269, &pinned);
    world.zone.address("posh.lab", &peers[1].0);
    world.open();

    let web = Web::start(&peers[1].0, &world.authority.issue(&["posh.lab"]));
    web.vouch("posh.lab", &vouched, 3600);
    let (world, certificates) = (&world, [&pinned, &vouched, &delegated]);
    let (houses, peers) = thread::scope(|scope| {
        let houses = [0, 1].map(|it| {
            let (plan, place) = (&plans[it], &places[it]);
            scope
                .spawn(move || plan.build(world, place, |proxy| proxy.set("policy.default", "dna")))
        });
        let peers = [0, 1, 2].map(|it| {
            let ((host, domain, kind), shown) = (&peers[it], certificates[it]);
            scope.spawn(move || Peer::start(world, host, domain, *kind, shown))
        });
        (houses.map(built), peers.map(built))
    });
    let rows = Rows::default();
    for house in &houses {
        for (peer, prooftype) in peers.iter().zip(["dane", "posh", "pkix"]) {
            rows.run(&format!("{} and {prooftype}", house.name), || {
                chat(&house.by_starttls, &peer.user);
                chat(&peer.user, &house.by_starttls);
                for direction in ["inbound", "outbound"] {
                    let proofs = proofs_of(house.proxy(), &peer.domain, direction);
                    let shown = proofs.iter().any(|it| it.prooftype == prooftype);
                    assert!(shown, "{direction}: {proofs:?}");
                    assert!(proofs.iter().all(|it| it.expires.is_some()), "{proofs:?}");
                }
            });
        }
        rows.run(&format!("the books of {}", house.name), || {
            books::check(house.proxy());
        });
    }
    rows.finish();
}

fn built<T>(building: thread::ScopedJoinHandle<'_, T>) -> T {
    match building.join() {
        Ok(built) => built,
        Err(why) => std::panic::resume_unwind(why),
    }
}

/// What contradicts a domain's own word lets nothing through, and both who asks and who operates
/// are told why.
#[test]
fn what_a_domain_publishes_refutes_others() {
    let mut world = World::new();
    let plans = [
        Plan::behind("montague", Kind::Ejabberd, Manner::Default, Capture::Dns),
        Plan::behind("capulet", Kind::Prosody, Manner::Default, Capture::Dns),
    ];
    let places = plans.each_ref().map(|plan| plan.publish(&mut world));
    let paris = Plan::bare("paris", Kind::Prosody, true);
    let paris_host = paris.publish(&mut world);
    let padua = world.host("padua");
    for (number, (domain, _)) in LIARS.into_iter().enumerate() {
        let target = format!("xmpp.{domain}");
        world.zone.server(domain, port(number), &target);
        world.zone.address(&target, &padua);
    }
    let other = world.authority.issue(&["other.lab"]);
    world.zone.tlsa("xmpp.pinned.lab", port(0), &other);
    world
        .zone
        .forge(&format!("{} xmpp.forged.lab", port(1)), &format!("{} xmpp.bent.lab", port(1)));
    world.zone.address("published.lab", &padua);
    let stripped = world.authority.issue(&["stripped.lab"]);
    world.zone.tlsa("xmpp.stripped.lab", port(3), &stripped);
    world.open();
    let web = Web::start(&padua, &world.authority.issue(&["published.lab"]));
    web.vouch("published.lab", &other, 3600);

    let world = &world;
    let (houses, paris) = thread::scope(|scope| {
        let houses = [0, 1].map(|it| {
            let (plan, place) = (&plans[it], &places[it]);
            scope
                .spawn(move || plan.build(world, place, |proxy| proxy.set("policy.default", "dna")))
        });
        let paris = scope.spawn(|| paris.build(world, &paris_host, |_| ()));
        (houses.map(built), built(paris))
    });
    let rows = Rows::default();
    for (number, (domain, reason)) in LIARS.into_iter().enumerate() {
        let shown = match domain {
            "published.lab" => unvouched(domain),
            "stripped.lab" => stripped.clone(),
            _ => world.authority.issue(&[domain]),
        };
        let listen = match domain {
            "stripped.lab" => Stranger::listen_in_the_clear,
            _ => Stranger::listen,
        };
        let stranger = listen(&padua, port(number), domain, &shown);
        for house in &houses {
            rows.run(&format!("{} calls {domain}", house.name), || call(house, &stranger, reason));
            if domain != "stripped.lab" {
                rows.run(&format!("{domain} knocks at {}", house.name), || {
                    knock(house, &paris, &stranger, &shown, reason);
                });
            }
        }
    }
    rows.finish();
}

/// Domains, and why nobody is let in who claims to be them.
const LIARS: [(&str, &str); 4] = [
    ("pinned.lab", "dane.mismatch"),
    ("forged.lab", "dns.bogus"),
    ("published.lab", "posh.mismatch"),
    ("stripped.lab", "stream.tls_required"),
];

fn port(number: usize) -> u16 {
    // No other server listens there.
    u16::try_from(6000 + number).unwrap_or_default()
}

fn call(house: &House, stranger: &Stranger, reason: &str) {
    let romeo = &house.by_starttls;
    let listener = format!("sampson@{}", stranger.domain());
    let counted = refusals(house.proxy(), reason);
    let since = house.proxy().log().lines().len();
    romeo.say(&listener, "Do you quarrel, sir?");
    let error = romeo.hear_error(&listener, Duration::from_secs(10));
    assert!(error.starts_with("remote-server-"), "{error}");
    let heard = stranger.heard();
    assert!(!heard.iter().any(|it| it.starts_with("<message")), "{heard:?}");
    let soon = Duration::from_secs(5);
    house.proxy().log().hear_after(since, &format!("reason={reason}"), soon);
    if reason != "stream.tls_required" {
        assert!(counted < refusals(house.proxy(), reason), "{reason} is not counted");
    }
}

fn knock(house: &House, paris: &House, stranger: &Stranger, shown: &Certificate, reason: &str) {
    let romeo = &house.by_starttls;
    let speaker = format!("gregory@{}", stranger.domain());
    let message = format!(
        "<message type='chat' from='{speaker}' to='{}'><body>Knock</body></message>",
        romeo.jid
    );
    let counted = refusals(house.proxy(), reason);
    let at = format!("{}:7269", house.server.host().v4);
    let claimed = stranger.claim(&at, stranger.domain(), romeo.domain(), Some(shown), &message);
    assert_ne!(claimed, Outcome::Let);
    // What follows on another stream has come through, so what went before would have.
    chat(&paris.by_starttls, romeo);
    assert!(!romeo.has_heard_from(&speaker), "{speaker} was heard");
    assert!(counted < refusals(house.proxy(), reason), "{reason} is not counted");
}

/// How often a peer was not proven for this reason.
fn refusals(ligase: &Ligase, reason: &str) -> f64 {
    ligase.metric("ligase_auth_attempts_total", &[&format!("reason=\"{reason}\"")])
}

/// Proofs end while users talk. Where the domain still stands by its peer nobody notices; where it
/// does not, nothing passes any more within the lifetime of what it had said and five seconds.
#[test]
fn a_proof_that_ends_is_made_again_or_ends_its_pairs() {
    let mut world = World::new();
    world.zone.ttl = u32::try_from(LIFETIME.as_secs()).unwrap_or_default();
    let plan = Plan::behind("montague", Kind::Prosody, Manner::Default, Capture::Dns);
    let place = plan.publish(&mut world);
    let hosts = ["dane", "posh", "pkix"].map(|name| {
        let (host, domain) = (world.host(name), format!("{name}.lab"));
        publish(&mut world, &domain, &host, 5269);
        host
    });
    let [pinned, vouched] = ["dane.lab", "posh.lab"].map(unvouched);
    world.zone.tlsa("xmpp.dane.lab", 5269, &pinned);
    world.zone.address("posh.lab", &hosts[1]);
    world.open();
    let web = Web::start(&hosts[1], &world.authority.issue(&["posh.lab"]));
    web.vouch("posh.lab", &vouched, LIFETIME.as_secs());
    let house = plan.build(&world, &place, |proxy| proxy.set("policy.default", "dna"));
    let dane = Peer::start(&world, &hosts[0], "dane.lab", Kind::Prosody, &pinned);
    let posh = Peer::start(&world, &hosts[1], "posh.lab", Kind::Prosody, &vouched);
    let names = names_of("pkix.lab");
    let leaf = Leaf::of(&names.each_ref().map(String::as_str));
    let leaf = leaf.for_seconds(45).signed_by(&world.authority);
    let ends = now() + Duration::from_secs(45);
    let pkix = Peer::start(&world, &hosts[2], "pkix.lab", Kind::Prosody, &leaf);

    // What the domains say again, and what they say besides, changes nothing.
    let peers = [&dane, &posh, &pkix];
    talk(&house, &peers, Duration::ZERO);
    let before = peers.map(|peer| standing(&house, peer));
    talk(&house, &peers, 2 * LIFETIME);
    let next = world.authority.issue(&["dane.lab"]);
    world.republish(|zone| zone.tlsa("xmpp.dane.lab", 5269, &next));
    talk(&house, &peers, 2 * LIFETIME);
    for (before, peer) in before.iter().zip(peers) {
        for (before, after) in before.iter().zip(standing(&house, peer)) {
            let renewed = before.expires < after.expires || peer.domain == "pkix.lab";
            assert!(before.id == after.id && renewed, "{before:?}, {after:?}");
        }
    }

    // Then they take it back, each in its own way.
    let since = house.proxy().log().lines().len();
    web.vouch("posh.lab", &next, LIFETIME.as_secs());
    world.republish(|zone| {
        zone.forget("_5269._tcp.xmpp.dane.lab", "TLSA");
        zone.tlsa("xmpp.dane.lab", 5269, &next);
    });
    let taken_back = now();
    let rows = Rows::default();
    let lost = Duration::from_secs(5) + LIFETIME;
    for (peer, by) in [(&dane, taken_back + lost), (&posh, taken_back + lost)] {
        rows.run(&format!("{} ends", peer.domain), || falls(&house, peer, by));
    }
    // By then the certificate may be over, too; it had no lifetime but its own.
    rows.run("pkix.lab ends", || falls(&house, &pkix, ends + Duration::from_secs(5)));
    for (peer, reason) in
        [(&dane, "dane.mismatch"), (&posh, "posh.mismatch"), (&pkix, "cert.expired")]
    {
        rows.run(&format!("{} is told why", peer.domain), || {
            let soon = Duration::from_secs(5);
            house.proxy().log().hear_after(since, &format!("reason={reason}"), soon);
        });
    }
    let failed = house.proxy().metric("ligase_revocations_total", &["cause=\"proof-failed\""]);
    assert!(6.0 <= failed, "{failed} pairs were taken back");
    rows.finish();
}

#[expect(clippy::disallowed_methods, reason = "these tests are about time as it passes")]
fn now() -> Instant {
    Instant::now()
}

/// An authority takes back what it said of a peer. The list is read when it changes, and then the
/// peer is judged by it at once.
#[test]
fn a_certificate_that_is_revoked_ends_its_pairs() {
    let mut world = World::new();
    let plan = Plan::behind("montague", Kind::Prosody, Manner::Default, Capture::Dns);
    let place = plan.publish(&mut world);
    let hosts = ["revoked", "kept"].map(|name| {
        let (host, domain) = (world.host(name), format!("{name}.lab"));
        publish(&mut world, &domain, &host, 5269);
        host
    });
    world.open();
    let list = place.folder("ligase").join("revoked.pem");
    fs::write(&list, world.authority.revoke(&[])).or_fail("write a list");
    let house = plan.build(&world, &place, |proxy| {
        proxy.set("policy.default", "dna");
        proxy.set("trust.revocations", &list.display().to_string());
    });
    let [revoked, kept] = ["revoked.lab", "kept.lab"].map(|domain| certificate(&world, domain));
    let [first, second] = [("revoked.lab", &revoked), ("kept.lab", &kept)];
    let first = Peer::start(&world, &hosts[0], first.0, Kind::Prosody, first.1);
    let second = Peer::start(&world, &hosts[1], second.0, Kind::Prosody, second.1);
    talk(&house, &[&first, &second], Duration::ZERO);
    let before = standing(&house, &second);

    let draft = list.with_extension("draft");
    fs::write(&draft, world.authority.revoke(&[&revoked])).or_fail("write a list");
    fs::rename(draft, &list).or_fail("publish a list");
    falls(&house, &first, now() + Duration::from_secs(10));
    let soon = Duration::from_secs(5);
    house.proxy().log().hear("reason=cert.revoked", soon);
    talk(&house, &[&second], Duration::ZERO);
    let after = standing(&house, &second);
    assert_eq!(before.each_ref().map(|it| it.id), after.each_ref().map(|it| it.id));
}

/// How long what the domains say may be remembered.
const LIFETIME: Duration = Duration::from_secs(5);

/// Everybody talks with everybody for so long, and loses nothing.
fn talk(house: &House, peers: &[&Peer], how_long: Duration) {
    let end = now() + how_long;
    loop {
        for peer in peers {
            chat(&house.by_starttls, &peer.user);
            chat(&peer.user, &house.by_starttls);
        }
        if end <= now() {
            return;
        }
    }
}

/// The one proof of a peer in each direction.
fn standing(house: &House, peer: &Peer) -> [crate::verona::Proof; 2] {
    ["inbound", "outbound"].map(|direction| {
        let mut proofs = proofs_of(house.proxy(), &peer.domain, direction);
        assert_eq!(proofs.len(), 1, "{direction}: {proofs:?}");
        proofs.remove(0)
    })
}

/// The peer loses what it had in time, and then nothing passes, either way.
fn falls(house: &House, peer: &Peer, by: Instant) {
    let holds = || {
        ["inbound", "outbound"]
            .iter()
            .any(|direction| !proofs_of(house.proxy(), &peer.domain, direction).is_empty())
    };
    while holds() {
        assert!(now() <= by, "{} is still in", peer.domain);
        thread::sleep(Duration::from_millis(50));
    }
    let (romeo, stranger) = (&house.by_starttls, &peer.user);
    romeo.say(&stranger.jid, "too late");
    let error = romeo.hear_error(&stranger.jid, Duration::from_secs(10));
    assert!(error.starts_with("remote-server-"), "{error}");
    stranger.say(&romeo.jid, "too late");
    stranger.hear_error(&romeo.jid, Duration::from_secs(20));
    assert!(!romeo.has_heard_from(&stranger.full), "{} was heard", peer.domain);
}
