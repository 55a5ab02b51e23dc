use super::*;
use crate::app::explain::fixtures::{at, carrier, doubt, way};
use crate::binding::ConnectionId;
use crate::establish::Recalled;

fn endpoint(secure: bool) -> Endpoint {
    let target = "xmpp.capulet.example".parse().unwrap();
    Endpoint { target, port: 5269, transport: Transport::StartTls, secure }
}

#[test]
fn what_carries_a_way_is_told_in_the_order_in_which_it_is_used() {
    let mut open = way(Side::Public);
    open.public = vec![carrier(7), carrier(3)];
    let told = super::way(&open, &Asked::Spared);
    let expect = json!({
        "id": 7,
        "use": "in-use",
        "mode": "server-name",
        "bidi": true,
        "direction": "outbound",
        "transport": "starttls",
        "peer_address": "192.0.2.7:5269",
        "authenticated_server": "xmpp.capulet.example",
        "opened_at": "1970-01-01T00:01:00Z",
        "prooftype": "dialback",
        "expires_at": null,
    });
    assert_eq!(told["connections"][0], expect);
    assert_eq!(told["connections"][1]["id"], 3);
    assert_eq!(told["connections"][1]["use"], "standing-by");
    assert_eq!(told["state"], "carried");
    assert_eq!(told["advice"], Value::Null);

    // A peer that opens hundreds does not fill the page.
    open.public = (0..100).map(carrier).collect();
    let told = super::way(&open, &Asked::Spared);
    assert_eq!(told["connections"].as_array().map(Vec::len), Some(CARRIERS_MAX));
}

/// A search that met with a server that did not know its name, and then with one that would not.
fn failed() -> Climb {
    let refused = Setback::Refused(None);
    let tried = |second, rung, outcome| Step {
        at: at(second),
        endpoint: Some(endpoint(true)),
        rung: Some(rung),
        outcome,
    };
    let steps = vec![
        tried(2, Rung::ServerName, Err(Setback::Unrecognized)),
        tried(3, Rung::DomainName, Ok(Some(ConnectionId(9)))),
        Step { at: at(4), endpoint: None, rung: None, outcome: Err(refused.clone()) },
    ];
    Climb { began: at(1), steps, left_out: 2, end: Some((at(5), Err(refused))) }
}

#[test]
fn a_search_is_told_with_each_step() {
    let why = json!({"label": "dialback.refused", "text": "The server refused the connection"});
    let unrecognized = json!({
        "label": "tls.unrecognized_name",
        "text": "The server does not know itself by its name",
    });
    let step = |at: &str, target: Option<&str>, rung: Option<&str>| {
        json!({
            "at": at,
            "target": target,
            "port": target.map(|_| 5269),
            "rung": rung,
            "result": "missed",
            "connection": null,
            "reason": why,
        })
    };
    let place = Some("xmpp.capulet.example");
    let mut first = step("1970-01-01T00:00:02Z", place, Some("server-name"));
    first["reason"] = unrecognized;
    let mut second = step("1970-01-01T00:00:03Z", place, Some("domain-name"));
    (second["result"], second["connection"]) = (json!("met"), json!(9));
    second["reason"] = Value::Null;
    let expect = json!({
        "began_at": "1970-01-01T00:00:01Z",
        "ended_at": "1970-01-01T00:00:05Z",
        "result": "missed",
        "reason": why,
        "steps_left_out": 2,
        "steps": [first, second, step("1970-01-01T00:00:04Z", None, None)],
    });
    assert_eq!(climb(&failed()), expect);
    let under_way = Climb { end: None, ..failed() };
    assert_eq!(climb(&under_way)["result"], "under-way");
    let met = Climb { end: Some((at(5), Ok(()))), ..failed() };
    assert_eq!([&climb(&met)["result"], &climb(&met)["reason"]], [&json!("met"), &Value::Null]);
}

#[test]
fn a_peer_that_is_left_alone_is_told_of_with_what_to_do() {
    let mut waiting = way(Side::Public);
    waiting.pursuit.last = Some(failed());
    waiting.pursuit.back_off =
        Some(BackOff { until: at(90), failures: 2, setback: Setback::NotListening });
    let told = super::way(&waiting, &Asked::Spared);
    let expect = json!({
        "until": "1970-01-01T00:01:30Z",
        "failures": 2,
        "reason": {
            "label": "connect.refused",
            "text": "Nothing listens at the server's port",
        },
    });
    assert_eq!(told["back_off"], expect);
    assert_eq!(told["state"], "backing-off");
    assert_eq!(told["advice"], advice(Side::Public, "connect.refused"));
    // What keeps us from the peer does not keep the peer from us.
    let mut way_in = way(Side::Backend);
    way_in.pursuit.back_off = waiting.pursuit.back_off;
    assert_eq!(super::way(&way_in, &Asked::Spared)["back_off"], Value::Null);
}

#[test]
fn whoever_is_not_believed_is_told_of_on_the_way_in_alone() {
    for (towards, expect) in [(Side::Public, Value::Null), (Side::Backend, json!("cert.expired"))] {
        let mut doubted = way(towards);
        doubted.doubt = Some(doubt());
        let told = super::way(&doubted, &Asked::Spared);
        assert_eq!(told["not_believed"]["reason"], expect);
    }
}

#[test]
fn every_state_but_an_open_way_has_its_advice() {
    let told = |change: fn(&mut Way)| {
        let mut changed = way(Side::Public);
        change(&mut changed);
        super::way(&changed, &Asked::Spared)["advice"]
            .as_str()
            .map(str::to_owned)
            .unwrap_or_default()
    };
    assert!(told(|_| ()).starts_with("Have somebody write to the peer"));
    assert_eq!(told(|way| way.pursuit.searching = true), "Ask again in a moment.");
    assert!(told(|way| way.is_ours = false).contains("compare both names with `hosts`"));
    let idle = super::way(&way(Side::Backend), &Asked::Spared);
    assert!(idle["advice"].as_str().is_some_and(|it| it.starts_with("Nothing: the peer comes")));
}

#[test]
fn dns_is_told_as_it_answered_or_did_not() {
    let recalled = Some(Recalled { rung: Rung::DomainName, failures: 1 });
    let prospect = Prospect { first: Rung::DomainName, lowest: Rung::Dialback, recalled };
    let told = dns(&Asked::Endpoints(vec![(endpoint(false), prospect)]), at(60));
    let expect = json!({
        "at": "1970-01-01T00:01:00Z",
        "state": "answered",
        "reason": null,
        "endpoints": [{
            "target": "xmpp.capulet.example",
            "port": 5269,
            "transport": "starttls",
            "secure": false,
            "begins_with": "domain-name",
            "lowest": "dialback",
            "remembered": {"rung": "domain-name", "failures": 1},
        }],
    });
    assert_eq!(told, expect);
    let told = dns(&Asked::Unresolved(Unresolved::Bogus), at(60));
    assert_eq!(told["state"], "failed");
    assert_eq!(told["reason"]["label"], "dns.bogus");
    for (asked, state) in [(Asked::Late, "late"), (Asked::Spared, "not-asked")] {
        let told = dns(&asked, at(60));
        assert_eq!([&told["state"], &told["reason"]], [&json!(state), &Value::Null]);
    }
}

#[test]
fn who_is_hosted_and_by_which_rule_is_told() {
    for (found, expect) in [
        (Hosting::Listed, json!({"hosted": true, "rule": "listed"})),
        (Hosting::Proven, json!({"hosted": true, "rule": "asked"})),
        (Hosting::Unlisted, json!({"hosted": false, "rule": "listed"})),
        (Hosting::Unasked, json!({"hosted": null, "rule": "asked"})),
    ] {
        assert_eq!(hosting(found), expect);
    }
    let told = policy(Level::Dna, "policy.default");
    assert_eq!([&told["level"], &told["rule"]], ["dna", "policy.default"]);
}

/// Whoever came may have been an impostor, whose key nobody shall be told to publish.
#[test]
fn nobody_is_told_to_publish_the_key_of_whoever_came() {
    for reason in ["dane.mismatch", "posh.mismatch", "posh.expired", "cert.chain", "cert.name"] {
        let mut doubted = way(Side::Backend);
        doubted.doubt = Some(Doubt { reason, ..doubt() });
        let told = super::way(&doubted, &Asked::Spared);
        let advice = told["advice"].as_str().unwrap_or_default();
        assert!(advice.contains("is not the peer's, there is nothing to do"), "{reason}: {advice}");
        assert!(advice.contains(doubted.pair.sender.as_str()), "{reason}: {advice}");
        // Where the pair is none of ours, nothing of others is told.
        doubted.is_ours = false;
        assert_eq!(super::way(&doubted, &Asked::Spared)["not_believed"], Value::Null);
    }
}

#[test]
fn a_domain_that_does_not_exist_is_the_reason_that_nothing_carries_it() {
    for towards in [Side::Public, Side::Backend] {
        let asked = Asked::Unresolved(Unresolved::NotFound);
        let told = super::way(&way(towards), &asked);
        let advice = told["advice"].as_str().unwrap_or_default();
        assert!(advice.starts_with("Is the name spelled right?"), "{advice}");
    }
}
