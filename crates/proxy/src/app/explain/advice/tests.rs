use ligase_verifier::{Finding, Reason, Unresolved};

use super::*;
use crate::stream::{Condition, Denial, DialbackError, Setback};

/// Every reason for which a search ends, and for which a peer is not believed.
fn labels() -> Vec<&'static str> {
    let unproven =
        Finding::ALL.map(|finding| Setback::Unproven(Reason { prooftype: None, finding }));
    let unresolved = [
        Unresolved::Declined,
        Unresolved::NotFound,
        Unresolved::Bogus,
        Unresolved::Failed,
        Unresolved::TimedOut,
        Unresolved::Forbidden,
    ];
    let unresolved = unresolved.map(|it| Setback::Unresolved(it.label()));
    let others = [
        Setback::Unreachable,
        Setback::NotListening,
        Setback::Unanswered,
        Setback::Exhausted,
        Setback::Usage,
        Setback::Refused(Some(DialbackError::ItemNotFound)),
        Setback::Refused(Some(DialbackError::RemoteServerTimeout)),
        Setback::Handshake,
        Setback::Unrecognized,
        Setback::Plaintext,
        Setback::Sasl,
        Setback::Invalid,
        Setback::Refused(None),
        Setback::Stream(None),
        Setback::Broken(Condition::InvalidXml),
        Setback::TimedOut,
        Setback::Pointless,
        Setback::Draining,
    ];
    unproven.iter().chain(&unresolved).chain(&others).map(Setback::label).collect()
}

#[test]
fn there_is_a_sentence_for_every_reason() {
    let anything = advice(Side::Public, "no such reason");
    for side in [Side::Public, Side::Backend] {
        for label in labels() {
            let sentence = advice(side, label);
            assert_ne!(sentence, anything, "{label}");
            assert!(sentence.ends_with('.') && sentence.len() < 400, "{label}: {sentence}");
        }
    }
}

/// Every reason for which somebody is refused, on each side on which it is.
#[test]
fn there_is_a_sentence_for_every_denial() {
    let anything = advice(Side::Public, "no such reason");
    let reason = Reason { prooftype: None, finding: Finding::UntrustedChain };
    let callers = [
        Denial::NotHosted,
        Denial::FromHosted,
        Denial::Plaintext,
        Denial::TooMany,
        Denial::Unproven(reason),
        Denial::Undetermined(reason),
        Denial::Policy,
        Denial::Forged,
        Denial::Unasked(DialbackError::RemoteServerTimeout),
    ];
    let backend = [Denial::ToHosted, Denial::FromStranger];
    let callers = callers.map(|it| (it, advice_about_caller(it.label())));
    let backend = backend.map(|it| (it, advice(Side::Backend, it.label())));
    for (denial, sentence) in callers.into_iter().chain(backend) {
        assert_ne!(sentence, anything, "{denial:?}");
        assert!(sentence.ends_with('.') && sentence.len() < 400, "{denial:?}: {sentence}");
    }
}

/// Anybody can come and claim anything, and so have this be said.
#[test]
fn whoever_comes_gets_no_exception() {
    for label in labels() {
        let sentence = advice_about_caller(label);
        assert!(!sentence.contains("policy.p"), "{label}: {sentence}");
    }
}

#[test]
fn our_own_server_is_mended_here() {
    for label in [
        "connect.refused",
        "connect.timeout",
        "host_unknown",
        "sasl",
        "stream.closed",
        "timeout",
        "tls.handshake",
    ] {
        assert_ne!(advice(Side::Backend, label), advice(Side::Public, label), "{label}");
        assert!(advice(Side::Backend, label).starts_with("Our own server"), "{label}");
    }
    assert_eq!(advice(Side::Backend, "pointless"), advice(Side::Public, "pointless"));
}
