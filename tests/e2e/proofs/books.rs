//! What a proxy has to have counted once it has met peers of every kind, both ways.

use ligase_tests::Ligase;

/// Checks that each of these is more than nothing.
#[track_caller]
pub(super) fn check(proxy: &Ligase) {
    for (family, label) in FAMILIES {
        assert!(0.0 < proxy.metric(family, &[label]), "{family} {label}");
    }
}

const FAMILIES: [(&str, &str); 21] = [
    ("ligase_bindings_active", "proof=\"dane\""),
    ("ligase_bindings_active", "proof=\"posh\""),
    ("ligase_bindings_active", "proof=\"pkix\""),
    ("ligase_dnssec_validations_total", "result=\"secure\""),
    ("ligase_tlsa_checks_total", "result=\"match\""),
    ("ligase_posh_fetches_total", "result=\"fetched\""),
    ("ligase_posh_fetch_duration_seconds_count", ""),
    ("ligase_dns_queries_total", "type=\"dnskey\""),
    ("ligase_dns_cache_requests_total", "result=\"hit\""),
    ("ligase_dns_cache_entries", ""),
    ("ligase_connections_opened_total", "transport=\"starttls\""),
    ("ligase_connections_closed_total", ""),
    ("ligase_tls_handshakes_total", "version=\"1.3\""),
    ("ligase_wire_bytes_total", "side=\"public\",way=\"received\""),
    ("ligase_wire_bytes_total", "side=\"backend\",way=\"sent\""),
    ("ligase_header_rewrites_total", "kind=\"domain-name\""),
    ("ligase_channel_bindings_active", ""),
    ("ligase_capture_connections_total", ""),
    ("ligase_backend_connects_total", "result=\"success\""),
    ("ligase_certificates_loaded", ""),
    ("ligase_peers_known", ""),
];
