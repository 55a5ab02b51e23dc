//! Domains and servers that mean harm to whoever looks at them.

use std::thread;
use std::time::Duration;

use ligase_tests::{Leaf, OrFail, Stream};
use serde_json::{Value, json};

use super::doors::{Doors, PROCEED, SERVER, STARTTLS, greeted, header};
use super::lab::Lab;
use crate::verona::Rows;

/// What steers terminals, and what turns the direction of writing.
const POISON: &str = "\x1b[2J\x1b]0;owned\x07\u{202e}\u{9b}31m";

/// A server's name, what it does, and what becomes of it.
type Vile = (&'static str, fn(&Stream), &'static str);

/// Servers that answer in some vile way, by name and by what becomes of them.
const VILE: [Vile; 9] = [
    ("silent", |stream| drop(stream.end_within(LONG)), "net.timeout"),
    ("drip", drip, "net.timeout"),
    ("endless-header", |stream| stream.send(&endless("<stream:stream a='", "x")), "cert.none"),
    (
        "endless-blank",
        |stream| {
            stream.send(&header(SERVER, "endless-blank.lab"));
            stream.send(&endless("", " "));
            drop(stream.end_within(LONG));
        },
        "cert.none",
    ),
    ("bomb", |stream| stream.send("<!DOCTYPE a [<!ENTITY b 'c'>]>"), "cert.none"),
    (
        "early",
        |stream| {
            if let Some(to) = greeted(stream) {
                stream.send(&header(SERVER, &to));
                stream.send(STARTTLS);
                let _ = stream.next_within(LONG);
                stream.send(&format!("{PROCEED}<stream:features/>"));
                drop(stream.end_within(LONG));
            }
        },
        "cert.none",
    ),
    (
        "garbage",
        |stream| {
            if let Some(to) = greeted(stream) {
                stream.send(&header(SERVER, &to));
                stream.send(STARTTLS);
                let _ = stream.next_within(LONG);
                stream.send(PROCEED);
                stream.send(&endless("", "\u{1}"));
            }
        },
        "cert.none",
    ),
    (
        "poison",
        |stream| {
            stream.send(&header(SERVER, POISON).replace(['\x1b', '\x07'], ""));
            stream.send(
                "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>\
                 \u{202e}</see-other-host><text>\u{9b}31m</text></stream:error>",
            );
        },
        "cert.none",
    ),
    ("hang-up", |_| (), "net.closed"),
];

/// A word and then so much that nobody would take it all.
fn endless(start: &str, rest: &str) -> String {
    format!("{start}{}", rest.repeat(1 << 20))
}

/// Says a header slowly, as long as anybody listens.
fn drip(stream: &Stream) {
    for letter in header(SERVER, "drip.lab").chars() {
        stream.send(&letter.to_string());
        // This is what slowness is.
        thread::sleep(Duration::from_millis(300));
        if stream.has_ended() {
            return;
        }
    }
}

#[test]
fn nobody_who_looks_is_harmed() {
    let mut lab = Lab::new();
    for (number, (name, act, _)) in VILE.iter().enumerate() {
        let port = u16::try_from(6000 + number).or_fail("count ports");
        lab.domain(&format!("{name}.lab"), port);
        let act = *act;
        lab.doors.open(port, act);
    }
    // A certificate that names whom it likes, and another that names everybody.
    let ansi = Leaf::of(&["ansi.lab"]).with_addresses(&[POISON]).self_signed();
    lab.served("ansi.lab", 6100, &ansi);
    let names: Vec<_> = (0..2500).map(|it| format!("n{it}.huge.lab")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    lab.served("huge.lab", 6101, &lab.world.authority.issue(&names));
    // More places than anybody visits, and more than anybody reads.
    for number in 0..400 {
        if number < 200 {
            lab.world.zone.server("many.lab", 6200 + number, "xmpp.many.lab");
        }
        lab.world.zone.server("crowd.lab", 6200 + number, "xmpp.many.lab");
    }
    lab.world.zone.address("xmpp.many.lab", &lab.host);
    // Names that are none.
    lab.world.zone.record("_xmpp-server._tcp.odd.lab", "SRV", "0 5 5269 a\\027[2Jb.odd.lab.");
    lab.world.open();

    let domains: Vec<_> = VILE.iter().map(|(name, ..)| format!("{name}.lab")).collect();
    let mut domains: Vec<&str> = domains.iter().map(String::as_str).collect();
    domains.extend(["ansi.lab", "huge.lab", "many.lab", "crowd.lab", "odd.lab"]);
    let found = lab.json(&domains);
    assert_eq!(found.exit, 2);
    assert!(found.took < Duration::from_secs(15), "{:?}", found.took);
    let rows = Rows::default();
    for (name, _, reason) in VILE {
        rows.run(name, || {
            let check = found.check(&format!("{name}.lab"));
            assert_eq!(check["reason"], reason, "{check:#}");
        });
    }
    rows.run("names", || {
        let certificate = &found.check("ansi.lab")["targets"][0]["certificate"];
        assert_eq!(certificate["names"], json!(["ansi.lab", POISON]));
        let certificate = &found.check("huge.lab")["targets"][0]["certificate"];
        assert_eq!(certificate["names"].as_array().map(Vec::len), Some(100));
        assert_eq!(certificate["names_beyond"], 2400);
    });
    rows.run("places", || {
        let check = found.check("many.lab");
        assert_eq!(check["targets"].as_array().map(Vec::len), Some(16));
        assert!(50 < check["targets_beyond"].as_u64().unwrap_or_default(), "{check:.2000}");
        assert_eq!(found.check("odd.lab")["targets"], json!([]));
        // What is too much to look at is neither there nor absent.
        let check = found.check("crowd.lab");
        let verdict = check["verdict"].as_str().unwrap_or_default();
        assert!(["undetermined", "refuted"].contains(&verdict), "{check:#}");
    });
    rows.run("what is printed for people", || {
        let (text, exit) = lab.text(&domains);
        assert_eq!(exit, 2);
        let plain = |it: u8| it == b'\n' || (b' '..=b'~').contains(&it);
        assert!(text.bytes().all(plain), "{text:?}");
        assert!(text.contains("a certificate for ansi.lab, \\u{1b}[2J"), "{text}");
    });
    rows.finish();
}

/// Whoever follows a stranger's DNS into his own house is refused, unless he asked for it.
#[test]
fn nobody_is_led_into_his_own_house() {
    let mut lab = Lab::new();
    let certificate = lab.world.authority.issue(&["inner.lab", "both.lab"]);
    let inside = Doors::at(&lab.world.hub);
    inside.starttls(6000, SERVER, &certificate);
    lab.world.zone.server("inner.lab", 6000, "inner.inner.lab");
    for (kind, address) in [("A", "127.0.0.1"), ("A", "169.254.169.254"), ("AAAA", "::1")] {
        lab.world.zone.record("inner.inner.lab", kind, address);
    }
    // One of its two addresses is where it should be.
    lab.world.zone.server("both.lab", 6001, "xmpp.both.lab");
    lab.world.zone.record("xmpp.both.lab", "A", "127.0.0.1");
    lab.world.zone.record("xmpp.both.lab", "A", &lab.host.v4.to_string());
    lab.doors.starttls(6001, SERVER, &certificate);
    lab.world.open();

    let found = lab.json(&["inner.lab"]);
    let check = found.check("inner.lab");
    assert_eq!((check["verdict"].as_str(), found.exit), (Some("unproven"), 2), "{check:#}");
    assert_eq!(check["reason"], "dns.forbidden_target");
    assert_eq!(check["targets"][0]["certificate"], Value::Null);
    let text = found.finding("LG-D07")["text"].as_str().unwrap_or_default();
    assert!(text.contains("127.0.0.1, 169.254.169.254, ::1"), "{text}");

    let found = lab.json(&["both.lab"]);
    let check = found.check("both.lab");
    assert_eq!(check["targets"][0]["address"], format!("{}:6001", lab.host.v4), "{check:#}");
    assert_eq!(found.finding("LG-D07")["severity"], "warn");

    let found = lab.json(&["inner.lab", "--allow", "loopback"]);
    assert_eq!(found.check("inner.lab")["verdict"], "proven", "{:#}", found.json);
}

/// A web server that says nothing keeps nobody waiting for long, and proves nothing false.
#[test]
fn a_silent_web_server_takes_no_proof_away() {
    let mut lab = Lab::new();
    let certificate = lab.world.authority.issue(&["capulet.lab"]);
    lab.served("capulet.lab", 6000, &certificate);
    lab.pin("capulet.lab", 6000, &certificate);
    lab.world.zone.address("capulet.lab", &lab.host);
    lab.doors.open(8443, |stream| drop(stream.end_within(LONG)));
    lab.world.open();
    let found = lab.json(&["capulet.lab"]);
    let check = found.check("capulet.lab");
    assert_eq!((check["prooftype"].as_str(), found.exit), (Some("dane"), 0), "{check:#}");
    assert_eq!(
        check["targets"][0]["posh"],
        json!({"result": "undetermined", "reason": "posh.http"})
    );
    assert_eq!(check["posh"]["result"], "unusable");
    let not_tested = check["not_tested"].to_string();
    assert!(not_tested.contains("whether there is a POSH document"), "{not_tested}");
    assert!(found.took < Duration::from_secs(10), "{:?}", found.took);
    assert_eq!(lab.json(&["capulet.lab", "--require", "posh"]).exit, 3);
}

/// Longer than anybody listens.
const LONG: Duration = Duration::from_secs(30);
