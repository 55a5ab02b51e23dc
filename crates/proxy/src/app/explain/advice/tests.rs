use super::*;
use crate::stream::{Denial, Setback};

/// Every reason for which a search ends, and for which a peer is not believed.
fn labels() -> Vec<&'static str> {
    Setback::each().iter().map(Setback::label).collect()
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
    let told = |denial: Denial| match denial {
        Denial::ToHosted | Denial::FromStranger => advice(Side::Backend, denial.label()),
        Denial::NotHosted
        | Denial::FromHosted
        | Denial::Plaintext
        | Denial::TooMany
        | Denial::Unproven(_)
        | Denial::Undetermined(_)
        | Denial::Policy
        | Denial::Forged
        | Denial::Unasked(_) => advice_about_caller(denial.label()),
    };
    for (denial, sentence) in Denial::each().map(|it| (it, told(it))) {
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
