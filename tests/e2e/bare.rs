//! Without ligase: what the servers do by themselves, and whether the world is as it should be.

use std::time::Duration;

use ligase_tests::{Kind, Leaf, Manner, OldServer, Outcome, Purpose, Setup, Stranger, World};

use crate::conversation::{chat, converse, pour, talk_with_old};
use crate::verona::{House, Plan, certificate, names_of, publish};

/// Two servers, as their packages configure them, with certificates that both trust.
#[test]
fn prosody_and_ejabberd_authenticate_by_certificate() {
    let plans =
        [Plan::bare("escalus", Kind::Prosody, true), Plan::bare("paris", Kind::Ejabberd, true)];
    let mut world = World::new();
    let hosts = plans.clone().map(|plan| plan.publish(&mut world));
    world.open();
    let [escalus, paris] = [0, 1].map(|it| plans[it].build(&world, &hosts[it], |_| ()));

    converse(&escalus.by_starttls, &paris.by_starttls);
    converse(&escalus.by_direct_tls, &paris.by_direct_tls);

    let soon = Duration::from_secs(5);
    for domain in ["escalus.lab", "direct-escalus.lab"] {
        let accepted = format!("Accepted inbound s2s EXTERNAL authentication {domain} ");
        paris.server.log().hear(&accepted, soon);
    }
    paris.server.log().hear("Accepted outbound s2s EXTERNAL authentication", soon);
}

/// What ligase is for: a certificate as public authorities issue it today names a server only, and
/// this ejabberd takes it for no proof of a client (RFC 5280 §4.2.1.12).
#[test]
fn ejabberd_refuses_external_for_a_server_certificate() {
    let mut world = World::new();
    let (montague, capulet) = (world.host("montague"), world.host("capulet"));
    let padua = world.host("padua");
    publish(&mut world, "montague.lab", &montague, 5269);
    publish(&mut world, "capulet.lab", &capulet, 5269);
    publish(&mut world, "padua.lab", &padua, 6000);
    world.open();

    let names = names_of("montague.lab");
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let server_only = Leaf::of(&names).only_for(Purpose::Server).signed_by(&world.authority);
    let prosody = Setup::new(Kind::Prosody, &montague, &["montague.lab"], &server_only).start();
    let theirs = certificate(&world, "capulet.lab");
    let ejabberd = Setup::new(Kind::Ejabberd, &capulet, &["capulet.lab"], &theirs).start();
    prosody.register("romeo", "montague.lab");
    ejabberd.register("juliet", "capulet.lab");
    let romeo = world.users().login("romeo@montague.lab", &montague);
    let juliet = world.users().login("juliet@capulet.lab", &capulet);

    chat(&romeo, &juliet);

    let soon = Duration::from_secs(5);
    ejabberd.log().hear("Failed inbound s2s EXTERNAL authentication montague.lab", soon);
    ejabberd.log().hear("Accepted inbound s2s dialback authentication montague.lab", soon);

    // The same on the wire, where a peer of our own can read it inside TLS.
    let both = Leaf::of(&["padua.lab"]).signed_by(&world.authority);
    let server_only =
        Leaf::of(&["padua.lab"]).only_for(Purpose::Server).signed_by(&world.authority);
    let stranger = Stranger::listen(&padua, 6000, "padua.lab", &server_only);
    let at = format!("{}:5269", capulet.v4);
    let refusal = stranger.external(&at, "capulet.lab", &server_only);
    assert!(refusal.starts_with("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"), "{refusal}");
    assert!(refusal.contains("<not-authorized"), "{refusal}");
    let success = stranger.external(&at, "capulet.lab", &both);
    assert!(success.starts_with("<success"), "{success}");
}

/// A server cannot be asked to trust a stranger: Prosody's default wants a certificate, and one
/// that its own signature vouches for is none.
#[test]
fn prosody_refuses_a_self_signed_certificate_unless_told() {
    let mut world = World::new();
    let (montague, benvolio) = (world.host("montague"), world.host("benvolio"));
    let capulet = world.host("capulet");
    publish(&mut world, "montague.lab", &montague, 5269);
    publish(&mut world, "benvolio.lab", &benvolio, 5269);
    publish(&mut world, "capulet.lab", &capulet, 5269);
    world.open();

    let names = names_of("capulet.lab");
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let theirs = Leaf::of(&names).self_signed();
    let ejabberd = Setup::new(Kind::Ejabberd, &capulet, &["capulet.lab"], &theirs).start();
    ejabberd.register("juliet", "capulet.lab");
    let juliet = world.users().login("juliet@capulet.lab", &capulet);

    let ours = certificate(&world, "montague.lab");
    let strict = Setup::new(Kind::Prosody, &montague, &["montague.lab"], &ours).start();
    strict.register("romeo", "montague.lab");
    let romeo = world.users().login("romeo@montague.lab", &montague);
    romeo.say(&juliet.jid, "Call me but love");
    let error = romeo.hear_error(&juliet.jid, Duration::from_secs(20));
    assert!(error.contains("certificate"), "{error}");

    let ours = certificate(&world, "benvolio.lab");
    let setup = Setup::new(Kind::Prosody, &benvolio, &["benvolio.lab"], &ours);
    let lenient = setup.in_manner(Manner::Unproven).start();
    lenient.register("romeo", "benvolio.lab");
    let romeo = world.users().login("romeo@benvolio.lab", &benvolio);
    chat(&romeo, &juliet);
    let changes = lenient.changes();
    assert_eq!(changes[..2], ["-s2s_secure_auth = true", "+s2s_secure_auth = false"]);
}

/// Two servers told to do without TLS, as some old ones are, and a megabyte at once either way.
#[test]
fn servers_without_tls_use_dialback() {
    let mut world = World::new();
    let (montague, capulet) = (world.host("montague"), world.host("capulet"));
    publish(&mut world, "montague.lab", &montague, 5269);
    publish(&mut world, "capulet.lab", &capulet, 5269);
    world.open();

    let clear = |kind, host, domain| {
        let certificate = certificate(&world, domain);
        Setup::new(kind, host, &[domain], &certificate).in_manner(Manner::InTheClear).start()
    };
    let prosody = clear(Kind::Prosody, &montague, "montague.lab");
    let ejabberd = clear(Kind::Ejabberd, &capulet, "capulet.lab");
    prosody.register("romeo", "montague.lab");
    ejabberd.register("juliet", "capulet.lab");
    let romeo = world.users().login("romeo@montague.lab", &montague);
    let juliet = world.users().login("juliet@capulet.lab", &capulet);

    converse(&romeo, &juliet);
    let soon = Duration::from_secs(5);
    ejabberd.log().hear("Accepted inbound s2s dialback authentication montague.lab", soon);
    pour(&prosody, &romeo, &juliet);
    pour(&ejabberd, &juliet, &romeo);
}

/// The scripted server of old is one that today's servers understand, if they are told to.
#[test]
fn a_server_of_old_talks_with_servers_told_to_do_without_tls() {
    let mut world = World::new();
    let (verona, montague, capulet) =
        (world.host("verona"), world.host("montague"), world.host("capulet"));
    publish(&mut world, "verona.lab", &verona, 5269);
    publish(&mut world, "montague.lab", &montague, 5269);
    publish(&mut world, "capulet.lab", &capulet, 5269);
    world.open();

    let old = OldServer::start(&verona, "verona.lab");
    for (kind, host, domain) in
        [(Kind::Prosody, &montague, "montague.lab"), (Kind::Ejabberd, &capulet, "capulet.lab")]
    {
        let certificate = certificate(&world, domain);
        let setup = Setup::new(kind, host, &[domain], &certificate);
        let server = setup.in_manner(Manner::InTheClear).start();
        server.register("nurse", domain);
        let nurse = world.users().login(&format!("nurse@{domain}"), host);
        talk_with_old(&old, "prince@verona.lab", &nurse);
    }
    assert!(old.claims().iter().all(|(_, good)| *good), "{:?}", old.claims());
}

/// The scripted stranger is a server that today's servers understand: Prosody wants his
/// certificate, ejabberd asks his domain.
#[test]
fn a_stranger_is_judged_by_certificate_or_by_dialback() {
    let plans =
        [Plan::bare("escalus", Kind::Prosody, true), Plan::bare("paris", Kind::Ejabberd, true)];
    let mut world = World::new();
    let hosts = plans.clone().map(|plan| plan.publish(&mut world));
    let padua = world.host("padua");
    publish(&mut world, "padua.lab", &padua, 6000);
    world.open();
    let houses = [0, 1].map(|it| plans[it].build(&world, &hosts[it], |_| ()));

    let good = world.authority.issue(&["padua.lab"]);
    let forged = Leaf::of(&["padua.lab"]).self_signed();
    let stranger = Stranger::listen(&padua, 6000, "padua.lab", &good);
    let claim = |house: &House, certificate, body: &str| {
        let target = house.by_starttls.domain();
        let at = format!("{}:5269", house.server.host().v4);
        let message = format!(
            "<message type='chat' from='petruchio@padua.lab' to='somebody@{target}'>\
             <body>{body}</body></message>"
        );
        stranger.claim(&at, "padua.lab", target, Some(certificate), &message)
    };
    let [escalus, paris] = &houses;
    assert_ne!(claim(escalus, &forged, "forged"), Outcome::Let);
    assert_eq!(claim(escalus, &good, "good"), Outcome::Let);
    escalus.by_starttls.hear("petruchio@padua.lab", "good");
    assert!(!escalus.by_starttls.has_heard_from("petruchio@padua.lab"));
    assert_eq!(claim(paris, &forged, "forged"), Outcome::Let);
    paris.by_starttls.hear("petruchio@padua.lab", "forged");
    escalus.by_starttls.say("petruchio@padua.lab", "Come, sit on me.");
    stranger.hear("Come, sit on me.");
}
