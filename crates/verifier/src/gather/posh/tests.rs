use super::*;
use crate::Facts;
use crate::leave::Freely;
use crate::mint::{domain, now};

const START: &str = "https://v.test/.well-known/posh/xmpp-server.json";
const OTHER: &str = "https://host.test/posh.json";
const FINGERPRINTS: &str = r#"{"fingerprints":[{"sha-1":"x"}],"expires":3600}"#;

/// What is found at v.test, where v.test and host.test have an address.
async fn find(facts: Facts, service: Service) -> String {
    let address = "192.0.2.1".parse().unwrap();
    let facts = facts.address("v.test", address).address("host.test", address);
    spell(posh(&facts, &domain("v.test"), service, now(), &terms(), &Freely).await)
}

fn terms() -> PoshTerms {
    PoshTerms::new(&Settings::default())
}

fn spell((found, until): (Published<Vec<Fingerprint>>, SystemTime)) -> String {
    let lifetime = until.duration_since(now()).unwrap();
    match found {
        Published::Here(_, expires) => {
            assert_eq!(expires, until);
            format!("found for {lifetime:?}")
        }
        Published::Absent => format!("absent for {lifetime:?}"),
        Published::Bogus(finding) => finding.label().to_owned(),
        Published::Unreachable(finding) => format!("unreachable, {}", finding.label()),
    }
}

#[track_caller]
fn redirect(facts: Facts, from: &str, to: &str) -> Facts {
    let location = Some(to.to_owned());
    facts.web(from, Ok(Page { status: 302, location, body: Vec::new() }))
}

async fn check(facts: Facts, expect: &str) {
    assert_eq!(find(facts, Service::Server).await, expect);
}

#[tokio::test]
async fn a_document_is_found_at_the_domain() {
    check(Facts::new().page(START, FINGERPRINTS), "found for 3600s").await;
    check(Facts::new(), "absent for 300s").await;
    let none = Page { status: 404, location: None, body: Vec::new() };
    check(Facts::new().web(START, Ok(none)), "absent for 300s").await;
}

#[tokio::test]
async fn each_service_has_its_own_document() {
    let facts = || Facts::new().page(START, FINGERPRINTS);
    assert_eq!(find(facts(), Service::Client).await, "absent for 300s");
    let client = "https://v.test/.well-known/posh/xmpp-client.json";
    let facts = Facts::new().page(client, FINGERPRINTS);
    assert_eq!(find(facts.clone(), Service::Client).await, "found for 3600s");
    assert_eq!(find(facts, Service::Server).await, "absent for 300s");
}

#[tokio::test]
async fn a_reference_is_followed_once_and_the_least_lifetime_counts() {
    let refer = |to: &str, expires: u64| format!(r#"{{"url":"{to}","expires":{expires}}}"#);
    let facts =
        |expires| Facts::new().page(START, &refer(OTHER, expires)).page(OTHER, FINGERPRINTS);
    check(facts(60), "found for 60s").await;
    check(facts(86_400), "found for 3600s").await;
    check(facts(0), "posh.expired").await;
    check(Facts::new().page(START, &refer(OTHER, 60)).page(OTHER, &refer(START, 60)), "posh.json")
        .await;
    check(Facts::new().page(START, &refer("http://host.test/", 60)), "posh.json").await;
    check(Facts::new().page(START, &refer("https://127.0.0.1/", 60)), "posh.ssrf").await;
    check(Facts::new().page(START, &refer(OTHER, 60)), "absent for 300s").await;
}

#[tokio::test]
async fn no_document_holds_longer_than_a_day() {
    let body = FINGERPRINTS.replace("3600", "1000000000000");
    check(Facts::new().page(START, &body), "found for 86400s").await;
}

#[tokio::test]
async fn redirects_are_followed_to_https_and_not_for_ever() {
    let at = |number| format!("https://host.test/{number}");
    let hops = |count: usize| {
        let start = redirect(Facts::new(), START, &at(1));
        let hop = |facts, it| redirect(facts, &at(it), &at(it + 1));
        (1..count).fold(start, hop).page(&at(count), FINGERPRINTS)
    };
    check(hops(1), "found for 3600s").await;
    check(hops(5), "found for 3600s").await;
    check(hops(6), "posh.redirect").await;
    check(redirect(Facts::new(), START, START), "posh.redirect").await;
    check(redirect(Facts::new(), START, "http://host.test/"), "posh.redirect").await;
    check(redirect(Facts::new(), START, "https://127.0.0.1/"), "posh.ssrf").await;
    check(redirect(Facts::new(), START, ""), "posh.redirect").await;
    check(
        redirect(Facts::new(), START, "/p").page("https://v.test/p", FINGERPRINTS),
        "found for 3600s",
    )
    .await;
    let lost = Page { status: 301, location: None, body: Vec::new() };
    check(Facts::new().web(START, Ok(lost)), "posh.redirect").await;
}

#[tokio::test]
async fn a_web_server_that_will_not_do_proves_nothing() {
    for (failure, label) in [
        (FetchFailure::Unconnected, "absent for 300s"),
        (FetchFailure::Unanswered, "posh.http"),
        (FetchFailure::Untrusted, "posh.tls"),
        (FetchFailure::TooLarge, "posh.size"),
        (FetchFailure::Broken, "posh.http"),
    ] {
        check(Facts::new().web(START, Err(failure)), label).await;
    }
    let broken = Page { status: 500, location: None, body: Vec::new() };
    check(Facts::new().web(START, Ok(broken)), "posh.http").await;
}

#[tokio::test]
async fn peers_cannot_make_us_fetch_from_inside() {
    for address in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "64:ff9b::7f00:1"] {
        let facts = Facts::new().page(START, FINGERPRINTS);
        let facts = facts.address("v.test", address.parse().unwrap());
        let found =
            posh(&facts, &domain("v.test"), Service::Server, now(), &terms(), &Freely).await;
        assert_eq!(spell(found), "posh.ssrf", "{address}");
    }
    // Nor from somewhere that a redirect leads to.
    let facts = redirect(Facts::new(), START, OTHER).page(OTHER, FINGERPRINTS);
    let facts = facts.address("v.test", "192.0.2.1".parse().unwrap());
    let facts = facts.address("host.test", "127.0.0.1".parse().unwrap());
    let found = posh(&facts, &domain("v.test"), Service::Server, now(), &terms(), &Freely).await;
    assert_eq!(spell(found), "posh.ssrf");
}

#[tokio::test]
async fn where_dns_is_forged_nothing_is_fetched() {
    let facts = Facts::new().page(START, FINGERPRINTS);
    let facts = facts.failing("v.test", crate::Kind::A, crate::Failure::Bogus);
    let found = posh(&facts, &domain("v.test"), Service::Server, now(), &terms(), &Freely).await;
    assert_eq!(spell(found), "dns.bogus");
}

#[tokio::test]
async fn nobody_is_sent_to_other_ports() {
    let at = |port: &str| format!("https://host.test{port}/posh.json");
    for (port, expect) in [
        ("", "found for 3600s"),
        (":443", "found for 3600s"),
        (":22", "posh.ssrf"),
        (":8443", "posh.ssrf"),
    ] {
        let facts = redirect(Facts::new(), START, &at(port)).page(&at(port), FINGERPRINTS);
        check(facts.page(OTHER, FINGERPRINTS), expect).await;
        let reference = format!(r#"{{"url":"{}","expires":60}}"#, at(port));
        let facts = Facts::new().page(START, &reference).page(&at(port), FINGERPRINTS);
        let expect = expect.replace("3600", "60");
        check(facts.page(OTHER, FINGERPRINTS), &expect).await;
    }
    // Where documents begin at another port, they may stay there.
    let facts =
        Facts::new().page("https://v.test:8443/.well-known/posh/xmpp-server.json", FINGERPRINTS);
    let facts = facts.address("v.test", "192.0.2.1".parse().unwrap());
    let terms = PoshTerms { port: 8443, ..terms() };
    let found = posh(&facts, &domain("v.test"), Service::Server, now(), &terms, &Freely).await;
    assert_eq!(spell(found), "found for 3600s");
}
