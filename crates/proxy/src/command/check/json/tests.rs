use std::net::Ipv4Addr;
use std::sync::Arc;

use ligase_verifier::{Facts, Service, Settings, Verifier};
use serde_json::Value;

use super::{HEAD, report, tail};
use crate::args::Exit;
use crate::command::check::report::{Report, Tally};
use crate::command::check::survey::Surveyor;

async fn printed(domain: &str, facts: Facts) -> Value {
    let verifier = Verifier::knowing(&Settings::default(), Arc::new(facts)).unwrap();
    let surveyor = Surveyor::new(Arc::new(verifier), Service::Server, None);
    let of = Report::of(surveyor.survey(domain).await, &[]);
    let text = format!("{HEAD}{}{}", report(&of), tail(&[], &Tally::default(), Exit::Untested));
    assert!(text.bytes().all(|it| it == b'\n' || (b' '..=b'~').contains(&it)), "{text}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn no_more_is_listed_than_anybody_reads() {
    let mut facts = Facts::new();
    for number in 0..500 {
        let target = format!("x{number}.a.example");
        facts = facts.srv("_xmpp-server._tcp.a.example", 5269, &target);
        facts = facts.address(&target, Ipv4Addr::new(192, 0, 2, 1).into());
    }
    let json = printed("a.example", facts).await;
    let check = &json["checks"][0];
    let srv = &check["srv"]["xmpp-server"];
    assert_eq!(srv["records"].as_array().unwrap().len(), 128);
    assert_eq!(srv["records_beyond"], 372);
    assert_eq!(check["targets"].as_array().unwrap().len(), 16);
    assert_eq!(check["targets_beyond"], 484);
}

#[tokio::test]
async fn what_is_no_domain_is_quoted_and_not_asked_about() {
    let json = printed("\u{202e}a\x1b[2J", Facts::new()).await;
    let check = &json["checks"][0];
    assert_eq!(check["domain"], "\u{202e}a\x1b[2J");
    assert_eq!(check["srv"]["xmpp-server"]["state"], "indeterminate");
    assert_eq!((&check["verdict"], &check["posh"]), (&"unproven".into(), &Value::Null));
    assert_eq!(check["findings"][0]["id"], "LG-D00");
}
