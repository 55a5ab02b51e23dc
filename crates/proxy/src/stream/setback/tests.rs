use ligase_verifier::Finding;

use super::*;

fn unproven() -> Setback {
    Setback::Unproven(Reason { prooftype: None, finding: Finding::TlsaMismatch })
}

/// P-01 to P-05, P-07, R-09.
#[test]
fn each_setback_is_told_to_each_in_their_own_words() {
    const TIMEOUT: &str = "remote-server-timeout";
    const BUSY: DialbackError = DialbackError::ResourceConstraint;
    const GONE: DialbackError = DialbackError::ItemNotFound;
    for (setback, stanza_error, dialback_error, label) in [
        (Setback::Unresolved("dns.bogus"), "remote-server-not-found", BUSY, "dns.bogus"),
        (Setback::Unreachable, TIMEOUT, BUSY, "connect.no_route"),
        (Setback::NotListening, TIMEOUT, BUSY, "connect.refused"),
        (Setback::Unanswered, TIMEOUT, BUSY, "connect.timeout"),
        (Setback::Exhausted, TIMEOUT, BUSY, "connect.exhausted"),
        (Setback::Usage, TIMEOUT, BUSY, "sasl.eku"),
        (unproven(), TIMEOUT, BUSY, "dane.mismatch"),
        (Setback::Invalid, "internal-server-error", BUSY, "dialback.invalid"),
        (Setback::Refused(Some(DialbackError::ItemNotFound)), TIMEOUT, GONE, "host_unknown"),
        // ejabberd.
        (Setback::Refused(Some(DialbackError::NotAllowed)), TIMEOUT, GONE, "host_unknown"),
        (
            Setback::Refused(Some(DialbackError::RemoteServerNotFound)),
            TIMEOUT,
            BUSY,
            "dialback.unreached",
        ),
        (Setback::Refused(Some(DialbackError::Forbidden)), TIMEOUT, BUSY, "dialback.refused"),
        (Setback::Stream(Some(Condition::HostUnknown)), TIMEOUT, GONE, "host_unknown"),
        (Setback::Stream(Some(Condition::SystemShutdown)), TIMEOUT, BUSY, "stream.closed"),
        (Setback::Pointless, "remote-server-not-found", GONE, "pointless"),
        (Setback::TimedOut, TIMEOUT, BUSY, "timeout"),
    ] {
        assert_eq!(setback.stanza_error().condition(), stanza_error, "{setback:?}");
        assert_eq!(setback.to_peer(), dialback_error, "{setback:?}");
        assert_eq!(setback.label(), label, "{setback:?}");
        assert_eq!(setback.stanza_error().text(), Some(setback.text().as_str()));
    }
}

/// P-01: a domain that cannot be found is told from a server that cannot be reached.
#[test]
fn our_own_server_is_told_what_is_missing() {
    for reason in ["dns.bogus", "dns.limit", "dns.declined", "dns.forbidden_target"] {
        let told = Setback::Unresolved(reason).to_own();
        assert_eq!(told, DialbackError::RemoteServerNotFound, "{reason}");
    }
    for setback in [unproven(), Setback::Unanswered, Setback::Invalid, Setback::TimedOut] {
        assert_eq!(setback.to_own(), DialbackError::RemoteServerTimeout, "{setback:?}");
    }
}

#[test]
fn a_failed_proof_names_its_reason() {
    assert!(unproven().text().ends_with("(dane.mismatch)"));
}
