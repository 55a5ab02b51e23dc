use ligase_verifier::Finding;

use super::*;

#[test]
fn a_denial_tells_the_peer_little_and_the_operator_all() {
    let reason = Reason { prooftype: None, finding: Finding::Expired };
    for (denial, label, told) in [
        (Denial::NotHosted, "db.not_hosted", DialbackError::ItemNotFound),
        (Denial::FromHosted, "db.from_hosted", DialbackError::NotAcceptable),
        (Denial::ToHosted, "backend.to", DialbackError::ItemNotFound),
        (Denial::FromStranger, "backend.from", DialbackError::NotAcceptable),
        (Denial::Plaintext, "stream.tls_required", DialbackError::PolicyViolation),
        (Denial::TooMany, "db.limit", DialbackError::ResourceConstraint),
        (Denial::Unproven(reason), "cert.expired", DialbackError::NotAuthorized),
        (Denial::Undetermined(reason), "cert.expired", DialbackError::RemoteServerTimeout),
        (Denial::Policy, "policy", DialbackError::PolicyViolation),
        (Denial::Forged, "db.key", DialbackError::Forbidden),
        (
            Denial::Unasked(DialbackError::RemoteServerNotFound),
            "db.error",
            DialbackError::RemoteServerNotFound,
        ),
    ] {
        assert_eq!((denial.label(), denial.to_peer()), (label, told));
        assert!(denial.text().contains(' '), "{}", denial.text());
    }
}
