//! Behind a load balancer, which says whom a connection is from.

use std::fs;
use std::time::Duration;

use ligase_tests::{Capture, Host, Ligase, OrFail, Outcome, Peer, Process, Proxy, Stranger, World};

use crate::verona::{certificate, names_of, publish};

/// A real haproxy hands connections on, by both versions of its protocol. Whoever comes through it is
/// known, and limited, by their own address; nobody else is believed about theirs, and the load
/// balancer's look at our health is no matter.
#[test]
fn who_comes_through_a_load_balancer_is_known_by_their_own_address() {
    let mut world = World::new();
    let [house, balancer, capulet, paris] =
        ["montague", "balancer", "capulet", "paris"].map(|name| world.host(name));
    publish(&mut world, "montague.lab", &balancer, 5269);
    publish(&mut world, "capulet.lab", &capulet, 5269);
    world.open();
    let own = certificate(&world, "montague.lab");
    let server = Stranger::listen(&house, 5269, "montague.lab", &own);
    let mut proxy = Proxy::new(&world, &house, Capture::Dns, &names_of("montague.lab"), &own);
    let trusted = format!("[{}, \"{}\"]", balancer.v4, balancer.v6);
    proxy.set("proxy_protocol.trusted", &trusted);
    proxy.set("limits.connections_per_address", "3");
    let mut ligase = proxy.start();
    let haproxy = haproxy(&balancer, &house);
    for listener in ["text", "bytes"] {
        let well = format!("Health check for server {listener}/ligase succeeded");
        haproxy.hear(&well, SOON);
    }

    // By text and by bytes, with STARTTLS and with TLS at once, over IPv4 and IPv6.
    let theirs = certificate(&world, "capulet.lab");
    let peer = Stranger::listen(&capulet, 5269, "capulet.lab", &theirs);
    let through = |port| format!("{}:{port}", balancer.v4);
    for port in [BY_TEXT, BY_BYTES] {
        let word = format!(
            "<message from='nurse@capulet.lab' to='romeo@montague.lab'><body>by {port}</body></message>"
        );
        let to = through(port);
        let outcome = peer.claim(&to, "capulet.lab", "montague.lab", Some(&theirs), &word);
        assert_eq!(outcome, Outcome::Let, "by port {port}");
        server.hear(&format!("by {port}"));
    }
    let strangers = Peer::on(&capulet);
    let direct = strangers.dial(&through(BY_BYTES));
    direct.start_tls_for("montague.lab", Some("xmpp-server"), None).or_fail("shake hands");
    let v6 = strangers.dial(&format!("[{}]:{BY_TEXT}", balancer.v6));
    v6.start_tls_for("montague.lab", Some("xmpp-server"), None).or_fail("shake hands by IPv6");
    assert_eq!(addresses(&ligase, &format!("{}:", capulet.v4)), 3);
    assert_eq!(addresses(&ligase, &format!("[{}]:", capulet.v6)), 1);
    assert_eq!(addresses(&ligase, ""), 4, "nobody is taken for the load balancer");

    // That is all that capulet may have; another has a share of their own.
    let fourth = strangers.dial(&through(BY_TEXT));
    fourth.send(HEADER);
    assert_eq!(fourth.end_within(SOON).or_fail("see it closed").0, "");
    let line = ligase.log().hear("reason=limit.conn", SOON);
    assert!(line.contains(&format!("peer={}:", capulet.v4)), "{line}");
    assert!(line.contains("limit=connections_per_address"), "{line}");
    let others = Peer::on(&paris);
    let other = others.dial(&through(BY_TEXT));
    other.send(HEADER);
    other.expect("</stream:features>");
    assert_eq!(addresses(&ligase, &format!("{}:", paris.v4)), 1);

    only_load_balancers_are_believed(&mut ligase, &others, &balancer);
}

/// A header from anywhere else is none, and one is asked of load balancers as long as it has to be.
fn only_load_balancers_are_believed(ligase: &mut Ligase, others: &Peer, balancer: &Host) {
    let door = format!("{}:7269", ligase.host().v4);
    let liar = others.dial(&door);
    liar.send(&format!("PROXY TCP4 192.0.2.1 198.51.100.2 40000 5269\r\n{HEADER}"));
    let (said, _) = liar.end_within(SOON).or_fail("see a liar refused");
    assert!(said.contains("<not-well-formed "), "{said}");
    assert_eq!(ligase.metric("ligase_violations_total", &["xml.not_wf"]), 1.0);

    assert_eq!(ligase.metric("ligase_violations_total", &["proxy.header"]), 0.0);
    let inside = Peer::on(balancer);
    let silent = inside.dial(&door);
    silent.send(HEADER);
    assert_eq!(silent.end_within(SOON).or_fail("see it closed").0, "");
    let line = ligase.log().hear("reason=proxy.header", SOON);
    assert!(line.contains(&format!("peer={}:", balancer.v4)), "{line}");
    assert_eq!(headers(ligase, "none", "refused"), 1.0);
    assert_eq!(ligase.metric("ligase_violations_total", &[]), 3.0, "no look at our health is one");
    let lines = ligase.log().lines();
    assert!(!lines.iter().any(|it| it.contains("192.0.2.1")), "nobody believes a liar");
    let of_balancer = |it: &&String| it.contains(&format!("={}:", balancer.v4));
    assert_eq!(lines.iter().filter(of_balancer).count(), 1, "its looks are no news");

    // It need not say so any more, and nothing has to be started again.
    ligase.proxy().set("proxy_protocol.required", "false");
    ligase.proxy().write();
    ligase.await_answer("/config", "\"required\":false");
    let spared = inside.dial(&door);
    spared.send(HEADER);
    spared.expect("</stream:features>");
    assert_eq!(addresses(ligase, &format!("{}:", balancer.v4)), 1);
    assert_eq!(headers(ligase, "none", "accepted"), 1.0);
    for version in ["1", "2"] {
        assert_eq!(headers(ligase, version, "refused"), 0.0);
        assert!(1.0 <= headers(ligase, version, "accepted"));
    }
    assert!(1.0 <= headers(ligase, "2", "local"), "it never looked at our health");
}

/// A load balancer that hands connections on to the proxy, and looks whether it is well.
fn haproxy(host: &Host, to: &Host) -> Process {
    let config = host.folder("haproxy").join("haproxy.cfg");
    let text = format!(
        "global
    log stdout format raw daemon notice
defaults
    mode tcp
    log global
    option log-health-checks
    timeout connect 5s
    timeout client 2m
    timeout server 2m
listen text
    bind :::{BY_TEXT} v4v6
    server ligase {}:7269 check inter 100ms send-proxy
listen bytes
    bind :::{BY_BYTES} v4v6
    server ligase [{}]:7269 check inter 100ms send-proxy-v2 proxy-v2-options crc32c
",
        to.v4, to.v6
    );
    fs::write(&config, text).or_fail("configure haproxy");
    let mut command = host.command("haproxy");
    command.args(["-db", "-f"]).arg(&config);
    Process::start("haproxy", command)
}

/// How many connections of peers there are from addresses that begin so.
fn addresses(ligase: &Ligase, begin: &str) -> usize {
    let told = ligase.json("/connections");
    let all = told.as_array().or_fail("read the connections").iter();
    let from = all.filter(|it| it["side"] == "public" && it["direction"] == "inbound");
    from.filter(|it| it["peer_address"].as_str().is_some_and(|it| it.starts_with(begin))).count()
}

/// How many connections from the load balancer were introduced so.
fn headers(ligase: &Ligase, version: &str, result: &str) -> f64 {
    let labels = [format!("version=\"{version}\""), format!("result=\"{result}\"")];
    let labels = labels.each_ref().map(String::as_str);
    ligase.metric("ligase_proxy_protocol_headers_total", &labels)
}

/// Where the load balancer says whom a connection is from in a line of text.
const BY_TEXT: u16 = 5269;

/// Where it says so in bytes.
const BY_BYTES: u16 = 5270;

const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
    xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' \
    from='capulet.lab' to='montague.lab' version='1.0'>";

/// What takes a moment takes longer where many tests run.
const SOON: Duration = Duration::from_secs(20);
