use std::net::{Ipv4Addr, SocketAddr};

use super::super::*;
use crate::binding::{DomainPair, Mode};
use crate::capture::dns::Fate;
use crate::connection::event::{Introduction, Led};
use crate::net::proxy_protocol::Version;
use crate::stream::{Condition, Way};
use crate::tests::{domain, pair};
use crate::tls;

const SECOND: Duration = Duration::from_secs(1);

/// A connection that a peer opened, or we did, on that side; its TLS came up after STARTTLS.
fn facts(side: binding::Side, outbound: bool) -> Facts {
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 5269));
    let transport = Some(ligase_verifier::Transport::StartTls);
    Facts { id: ConnectionId(7), side, outbound, transport, peer }
}

fn public(outbound: bool) -> Facts {
    facts(binding::Side::Public, outbound)
}

/// The series that are no zero after these events, as they are rendered. How long things took is
/// only counted.
fn counted(events: impl IntoIterator<Item = Event>) -> Vec<String> {
    let metrics = Arc::new(Metrics::new("1", "test"));
    let observer = Observer::new(Arc::clone(&metrics));
    events.into_iter().for_each(|event| observer.tell(event));
    let text = metrics.render();
    let ours = text.lines().filter(|it| it.starts_with("ligase_") && !it.ends_with(" 0"));
    let interesting = ours.filter(|it| {
        let is_detail = it.contains("_bucket{") || it.contains("_sum");
        !is_detail && !it.starts_with("ligase_build_info")
    });
    interesting.map(str::to_owned).collect()
}

/// The labels of a line, and its number, where it is of this family.
fn of(lines: &[String], family: &str) -> Vec<String> {
    let rest = |it: &String| it.strip_prefix(family).map(str::to_owned);
    lines.iter().filter_map(rest).filter(|it| it.starts_with(['{', ' '])).collect()
}

fn ended(facts: Facts, ending: Ending) -> Event {
    Event::Ended(facts, ending, Totals { lasted: 60 * SECOND, ..Totals::default() })
}

fn bound(facts: Facts, pair: DomainPair, comes: bool, grounds: &'static str) -> Event {
    let mode = Mode::DomainName;
    Event::Bound { facts, pair, comes, mode, grounds, took: SECOND }
}

#[test]
fn a_connection_is_opened_once_and_ends_once() {
    let plain = Facts { transport: None, ..public(true) };
    let life = [Event::Opened(plain), Event::Settled(public(true))];
    let lines = counted(life.clone());
    let opened = "{direction=\"outbound\",side=\"public\",transport=\"starttls\"} 1";
    assert_eq!(of(&lines, "ligase_connections_opened_total"), [opened]);
    assert_eq!(of(&lines, "ligase_connections_active"), [opened]);
    assert_eq!(of(&lines, "ligase_connections_closed_total"), [""; 0]);

    let there = pair("l.test", "a.test");
    let bound = bound(public(true), there, false, "pkix");
    let lines = counted(life.into_iter().chain([bound, ended(public(true), Ending::Idle)]));
    assert_eq!(of(&lines, "ligase_connections_opened_total"), [opened]);
    assert_eq!(of(&lines, "ligase_connections_active"), [""; 0]);
    assert_eq!(
        of(&lines, "ligase_connections_closed_total"),
        ["{direction=\"outbound\",reason=\"idle\",side=\"public\"} 1"]
    );
    assert_eq!(
        of(&lines, "ligase_connection_duration_seconds_count"),
        ["{direction=\"outbound\",side=\"public\"} 1"]
    );

    // One that never came to TLS.
    let lines = counted([Event::Opened(plain), ended(plain, Ending::Broken)]);
    assert_eq!(
        of(&lines, "ligase_connections_opened_total"),
        ["{direction=\"outbound\",side=\"public\",transport=\"plain\"} 1"]
    );
}

#[test]
fn every_end_is_counted_under_its_reason() {
    for (ending, reason) in [
        (Ending::Closed, "closed"),
        (Ending::Refused(Condition::HostUnknown, "because"), "refused"),
        (Ending::Refused(Condition::SystemShutdown, "because"), "drain"),
        (Ending::Broken, "broken"),
        (Ending::Idle, "idle"),
        (Ending::Drained, "drain"),
    ] {
        let lines = counted([Event::Opened(public(false)), ended(public(false), ending)]);
        let expect = format!("{{direction=\"inbound\",reason=\"{reason}\",side=\"public\"}} 1");
        assert_eq!(of(&lines, "ligase_connections_closed_total"), [expect]);
    }
}

#[test]
fn what_load_balancers_say_is_counted() {
    let lines = counted(
        [
            Introduction::Named(Version::One),
            Introduction::Named(Version::Two),
            Introduction::Own(Version::Two),
            Introduction::Spared,
            Introduction::Refused(Some(Version::One)),
            Introduction::Refused(None),
            Introduction::Refused(None),
        ]
        .map(Event::Introduced),
    );
    assert_eq!(
        of(&lines, "ligase_proxy_protocol_headers_total"),
        [
            "{result=\"accepted\",version=\"1\"} 1",
            "{result=\"accepted\",version=\"2\"} 1",
            "{result=\"accepted\",version=\"none\"} 1",
            "{result=\"local\",version=\"2\"} 1",
            "{result=\"refused\",version=\"1\"} 1",
            "{result=\"refused\",version=\"none\"} 2",
        ]
    );
}

#[test]
fn what_happens_below_the_stanzas_is_counted() {
    let home = facts(binding::Side::Backend, true);
    let lines = counted([
        Event::Shaken { facts: public(true), version: Some(tls::Version::Tls13), took: SECOND },
        Event::Shaken { facts: home, version: Some(tls::Version::Tls12), took: SECOND },
        Event::Shaken { facts: public(false), version: None, took: SECOND },
        Event::Headed(public(true), Mode::ServerName),
        Event::Headed(public(false), Mode::Legacy),
        Event::Acknowledged(SECOND),
        Event::DialedHome { reached: true, took: SECOND },
        Event::DialedHome { reached: false, took: SECOND },
        Event::Captured(Led::Redirect),
        Event::Steered(Fate::Denied),
        Event::Barred { outbound: false, level: binding::Level::Dna },
        Event::Barred { outbound: true, level: binding::Level::Any },
    ]);
    assert_eq!(
        lines,
        [
            "ligase_backend_connect_duration_seconds_count 1",
            "ligase_backend_connects_total{result=\"failure\"} 1",
            "ligase_backend_connects_total{result=\"success\"} 1",
            "ligase_capture_connections_total{mode=\"redirect\"} 1",
            "ligase_channel_rtt_seconds_count 1",
            "ligase_dns_steered_total{kind=\"denied\"} 1",
            "ligase_header_rewrites_total{direction=\"inbound\",kind=\"domain-name\"} 1",
            "ligase_header_rewrites_total{direction=\"outbound\",kind=\"server-name\"} 1",
            "ligase_policy_rejections_total{direction=\"inbound\",level=\"dna\"} 1",
            "ligase_tls_handshake_duration_seconds_count{direction=\"inbound\",side=\"backend\"} 1",
            "ligase_tls_handshake_duration_seconds_count{direction=\"outbound\",side=\"public\"} 1",
            "ligase_tls_handshakes_total{direction=\"inbound\",result=\"failure\",side=\"public\",version=\"none\"} 1",
            "ligase_tls_handshakes_total{direction=\"inbound\",result=\"success\",side=\"backend\",version=\"1.2\"} 1",
            "ligase_tls_handshakes_total{direction=\"outbound\",result=\"success\",side=\"public\",version=\"1.3\"} 1",
        ]
    );
}

/// On a stream for both directions a peer falls by what it brings and by what it takes.
#[test]
fn a_peer_that_falls_to_dialback_is_counted_by_what_it_had_shown() {
    let (here, there) = (pair("a.test", "l.test"), pair("l.test", "a.test"));
    let proven = |facts, grounds| bound(facts, here.clone(), true, grounds);
    let fallen = |events: Vec<Event>| of(&counted(events), "ligase_auth_downgrades_total");
    assert_eq!(fallen(vec![proven(public(false), "dialback")]), [""; 0]);
    assert_eq!(fallen(vec![proven(public(false), "dane"), proven(public(false), "pkix")]), [""; 0]);
    assert_eq!(
        fallen(vec![
            proven(public(true), "dane"),
            bound(public(true), there.clone(), false, "dialback")
        ]),
        ["{direction=\"outbound\",from=\"dane\"} 1"]
    );
    // What it shows to us when we call is not asked of it when it calls.
    let called = bound(public(true), there.clone(), false, "dane");
    assert_eq!(fallen(vec![called, proven(public(false), "dialback")]), [""; 0]);
    let stranger = bound(public(false), pair("b.test", "l.test"), true, "dialback");
    assert_eq!(fallen(vec![proven(public(false), "dane"), stranger]), [""; 0]);
    // Our own server is met with dialback all the time, and is no peer.
    let home = bound(facts(binding::Side::Backend, false), there, true, "dialback");
    assert_eq!(fallen(vec![proven(public(false), "posh"), home]), [""; 0]);
}

#[test]
fn pairs_are_counted_by_who_opened_their_connection_and_those_of_our_own_server_are_not() {
    let (here, there) = (pair("a.test", "l.test"), pair("l.test", "a.test"));
    let lines = counted([
        Event::Opened(public(true)),
        bound(public(true), there.clone(), false, "dane"),
        bound(public(true), here.clone(), true, "dane"),
        Event::lost(public(true), here, Way::Inbound, Loss::PeerRevoked),
    ]);
    assert_eq!(of(&lines, "ligase_channel_bindings_active"), ["{direction=\"outbound\"} 1"]);
    assert_eq!(of(&lines, "ligase_channels_active"), ["{direction=\"outbound\"} 1"]);
    assert_eq!(of(&lines, "ligase_bindings_active"), ["{proof=\"dane\"} 1"]);

    let home = facts(binding::Side::Backend, false);
    let lines = counted([Event::Opened(home), bound(home, there, true, "dialback")]);
    for family in
        ["ligase_channel_bindings_active", "ligase_channels_active", "ligase_bindings_active"]
    {
        assert_eq!(of(&lines, family), [""; 0]);
    }
    assert_eq!(of(&lines, "ligase_backend_up"), [" 1"]);
}

/// A later pair tells how old its connection is, and not how long it took to be set up.
#[test]
fn a_connection_is_set_up_once_by_its_first_proven_peer() {
    let [first, second] = [pair("l.test", "a.test"), pair("l.test", "b.test")];
    let lines = counted([
        Event::Opened(public(true)),
        bound(public(true), first.clone(), false, "dane"),
        Event::lost(public(true), first.clone(), Way::Outbound, Loss::PeerRevoked),
        bound(public(true), second, false, "pkix"),
        bound(public(true), first, false, "dane"),
    ]);
    assert_eq!(
        of(&lines, "ligase_stream_setup_seconds_count"),
        ["{direction=\"outbound\",proof=\"dane\"} 1"]
    );
}

/// On a stream for both directions (XEP-0288) either end of a pair may be ours, whoever opened it.
#[test]
fn ours_is_the_end_that_the_far_end_is_not() {
    let pair = pair("sender.test", "target.test");
    let (sender, target) = (domain("sender.test"), domain("target.test"));
    for outbound in [false, true] {
        let (peer, home) = (public(outbound), facts(binding::Side::Backend, outbound));
        assert_eq!(ends(&peer, &pair, true), (&target, &sender));
        assert_eq!(ends(&peer, &pair, false), (&sender, &target));
        assert_eq!(ends(&home, &pair, true), (&sender, &target));
        assert_eq!(ends(&home, &pair, false), (&target, &sender));
    }
}

#[test]
fn stanzas_are_counted_by_where_they_went_and_bounces_by_where_they_had_been_going() {
    let kind = stream::Kind::Message;
    let lines = counted([
        Event::Passed { side: binding::Side::Public, kind, count: 3 },
        Event::Passed { side: binding::Side::Backend, kind, count: 2 },
        Event::Bounced { side: binding::Side::Backend, condition: "remote-server-timeout" },
    ]);
    assert_eq!(
        lines,
        [
            "ligase_bounces_total{condition=\"remote-server-timeout\",direction=\"outbound\"} 1",
            "ligase_stanzas_total{direction=\"inbound\",kind=\"message\"} 2",
            "ligase_stanzas_total{direction=\"outbound\",kind=\"message\"} 3",
        ]
    );
}
