use super::*;
use crate::tests::{domain, terms};

#[test]
fn nobody_out_there_may_be_one_of_us() {
    let terms = terms(Side::Public, Level::Any);
    for (name, may_send, may_receive) in [
        ("a.test", true, false),
        ("sub.l.test", true, false),
        ("l.test", false, true),
        ("L2.TEST", false, true),
        ("ligase.test", false, false),
    ] {
        assert_eq!(terms.may_send(&domain(name)), may_send, "{name}");
        assert_eq!(terms.may_receive(&domain(name)), may_receive, "{name}");
    }
}

#[test]
fn our_server_speaks_as_its_own_domains_to_all_others() {
    let terms = terms(Side::Backend, Level::Any);
    for (name, may_send, may_receive) in
        [("a.test", false, true), ("sub.l.test", false, true), ("l.test", true, false)]
    {
        assert_eq!(terms.may_send(&domain(name)), may_send, "{name}");
        assert_eq!(terms.may_receive(&domain(name)), may_receive, "{name}");
    }
}

#[test]
fn where_only_our_server_knows_its_domains_it_is_asked() {
    let ask = |side| Terms { hosted: Arc::new(Hosted::Ask), ..terms(side, Level::Any) };
    for side in [Side::Public, Side::Backend] {
        let terms = ask(side);
        assert!(terms.may_send(&domain("a.test")) && terms.may_receive(&domain("a.test")));
    }
    assert!(!ask(Side::Public).may_send(&domain("ligase.test")));
}

#[test]
fn levels_are_those_of_the_peer_or_of_everybody() {
    let mut terms = terms(Side::Public, Level::Pkix);
    let mut policy = Policy::clone(&terms.policy);
    policy.exact.insert(domain("a.test"), Level::Any);
    terms.policy = Arc::new(policy);
    assert_eq!(terms.level(Some(&domain("a.test"))), Level::Any);
    assert_eq!(terms.level(Some(&domain("b.test"))), Level::Pkix);
    assert_eq!(terms.level(None), Level::Pkix);
}

/// Who publishes TLSA records is never met in the clear, and never on laxer terms than before.
#[test]
fn terms_with_tls_are_no_laxer() {
    let peer = domain("capulet.example");
    for (before, after) in [
        (Level::Any, Level::Encrypted),
        (Level::Encrypted, Level::Encrypted),
        (Level::Pkix, Level::Pkix),
        (Level::Dna, Level::Dna),
    ] {
        let terms = terms(Side::Public, before).encrypted(&peer);
        assert_eq!(terms.level(Some(&peer)), after);
        assert!(!terms.level(Some(&peer)).allows_plaintext());
    }
}
