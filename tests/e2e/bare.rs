//! Without ligase: what the servers do by themselves, and whether the world is as it should be.

use std::time::Duration;

use ligase_tests::{Kind, Leaf, Manner, OldServer, Purpose, Setup, World};

use crate::conversation::{chat, converse, pour, talk_with_old};
use crate::verona::{certificate, names_of, publish};

/// Two servers, as their packages configure them, with certificates that both trust.
#[test]
fn prosody_and_ejabberd_authenticate_by_certificate() {
    let mut world = World::new();
    let (montague, capulet) = (world.host("montague"), world.host("capulet"));
    publish(&mut world, "montague.lab", &montague, 5269);
    publish(&mut world, "capulet.lab", &capulet, 5269);
    world.open();

    let ours = certificate(&world, "montague.lab");
    let prosody = Setup::new(Kind::Prosody, &montague, &["montague.lab"], &ours).start();
    let theirs = certificate(&world, "capulet.lab");
    let ejabberd = Setup::new(Kind::Ejabberd, &capulet, &["capulet.lab"], &theirs).start();
    prosody.register("romeo", "montague.lab");
    ejabberd.register("juliet", "capulet.lab");
    let romeo = world.users().login("romeo@montague.lab", &montague);
    let juliet = world.users().login("juliet@capulet.lab", &capulet);

    converse(&romeo, &juliet);

    let soon = Duration::from_secs(5);
    ejabberd.log().hear(
        "Accepted inbound s2s EXTERNAL authentication montague.lab",
        soon,
    );
    ejabberd
        .log()
        .hear("Accepted outbound s2s EXTERNAL authentication", soon);
    let changes = prosody.changes();
    assert_eq!(
        changes,
        [
            "+VirtualHost \"montague.lab\"",
            "+Component \"conference.montague.lab\" \"muc\""
        ]
    );
    assert_eq!(ejabberd.changes(), ["-  - localhost", "+  - capulet.lab"]);
}

/// What ligase is for: a certificate as public authorities issue it today names a server only, and
/// this ejabberd takes it for no proof of a client (RFC 5280 §4.2.1.12).
#[test]
fn ejabberd_refuses_external_for_a_server_certificate() {
    let mut world = World::new();
    let (montague, capulet) = (world.host("montague"), world.host("capulet"));
    publish(&mut world, "montague.lab", &montague, 5269);
    publish(&mut world, "capulet.lab", &capulet, 5269);
    world.open();

    let names = names_of("montague.lab");
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let server_only = Leaf::of(&names)
        .only_for(Purpose::Server)
        .signed_by(&world.authority);
    let prosody = Setup::new(Kind::Prosody, &montague, &["montague.lab"], &server_only).start();
    let theirs = certificate(&world, "capulet.lab");
    let ejabberd = Setup::new(Kind::Ejabberd, &capulet, &["capulet.lab"], &theirs).start();
    prosody.register("romeo", "montague.lab");
    ejabberd.register("juliet", "capulet.lab");
    let romeo = world.users().login("romeo@montague.lab", &montague);
    let juliet = world.users().login("juliet@capulet.lab", &capulet);

    chat(&romeo, &juliet);

    let soon = Duration::from_secs(5);
    ejabberd.log().hear(
        "Failed inbound s2s EXTERNAL authentication montague.lab",
        soon,
    );
    ejabberd.log().hear(
        "Accepted inbound s2s dialback authentication montague.lab",
        soon,
    );
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
    assert_eq!(
        changes[..2],
        ["-s2s_secure_auth = true", "+s2s_secure_auth = false"]
    );
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
        Setup::new(kind, host, &[domain], &certificate)
            .in_manner(Manner::InTheClear)
            .start()
    };
    let prosody = clear(Kind::Prosody, &montague, "montague.lab");
    let ejabberd = clear(Kind::Ejabberd, &capulet, "capulet.lab");
    prosody.register("romeo", "montague.lab");
    ejabberd.register("juliet", "capulet.lab");
    let romeo = world.users().login("romeo@montague.lab", &montague);
    let juliet = world.users().login("juliet@capulet.lab", &capulet);

    converse(&romeo, &juliet);
    let soon = Duration::from_secs(5);
    ejabberd.log().hear(
        "Accepted inbound s2s dialback authentication montague.lab",
        soon,
    );
    pour(&prosody, &romeo, &juliet);
    pour(&ejabberd, &juliet, &romeo);
}

/// The scripted server of old is one that today's servers understand, if they are told to.
#[test]
fn a_server_of_old_talks_with_servers_told_to_do_without_tls() {
    let mut world = World::new();
    let (verona, montague, capulet) = (
        world.host("verona"),
        world.host("montague"),
        world.host("capulet"),
    );
    publish(&mut world, "verona.lab", &verona, 5269);
    publish(&mut world, "montague.lab", &montague, 5269);
    publish(&mut world, "capulet.lab", &capulet, 5269);
    world.open();

    let old = OldServer::start(&verona, "verona.lab");
    for (kind, host, domain) in [
        (Kind::Prosody, &montague, "montague.lab"),
        (Kind::Ejabberd, &capulet, "capulet.lab"),
    ] {
        let certificate = certificate(&world, domain);
        let setup = Setup::new(kind, host, &[domain], &certificate);
        let server = setup.in_manner(Manner::InTheClear).start();
        server.register("nurse", domain);
        let nurse = world.users().login(&format!("nurse@{domain}"), host);
        talk_with_old(&old, "prince@verona.lab", &nurse);
    }
    assert!(
        old.claims().iter().all(|(_, good)| *good),
        "{:?}",
        old.claims()
    );
}
