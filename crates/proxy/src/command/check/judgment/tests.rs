use std::net::Ipv4Addr;
use std::sync::Arc;

use ligase_verifier::{Facts, Failure, Kind, Service, Settings, Unresolved, Verifier};

use super::{Judgment, Word, judge};
use crate::args::Requirement;
use crate::command::check::facts::{Met, Survey, Unseen};
use crate::command::check::survey::Surveyor;
use crate::net::dial::Unreached;
use crate::stream::Condition;

/// A domain that is well as far as DNS goes.
fn facts() -> Facts {
    Facts::new()
        .srv("_xmpp-server._tcp.a.example", 5269, "x.a.example")
        .address("x.a.example", Ipv4Addr::new(192, 0, 2, 1).into())
}

async fn survey(facts: Facts) -> Survey {
    let verifier = Verifier::knowing(&Settings::default(), Arc::new(facts)).unwrap();
    Surveyor::new(Arc::new(verifier), Service::Server, None).survey("a.example").await
}

#[track_caller]
fn check(judgment: &Judgment, word: Word, reason: &str) {
    assert_eq!((judgment.verdict.word, judgment.verdict.reason), (word, Some(reason)));
}

#[tokio::test]
async fn dns_alone_proves_nothing_but_may_refute() {
    let srv = "_xmpp-server._tcp.a.example";
    let (x, a) = ("x.a.example", Kind::A);
    for (facts, word, reason) in [
        (facts(), Word::Undetermined, "check.dns_only"),
        (facts().failing(srv, Kind::Srv, Failure::Bogus), Word::Refuted, "dns.bogus"),
        (facts().failing(srv, Kind::Srv, Failure::TimedOut), Word::Undetermined, "dns.failure"),
        (facts().failing(x, a, Failure::Bogus), Word::Refuted, "dns.bogus"),
        (facts().failing(x, a, Failure::Failed), Word::Undetermined, "check.dns_only"),
        (Facts::new(), Word::Absent, "dns.not_found"),
        (Facts::new().srv(srv, 0, ""), Word::Absent, "dns.declined"),
    ] {
        check(&judge(&survey(facts).await, &[]), word, reason);
    }
}

#[tokio::test]
async fn what_is_not_seen_is_judged_by_whose_fault_it_is() {
    use Word::{Absent, Refuted, Undetermined, Unproven};
    for (unseen, word) in [
        (Unseen::Delegation(Unresolved::Bogus), Refuted),
        (Unseen::Delegation(Unresolved::Failed), Undetermined),
        (Unseen::Addresses(Unresolved::Bogus), Refuted),
        (Unseen::Addresses(Unresolved::NotFound), Absent),
        (Unseen::Addresses(Unresolved::TimedOut), Undetermined),
        (Unseen::Addresses(Unresolved::Forbidden), Unproven),
        (Unseen::Tlsa(Unresolved::Bogus), Refuted),
        (Unseen::Tlsa(Unresolved::Failed), Undetermined),
        (Unseen::Unreached(Unreached::Refused), Undetermined),
        (Unseen::Unreached(Unreached::TimedOut), Undetermined),
        (Unseen::Silent, Undetermined),
        (Unseen::Closed, Undetermined),
        (Unseen::Refused(Some(Condition::HostUnknown)), Unproven),
        (Unseen::Foreign("no stream header"), Unproven),
        (Unseen::NoTls("it does not offer STARTTLS"), Unproven),
        (Unseen::Handshake("alert".to_owned()), Unproven),
    ] {
        let mut survey = survey(facts()).await;
        let reason = unseen.label();
        let is_tlsa = matches!(unseen, Unseen::Tlsa(_));
        survey.targets[0].met = Met::Unseen(unseen, None);
        let judgment = judge(&survey, &[]);
        check(&judgment, word, reason);
        let row = judgment.rows[0].unwrap();
        assert_eq!(row.dane.word, word);
        // What is wrong with TLSA records is wrong with nothing else.
        assert_eq!(row.pkix.word, if is_tlsa { Undetermined } else { word });
        assert_eq!(judgment.prooftype, None);
    }
}

#[tokio::test]
async fn what_is_required_of_dns_is_asked_of_dns() {
    let required = [Requirement::Dnssec];
    assert_eq!(judge(&survey(facts()).await, &required).missing, []);
    for insecure in ["_xmpps-server._tcp.a.example", "x.a.example"] {
        let kind = if insecure.starts_with('_') { Kind::Srv } else { Kind::A };
        let judgment = judge(&survey(facts().insecure(insecure, kind)).await, &required);
        assert_eq!(judgment.missing, required, "{insecure}");
        check(&judgment, Word::Unproven, "dns.insecure");
    }
    // Nobody was asked, so nothing is proven; but it is not known to be missing either.
    let judgment = judge(&survey(facts()).await, &[Requirement::Dane]);
    assert_eq!(judgment.missing, [Requirement::Dane]);
    assert_eq!(judgment.verdict.word, Word::Undetermined);
}
