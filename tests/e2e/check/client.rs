//! The service that a domain offers to its own users (RFC 7712 §3).

use std::sync::mpsc;
use std::time::Duration;

use ligase_tests::{Leaf, Purpose, Stream};

use super::base64;
use super::doors::{CLIENT, PROCEED, SERVER, STARTTLS, document, header};
use super::expect;
use super::lab::Lab;
use crate::verona::Rows;

#[test]
fn what_users_meet_is_proven_by_its_own_records_and_names() {
    let mut lab = Lab::new();
    let serve = |lab: &mut Lab, domain: &str, port: u16, leaf: &Leaf| {
        let target = format!("xmpp.{domain}");
        let srv = format!("0 5 {port} {target}.");
        lab.world.zone.record(&format!("_xmpp-client._tcp.{domain}"), "SRV", &srv);
        lab.world.zone.address(&target, &lab.host);
        let certificate = leaf.signed_by(&lab.world.authority);
        lab.doors.starttls(port, CLIENT, &certificate);
        certificate
    };
    // TLSA records stand at the port of the client service, and the server's do not count.
    let capulet = serve(&mut lab, "capulet.lab", 6000, &Leaf::of(&["capulet.lab"]));
    lab.pin("capulet.lab", 6000, &capulet);
    let other = lab.world.authority.issue(&["capulet.lab"]);
    lab.served("capulet.lab", 6001, &other);
    lab.pin("capulet.lab", 6001, &other);

    let service = |name: &'static str| Leaf::of(&[]).with_services(&[name]);
    serve(&mut lab, "benvolio.old", 6002, &service("_xmpp-client.benvolio.old"));
    serve(&mut lab, "balthasar.old", 6003, &service("_xmpp-server.balthasar.old"));
    serve(&mut lab, "nurse.old", 6004, &Leaf::of(&["nurse.old"]).only_for(Purpose::Client));
    // There is no record, so it is looked for where users would.
    lab.world.zone.address("peter.old", &lab.host);
    let peter = lab.world.authority.issue(&["peter.old"]);
    lab.doors.starttls(5222, CLIENT, &peter);
    // A server's door is no users' door.
    let srv = "0 5 6001 xmpp.capulet.lab.";
    lab.world.zone.record("_xmpp-client._tcp.sampson.lab", "SRV", srv);

    lab.world.zone.record("_xmpps-client._tcp.paris.old", "SRV", "0 5 6005 xmpp.paris.old.");
    lab.world.zone.address("xmpp.paris.old", &lab.host);
    lab.world.zone.address("paris.old", &lab.host);
    let paris = Leaf::of(&["paris.old"]).self_signed();
    lab.doors.direct(6005, CLIENT, &paris);
    let web = lab.world.authority.issue(&["paris.old"]);
    let (asked, asking) = mpsc::channel();
    let answer = document(&[&base64(&paris.digest())]);
    lab.doors.open_tls(8443, &web, move |stream| {
        // Nobody listens any more only when the test is over.
        let _ = asked.send(stream.expect("\r\n\r\n"));
        stream.send(&answer);
    });
    lab.world.open();

    let rows = Rows::default();
    for (domain, verdict, by, reason, exit) in [
        ("capulet.lab", "proven", Some("dane"), None, 0),
        ("benvolio.old", "proven", Some("pkix"), None, 0),
        ("balthasar.old", "unproven", None, Some("cert.name"), 2),
        ("nurse.old", "unproven", None, Some("cert.eku"), 2),
        ("peter.old", "proven", Some("pkix"), None, 0),
        ("sampson.lab", "unproven", None, Some("cert.none"), 2),
        ("paris.old", "proven", Some("posh"), None, 0),
    ] {
        rows.run(domain, || {
            expect(&lab, &["--service", "client", domain], (verdict, by, reason, exit));
        });
    }
    rows.run("the document for users", || {
        let request = asking.recv_timeout(Duration::from_secs(10)).unwrap_or_default();
        assert!(request.contains("GET /.well-known/posh/xmpp-client.json "), "{request}");
    });
    rows.run("there is no record", || {
        let found = lab.json(&["--service", "client", "peter.old"]);
        let target = &found.check("peter.old")["targets"][0];
        assert_eq!(
            (target["target"].as_str(), target["port"].as_u64()),
            (Some("peter.old"), Some(5222))
        );
        let fix = "_xmpp-client._tcp.peter.old. 3600 IN SRV 0 5 5222 peter.old.";
        assert_eq!(found.finding("LG-D04")["fix"], fix);
    });
    rows.finish();
}

/// What a user's program says: whom it is for, never who it is (RFC 7712 §3.1).
#[test]
fn a_user_says_nothing_of_himself() {
    let mut lab = Lab::new();
    lab.world.zone.record("_xmpp-client._tcp.a.lab", "SRV", "0 5 6000 xmpp.a.lab.");
    lab.world.zone.address("xmpp.a.lab", &lab.host);
    let certificate = lab.world.authority.issue(&["a.lab"]);
    let (heard, hearing) = mpsc::channel();
    lab.doors.open(6000, move |stream: &Stream| {
        while let Some(said) = stream.next_within(Duration::from_secs(5)) {
            if said.starts_with("<stream:stream") {
                // Nobody listens any more only when the test is over.
                let _ = heard.send(said);
                stream.send(&header(CLIENT, "a.lab"));
                stream.send(STARTTLS);
            } else if said.starts_with("<starttls")
                && stream.accept_tls(PROCEED, &certificate).is_err()
            {
                return;
            }
        }
    });
    lab.world.open();
    expect(&lab, &["--service", "client", "a.lab"], ("proven", Some("pkix"), None, 0));
    for _ in 0..2 {
        let said = hearing.recv_timeout(Duration::from_secs(10)).unwrap_or_default();
        assert!(said.contains("xmlns='jabber:client'") && said.contains(" to='a.lab'"), "{said}");
        assert!(!said.contains(" from=") && !said.contains(SERVER), "{said}");
    }
}
