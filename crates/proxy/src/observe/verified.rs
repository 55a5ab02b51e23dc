use ligase_metrics::{DnssecState, Metrics, PoshResult, TlsaResult};
use ligase_verifier::{Comparison, Finding, Observation, Security};

/// Counts what the verifier met with.
pub fn verified(metrics: &Metrics, observation: Observation) {
    let verdicts = &metrics.verdicts;
    match observation {
        Observation::LookedUp(answer) => verdicts.validated(match answer {
            Ok(Security::Secure) => DnssecState::Secure,
            Ok(Security::Insecure) => DnssecState::Insecure,
            Err(ligase_verifier::Failure::Bogus) => DnssecState::Bogus,
            Err(_) => DnssecState::Indeterminate,
        }),
        Observation::Compared(comparison) => verdicts.compared_tlsa(match comparison {
            Comparison::Match => TlsaResult::Match,
            Comparison::Mismatch => TlsaResult::Mismatch,
            Comparison::Absent => TlsaResult::Absent,
            Comparison::Insecure => TlsaResult::Insecure,
            Comparison::Unusable => TlsaResult::Unusable,
            Comparison::Failed => TlsaResult::Failed,
        }),
        Observation::Fetched(page) => verdicts.fetched_posh(match page {
            Ok(()) => PoshResult::Fetched,
            Err(None) => PoshResult::Absent,
            Err(Some(Finding::PoshUntrusted)) => PoshResult::Tls,
            Err(Some(Finding::PoshRedirect)) => PoshResult::Redirect,
            Err(Some(Finding::PoshMalformed | Finding::PoshExpired)) => PoshResult::Json,
            Err(Some(Finding::PoshTooLarge)) => PoshResult::Size,
            Err(Some(Finding::PoshForbiddenTarget)) => PoshResult::Ssrf,
            Err(Some(_)) => PoshResult::Http,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_the_verifier_meets_with_is_counted() {
        let metrics = Metrics::new("1", "test");
        for observation in [
            Observation::LookedUp(Ok(Security::Secure)),
            Observation::LookedUp(Err(ligase_verifier::Failure::TimedOut)),
            Observation::Compared(Comparison::Mismatch),
            Observation::Fetched(Ok(())),
            Observation::Fetched(Err(Some(Finding::PoshForbiddenTarget))),
        ] {
            verified(&metrics, observation);
        }
        let text = metrics.render();
        for line in [
            "ligase_dnssec_validations_total{result=\"secure\"} 1",
            "ligase_dnssec_validations_total{result=\"indeterminate\"} 1",
            "ligase_tlsa_checks_total{result=\"mismatch\"} 1",
            "ligase_posh_fetches_total{result=\"fetched\"} 1",
            "ligase_posh_fetches_total{result=\"ssrf\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }
}
