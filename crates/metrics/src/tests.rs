use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::{
    Attempt, AuthReason, AuthResult, BounceCondition, CacheResult, Capture, Component,
    DialbackResult, DialbackRole, Direction, DnssecState, Ending, HeaderKind, Kind, Metrics,
    Outcome, PolicyLevel, PoshResult, Proof, ProxyResult, ProxyVersion, QueryType, Rcode,
    RevocationCause, Rung, SelfCheck, Side, Steered, TlsVersion, TlsaResult, Transport,
    ViolationReason, ViolationSide, Way,
};

fn metrics() -> Metrics {
    Metrics::new("1.2.3", "abcdef")
}

/// The value of one series.
#[track_caller]
fn value(metrics: &Metrics, series: &str) -> f64 {
    let text = metrics.render();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{series} ")));
    line.unwrap_or_else(|| panic!("no {series} in {text}")).parse().unwrap()
}

/// The names of all series, without what a histogram adds.
fn series(metrics: &Metrics) -> BTreeSet<String> {
    let text = metrics.render();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

#[test]
fn guards_uncount() {
    let metrics = metrics();
    let plain =
        "ligase_connections_active{direction=\"inbound\",side=\"public\",transport=\"plain\"}";
    let tls =
        "ligase_connections_active{direction=\"inbound\",side=\"public\",transport=\"starttls\"}";
    let mut guard = metrics.connections.opened(Side::Public, Direction::Inbound, Transport::Plain);
    assert_eq!((value(&metrics, plain), value(&metrics, tls)), (1.0, 0.0));
    guard.turn(Transport::StartTls);
    assert_eq!((value(&metrics, plain), value(&metrics, tls)), (0.0, 1.0));
    drop(guard);
    assert_eq!((value(&metrics, plain), value(&metrics, tls)), (0.0, 0.0));

    let channel = metrics.connections.channel_opened(Direction::Outbound);
    let bound = || metrics.connections.bound(Direction::Outbound, Proof::Dane);
    let pairs = [bound(), bound()];
    metrics.connections.queued(1, 4_096);
    metrics.connections.holding(5_000, 10_000);
    let now = || {
        [
            "ligase_channels_active{direction=\"outbound\"}",
            "ligase_bindings_active{proof=\"dane\"}",
            "ligase_channel_bindings_active{direction=\"outbound\"}",
            "ligase_queue_stanzas",
            "ligase_queue_bytes",
            "ligase_memory_held_bytes",
        ]
        .map(|series| value(&metrics, series))
    };
    assert_eq!(now(), [1.0, 2.0, 2.0, 1.0, 4096.0, 5000.0]);
    assert_eq!(value(&metrics, "ligase_memory_budget_bytes"), 10_000.0);
    drop((channel, pairs));
    metrics.connections.queued(0, 0);
    metrics.connections.holding(0, 10_000);
    assert_eq!(now(), [0.0; 6]);
}

/// Something of every kind happens once.
fn eventful() -> Metrics {
    let metrics = metrics();
    metrics.connections.passed(Direction::Inbound, Kind::Iq, 3);
    metrics.connections.set_up(Direction::Outbound, Proof::Pkix, Duration::from_millis(300));
    metrics.verdicts.upgraded(Direction::Outbound, Proof::Dane);
    metrics.verdicts.validated(DnssecState::Bogus);
    metrics.verdicts.compared_tlsa(TlsaResult::Mismatch);
    metrics.verdicts.fetched_posh(PoshResult::Redirect);
    metrics.verdicts.dialed_back(DialbackRole::Authoritative, DialbackResult::Invalid);
    metrics.verdicts.fell_back(Rung::Dialback);
    metrics.refusals.bounced(Direction::Outbound, BounceCondition::RemoteServerTimeout);
    metrics.refusals.violated(ViolationSide::Public, ViolationReason::XmlDepth);
    metrics.refusals.revoked(RevocationCause::ProofExpired);
    metrics.standing.backend(true);
    metrics.standing.ready(Component::Resolver, true);
    metrics.standing.panicked();
    let expiry = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    metrics.standing.earliest_expiry(Some(expiry));
    happened_on_the_way(&metrics);
    metrics
}

/// The rest of what may happen.
fn happened_on_the_way(metrics: &Metrics) {
    let (side, direction) = (Side::Public, Direction::Inbound);
    let second = Duration::from_secs(1);
    metrics.connections.came_up(side, direction, Transport::StartTls);
    metrics.connections.closed(side, direction, Ending::Idle, 60 * second);
    metrics.wires.shook_hands(side, direction, TlsVersion::Tls13, second);
    metrics.wires.shook_hands(side, direction, TlsVersion::None, second);
    metrics.wires.moved(Side::Backend, Way::Sent, 4_711);
    metrics.wires.blocked(side, second / 2);
    metrics.wires.acknowledged(second);
    metrics.wires.headed(direction, HeaderKind::ServerName);
    metrics.wires.captured(Capture::Redirect);
    metrics.wires.introduced(ProxyVersion::Two, ProxyResult::Accepted);
    metrics.wires.introduced(ProxyVersion::None, ProxyResult::Local);
    metrics.wires.dialed_backend(Outcome::Success, second);
    metrics.wires.dialed_backend(Outcome::Failure, second);
    metrics.lookups.queried(QueryType::Dnskey, Rcode::ServFail, second);
    metrics.lookups.recalled(CacheResult::Hit);
    metrics.lookups.remembered(3);
    metrics.lookups.steered(Steered::Passed);
    metrics.lookups.fetched(second);
    metrics.verdicts.downgraded(direction, Proof::Pkix);
    metrics.verdicts.downgraded(direction, Proof::Dialback);
    metrics.verdicts.rejected(direction, PolicyLevel::Dna);
    metrics.standing.peers(5, 1);
    metrics.standing.self_check_failed(SelfCheck::Tlsa, 2);
    metrics.standing.self_checked(SystemTime::UNIX_EPOCH + second);
    metrics.standing.certificates_reread(Outcome::Failure);
}

#[test]
fn events_are_counted_under_their_labels() {
    let metrics = eventful();
    for (series, expect) in EVENTFUL {
        assert_eq!(value(&metrics, series), expect, "{series}");
    }
}

const EVENTFUL: [(&str, f64); 49] = [
    ("ligase_build_info{revision=\"abcdef\",version=\"1.2.3\"}", 1.0),
    ("ligase_stanzas_total{direction=\"inbound\",kind=\"iq\"}", 3.0),
    ("ligase_stream_setup_seconds_count{direction=\"outbound\",proof=\"pkix\"}", 1.0),
    ("ligase_stream_setup_seconds_bucket{direction=\"outbound\",proof=\"pkix\",le=\"0.25\"}", 0.0),
    ("ligase_stream_setup_seconds_bucket{direction=\"outbound\",proof=\"pkix\",le=\"0.5\"}", 1.0),
    ("ligase_auth_upgrades_total{direction=\"outbound\",to=\"dane\"}", 1.0),
    ("ligase_dnssec_validations_total{result=\"bogus\"}", 1.0),
    ("ligase_tlsa_checks_total{result=\"mismatch\"}", 1.0),
    ("ligase_posh_fetches_total{result=\"redirect\"}", 1.0),
    ("ligase_dialback_total{result=\"invalid\",role=\"authoritative\"}", 1.0),
    ("ligase_fallback_total{rung=\"dialback\"}", 1.0),
    ("ligase_bounces_total{condition=\"remote-server-timeout\",direction=\"outbound\"}", 1.0),
    ("ligase_violations_total{reason=\"xml.depth\",side=\"public\"}", 1.0),
    ("ligase_violations_total{reason=\"xml.depth\",side=\"backend\"}", 0.0),
    ("ligase_revocations_total{cause=\"proof-expired\"}", 1.0),
    ("ligase_backend_up", 1.0),
    ("ligase_ready{component=\"resolver\"}", 1.0),
    ("ligase_ready{component=\"listeners\"}", 0.0),
    ("ligase_panics_total", 1.0),
    ("ligase_certificate_earliest_expiry_timestamp_seconds", 1_800_000_000.0),
    (
        "ligase_connections_opened_total{direction=\"inbound\",side=\"public\",transport=\"starttls\"}",
        1.0,
    ),
    ("ligase_connections_closed_total{direction=\"inbound\",reason=\"idle\",side=\"public\"}", 1.0),
    (
        "ligase_connection_duration_seconds_bucket{direction=\"inbound\",side=\"public\",le=\"10\"}",
        0.0,
    ),
    (
        "ligase_connection_duration_seconds_bucket{direction=\"inbound\",side=\"public\",le=\"60\"}",
        1.0,
    ),
    (
        "ligase_tls_handshakes_total{direction=\"inbound\",result=\"success\",side=\"public\",version=\"1.3\"}",
        1.0,
    ),
    (
        "ligase_tls_handshakes_total{direction=\"inbound\",result=\"failure\",side=\"public\",version=\"none\"}",
        1.0,
    ),
    ("ligase_tls_handshake_duration_seconds_count{direction=\"inbound\",side=\"public\"}", 1.0),
    ("ligase_wire_bytes_total{side=\"backend\",way=\"sent\"}", 4_711.0),
    ("ligase_outbox_blocked_seconds_total{side=\"public\"}", 0.5),
    ("ligase_channel_rtt_seconds_count", 1.0),
    ("ligase_header_rewrites_total{direction=\"inbound\",kind=\"server-name\"}", 1.0),
    ("ligase_capture_connections_total{mode=\"redirect\"}", 1.0),
    ("ligase_proxy_protocol_headers_total{result=\"accepted\",version=\"2\"}", 1.0),
    ("ligase_backend_connects_total{result=\"success\"}", 1.0),
    ("ligase_backend_connects_total{result=\"failure\"}", 1.0),
    ("ligase_backend_connect_duration_seconds_count", 1.0),
    ("ligase_dns_queries_total{rcode=\"servfail\",type=\"dnskey\"}", 1.0),
    ("ligase_dns_query_duration_seconds_count", 1.0),
    ("ligase_dns_cache_requests_total{result=\"hit\"}", 1.0),
    ("ligase_dns_cache_entries", 3.0),
    ("ligase_dns_steered_total{kind=\"passed\"}", 1.0),
    ("ligase_posh_fetch_duration_seconds_count", 1.0),
    ("ligase_auth_downgrades_total{direction=\"inbound\",from=\"pkix\"}", 1.0),
    ("ligase_policy_rejections_total{direction=\"inbound\",level=\"dna\"}", 1.0),
    ("ligase_peers_known", 5.0),
    ("ligase_peers_backoff", 1.0),
    ("ligase_self_check_failures{check=\"tlsa\"}", 2.0),
    ("ligase_self_check_last_run_timestamp_seconds", 1.0),
    ("ligase_certificate_reloads_total{result=\"failure\"}", 1.0),
];

#[test]
fn no_event_makes_a_new_series() {
    let metrics = metrics();
    let before = series(&metrics);
    let everything = eventful();
    assert_eq!(series(&everything), before);
    assert!(before.len() < SERIES_MAX, "{} series", before.len());
    let mut attempts = 0.0;
    for direction in Direction::ALL {
        for proof in Proof::ALL {
            for result in AuthResult::ALL {
                for reason in AuthReason::ALL {
                    metrics.verdicts.attempted(Attempt {
                        direction: *direction,
                        proof: *proof,
                        result: *result,
                        reason: *reason,
                    });
                    attempts += 1.0;
                }
            }
        }
    }
    assert_eq!(series(&metrics), before);
    let names = before.iter().filter(|name| name.starts_with("ligase_auth_attempts_total"));
    let counted: f64 = names.map(|name| value(&metrics, name)).sum();
    assert_eq!(counted, attempts, "every attempt is counted somewhere");

    /// What one sidecar may cost those who store its metrics.
    const SERIES_MAX: usize = 1_500;
}

#[test]
fn a_broken_configuration_leaves_the_time_of_the_one_in_effect() {
    let metrics = metrics();
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let now = || {
        [
            "ligase_config_last_reload_success",
            "ligase_config_last_reload_timestamp_seconds",
            "ligase_config_reloads_total{result=\"success\"}",
            "ligase_config_reloads_total{result=\"failure\"}",
        ]
        .map(|series| value(&metrics, series))
    };
    assert_eq!(now(), [0.0; 4]);
    metrics.standing.configured(at(10));
    assert_eq!(now(), [1.0, 10.0, 0.0, 0.0], "the first is no reload");
    metrics.standing.reloaded(Outcome::Failure, at(20));
    assert_eq!(now(), [0.0, 10.0, 0.0, 1.0]);
    metrics.standing.reloaded(Outcome::Success, at(30));
    assert_eq!(now(), [1.0, 30.0, 1.0, 1.0]);
}

#[test]
fn certificates_that_end_soon_end_within_every_longer_time_too() {
    let metrics = metrics();
    let day = Duration::from_secs(24 * 3600);
    let now = SystemTime::UNIX_EPOCH + 100 * day;
    metrics.standing.certificates(&[now - day, now + 2 * day, now + 8 * day, now + 31 * day], now);
    for (series, expect) in [
        ("ligase_certificates_loaded", 4.0),
        ("ligase_certificates_expiring{within=\"1d\"}", 1.0),
        ("ligase_certificates_expiring{within=\"7d\"}", 2.0),
        ("ligase_certificates_expiring{within=\"30d\"}", 3.0),
    ] {
        assert_eq!(value(&metrics, series), expect, "{series}");
    }
}

#[test]
fn connections_remain_to_end_only_in_a_drain() {
    let metrics = metrics();
    let now =
        || ["ligase_draining", "ligase_drain_connections_remaining"].map(|it| value(&metrics, it));
    metrics.standing.remaining(7);
    assert_eq!(now(), [0.0, 0.0]);
    metrics.standing.draining();
    metrics.standing.remaining(7);
    assert_eq!(now(), [1.0, 7.0]);
}

#[test]
fn attempts_keep_reasons_that_make_sense() {
    let metrics = metrics();
    let attempted = |proof, result, reason| {
        let direction = Direction::Inbound;
        metrics.verdicts.attempted(Attempt { direction, proof, result, reason });
    };
    attempted(Proof::Dane, AuthResult::Proven, AuthReason::DaneMismatch);
    attempted(Proof::Dane, AuthResult::Refuted, AuthReason::DaneMismatch);
    attempted(Proof::Pkix, AuthResult::Unproven, AuthReason::PoshSize);
    for (proof, result, reason) in [
        ("dane", "proven", "none"),
        ("dane", "refuted", "dane.mismatch"),
        ("pkix", "unproven", "other"),
    ] {
        let labels = format!(
            "direction=\"inbound\",proof=\"{proof}\",reason=\"{reason}\",result=\"{result}\""
        );
        assert_eq!(value(&metrics, &format!("ligase_auth_attempts_total{{{labels}}}")), 1.0);
    }
}

#[test]
fn labels_are_read_as_they_are_written() {
    for reason in ViolationReason::ALL {
        assert_eq!(ViolationReason::read(reason.as_str()), Some(*reason));
    }
    assert_eq!(ViolationReason::read("xml"), None);
}

/// The documentation lists exactly the families that are rendered, with type, labels and meaning;
/// and then every value that a label may have.
#[test]
fn the_documentation_is_true() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let text = fs::read_to_string(path).unwrap();
    let documented: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').replace('`', ""))
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>().join(" | "))
        .collect();
    let text = metrics().render();
    let mut real = families(&text);
    real.extend(label_values(&text));
    assert_eq!(documented.join("\n"), real.join("\n"));
}

/// Every family of a text for Prometheus as one row: name, type, labels, meaning.
fn families(text: &str) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    let mut meaning = "";
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            meaning = help.split_once(' ').unwrap().1;
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            let first = text.lines().find(|it| it.starts_with(name)).unwrap();
            let labels: Vec<_> = labels(first).map(|(label, _)| label).collect();
            rows.push(format!("{name} | {kind} | {} | {meaning}", labels.join(", ")));
        }
    }
    rows
}

/// Every label of every family, and the values that it may have.
fn label_values(text: &str) -> Vec<String> {
    let mut found: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let family = line.split(['{', ' ']).next().unwrap();
        let is_one = |it: &&str| !it.ends_with("_sum") && !it.ends_with("_count");
        let Some(family) = Some(family).filter(is_one).filter(|it| *it != "ligase_build_info")
        else {
            continue;
        };
        let family = family.strip_suffix("_bucket").unwrap_or(family);
        for (label, value) in labels(line) {
            found.entry((family, label)).or_default().insert(value);
        }
    }
    let row = |((family, label), values): ((&str, &str), BTreeSet<&str>)| {
        let values: Vec<_> = values.into_iter().collect();
        format!("{family} | {label} | {}", values.join(" "))
    };
    found.into_iter().map(row).collect()
}

/// The labels of one series, but for the one that tells the buckets of a histogram apart.
fn labels(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let labels = line.split_once('{').map_or("", |(_, it)| it.split_once('}').unwrap().0);
    let labels = labels.split(',').filter_map(|it| it.split_once('='));
    labels
        .map(|(label, value)| (label, value.trim_matches('"')))
        .filter(|(label, _)| *label != "le")
}
