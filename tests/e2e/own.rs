//! What our own domains publish, as ligase itself looks at it, and what the command line asks of it.

use std::thread;
use std::time::Duration;

use ligase_tests::peer::program;
use ligase_tests::{Capture, Ligase, OrFail, Proxy, World};
use serde_json::Value;

use crate::verona::{names_of, publish};

/// A key that the records do not name is told of with the record to publish; once that is
/// published, all is well. So it is with records that lead elsewhere.
#[test]
fn our_own_records_are_held_to_what_is_shown() {
    let mut world = World::new();
    let montague = world.host("montague");
    let names = [vec![TARGET.to_owned()], names_of(DOMAIN).to_vec()].concat();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let [today, tomorrow] = [(); 2].map(|()| world.authority.issue(&names));
    publish(&mut world, DOMAIN, &montague, 7269);
    world.zone.tlsa(TARGET, 7269, &today);
    world.zone.ttl = 1;
    world.open();
    let proxy = Proxy::new(&world, &montague, Capture::Dns, &names_of(DOMAIN), &today);
    let config = proxy.config().display().to_string();
    let mut ligase = proxy.start();
    ligase.await_answer("/self-check", "name the key that is shown there");
    ligase.await_answer("/self-check", "\"result\":\"ok\"");
    assert_eq!(ligase.json("/self-check")["result"], "ok");

    // Another certificate, and nobody has published its key.
    tomorrow.write(&ligase.proxy().folder(), "tls");
    ligase.proxy().write();
    ligase.await_answer("/metrics", &counted("tlsa", names_of(DOMAIN).len()));
    let line = ligase.log().hear("our own records do not match", PATIENCE);
    assert!(line.contains("tlsa") && line.contains("mismatch"), "{line}");
    let check = failing(&ligase, "tlsa");
    let fix = check["fix"].as_str().or_fail("find what to publish").to_owned();
    assert!(fix.contains(&tomorrow.tlsa()), "{fix}");
    world.republish(|zone| {
        zone.forget(&format!("_7269._tcp.{TARGET}"), "TLSA");
        zone.lines(&fix);
    });
    wait_for_caches();
    assert_eq!(ask(&ligase, &["reload", "--config", &config]), "reloaded");
    ligase.await_answer("/metrics", &counted("tlsa", 0));
    ligase.log().hear("our own records match again", PATIENCE);

    // The domain is sent elsewhere.
    world.republish(|zone| {
        zone.forget(&format!("_xmpp-server._tcp.{DOMAIN}"), "SRV");
        zone.server(DOMAIN, 5269, "xmpp.elsewhere.lab");
    });
    wait_for_caches();
    assert_eq!(ask(&ligase, &["reload"]), "reloaded");
    ligase.await_answer("/metrics", &counted("srv", 1));
    let check = failing(&ligase, "srv");
    let fix = format!("_xmpp-server._tcp.{DOMAIN}. 3600 IN SRV 0 5 7269 {TARGET}.");
    let told = check["fix"].as_str().unwrap_or_default();
    assert!(told.starts_with(&fix), "{told}");
    let status = ligase.json("/status");
    assert_eq!(status["self_check"]["result"], "failing", "{status:#}");

    let said = ask(&ligase, &["retry", "capulet.lab"]);
    assert!(said.starts_with("nothing was remembered of capulet.lab"), "{said}");
    assert!(ask(&ligase, &["drain"]).starts_with("draining"));
    assert!(ligase.program().end(PATIENCE).success());
}

/// The first of our domains in which this is wrong, and what is said about it.
fn failing(ligase: &Ligase, kind: &str) -> Value {
    let told = ligase.json("/self-check");
    assert_eq!(told["result"], "failing", "{told:#}");
    let first = &told["domains"][0];
    assert_eq!(first["result"], "failing", "{told:#}");
    let checks = first["checks"].as_array().into_iter().flatten();
    let check = { checks }.find(|it| it["check"] == kind);
    check.or_fail(&format!("find {kind} in {told:#}")).clone()
}

/// What a command says that asks the running proxy.
fn ask(ligase: &Ligase, arguments: &[&str]) -> String {
    ligase.host().run(&program("ligase"), arguments).trim().to_owned()
}

/// The sample that counts domains in which this is wrong.
fn counted(kind: &str, domains: usize) -> String {
    format!("ligase_self_check_failures{{check=\"{kind}\"}} {domains}\n")
}

/// Those whom ligase asks remember what they heard for as long as it lives, which is a second.
fn wait_for_caches() {
    thread::sleep(Duration::from_secs(2));
}

const DOMAIN: &str = "montague.lab";
const TARGET: &str = "xmpp.montague.lab";

/// What takes a few seconds takes longer where many tests run.
const PATIENCE: Duration = Duration::from_secs(30);
