//! Real servers, by themselves and behind the proxy, are seen as they are.

use ligase_tests::{Capture, Kind, Manner};

use serde_json::Value;

use super::lab::Lab;
use super::obeys_the_schema;
use crate::verona::{Plan, Rows};

#[test]
fn real_servers_are_seen_as_they_are() {
    let mut lab = Lab::new();
    let plans = [
        Plan::bare("paris", Kind::Prosody, true),
        Plan::bare("tybalt", Kind::Ejabberd, true),
        Plan::behind("montague", Kind::Prosody, Manner::Default, Capture::Dns),
    ];
    let hosts = plans.each_ref().map(|plan| plan.publish(&mut lab.world));
    for name in ["paris", "tybalt"] {
        let target = format!("xmpp.{name}.lab");
        let srv = format!("0 5 5222 {target}.");
        lab.world.zone.record(&format!("_xmpp-client._tcp.{name}.lab"), "SRV", &srv);
    }
    lab.world.open();
    let houses: Vec<_> =
        plans.iter().zip(&hosts).map(|(plan, host)| plan.build(&lab.world, host, |_| ())).collect();

    let rows = Rows::default();
    for house in &houses {
        for (domain, transport) in [
            (format!("{}.lab", house.name), "starttls"),
            (format!("direct-{}.lab", house.name), "direct-tls"),
        ] {
            rows.run(&domain, || {
                let found = lab.json(&[&domain]);
                let check = found.check(&domain);
                assert_eq!(
                    (check["prooftype"].as_str(), found.exit),
                    (Some("pkix"), 0),
                    "{check:#}"
                );
                let target = &check["targets"][0];
                assert_eq!(target["transport"], transport);
                // Prosody by itself talks only to those who show a good certificate.
                let open = if house.name == "paris" { Value::Null } else { true.into() };
                assert_eq!(target["stream"]["dialback"], open, "{target:#}");
                let expect = if open.is_null() { "info" } else { "ok" };
                assert_eq!(found.finding("LG-X01")["severity"], expect);
                obeys_the_schema(&found.json);
            });
        }
    }
    for domain in ["paris.lab", "tybalt.lab"] {
        rows.run(&format!("users of {domain}"), || {
            let found = lab.json(&["--service", "client", domain]);
            let check = found.check(domain);
            assert_eq!((check["prooftype"].as_str(), found.exit), (Some("pkix"), 0), "{check:#}");
        });
    }
    rows.run("as a peer", || {
        let found = lab.json(&["paris.lab", "--peer", "tybalt.lab"]);
        assert_eq!(found.exit, 0, "{:#}", found.json);
        for pair in found.json["pairs"].as_array().into_iter().flatten() {
            assert_eq!(pair["works"], true, "{pair:#}");
        }
    });
    rows.finish();
}
