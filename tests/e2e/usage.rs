//! Certificates as public authorities issue them since 2026: for servers only.

use std::time::Duration;

use ligase_tests::{
    Capture, Certificate, Host, Kind, Leaf, Ligase, Manner, Proxy, Purpose, Server, Setup, User,
    World,
};

use crate::conversation::chat;
use crate::verona::{names_of, proofs, publish};

/// An ejabberd that takes no server's certificate for a client's meets a peer that has no other:
/// behind a proxy, both directions authenticate by EXTERNAL and PKIX. Towards such an ejabberd in
/// the open, the proxy's own certificate is refused, and dialback carries the first stanza all the
/// same.
#[test]
fn a_servers_certificate_is_enough_behind_a_proxy() {
    let mut world = World::new();
    let [montague, paris, escalus] =
        [("montague", 7269), ("paris", 5269), ("escalus", 5269)].map(|(name, port)| {
            let (host, domain) = (world.host(name), format!("{name}.lab"));
            publish(&mut world, &domain, &host, port);
            Place { host, domain }
        });
    world.open();

    let (ligase, (_server, romeo)) = behind(&world, &montague);
    let (prosody, tybalt) = bare(&world, &paris, Kind::Prosody);
    let (ejabberd, prince) = bare(&world, &escalus, Kind::Ejabberd);

    // Each way twice: who speaks first makes a difference to servers.
    chat(&romeo, &tybalt);
    chat(&tybalt, &romeo);
    let soon = Duration::from_secs(5);
    let log = prosody.log();
    log.hear("Accepting SASL EXTERNAL identity from montague.lab", soon);
    for (direction, proof) in [("inbound", "pkix"), ("outbound", "pkix")] {
        assert_eq!(proofs(&ligase, "paris.lab", direction), [proof], "{direction}");
    }

    chat(&romeo, &prince);
    chat(&prince, &romeo);
    let log = ejabberd.log();
    log.hear("Failed inbound s2s EXTERNAL authentication montague.lab", soon);
    log.hear("Accepted inbound s2s dialback authentication montague.lab", soon);
    // It is the peer who falls back; what it shows us is as good as ever.
    assert_eq!(proofs(&ligase, "escalus.lab", "outbound"), ["pkix"]);
}

/// Servers that are content with dialback, and were never told of the proxy's own authority: they
/// speak first, and are heard at once.
#[test]
fn a_server_that_knows_nothing_of_our_authority_speaks_first() {
    for kind in [Kind::Prosody, Kind::Ejabberd] {
        let mut world = World::new();
        let [montague, paris] = [("montague", 7269), ("paris", 5269)].map(|(name, port)| {
            let (host, domain) = (world.host(name), format!("{name}.lab"));
            publish(&mut world, &domain, &host, port);
            Place { host, domain }
        });
        world.open();
        let certificate = for_servers(&world, "montague.lab");
        let names = names_of("montague.lab");
        let ligase = Proxy::new(&world, &montague.host, Capture::Dns, &names, &certificate).start();
        montague.host.trust(&[&world.authority]);
        let own = Leaf::of(&["montague.lab"]).self_signed();
        let setup = Setup::new(kind, &montague.host, &["montague.lab"], &own);
        let (_server, romeo) =
            somebody(&world, &montague, setup.in_manner(Manner::Unproven).start());
        let (_prosody, tybalt) = bare(&world, &paris, Kind::Prosody);
        romeo.say(&tybalt.jid, "first");
        tybalt.hear_within(&romeo.full, "first", Duration::from_secs(15));
        chat(&tybalt, &romeo);
        chat(&romeo, &tybalt);
        assert_eq!(proofs(&ligase, "paris.lab", "outbound"), ["pkix"], "{kind:?}");
    }
}

/// A host and the domain that it serves.
struct Place {
    host: Host,
    domain: String,
}

/// An ejabberd as Debian has it, and a proxy whose certificate is for servers only.
fn behind(world: &World, place: &Place) -> (Ligase, (Server, User)) {
    let Place { host, domain } = place;
    let certificate = for_servers(world, domain);
    let ligase = Proxy::new(world, host, Capture::Dns, &names_of(domain), &certificate).start();
    let own = Leaf::of(&[domain]).self_signed();
    let server =
        Setup::new(Kind::Ejabberd, host, &[domain], &own).in_manner(Manner::Default).start();
    (ligase, somebody(world, place, server))
}

/// A server by itself, with a certificate for servers only.
fn bare(world: &World, place: &Place, kind: Kind) -> (Server, User) {
    let certificate = for_servers(world, &place.domain);
    let server = Setup::new(kind, &place.host, &[&place.domain], &certificate).start();
    somebody(world, place, server)
}

fn somebody(world: &World, place: &Place, server: Server) -> (Server, User) {
    server.register("somebody", &place.domain);
    let user = world.users().login(&format!("somebody@{}", place.domain), &place.host);
    (server, user)
}

fn for_servers(world: &World, domain: &str) -> Certificate {
    let names = names_of(domain);
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    Leaf::of(&names).only_for(Purpose::Server).signed_by(&world.authority)
}
