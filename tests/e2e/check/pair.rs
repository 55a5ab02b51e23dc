//! Two domains, and what they would make of each other.

use ligase_tests::{Leaf, OrFail, Purpose};
use serde_json::Value;

use super::lab::Lab;

#[test]
fn pairs_are_told_in_both_directions() {
    let mut lab = Lab::new();
    let capulet = lab.world.authority.issue(&["capulet.lab"]);
    lab.served("capulet.lab", 6000, &capulet);
    lab.pin("capulet.lab", 6000, &capulet);
    let montague = Leaf::of(&["montague.old"]).only_for(Purpose::Server);
    lab.served("montague.old", 6001, &montague.signed_by(&lab.world.authority));
    // Proven by nothing, but others may ask its server.
    let nurse = Leaf::of(&["nurse.lab"]).self_signed();
    lab.served("nurse.lab", 6002, &nurse);
    lab.world.open();

    let found = lab.json(&["capulet.lab", "--peer", "montague.old"]);
    assert_eq!(found.exit, 0, "{:#}", found.json);
    assert_eq!(found.check("montague.old")["prooftype"], "pkix");
    let [out, back] = both(&found.json);
    assert_eq!(out["from"], "capulet.lab");
    for (pair, target, sender) in [(out, "pkix", "dane"), (back, "dane", "pkix")] {
        assert_eq!(pair["works"], true, "{pair:#}");
        assert_eq!(pair["target_prooftype"], target);
        assert_eq!(pair["sender_prooftype"], sender);
    }
    // Only the one whose certificate is for servers only is told what old peers make of it.
    let tells = |pair: &Value| {
        let findings = pair["findings"].as_array().cloned().unwrap_or_default();
        findings.iter().any(|it| it["id"] == "LG-C07")
    };
    assert!(!tells(out) && tells(back), "{:#}", found.json["pairs"]);

    // Who is not proven is refused as a target; as a sender there is dialback.
    let found = lab.json(&["nurse.lab", "--peer", "capulet.lab"]);
    assert_eq!(found.exit, 2);
    let [out, back] = both(&found.json);
    assert_eq!((&out["works"], &back["works"]), (&Value::from(true), &Value::from(false)));
    assert_eq!(out["dialback"], true);
    assert_eq!(back["target"]["result"], "unproven");

    let (text, exit) = lab.text(&["capulet.lab", "--peer", "montague.old"]);
    assert_eq!(exit, 0);
    assert!(text.contains("capulet.lab -> montague.old: works"), "{text}");
    assert!(text.contains("montague.old -> capulet.lab: works"), "{text}");
    let (text, exit) = lab.text(&["--service", "client", "a.lab", "--peer", "b.lab"]);
    assert_eq!(exit, 64);
    assert!(text.contains("--peer is about servers"), "{text}");
}

fn both(json: &Value) -> [&Value; 2] {
    let pairs = json["pairs"].as_array().or_fail("read the pairs");
    assert_eq!(pairs.len(), 2, "{pairs:#?}");
    [&pairs[0], &pairs[1]]
}
