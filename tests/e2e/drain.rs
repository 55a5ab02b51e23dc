//! A proxy that ends, begins again and changes its mind, without a loss to those behind it.

use std::fs;
use std::time::Duration;

use ligase_tests::{Capture, Kind, Leaf, Manner, OrFail, Peer, Setup, World};

use crate::conversation::{chat, converse};
use crate::verona::{House, Plan, everything, hosted, names_of};

/// Told to end, it closes its streams as the standard wants it, and exits in time with 0; and
/// whoever takes its place carries on.
#[test]
fn a_proxy_told_to_end_drains_and_another_takes_its_place() {
    for kind in [Kind::Prosody, Kind::Ejabberd] {
        let (world, mut house, peer) = household(kind);
        converse(&house.by_starttls, &peer.by_starttls);
        let mut ligase = house.ligase.take().or_fail("take the proxy");
        let ended = ligase.terminate(DRAIN_PATIENCE);
        assert_eq!(ended.code(), Some(0), "{ended}");

        let proxy = ligase.proxy().clone();
        drop(ligase);
        house.ligase = Some(proxy.start_again());
        chat(&peer.by_starttls, &house.by_starttls);
        chat(&house.by_starttls, &peer.by_starttls);
        drop(world);
    }
}

/// What was said just before the end, and taken, arrives.
#[test]
fn a_proxy_told_to_end_delivers_what_it_has_taken() {
    let (_world, mut house, peer) = household(Kind::Ejabberd);
    chat(&house.by_starttls, &peer.by_starttls);
    let (from, to) = (house.by_starttls.clone(), peer.by_starttls.clone());
    house.server.pour(&from.jid, &to.jid, COUNT, 1024);
    let mut ligase = house.ligase.take().or_fail("take the proxy");
    let taken = ligase.metric("ligase_stanzas_total", &["outbound", "message"]);
    let ended = ligase.terminate(DRAIN_PATIENCE);
    assert_eq!(ended.code(), Some(0), "{ended}");
    // The three sayings of the chat were counted, too; what was taken later only adds to it.
    let taken = usize::try_from(taken as u64).unwrap_or_default().saturating_sub(3);
    to.hear_pour(&from.jid, taken, 1024, Duration::from_secs(30));
}

/// Told to read its configuration again, it serves what is new, and keeps what it has when what is
/// new is broken.
#[test]
fn a_proxy_told_to_reload_does() {
    let (world, mut house, peer) = household(Kind::Prosody);
    chat(&house.by_starttls, &peer.by_starttls);
    let host = house.server.host().clone();
    let ligase = house.ligase.as_mut().or_fail("find the proxy");

    // A new certificate is shown to the next who asks.
    let names = everything("montague");
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let renewed = Leaf::of(&names).signed_by(&world.authority);
    renewed.write(&ligase.proxy().folder(), "tls");
    ligase.proxy().write();
    ligase.program().signal("HUP");
    ligase.await_answer("/certificates", &renewed.digest());
    let asking = Peer::on(&world.hub);
    assert_eq!(shown(&asking, &format!("{}:7269", host.v4)), Some(renewed.digest()));

    // A broken file changes nothing, and says so.
    let config = ligase.proxy().config();
    let sound = fs::read_to_string(&config).or_fail("read the configuration");
    fs::write(&config, format!("{sound}nonsense: true\n")).or_fail("break the configuration");
    ligase.program().signal("HUP");
    ligase.await_answer("/metrics", "ligase_config_last_reload_success 0");
    ligase.await_answer("/metrics", "ligase_certificate_reloads_total{result=\"success\"} 1");
    assert!(0.0 < ligase.metric("ligase_config_reloads_total", &["result=\"failure\""]));
    chat(&house.by_starttls, &peer.by_starttls);

    // A domain that is new is served without a restart.
    let ligase = house.ligase.as_mut().or_fail("find the proxy");
    let domains = [hosted("montague"), vec!["rosaline.lab".to_owned()]].concat();
    ligase.proxy().set("hosts", &format!("[{}]", domains.join(", ")));
    ligase.proxy().write();
    ligase.program().signal("HUP");
    ligase.await_answer("/metrics", "ligase_config_last_reload_success 1");
    ligase.await_answer("/config", "rosaline.lab");
    chat(&peer.by_starttls, &house.by_starttls);

    // A domain that is not served any more takes its own pairs along, and nobody else's.
    chat(&house.by_direct_tls, &peer.by_direct_tls);
    let domains = names_of("direct-montague.lab");
    let ligase = house.ligase.as_mut().or_fail("find the proxy");
    ligase.proxy().set("hosts", &format!("[{}]", domains.join(", ")));
    ligase.proxy().write();
    ligase.program().signal("HUP");
    let lost = "pair no longer authenticated";
    let (since, _) = ligase.log().hear_after(0, lost, SOON);
    ligase.log().hear_after(since, lost, SOON);
    let removed = ligase.metric("ligase_revocations_total", &["cause=\"host-removed\""]);
    assert!(2.0 <= removed, "{removed}");
    assert!(!ligase.get("/bindings").1.contains("\"montague.lab\""));
    peer.by_starttls.say(&house.by_starttls.jid, "nobody is there");
    peer.by_starttls.hear_error(&house.by_starttls.jid, Duration::from_secs(20));
    chat(&house.by_direct_tls, &peer.by_direct_tls);
    chat(&peer.by_direct_tls, &house.by_direct_tls);
}

/// The backend may go and come back, and the proxy is none the worse for it.
#[test]
fn a_backend_that_restarts_is_found_again() {
    let (world, house, peer) = household(Kind::Prosody);
    chat(&house.by_starttls, &peer.by_starttls);
    let host = house.server.host().clone();
    let House { server, by_starttls, by_direct_tls, ligase, .. } = house;
    drop((server, by_direct_tls));
    let ligase = ligase.or_fail("find the proxy");
    let own = Leaf::of(&["montague.lab"]).self_signed();
    let server = Setup::new(Kind::Prosody, &host, &["montague.lab"], &own).start_again();
    let romeo = world.users().login(&by_starttls.jid, &host);
    chat(&peer.by_starttls, &romeo);
    chat(&romeo, &peer.by_starttls);
    assert!((1.0 - ligase.metric("ligase_backend_up", &[])).abs() < f64::EPSILON);
    drop(server);
}

/// A house behind a proxy, and a peer.
fn household(kind: Kind) -> (World, House, House) {
    let plan = Plan::behind("montague", kind, Manner::Default, Capture::Dns);
    let other = Plan::bare("paris", Kind::Prosody, true);
    let mut world = World::new();
    let hosts = [plan.publish(&mut world), other.publish(&mut world)];
    world.open();
    let house = plan.build(&world, &hosts[0], |_| ());
    let peer = other.build(&world, &hosts[1], |_| ());
    (world, house, peer)
}

/// The digest of the certificate that is shown to somebody who connects by TLS at once.
fn shown(peer: &Peer, at: &str) -> Option<String> {
    let seen = peer.dial(at).start_tls("montague.lab", None);
    seen.or_fail("shake hands").leaf
}

/// Enough for a signal to be heard.
const SOON: Duration = Duration::from_secs(5);

/// `drain_seconds` of every test, and what a busy machine adds to it.
const DRAIN_PATIENCE: Duration = Duration::from_secs(15);

/// Enough to be still on the way when the proxy is told to end.
const COUNT: usize = 500;
