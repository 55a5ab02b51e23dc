use ligase_verifier::Finding as Found;

use super::*;
use crate::tests::proof;

const LEVELS: [Level; 4] = [Level::Any, Level::Encrypted, Level::Pkix, Level::Dna];

fn reason(finding: Found) -> Reason {
    Reason { prooftype: None, finding }
}

#[test]
fn who_is_proven_is_bound_at_every_level() {
    let verdict = proof::proven("a.test");
    let Verdict::Proven(association) = &verdict else {
        panic!("{verdict:?}");
    };
    let grounds = Grounds::Proven(association.clone());
    for level in LEVELS {
        let decision = decide(Finding::Verdict(verdict.clone()), level);
        assert_eq!(decision, Decision::Bind(grounds.clone()), "{level:?}");
    }
    assert_eq!(grounds.as_str(), "pkix");
}

#[test]
fn only_the_unproven_fall_back_and_only_where_policy_lets_them() {
    let reason = reason(Found::NoCertificate);
    for level in LEVELS {
        let decision = decide(Finding::Verdict(Verdict::Unproven(reason)), level);
        let expect = match level {
            Level::Any | Level::Encrypted => Decision::AskAuthority(Some(reason)),
            Level::Pkix | Level::Dna => Decision::Refuse(reason),
        };
        assert_eq!(decision, expect, "{level:?}");
    }
}

#[test]
fn the_refuted_and_the_undetermined_never_fall_back() {
    for level in LEVELS {
        let mismatch = reason(Found::TlsaMismatch);
        let refuted = decide(Finding::Verdict(Verdict::Refuted(mismatch)), level);
        assert_eq!(refuted, Decision::Refuse(mismatch), "{level:?}");
        let failure = reason(Found::DnsFailure);
        let undetermined = decide(Finding::Verdict(Verdict::Undetermined(failure)), level);
        assert_eq!(undetermined, Decision::TryLater(failure), "{level:?}");
    }
}

#[test]
fn our_own_server_is_known_by_its_certificate_or_has_to_confirm_its_key() {
    for level in LEVELS {
        let known = decide(Finding::OurServer(true), level);
        assert_eq!(known, Decision::Bind(Grounds::Configured), "{level:?}");
        let unknown = decide(Finding::OurServer(false), level);
        assert_eq!(unknown, Decision::AskAuthority(None), "{level:?}");
    }
}

#[test]
fn only_a_proof_ends_and_each_ground_has_its_name() {
    let Verdict::Proven(association) = proof::proven("a.test") else {
        panic!("not proven");
    };
    let expires = association.expires();
    let named = |it: Grounds| (it.as_str(), it.ends());
    assert_eq!(named(Grounds::Proven(association)), ("pkix", Some(expires)));
    assert_eq!(named(Grounds::Dialback), ("dialback", None));
    assert_eq!(named(Grounds::Configured), ("configured", None));
}
