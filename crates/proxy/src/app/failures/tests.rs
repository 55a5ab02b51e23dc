use std::time::Duration;

use ligase_verifier::{Finding, Reason};

use super::*;
use crate::binding::{ConnectionId, DomainPair, Mode};
use crate::connection::event::Facts;
use crate::stream::Denial;

fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

fn outbound() -> DomainPair {
    DomainPair::new("montague.example".parse().unwrap(), "capulet.example".parse().unwrap())
}

fn facts(side: Side) -> Facts {
    let peer = "192.0.2.7:40000".parse().unwrap();
    Facts { id: ConnectionId(7), side, outbound: false, transport: None, peer }
}

fn failed(pair: DomainPair, side: Side, setback: Setback) -> Event {
    Event::Failed { pair, side, setback }
}

fn refused(pair: DomainPair, side: Side, denial: Denial) -> Event {
    Event::Refused { facts: facts(side), pair, denial }
}

fn bound(pair: DomainPair, side: Side, comes: bool) -> Event {
    let (facts, mode, took) = (facts(side), Mode::DomainName, Duration::ZERO);
    Event::Bound { facts, pair, comes, mode, grounds: "dialback", took }
}

#[test]
fn a_failure_is_told_with_its_reason_and_its_cure() {
    let failures = Failures::default();
    failures.see(&failed(outbound(), Side::Public, Setback::NotListening), at(1));
    failures.see(&failed(outbound(), Side::Public, Setback::NotListening), at(2));
    let (told, left_out) = failures.told(at(3), 10);
    let expect = json!([{
        "first_at": "1970-01-01T00:00:01Z",
        "last_at": "1970-01-01T00:00:02Z",
        "count": 2,
        "local": "montague.example",
        "remote": "capulet.example",
        "direction": "outbound",
        "side": "public",
        "reason": {
            "label": "connect.refused",
            "text": "Nothing listens at the server's port",
        },
        "advice": advice(Side::Public, "connect.refused"),
        "peer_address": null,
    }]);
    assert_eq!((told, left_out), (expect, 0));
    assert_eq!(failures.show(at(3))["version"], 1);
}

#[test]
fn whoever_came_is_told_of_with_its_address_and_by_name() {
    let failures = Failures::default();
    let reason = Reason { prooftype: None, finding: Finding::TlsaMismatch };
    let inbound = outbound().reversed();
    failures.see(&refused(inbound, Side::Public, Denial::Unproven(reason)), at(1));
    let (told, _) = failures.told(at(1), 10);
    let failure = &told[0];
    assert_eq!([&failure["local"], &failure["remote"]], ["montague.example", "capulet.example"]);
    assert_eq!([&failure["direction"], &failure["side"]], ["inbound", "public"]);
    assert_eq!(failure["reason"]["label"], "dane.mismatch");
    assert_eq!(failure["peer_address"], "192.0.2.7:40000");
    let advice = failure["advice"].as_str().unwrap();
    assert!(advice.contains("claimed to be capulet.example"), "{advice}");
    assert!(!advice.contains("REMOTE"), "{advice}");
}

/// For each way that a pair can go, what fails on it and what shows that it works again.
#[test]
fn what_works_again_is_told_no_more() {
    let (out, inward) = (outbound(), outbound().reversed());
    let sasl = || Setback::Stream(None);
    for (failure, direction, mended) in [
        (
            failed(out.clone(), Side::Public, sasl()),
            "outbound",
            bound(out.clone(), Side::Public, false),
        ),
        (
            failed(inward.clone(), Side::Backend, sasl()),
            "inbound",
            bound(inward.clone(), Side::Backend, false),
        ),
        (
            refused(inward.clone(), Side::Public, Denial::Forged),
            "inbound",
            bound(inward.clone(), Side::Public, true),
        ),
        (
            refused(out.clone(), Side::Backend, Denial::FromStranger),
            "outbound",
            bound(out.clone(), Side::Backend, true),
        ),
    ] {
        let failures = Failures::default();
        failures.see(&failure, at(1));
        let (told, _) = failures.told(at(1), 10);
        assert_eq!(told[0]["direction"], direction, "{failure:?}");
        assert_eq!(told[0]["local"], "montague.example", "{failure:?}");
        // The same pair the other way round, or on the other side, shows nothing.
        for other in
            [bound(out.clone(), Side::Public, true), bound(inward.clone(), Side::Public, false)]
        {
            failures.see(&other, at(2));
        }
        assert_eq!(failures.count(at(2)), 1, "{failure:?}");
        failures.see(&mended, at(3));
        assert_eq!(failures.count(at(3)), 0, "{failure:?}");
    }
}

#[test]
fn only_the_latest_are_told_and_the_others_counted() {
    let failures = Failures::default();
    for number in 0..5 {
        let peer = format!("peer{number}.example").parse().unwrap();
        let pair = DomainPair::new(outbound().sender, peer);
        failures.see(&failed(pair, Side::Public, Setback::TimedOut), at(number));
    }
    // That we are about to end is no failure.
    failures.see(&failed(outbound(), Side::Public, Setback::Draining), at(9));
    let (told, left_out) = failures.told(at(9), 2);
    let remotes: Vec<_> = told.as_array().unwrap().iter().map(|it| &it["remote"]).collect();
    assert_eq!(remotes, ["peer4.example", "peer3.example"]);
    assert_eq!((left_out, failures.count(at(9))), (3, 5));
}

#[test]
fn the_documentation_shows_what_is_told() {
    let failures = Failures::default();
    let reason = Reason { prooftype: None, finding: Finding::TlsaMismatch };
    let refused = |port, second: u64| {
        let peer = format!("192.0.2.7:{port}").parse().unwrap();
        let (facts, denial) = (Facts { peer, ..facts(Side::Public) }, Denial::Unproven(reason));
        let event = Event::Refused { facts, pair: outbound().reversed(), denial };
        failures.see(&event, at(1_795_323_600 + second));
    };
    refused(30_000, 1);
    refused(40_000, 31);
    let told = failures.show(at(1_795_323_660));
    assert_eq!(told, crate::app::documented::documented("failures"));
}

#[test]
fn what_to_do_is_told_once_until_it_works() {
    let failures = Failures::default();
    let see = |event: &Event, second| failures.see(event, at(second)).is_some();
    let failed = failed(outbound(), Side::Public, Setback::NotListening);
    assert_eq!([see(&failed, 1), see(&failed, 2)], [true, false]);
    assert!(!see(&bound(outbound(), Side::Public, false), 3));
    assert!(see(&failed, 4));
    // Whoever comes chooses how often.
    assert!(!see(&refused(outbound().reversed(), Side::Public, Denial::NotHosted), 5));
}

#[test]
fn whoever_has_names_without_end_gets_a_line_a_second() {
    let failures = Failures::default();
    let see = |name: &str, second| {
        let pair = DomainPair::new(outbound().sender, name.parse().unwrap());
        failures.see(&failed(pair, Side::Public, Setback::TimedOut), at(second)).is_some()
    };
    // So many that each is forgotten when it comes again.
    let round = |second| {
        let names = (0..300).map(|number| format!("x{number}.mallory.example"));
        names.filter(|name| see(name, second)).count()
    };
    assert_eq!([1, 1, 2].map(round), [1, 0, 1]);
    assert!(see("capulet.example", 2));
    // All of them are remembered.
    assert_eq!(failures.count(at(2)), Memory::FAILURES_MAX);
}
