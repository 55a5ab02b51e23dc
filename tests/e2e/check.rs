//! `ligase check`, as an operator calls it, against domains that are well, broken and hostile.

mod client;
mod doors;
mod hostile;
mod lab;
mod many;
mod pair;
mod real;
mod transcript;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ligase_tests::{Certificate, Leaf, OrFail, Purpose};
use serde_json::{Value, json};

use self::doors::{SERVER, STARTTLS, document, greeted, header};
use self::lab::Lab;
use crate::verona::Rows;

/// What a domain comes to: the verdict, the prooftype, the reason and the exit code.
#[track_caller]
pub(crate) fn expect(
    lab: &Lab,
    arguments: &[&str],
    (verdict, by, reason, exit): (&str, Option<&str>, Option<&str>, i32),
) {
    let found = lab.json(arguments);
    let check = &found.json["checks"][0];
    let (found_verdict, found_by) = (check["verdict"].as_str(), check["prooftype"].as_str());
    let found = (found_verdict, found_by, check["reason"].as_str(), found.exit);
    assert_eq!(found, (Some(verdict), by, reason, exit), "{arguments:?}: {check:#}");
}

/// Domains that are well: proven by DANE, by an authority, by POSH.
#[test]
fn what_is_well_is_proven_and_it_is_told_by_what() {
    let mut lab = Lab::new();
    let capulet = lab.world.authority.issue(&["capulet.lab"]);
    lab.served("capulet.lab", 6000, &capulet);
    lab.pin("capulet.lab", 6000, &capulet);
    lab.world.zone.direct_server("capulet.lab", 6001, "xmpp.capulet.lab");
    lab.pin("capulet.lab", 6001, &capulet);
    lab.doors.direct(6001, SERVER, &capulet);

    // Only a signed SRV record lets a certificate of the target count.
    let montague = lab.world.authority.issue(&["xmpp.montague.lab"]);
    lab.served("montague.lab", 6002, &montague);
    let benvolio = lab.world.authority.issue(&["benvolio.old"]);
    lab.served("benvolio.old", 6003, &benvolio);

    let paris = Leaf::of(&["paris.old"]).self_signed();
    lab.served("paris.old", 6004, &paris);
    lab.world.zone.address("paris.old", &lab.host);
    let web = lab.world.authority.issue(&["paris.old"]);
    lab.doors.web(8443, &web, &document(&[&base64(&paris.digest())]));
    lab.world.open();

    let rows = Rows::default();
    for (domain, by) in [
        ("capulet.lab", "dane"),
        ("montague.lab", "pkix"),
        ("benvolio.old", "pkix"),
        ("paris.old", "posh"),
    ] {
        rows.run(domain, || expect(&lab, &[domain], ("proven", Some(by), None, 0)));
    }
    rows.run("the form of the answer", || form(&lab, &capulet.digest()));
    rows.run("requirements", || required(&lab));
    rows.run("only DNS", || only_dns(&lab));
    rows.run("the schema", || {
        let [well, ill, none] = [
            &["capulet.lab", "--peer", "paris.old"],
            &["benvolio.old", "a..b", "nobody.lab"],
            &["paris.old", "--dns-only", "montague.lab"],
        ];
        for arguments in [&well[..], ill, none] {
            obeys_the_schema(&lab.json(arguments).json);
        }
    });
    rows.finish();
}

/// The answer has the form that other programs rely on, and does not take long.
fn form(lab: &Lab, digest: &str) {
    let found = lab.json(&["capulet.lab"]);
    assert!(found.took < Duration::from_secs(2), "{:?}", found.took);
    assert_eq!(found.json["version"], 1);
    let check = found.check("capulet.lab");
    let srv =
        |port| json!([{"priority": 0, "weight": 5, "port": port, "target": "xmpp.capulet.lab"}]);
    assert_eq!(check["srv"]["xmpp-server"]["state"], "secure");
    assert_eq!(check["srv"]["xmpp-server"]["records"], srv(6000));
    assert_eq!(check["srv"]["xmpps-server"]["records"], srv(6001));
    let [starttls, direct] = [&check["targets"][0], &check["targets"][1]];
    assert_eq!(starttls["transport"], "starttls");
    assert_eq!(direct["transport"], "direct-tls");
    for target in [starttls, direct] {
        assert_eq!(target["target"], "xmpp.capulet.lab");
        assert_eq!(target["addresses"]["state"], "secure");
        let addresses = json!([lab.host.v4, lab.host.v6]);
        assert_eq!(target["addresses"]["records"], addresses);
        assert_eq!(target["tlsa"]["state"], "secure");
        let tlsa = target["tlsa"]["records"][0].as_str().unwrap_or_default();
        assert!(tlsa.starts_with("3 1 1 ") && tlsa.len() == 70, "{tlsa}");
        assert_eq!(target["certificate"]["names"], json!(["capulet.lab"]));
        assert_eq!(target["certificate"]["sha256"], digest);
        assert_eq!(target["dane"], json!({"result": "proven", "reason": null}));
        assert_eq!(target["posh"], json!({"result": "absent", "reason": "posh.http"}));
        assert_eq!(target["pkix"], json!({"result": "proven", "reason": null}));
        assert_eq!(target["stream"]["dialback"], true);
    }
    let absent = lab.json(&["montague.lab"]);
    let check = absent.check("montague.lab");
    // A proven absence is no failed look-up.
    assert_eq!(check["srv"]["xmpps-server"]["state"], "secure");
    assert_eq!(check["srv"]["xmpps-server"]["records"], json!([]));
    assert_eq!(check["targets"][0]["dane"]["result"], "absent");
    let direct = absent.finding("LG-D05");
    assert_eq!(direct["severity"], "warn");
    let record = "_xmpps-server._tcp.montague.lab. 3600 IN SRV 0 5 5270 xmpp.montague.lab.";
    assert_eq!(direct["fix"], record);
    let tlsa = absent.finding("LG-T02")["fix"].as_str().unwrap_or_default();
    assert!(tlsa.starts_with("_6002._tcp.xmpp.montague.lab. 3600 IN TLSA 3 1 1 "), "{tlsa}");
    let insecure = lab.json(&["benvolio.old"]);
    assert_eq!(insecure.check("benvolio.old")["srv"]["xmpp-server"]["state"], "insecure");
    // What is missing can be pasted, and is what then proves the domain.
    assert!(insecure.finding("LG-P01")["fix"].is_null(), "{:#}", insecure.json);
}

/// The answer is as `docs/check.schema.json` says.
#[track_caller]
pub(crate) fn obeys_the_schema(json: &Value) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/check.schema.json");
    let mut python = Command::new("python3");
    python.args(["-c", VALIDATE]).arg(schema).arg(json.to_string());
    let done = python.output().or_fail("run python3");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

const VALIDATE: &str = "import json, sys, jsonschema\n\
    schema = json.load(open(sys.argv[1]))\n\
    jsonschema.Draft202012Validator.check_schema(schema)\n\
    jsonschema.Draft202012Validator(schema).validate(json.loads(sys.argv[2]))";

/// More can be asked for than a proof.
fn required(lab: &Lab) {
    for (domain, what, exit) in [
        ("capulet.lab", "dane,pkix,dnssec", 0),
        ("capulet.lab", "posh", 2),
        ("montague.lab", "dnssec", 0),
        ("montague.lab", "dane", 2),
        ("benvolio.old", "dnssec", 2),
        ("paris.old", "posh", 0),
    ] {
        let found = lab.json(&[domain, "--require", what]);
        assert_eq!(found.exit, exit, "{domain} {what}: {:#}", found.json);
        let verdict = if exit == 0 { "proven" } else { "unproven" };
        assert_eq!(found.check(domain)["verdict"], verdict);
    }
    // No direct TLS is nothing to fail for, unless one is strict.
    assert_eq!(lab.json(&["montague.lab", "--strict"]).exit, 1);
    assert_eq!(lab.json(&["capulet.lab", "--strict"]).exit, 0);
}

/// Nobody is connected to, and so nothing is proven.
fn only_dns(lab: &Lab) {
    let found = lab.json(&["capulet.lab", "--dns-only"]);
    assert_eq!(found.exit, 3, "{:#}", found.json);
    let target = &found.check("capulet.lab")["targets"][0];
    assert_eq!(target["tlsa"]["state"], "secure");
    for key in ["certificate", "dane", "posh", "pkix"] {
        assert_eq!(target[key], Value::Null, "{key}");
    }
}

/// Domains that are broken, each in its own way; what could not be tested is never taken for good,
/// nor for bad.
#[test]
fn what_is_broken_is_told_from_what_could_not_be_tested() {
    let mut lab = Lab::new();
    let tybalt = show_bad_certificates(&mut lab);
    close_doors(&mut lab);
    lab.domain("gregory.lab", 6013);
    lab.world.zone.server("sampson.lab", 6014, "nowhere.sampson.lab");
    lab.world.zone.record("_xmpp-server._tcp.declined.lab", "SRV", "0 0 0 .");
    // Forged on the way: where one is, and at which address the other's host is.
    lab.domain("mab.lab", 6020);
    lab.world.zone.forge("0 5 6020 xmpp.mab.lab.", "0 5 6000 xmpp.tybalt.lab.");
    lab.world.zone.server("pilgrim.lab", 6000, "xmpp.pilgrim.lab");
    lab.world.zone.record("xmpp.pilgrim.lab", "A", "198.18.0.99");
    lab.world.zone.forge("198.18.0.99", &lab.host.v4.to_string());
    // Nobody answers for this zone.
    lab.world.zone.record("lost", "NS", "ns.");
    lab.world.open();

    let rows = Rows::default();
    for (domain, verdict, reason, exit) in [
        ("tybalt.lab", "refuted", "dane.mismatch", 2),
        ("ghost.lab", "unproven", "cert.expired", 2),
        ("rosaline.lab", "unproven", "cert.name", 2),
        ("nurse.lab", "unproven", "cert.chain", 2),
        ("mercutio.old", "unproven", "cert.name", 2),
        ("mail.lab", "unproven", "cert.eku", 2),
        ("friar.lab", "unproven", "cert.none", 2),
        ("peter.lab", "unproven", "cert.none", 2),
        ("romeo.lab", "unproven", "cert.none", 2),
        ("gregory.lab", "undetermined", "net.refused", 3),
        ("sampson.lab", "absent", "dns.not_found", 2),
        ("declined.lab", "absent", "dns.declined", 2),
        ("nobody.lab", "absent", "dns.not_found", 2),
        ("mab.lab", "refuted", "dns.bogus", 2),
        ("pilgrim.lab", "refuted", "dns.bogus", 2),
        ("who.lost", "undetermined", "dns.failure", 3),
        ("fa\u{df}.lab", "unproven", "domain.ambiguous", 2),
        ("a..b", "unproven", "domain.malformed", 2),
    ] {
        rows.run(domain, || expect(&lab, &[domain], (verdict, None, Some(reason), exit)));
    }
    rows.run("the record to paste", || {
        let found = lab.json(&["tybalt.lab"]);
        let fix = format!("_6000._tcp.xmpp.tybalt.lab. 3600 IN TLSA {}", tybalt.tlsa());
        assert_eq!(found.finding("LG-T03")["fix"], fix);
        assert_eq!(found.finding("LG-T03")["severity"], "fail");
    });
    rows.run("nothing is said about what was not seen", || {
        let found = lab.json(&["gregory.lab"]);
        let target = &found.check("gregory.lab")["targets"][0];
        assert_eq!(target["certificate"], Value::Null);
        assert_eq!(target["addresses"]["state"], "secure");
        assert_eq!(target["pkix"]["result"], "undetermined");
        let text = lab.text(&["gregory.lab"]).0;
        assert!(text.contains("not tested: the certificate at xmpp.gregory.lab:6013"), "{text}");
    });
    rows.run("a resolver that is not there", || {
        let found = lab.json(&["tybalt.lab", "--resolver", "198.18.0.99:53"]);
        // The one that is there is asked after it.
        assert_eq!(found.exit, 2, "{:#}", found.json);
    });
    rows.run("the worst of several", || {
        let found = lab.json(&["gregory.lab", "tybalt.lab"]);
        assert_eq!(found.exit, 2);
        assert_eq!(found.json["summary"]["could_not_test"], 1);
        assert_eq!(found.json["summary"]["not_proven"], 1);
    });
    rows.finish();
}

/// Servers that show certificates which prove nothing; the one that contradicts its TLSA record.
fn show_bad_certificates(lab: &mut Lab) -> Certificate {
    // Another key than the one that is pinned, vouched for or not.
    let tybalt = lab.world.authority.issue(&["tybalt.lab"]);
    lab.served("tybalt.lab", 6000, &tybalt);
    let other = lab.world.authority.issue(&["tybalt.lab"]);
    lab.pin("tybalt.lab", 6000, &other);
    let ghost = Leaf::of(&["ghost.lab"]).expired().signed_by(&lab.world.authority);
    lab.served("ghost.lab", 6001, &ghost);
    let rosaline = lab.world.authority.issue(&["juliet.lab"]);
    lab.served("rosaline.lab", 6002, &rosaline);
    let nurse = Leaf::of(&["nurse.lab"]).self_signed();
    lab.served("nurse.lab", 6003, &nurse);
    // A target's own certificate says nothing where the way to it is not signed.
    let mercutio = lab.world.authority.issue(&["xmpp.mercutio.old"]);
    lab.served("mercutio.old", 6004, &mercutio);
    let mail = Leaf::of(&["mail.lab"]).only_for(Purpose::Mail).signed_by(&lab.world.authority);
    lab.served("mail.lab", 6005, &mail);
    tybalt
}

/// Servers that do no TLS, or not for this domain.
fn close_doors(lab: &mut Lab) {
    lab.domain("friar.lab", 6010);
    lab.doors.open(6010, |stream| {
        if let Some(to) = greeted(stream) {
            stream.send(&header(SERVER, &to));
            stream.send("<stream:features/>");
        }
    });
    lab.domain("peter.lab", 6011);
    lab.doors.open(6011, |stream| {
        if let Some(to) = greeted(stream) {
            stream.send(&header(SERVER, &to));
            stream.send(STARTTLS);
            let _ = stream.next_within(Duration::from_secs(5));
            stream.send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>");
        }
    });
    lab.domain("romeo.lab", 6012);
    lab.doors.open(6012, |stream| {
        if let Some(to) = greeted(stream) {
            stream.send(&header(SERVER, &to));
            stream.send(
                "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
                 </stream:error></stream:stream>",
            );
        }
    });
}

/// Hexadecimal, as base64.
pub(crate) fn base64(hex: &str) -> String {
    let bytes: Vec<u8> = (0..hex.len() / 2)
        .map(|it| u8::from_str_radix(&hex[2 * it..2 * it + 2], 16).or_fail("read hexadecimal"))
        .collect();
    base64::engine::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
}
