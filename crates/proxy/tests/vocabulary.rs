//! The words that the log, the metrics and the machines share, held to each other.

use ligase::stream::Violation;
use ligase_metrics::{AuthReason, ViolationReason};
use ligase_verifier::Finding;

#[test]
fn every_violation_is_counted_under_its_own_name() {
    let told: Vec<_> = Violation::ALL.iter().map(|it| it.as_str()).collect();
    let counted: Vec<_> = ViolationReason::ALL.iter().map(|it| it.as_str()).collect();
    assert_eq!(told, counted);
}

#[test]
fn findings_of_the_verifier_are_counted_under_their_own_names() {
    for finding in Finding::ALL {
        let label = finding.label();
        assert!(AuthReason::read(label).is_some(), "{label}");
    }
}
