use ligase_metrics::{CacheResult, DnssecState, Metrics, PoshResult, QueryType, Rcode, TlsaResult};
use ligase_verifier::{Asked, Comparison, Exchange, Finding, Observation, Reply, Security};

/// Counts what the verifier met with.
pub fn verified(metrics: &Metrics, observation: Observation) {
    let verdicts = &metrics.verdicts;
    match observation {
        Observation::Queried(exchange) => queried(metrics, exchange),
        Observation::Recalled(true) => metrics.lookups.recalled(CacheResult::Hit),
        Observation::Recalled(false) => metrics.lookups.recalled(CacheResult::Miss),
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
        Observation::Fetched(page, took) => {
            metrics.lookups.fetched(took);
            verdicts.fetched_posh(match page {
                Ok(()) => PoshResult::Fetched,
                Err(None) => PoshResult::Absent,
                Err(Some(Finding::PoshUntrusted)) => PoshResult::Tls,
                Err(Some(Finding::PoshRedirect)) => PoshResult::Redirect,
                Err(Some(Finding::PoshMalformed | Finding::PoshExpired)) => PoshResult::Json,
                Err(Some(Finding::PoshTooLarge)) => PoshResult::Size,
                Err(Some(Finding::PoshForbiddenTarget)) => PoshResult::Ssrf,
                Err(Some(_)) => PoshResult::Http,
            });
        }
    }
}

fn queried(metrics: &Metrics, Exchange { asked, reply, took }: Exchange) {
    let asked = match asked {
        Asked::A => QueryType::A,
        Asked::Aaaa => QueryType::Aaaa,
        Asked::Srv => QueryType::Srv,
        Asked::Tlsa => QueryType::Tlsa,
        Asked::Dnskey => QueryType::Dnskey,
        Asked::Ds => QueryType::Ds,
        Asked::Other => QueryType::Other,
    };
    let rcode = match reply {
        Reply::NoError => Rcode::NoError,
        Reply::NoName => Rcode::NxDomain,
        Reply::Failure => Rcode::ServFail,
        Reply::Refused => Rcode::Refused,
        Reply::Nothing => Rcode::Timeout,
        Reply::Other => Rcode::Other,
    };
    metrics.lookups.queried(asked, rcode, took);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn everything_that_the_verifier_meets_with_is_counted() {
        let metrics = Metrics::new("1", "test");
        let took = Duration::from_secs(2);
        for observation in [
            Observation::Queried(Exchange { asked: Asked::Ds, reply: Reply::Nothing, took }),
            Observation::Queried(Exchange { asked: Asked::A, reply: Reply::NoName, took }),
            Observation::Recalled(true),
            Observation::Recalled(false),
            Observation::LookedUp(Ok(Security::Secure)),
            Observation::LookedUp(Err(ligase_verifier::Failure::TimedOut)),
            Observation::Compared(Comparison::Mismatch),
            Observation::Fetched(Ok(()), took),
            Observation::Fetched(Err(Some(Finding::PoshForbiddenTarget)), took),
        ] {
            verified(&metrics, observation);
        }
        let text = metrics.render();
        for line in [
            "ligase_dns_queries_total{rcode=\"timeout\",type=\"ds\"} 1",
            "ligase_dns_queries_total{rcode=\"nxdomain\",type=\"a\"} 1",
            "ligase_dns_query_duration_seconds_sum 4",
            "ligase_dns_cache_requests_total{result=\"hit\"} 1",
            "ligase_dns_cache_requests_total{result=\"miss\"} 1",
            "ligase_posh_fetch_duration_seconds_count 2",
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
