use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntGauge};

use crate::family::{Families, Family, Name};
use crate::labels::{CacheResult, QueryType, Rcode, Steered};

/// What DNS and web servers were asked, by us and by way of us.
#[derive(Debug)]
pub struct Lookups {
    queries: Family<IntCounter, (QueryType, Rcode)>,
    querying: Histogram,
    cached: IntGauge,
    cache: Family<IntCounter, (CacheResult,)>,
    steered: Family<IntCounter, (Steered,)>,
    fetching: Histogram,
}

impl Lookups {
    pub(crate) fn register(families: &Families) -> Self {
        Self {
            queries: families.counters(
                Name(
                    "ligase_dns_queries_total",
                    "Queries that were sent to DNS servers, by what came back.",
                ),
                &["type", "rcode"],
            ),
            querying: families.histogram(
                Name(
                    "ligase_dns_query_duration_seconds",
                    "How long DNS servers took, or were waited for.",
                ),
                &QUERY_BUCKETS,
            ),
            cached: families.gauge(Name(
                "ligase_dns_cache_entries",
                "DNS answers that are remembered, or are being asked for.",
            )),
            cache: families.counters(
                Name(
                    "ligase_dns_cache_requests_total",
                    "DNS questions, by whether the answer was remembered.",
                ),
                &["result"],
            ),
            steered: families.counters(
                Name(
                    "ligase_dns_steered_total",
                    "DNS queries of our own server, by what became of them.",
                ),
                &["kind"],
            ),
            fetching: families.histogram(
                Name(
                    "ligase_posh_fetch_duration_seconds",
                    "How long it took to fetch POSH documents, or to fail to.",
                ),
                &FETCH_BUCKETS,
            ),
        }
    }

    /// Counts a query to a DNS server, and how long it took.
    pub fn queried(&self, asked: QueryType, rcode: Rcode, took: Duration) {
        self.queries.at((asked, rcode)).inc();
        self.querying.observe(took.as_secs_f64());
    }

    /// Counts a DNS question, by whether its answer was remembered.
    pub fn recalled(&self, result: CacheResult) {
        self.cache.at((result,)).inc();
    }

    /// Says how many DNS answers are remembered.
    pub fn remembered(&self, answers: usize) {
        self.cached.set(i64::try_from(answers).unwrap_or(i64::MAX));
    }

    /// Counts a DNS query of our own server's.
    pub fn steered(&self, what: Steered) {
        self.steered.at((what,)).inc();
    }

    /// Records how long it took to fetch a POSH document.
    pub fn fetched(&self, took: Duration) {
        self.fetching.observe(took.as_secs_f64());
    }
}

/// From a server on the same machine to the longest patience with one, in seconds.
const QUERY_BUCKETS: [f64; 12] =
    [0.000_5, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0];
/// From a web server nearby to the longest patience with one, in seconds.
const FETCH_BUCKETS: [f64; 8] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
