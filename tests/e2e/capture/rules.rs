//! `capture: redirect`: what the rules catch, what they leave alone, and what they tell of it.

use std::fs;
use std::process::Command;
use std::time::Duration;

use ligase_tests::{Capture, Host, Kind, Ligase, Manner, OrFail, Proxy, World};

use crate::verona::{Plan, certificate, names_of, publish};

/// A proxy by itself, and what a server beside it would do.
#[test]
fn the_rules_catch_what_is_ours_and_count_the_rest() {
    let mut world = World::new();
    let host = world.host("montague");
    publish(&mut world, "montague.lab", &host, 5269);
    world.open();
    let mut proxy = proxy(&world, &host);
    // As an init container has it, which is given the configuration alone.
    proxy.set("dialback_secret.file", "/nowhere/secret");
    proxy.write();
    let (status, said) = proxy.capture("apply");
    assert!(status.success(), "{said}");
    let secret = proxy.folder().join("secret");
    fs::write(&secret, "0123456789abcdef".repeat(4)).or_fail("write a secret");
    proxy.set("dialback_secret.file", &secret.display().to_string());
    let mut ligase = proxy.start();

    // Again, as after a restart of the pod: the same, and counted anew.
    apply(&mut ligase);
    let before = told(&mut ligase);
    assert!(before.starts_with("the rules stand, by nft\n"), "{before}");
    for line in before.lines().filter(|it| it.contains(": turned to port")) {
        assert!(line.trim_start().starts_with("0 "), "{before}");
    }

    // Where DNS says that peers are; and to a peer, past what DNS says, in both families.
    assert!(dials(&host, "127.0.0.1", 7270));
    let peers = [world.hub.v4.to_string(), world.hub.v6.to_string()];
    for peer in &peers {
        assert!(dials(&host, peer, 5269), "{peer}");
        assert!(dials(&host, peer, 5270), "{peer}");
        // A port that no rule names is the peer's own, and nobody listens there.
        for port in [5222, 5271, 443] {
            assert!(!dials(&host, peer, port), "{peer} {port}");
        }
    }
    // As the server itself has it, which listens at its own port; and its users.
    for own in ["127.0.0.1", "::1", &host.v4.to_string(), &host.v6.to_string()] {
        assert!(!dials(&host, own, 5269), "{own}");
    }
    for (mode, count) in [("dns", 1), ("redirect", 4)] {
        let sample = format!("ligase_capture_connections_total{{mode=\"{mode}\"}} {count}\n");
        ligase.await_answer("/metrics", &sample);
    }
    // Peers come to the port that they know, and find the proxy.
    for own in [host.v4.to_string(), host.v6.to_string()] {
        for port in [5269, 5270, 7269] {
            assert!(dials(&world.hub, &own, port), "{own} {port}");
        }
        assert!(!dials(&world.hub, &own, 5222));
        assert!(!dials(&world.hub, &own, 7270), "the backend's listener is for the backend");
    }

    let after = told(&mut ligase);
    for (line, count) in [
        ("out to port 5269: turned to port 7270", 2),
        ("out to port 5270: turned to port 7270", 2),
        ("in to port 5269: turned to port 7269", 2),
        ("in to port 5270: turned to port 7269", 2),
        ("other TCP connections that left uncaptured", 6),
    ] {
        let expect = format!("{count:>9}  {line}");
        assert!(after.lines().any(|it| it == expect), "{line}: {count}?\n{after}");
    }

    // A rule is missing: that is seen, and mended by a repetition.
    host.run("nft", &["flush", "chain", "inet", "ligase", "output"]);
    let (status, said) = ligase.proxy().capture("status");
    assert_eq!(status.code(), Some(69), "{said}");
    assert!(said.contains("a rule does not stand in its place: "), "{said}");
    apply(&mut ligase);
    told(&mut ligase);

    for _ in 0..2 {
        let (status, said) = ligase.proxy().capture("remove");
        assert!(status.success(), "{said}");
    }
    let (status, said) = ligase.proxy().capture("status");
    assert_eq!((status.code(), said.as_str()), (Some(69), "no rules stand\n"));
    assert!(!dials(&host, &peers[0], 5269), "nobody is turned any more");
}

/// Who is not the user that the rules spare would talk to itself: as each other's user, two proxies
/// do not even start.
#[test]
fn as_another_user_than_the_rules_spare_nothing_runs_in_circles() {
    let mut world = World::new();
    let host = world.host("montague");
    publish(&mut world, "montague.lab", &host, 5269);
    world.open();
    for (ours, other) in [("7269", "7270"), ("7270", "7269")] {
        let mut proxy = proxy(&world, &host);
        proxy.set("redirect.uid", ours);
        let (status, said) = proxy.run_as(other);
        assert_eq!(status.code(), Some(78), "{said}");
        let expect =
            format!("redirect.uid: this is user {other}, and the rules spare user {ours}: ");
        assert!(said.starts_with(&expect), "{said}");
        let (status, said) = proxy.validate();
        assert_eq!(status.code(), Some(0), "{said}");
        assert!(said.contains(&format!("and the rules spare user {ours}: ")), "{said}");
    }

    // The rules are those of yesterday's configuration.
    let mut ligase = proxy(&world, &host).start();
    let stale = ligase.proxy();
    stale.set("redirect.uid", "7270");
    stale.write();
    assert!(stale.capture("apply").0.success());
    stale.set("redirect.uid", "7269");
    stale.write();
    let (status, said) = stale.capture("status");
    assert_eq!(status.code(), Some(69), "{said}");
    assert!(said.contains("a rule does not stand in its place: meta skuid 7269"), "{said}");
    // What it asks comes back to it: once, and that is the end of it.
    let before = steered(&ligase);
    let answer = host.run("dig", &["+tries=1", "+time=9", "elsewhere.lab", "A"]);
    assert!(answer.contains("status: SERVFAIL"), "{answer}");
    ligase.log().hear("our own DNS queries come back to us", Duration::from_secs(5));
    // Others may ask meanwhile, but this would have been hundreds.
    let passed = steered(&ligase) - before;
    assert!((1.0..20.0).contains(&passed), "{passed}");

    apply(&mut ligase);
    let answer = host.dig("xmpp.montague.lab", "A");
    assert_eq!(answer, [host.v4.to_string()]);
}

/// A peer whose records lead to ourselves is not met, and whoever wrote to it hears so.
#[test]
fn a_peer_cannot_lead_us_to_ourselves() {
    let plan = Plan::behind("montague", Kind::Prosody, Manner::Default, Capture::Redirect);
    let mut world = World::new();
    let host = plan.publish(&mut world);
    let mirrors = [
        ("mirror.lab", "xmpp.montague.lab", 5269),
        ("glass.lab", "xmpp.montague.lab", 7269),
        ("backdoor.lab", "xmpp.montague.lab", 7270),
        ("inside.lab", "loopback.lab", 5269),
        ("indoors.lab", "loopback.lab", 7270),
    ];
    for (domain, target, port) in mirrors {
        world.zone.server(domain, port, target);
    }
    world.zone.record("loopback.lab", "A", "127.0.0.1");
    world.zone.record("loopback.lab", "AAAA", "::1");
    world.open();
    let mut house = plan.build(&world, &host, |_| ());

    let user = &house.by_starttls;
    for (domain, ..) in mirrors {
        user.say(&format!("echo@{domain}"), "Who is there?");
    }
    for (domain, ..) in mirrors {
        user.hear_error(&format!("echo@{domain}"), Duration::from_secs(40));
    }

    let ligase = house.ligase.as_mut().or_fail("find the proxy");
    // A few attempts each, and nothing that goes on.
    let told = told(ligase);
    let mine = told.lines().find(|line| line.contains("sent by user 7269")).or_fail("read it");
    let mine: u32 = mine.trim().split(' ').next().or_fail("count").parse().or_fail("count");
    assert!(mine < 500, "{told}");
    let bindings = ligase.json("/bindings");
    let to_mirrors = |it: &&serde_json::Value| {
        let remote = it["remote"].as_str().unwrap_or_default();
        mirrors.iter().any(|(domain, ..)| *domain == remote)
    };
    let met: Vec<_> = bindings.as_array().into_iter().flatten().filter(to_mirrors).collect();
    assert!(met.is_empty(), "{met:?}");
}

fn proxy(world: &World, host: &Host) -> Proxy {
    let names = names_of("montague.lab");
    let certificate = certificate(world, "montague.lab");
    Proxy::new(world, host, Capture::Redirect, &names, &certificate)
}

fn apply(ligase: &mut Ligase) {
    let (status, said) = ligase.proxy().capture("apply");
    assert!(status.success(), "{status} {said}");
}

/// What is told of the rules, which must stand.
#[track_caller]
fn told(ligase: &mut Ligase) -> String {
    let (status, said) = ligase.proxy().capture("status");
    assert!(status.success(), "{status} {said}");
    said
}

/// Queries that were passed on, so far.
fn steered(ligase: &Ligase) -> f64 {
    ligase.metric("ligase_dns_steered_total", &["passed"])
}

/// Whether somebody listens there, for a program of this host that is not the proxy.
fn dials(host: &Host, address: &str, port: u16) -> bool {
    let dial = format!("exec 3<>/dev/tcp/{address}/{port}");
    let mut command: Command = host.command("timeout");
    command.args(["5", "setpriv", "--reuid", "1234", "--clear-groups", "bash", "-c", &dial]);
    let done = command.output().or_fail("dial");
    assert_ne!(done.status.code(), Some(124), "nobody answers at {address} {port}");
    done.status.success()
}
