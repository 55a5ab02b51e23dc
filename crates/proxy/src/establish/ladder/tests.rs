use ligase_verifier::{Finding, Reason};

use super::*;
use crate::stream::Condition;

const LEVELS: [Level; 4] = [Level::Any, Level::Encrypted, Level::Pkix, Level::Dna];
const RUNGS: [Rung; 3] = [Rung::External, Rung::Dialback, Rung::Plain];

fn unproven(finding: Finding) -> Setback {
    Setback::Unproven(Reason { prooftype: None, finding })
}

fn setbacks() -> Vec<Setback> {
    vec![
        Setback::Unresolved("dns.bogus"),
        Setback::Unreachable,
        Setback::Handshake,
        Setback::Plaintext,
        unproven(Finding::TlsaMismatch),
        unproven(Finding::DnsFailure),
        unproven(Finding::UntrustedChain),
        Setback::Sasl,
        Setback::Invalid,
        Setback::Refused(None),
        Setback::Refused(Some(DialbackError::ItemNotFound)),
        Setback::Refused(Some(DialbackError::PolicyViolation)),
        Setback::Stream(None),
        Setback::Stream(Some(Condition::HostUnknown)),
        Setback::Broken(Condition::NotWellFormed),
        Setback::TimedOut,
        Setback::Pointless,
        Setback::Draining,
    ]
}

#[test]
fn each_setback_leads_on_as_it_should() {
    let policy = || Setback::Refused(Some(DialbackError::PolicyViolation));
    for (rung, setback, level, expect) in [
        // Servers that refuse our certificate may take our key (K-06).
        (Rung::External, Setback::Sasl, Level::Dna, Next::Climb(Rung::Dialback)),
        (Rung::Dialback, Setback::Sasl, Level::Any, Next::Elsewhere),
        // In the clear only where policy says so (B-06).
        (Rung::External, Setback::Handshake, Level::Any, Next::Climb(Rung::Plain)),
        (Rung::Dialback, Setback::Plaintext, Level::Any, Next::Climb(Rung::Plain)),
        (Rung::External, Setback::Handshake, Level::Encrypted, Next::Elsewhere),
        (Rung::Dialback, Setback::Plaintext, Level::Pkix, Next::Elsewhere),
        (Rung::Plain, Setback::Plaintext, Level::Any, Next::Elsewhere),
        // Who insists on TLS gets it (E-06).
        (Rung::Plain, policy(), Level::Any, Next::Climb(Rung::External)),
        (Rung::External, policy(), Level::Any, Next::GiveUp),
        // Another server of the same domain may do better.
        (Rung::External, Setback::Unreachable, Level::Any, Next::Elsewhere),
        (Rung::External, Setback::TimedOut, Level::Any, Next::Elsewhere),
        (
            Rung::External,
            Setback::Stream(Some(Condition::HostUnknown)),
            Level::Any,
            Next::Elsewhere,
        ),
        // It would end the same way anywhere.
        (Rung::External, Setback::Unresolved("dns.bogus"), Level::Any, Next::GiveUp),
        (Rung::External, Setback::Invalid, Level::Any, Next::GiveUp),
        (Rung::External, Setback::Refused(None), Level::Any, Next::GiveUp),
        (Rung::External, Setback::Pointless, Level::Any, Next::GiveUp),
        (Rung::External, Setback::Draining, Level::Any, Next::GiveUp),
    ] {
        assert_eq!(next(rung, &setback, level), expect, "{rung:?} {setback:?} {level:?}");
    }
}

#[test]
fn who_was_refuted_or_could_not_be_judged_never_gets_a_lower_rung() {
    for finding in [
        Finding::TlsaMismatch,
        Finding::DnsBogus,
        Finding::DnsFailure,
        Finding::DnsLimit,
        Finding::NoCertificate,
        Finding::WrongName,
    ] {
        for (rung, level) in RUNGS.into_iter().flat_map(|rung| LEVELS.map(|it| (rung, it))) {
            let next = next(rung, &unproven(finding), level);
            assert_eq!(next, Next::Elsewhere, "{finding:?} {rung:?} {level:?}");
        }
    }
}

#[test]
fn no_setback_leads_into_the_clear_unless_policy_does() {
    for setback in setbacks() {
        for rung in RUNGS {
            for level in LEVELS.into_iter().filter(|it| !it.allows_plaintext()) {
                let next = next(rung, &setback, level);
                assert_ne!(next, Next::Climb(Rung::Plain), "{setback:?} {rung:?} {level:?}");
            }
        }
    }
}

#[test]
fn nobody_climbs_to_where_they_are() {
    for setback in setbacks() {
        for (rung, level) in RUNGS.into_iter().flat_map(|rung| LEVELS.map(|it| (rung, it))) {
            assert_ne!(next(rung, &setback, level), Next::Climb(rung), "{setback:?}");
        }
    }
}
