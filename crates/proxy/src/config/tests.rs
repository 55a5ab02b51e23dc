use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ligase_verifier::Domain;

use super::checks::check_system;
use super::file::Problems;
use super::{
    BackendTls, Capture, Config, Error, Hosts, Limit, Limits, LogFormat, LogLevel, Overrides,
    ProxyProtocol, Public, ResolverServers, Roots,
};
use crate::binding::Level;

/// The least that can be written.
const LEAST: &str = "\
server_name: xmpp1.hosting.example
hosts: [montague.example]
certificates: [{chain: tls.crt, key: tls.key}]
";

fn parse(text: &str) -> Result<Config, Vec<String>> {
    parse_in(Path::new("/etc/ligase"), text)
}

fn parse_in(folder: &Path, text: &str) -> Result<Config, Vec<String>> {
    Config::parse(text, folder, &Overrides::default()).map_err(|errors| {
        errors.iter().for_each(assert_cure);
        errors.iter().map(ToString::to_string).collect()
    })
}

/// Whoever is told what is wrong is told what to do about it.
#[track_caller]
pub(super) fn assert_cure(error: &Error) {
    const CURES: [&str; 13] = [
        "write ",
        "name ",
        "list ",
        "did you mean `",
        "known are ",
        "is not one of ",
        "must be a whole number from ",
        "leave ",
        "renew it",
        "`chmod o= ",
        "let ",
        "announce ",
        "mind the indentation",
    ];
    assert!(CURES.iter().any(|it| error.problem.contains(it)), "what to do? {error}");
}

/// The sources that can find a problem, and the tests that bring each about.
const SOURCES: [&str; 8] = [
    include_str!("checks.rs"),
    include_str!("doors.rs"),
    include_str!("file.rs"),
    include_str!("inspect.rs"),
    include_str!("policy.rs"),
    include_str!("read.rs"),
    include_str!("values.rs"),
    include_str!("../../../verifier/src/settings.rs"),
];
const TESTS: [&str; 3] = [
    include_str!("tests.rs"),
    include_str!("inspect/tests.rs"),
    include_str!("../../tests/command_line.rs"),
];

#[test]
fn every_problem_is_brought_about_by_a_test() {
    let tests = TESTS.concat();
    let mut found = 0;
    for message in SOURCES.iter().flat_map(|source| literals(source)) {
        // What stands between the values that are put in.
        let fixed = message.split(['{', '}']).step_by(2).max_by_key(|part| part.len()).unwrap();
        if !fixed.trim().contains(' ') {
            continue;
        }
        found += 1;
        assert!(tests.contains(fixed), "no test brings about: {message:?}");
    }
    assert!(40 < found, "only {found} messages were found");

    /// The string literals of the code, comments left out.
    fn literals(source: &str) -> Vec<String> {
        let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code = code.collect::<Vec<_>>().join("\n").replace("\\\"", "\u{1}");
        let parts = code.split('"').skip(1).step_by(2);
        parts.map(|text| joined(text).replace('\u{1}', "\\\"")).collect()
    }

    /// A literal whose lines end in a backslash, in one line.
    fn joined(text: &str) -> String {
        let lines = text.split("\\\n").enumerate();
        lines.map(|(number, it)| if number == 0 { it } else { it.trim_start() }).collect()
    }
}

/// The least with `more` below it.
#[track_caller]
fn accept(more: &str) -> Config {
    parse(&format!("{LEAST}{more}")).unwrap()
}

/// The least with `more` below it is refused for exactly these reasons.
#[track_caller]
fn check(more: &str, expect: &[&str]) {
    assert_eq!(parse(&format!("{LEAST}{more}")).unwrap_err(), expect);
}

fn domain(name: &str) -> Domain {
    name.parse().unwrap()
}

fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn the_least_is_enough() {
    let config = parse(LEAST).unwrap();
    assert_eq!(config.server_name, domain("xmpp1.hosting.example"));
    assert_eq!(
        config.backends[0].hosts,
        Hosts::Listed { domains: [domain("montague.example")].into(), file: None }
    );
    assert_eq!(config.certificates[0].chain, Path::new("/etc/ligase/tls.crt"));
    assert_eq!(config.certificates[0].next_key, None);
    assert_eq!(config.backends[0].address, addresses(&["127.0.0.1:5269"])[0].into());
    assert_eq!(config.backend.tls, BackendTls::Auto);
    assert_eq!(config.capture, Capture::Dns);
    assert_eq!(config.listen.federation, addresses(&["0.0.0.0:7269"]));
    assert_eq!(config.listen.backend, addresses(&["127.0.0.1:7270"]));
    assert_eq!(config.listen.dns, addresses(&["127.0.0.1:7253"]));
    assert_eq!(config.listen.posh, []);
    assert_eq!(config.listen.admin, addresses(&["127.0.0.1:7290"]));
    assert_eq!(config.proxy_protocol, ProxyProtocol { trusted: vec![], required: true });
    assert_eq!(config.resolver.servers, ResolverServers::System);
    assert_eq!(config.roots, Roots::System);
    assert_eq!(config.policy.level(&domain("capulet.example")), Level::Encrypted);
    assert_eq!(config.prooftypes.len(), 3);
    assert_eq!(config.tlsa_usages, [0, 1, 2, 3]);
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.drain, Duration::from_secs(10));
    assert_eq!(config.self_check, Some(Duration::from_secs(3600)));
    assert_eq!(config.log.level, LogLevel::Info);
    assert_eq!(config.log.format, LogFormat::Plain);
}

#[test]
fn an_empty_file_lacks_what_has_no_default() {
    let expect = [
        "server_name: is missing: write the name that the certificate bears",
        "hosts: is missing: list the domains your server hosts, or write `auto`",
        "certificates: name at least one {chain: PATH, key: PATH}",
    ];
    assert_eq!(parse("").unwrap_err(), expect);
    assert_eq!(parse("{}").unwrap_err(), expect);
    assert_eq!(parse("server_name: ~\nhosts: null\ncertificates: []\n").unwrap_err(), expect);
}

#[test]
fn errors_name_the_key() {
    check("host: a", &["host: unknown key; did you mean `hosts`?"]);
    check(
        "backend: {adress: '127.0.0.1:5269'}",
        &["backend.adress: unknown key; did you mean `backend.address`?"],
    );
    check(
        "trust: {anchors: none-of-ours}",
        &["trust.anchors: unknown key; known are roots, revocations, posh_port"],
    );
    check(
        "backend: {address: localhost}",
        &[
            "backend.address: \"localhost\" is no IP:PORT and no NAME:PORT: write one like 127.0.0.1:5269",
        ],
    );
    check("backend: {tls: yes}", &["backend.tls: \"yes\" is not one of auto, off, required"]);
    check(
        "backend: {local_ca: {key: ''}}",
        &["backend.local_ca.key: must not be empty: write a path, or leave the key out"],
    );
    check("backend: []", &["backend: write `key: value` lines here"]);
    check("backend: 5", &["backend: write `key: value` lines here"]);
    check(
        "listen: {federation: ['0.0.0.0:7269', 5270]}",
        &["listen.federation[1]: \"5270\" is not an IP:PORT: write one like 127.0.0.1:5269"],
    );
    check(
        "listen: {admin: {port: 7290}}",
        &["listen.admin: write one text here, no list or mapping"],
    );
    check("capture: ebpf", &["capture: \"ebpf\" is not one of dns, redirect, explicit"]);
    check(
        "capture: redirect",
        &[
            "redirect.uid: is missing: write the number of the user that ligase runs as (`id -u ligase`)",
        ],
    );
    check("redirect: {uid: -1}", &["redirect.uid: must be a whole number from 0 to 4294967294"]);
}

#[test]
fn what_is_no_value_of_its_kind_is_told() {
    check("channels: {bidi: maybe}", &["channels.bidi: write true or false"]);
    check("policy: {peers: {[a]: any}}", &["policy.peers: write a name before the colon"]);
    check("[a]: b", &["?: write a name before the colon"]);
    check(
        "dialback_secret: {}",
        &["dialback_secret.file: is missing: write the path of a file with the secret in it"],
    );
    let problems = parse("hosts: [a\n").unwrap_err();
    let cure = ": mind the indentation, and quote what has `*`, `: ` or ` #` in it";
    assert!(problems[0].ends_with(cure), "{problems:?}");
}

#[test]
fn errors_further_down_name_the_key() {
    check(
        "resolver: {dnssec: maybe}",
        &["resolver.dnssec: \"maybe\" is not one of validate, trust-ad, off"],
    );
    check(
        "resolver: {servers: []}",
        &["resolver.servers: name at least one IP:PORT, or write `system`"],
    );
    check(
        "policy: {default: strict}",
        &["policy.default: \"strict\" is not one of dna, pkix, encrypted, any"],
    );
    check(
        "policy: {peers: {'a..b': any}}",
        &["policy.peers.\"a..b\": \"a..b\" is not a domain name: write one like montague.example"],
    );
    check(
        "policy: {peers: {'*.gov.example': all}}",
        &["policy.peers.\"*.gov.example\": \"all\" is not one of dna, pkix, encrypted, any"],
    );
    check(
        "policy: {peers: {old.example: any, OLD.example: dna}}",
        &[
            "policy.peers.\"OLD.example\": names a domain that another line names already: leave one of them out",
        ],
    );
    check(
        "policy: {prooftypes: []}",
        &["policy.prooftypes: name at least one, or no peer can be proven"],
    );
    check(
        "policy: {tlsa_usages: []}",
        &["policy.tlsa_usages: name at least one, or leave dane out of prooftypes"],
    );
    check(
        "policy: {tlsa_usages: [dane-ee, 3]}",
        &["policy.tlsa_usages[1]: \"3\" is not one of pkix-ta, pkix-ee, dane-ta, dane-ee"],
    );
    let usages = accept("policy: {tlsa_usages: [dane-ee, pkix-ta]}").tlsa_usages;
    assert_eq!(usages, [3, 0]);
    check(
        "policy: {prooftypes: [dane, dialback]}",
        &["policy.prooftypes[1]: \"dialback\" is not one of dane, posh, pkix"],
    );
    check("limits: {depth: 8}", &["limits.depth: must be a whole number from 16 to 1024"]);
    check(
        "limits: {queue_seconds: 10s}",
        &["limits.queue_seconds: must be a whole number from 1 to 300"],
    );
    check(
        "resolver: {allow: [loopback, private]}",
        &["resolver.allow[1]: \"private\" is not one of loopback"],
    );
    check("drain_seconds: 1.5", &["drain_seconds: must be a whole number from 0 to 600"]);
    let least = "self_check_seconds: write 0 for never, or at least 60";
    check("self_check_seconds: 59", &[least]);
    let whole = "self_check_seconds: must be a whole number from 0 to 86400";
    check("self_check_seconds: 86401", &[whole]);
    check(
        "log: {level: loud}",
        &["log.level: \"loud\" is not one of error, warn, info, debug, trace"],
    );
    check(
        "5: 6",
        &[
            "5: unknown key; known are server_name, backend, backends, hosts, certificates, capture, redirect, listen, steer, public, proxy_protocol, resolver, trust, channels, policy, dialback_secret, limits, drain_seconds, self_check_seconds, log",
        ],
    );
}

#[test]
fn errors_in_the_essentials_name_the_key() {
    let check = |text: &str, expect: &[&str]| assert_eq!(parse(text).unwrap_err(), expect);
    check(
        "server_name: a b\nhosts: []\ncertificates: {chain: a, key: b}",
        &[
            "server_name: \"a b\" is not a domain name: write one like montague.example",
            "hosts: name at least one domain",
            "certificates: must be a list of {chain: PATH, key: PATH}",
        ],
    );
    check(
        "server_name: a.example\nhosts: [b.example, c..d]\ncertificates: [{chain: a}, x, {chian: a, key: b}]",
        &[
            "hosts[1]: \"c..d\" is not a domain name: write one like montague.example",
            "certificates[0].key: is missing: write the path of its private key, PEM",
            "certificates[1]: write `key: value` lines here",
            "certificates[1].chain: is missing: write the path of a PEM file, leaf first",
            "certificates[1].key: is missing: write the path of its private key, PEM",
            "certificates[2].chain: is missing: write the path of a PEM file, leaf first",
            "certificates[2].chian: unknown key; did you mean `certificates[2].chain`?",
        ],
    );
}

#[test]
fn all_problems_are_told_at_once() {
    check(
        "capture: x\nlimits: {depth: 0, wat: 1}\nlog: {format: xml}",
        &[
            "capture: \"x\" is not one of dns, redirect, explicit",
            "limits.depth: must be a whole number from 16 to 1024",
            "limits.wat: unknown key; known are ",
            "log.format: \"xml\" is not one of plain, json",
        ]
        .map(|it| if it.ends_with(' ') { it.to_owned() + &limits() } else { it.to_owned() })
        .each_ref()
        .map(String::as_str),
    );

    fn limits() -> String {
        let keys: Vec<_> = Limits::ALL.iter().map(|it| it.key).collect();
        keys.join(", ")
    }
}

#[test]
fn text_that_is_no_yaml_is_one_problem() {
    for text in ["a: [", "a: 1\na: 2", "\t", "a: *b"] {
        let problems = parse(text).unwrap_err();
        assert!(problems.len() == 1 && problems[0].starts_with("(file): "), "{problems:?}");
    }
    assert_eq!(parse("- a").unwrap_err(), ["(file): write `key: value` lines here"]);
}

#[test]
fn aliases_cannot_multiply_without_end() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let line =
            format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", "));
        text += &line;
    }
    let problems = parse(&text).unwrap_err();
    assert!(problems[0].contains("repetition limit"), "{problems:?}");
}

#[test]
fn unknown_keys_are_told_escaped() {
    check(
        "\"\\e[2Jlog\\n\": 1",
        &[
            "\\u{1b}[2Jlog\\n: unknown key; known are server_name, backend, backends, hosts, certificates, capture, redirect, listen, steer, public, proxy_protocol, resolver, trust, channels, policy, dialback_secret, limits, drain_seconds, self_check_seconds, log",
        ],
    );
}

#[test]
fn no_two_listeners_collide() {
    check(
        "listen: {admin: '127.0.0.1:7269'}",
        &[
            "listen.admin: 127.0.0.1:7269 collides with 0.0.0.0:7269 of listen.federation: write another port",
        ],
    );
    check(
        "listen: {federation: ['192.0.2.1:5270', '[::]:5270']}",
        &[
            "listen.federation: [::]:5270 collides with 192.0.2.1:5270 of listen.federation: write another port",
        ],
    );
    check(
        "listen: {federation: '[::ffff:192.0.2.1]:1', backend: '192.0.2.1:1'}",
        &[
            "listen.backend: 192.0.2.1:1 collides with [::ffff:192.0.2.1]:1 of listen.federation: write another port",
        ],
    );
    accept(
        "listen: {federation: ['192.0.2.1:1', '192.0.2.2:1'], backend: '127.0.0.1:1', dns: '[::1]:1'}",
    );
    accept("listen: {federation: '127.0.0.1:0', backend: '127.0.0.1:0', dns: '127.0.0.1:0'}");
}

#[test]
fn doors_that_are_needed_cannot_be_closed() {
    check(
        "listen: {federation: null}",
        &["listen.federation: peers need an address to connect to: write one like 0.0.0.0:7269"],
    );
    check(
        "listen: {backend: []}",
        &[
            "listen.backend: the backend needs an address to connect to: write one like 127.0.0.1:7270",
        ],
    );
    check(
        "listen: {dns: null}",
        &["listen.dns: `capture: dns` needs an address to answer at: write one like 127.0.0.1:53"],
    );
    assert_eq!(accept("listen: {admin: null}").listen.admin, []);
    assert_eq!(accept("capture: explicit").listen.dns, []);
    let redirect = accept("capture: redirect\nredirect: {uid: 7269}");
    assert_eq!(redirect.capture, Capture::Redirect { uid: 7269, resolver_uid: None });
    // What the packet filter turns to us comes by both families.
    assert_eq!(redirect.listen.federation, addresses(&["[::]:7269"]));
    assert_eq!(redirect.listen.backend, addresses(&["127.0.0.1:7270", "[::1]:7270"]));
    assert_eq!(redirect.listen.dns, addresses(&["127.0.0.1:7253", "[::1]:7253"]));
    let resolver = accept("capture: redirect\nredirect: {uid: 7269, resolver_uid: 101}");
    let spared = Capture::Redirect { uid: 7269, resolver_uid: Some(101) };
    assert_eq!(resolver.capture, spared);
}

#[test]
fn nobody_is_told_to_talk_to_themselves() {
    check(
        "backend: {address: '127.0.0.1:7269'}",
        &[
            "backend.address: 127.0.0.1:7269 is our own listen.federation: write where your server takes streams from other servers",
        ],
    );
    check(
        "backend: {address: '127.0.0.1:7270'}",
        &[
            "backend.address: 127.0.0.1:7270 is our own listen.backend: write where your server takes streams from other servers",
        ],
    );
    check(
        "backend: {address: '0.0.0.0:5269'}",
        &[
            "backend.address: 0.0.0.0:5269 cannot be connected to: write where your server takes streams from other servers",
        ],
    );
    accept("backend: {address: '192.0.2.9:7269'}");
}

#[test]
fn posh_documents_are_fetched_from_the_usual_port_or_that_of_a_laboratory() {
    assert_eq!(accept("").verifier_settings().posh_port, 443);
    assert_eq!(accept("trust: {posh_port: 8443}").verifier_settings().posh_port, 8443);
    for wrong in ["0", "65536", "https"] {
        check(
            &format!("trust: {{posh_port: {wrong}}}"),
            &["trust.posh_port: must be a whole number from 1 to 65535"],
        );
    }
}

#[test]
fn posh_documents_are_served_where_it_is_written() {
    assert_eq!(accept("listen: {posh: null}").listen.posh, []);
    let posh = accept("listen: {posh: '0.0.0.0:443'}").listen.posh;
    assert_eq!(posh, ["0.0.0.0:443".parse().unwrap()]);
    check(
        "listen: {posh: '0.0.0.0:7269'}",
        &[
            "listen.posh: 0.0.0.0:7269 collides with 0.0.0.0:7269 of listen.federation: write another port",
        ],
    );
}

#[test]
fn a_certificate_may_name_the_key_that_follows() {
    let next =
        |value: &str| parse(&LEAST.replace("tls.key}", &format!("tls.key, next_key: {value}}}")));
    let path = next("next.key").unwrap().certificates[0].next_key.clone();
    assert_eq!(path, Some(PathBuf::from("/etc/ligase/next.key")));
    assert_eq!(next("~"), parse(LEAST));
    assert_eq!(
        next("''").unwrap_err(),
        ["certificates[0].next_key: must not be empty: write a path, or leave the key out"]
    );
}

#[test]
fn peers_are_told_the_port_that_leads_to_us() {
    let told = |text| {
        let Public { starttls, direct_tls } = accept(text).public;
        (starttls, direct_tls)
    };
    assert_eq!(told(""), (7269, 7269));
    assert_eq!(told("listen: {federation: ['[::]:6000', '0.0.0.0:6001']}"), (6000, 6000));
    assert_eq!(told("listen: {federation: '0.0.0.0:0'}"), (0, 0));
    assert_eq!(told("capture: redirect\nredirect: {uid: 7269}"), (5269, 5269));
    assert_eq!(told("public: {starttls: 5269}"), (5269, 5269));
    assert_eq!(told("public: {direct_tls: 5270}"), (7269, 5270));
    assert_eq!(told("public: {starttls: 5269, direct_tls: 443}"), (5269, 443));
    for port in ["0", "65536", "https"] {
        check(
            &format!("public: {{starttls: {port}}}"),
            &["public.starttls: must be a whole number from 1 to 65535"],
        );
    }
}

#[test]
fn public_lookups_never_ask_what_the_backend_is_told() {
    check(
        "resolver: {servers: ['192.0.2.53:53', '127.0.0.1:7253']}",
        &[
            "resolver.servers: 127.0.0.1:7253 is our own listen.dns: write the IP:PORT of another DNS server",
        ],
    );
    check(
        "resolver: {servers: ['127.0.0.53:53']}\nlisten: {dns: '0.0.0.0:53'}",
        &[
            "resolver.servers: 127.0.0.53:53 is our own listen.dns: write the IP:PORT of another DNS server",
        ],
    );
    check(
        "resolver: {servers: ['127.0.0.1']}\nlisten: {dns: ['[::1]:53', '[::ffff:127.0.0.1]:53']}",
        &[
            "resolver.servers: 127.0.0.1:53 is our own listen.dns: write the IP:PORT of another DNS server",
        ],
    );
    check(
        "resolver: {servers: '0.0.0.0:53'}",
        &["resolver.servers: 0.0.0.0:53 cannot be asked: write the IP:PORT of another DNS server"],
    );
    let config = accept("resolver: {servers: ['2001:db8::53', '192.0.2.53:5353']}");
    let expect = addresses(&["[2001:db8::53]:53", "192.0.2.53:5353"]);
    assert_eq!(config.resolver.servers, ResolverServers::Listed(expect));
}

#[test]
fn the_longest_name_decides_which_level_a_peer_has() {
    let config = accept(
        "policy: {default: pkix, peers: {old.example: any, '*.gov.example': dna, '*.x.gov.example': encrypted}}",
    );
    let level = |name: &str| config.policy.level(&domain(name));
    assert_eq!(level("capulet.example"), Level::Pkix);
    assert_eq!(level("old.example"), Level::Any);
    assert_eq!(level("new.old.example"), Level::Pkix);
    assert_eq!(level("gov.example"), Level::Pkix);
    assert_eq!(level("tax.gov.example"), Level::Dna);
    assert_eq!(level("a.x.gov.example"), Level::Encrypted);
    assert_eq!(level("notgov.example"), Level::Pkix);
}

#[test]
fn the_environment_overrides_the_log_alone() {
    let set = |level: &str, format: &str| Overrides {
        log_level: Some(level.to_owned()),
        log_format: Some(format.to_owned()),
    };
    let parse = |overrides| Config::parse(LEAST, Path::new("/"), &overrides);
    let config = parse(set("debug", "json")).unwrap();
    assert_eq!((config.log.level, config.log.format), (LogLevel::Debug, LogFormat::Json));
    let problems = parse(set("all", "html")).unwrap_err();
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "LIGASE_LOG: \"all\" is not one of error, warn, info, debug, trace",
            "LIGASE_LOG_FORMAT: \"html\" is not one of plain, json",
        ]
    );
}

#[test]
fn limits_reach_the_program_in_their_own_types() {
    let limits = accept("limits: {stanza_bytes: 10000, step_seconds: 3}").limits;
    assert_eq!(limits.stanza_bytes, 10_000);
    assert_eq!(limits.step_seconds, Duration::from_secs(3));
    for limit in Limits::ALL {
        assert!((limit.min..=limit.max).contains(&limit.default), "{}", limit.key);
        assert!(u32::try_from(limit.max).is_ok(), "{} does not fit 32 bits", limit.key);
        let check = |number: u64| {
            let problem = format!(
                "limits.{}: must be a whole number from {} to {}",
                limit.key, limit.min, limit.max
            );
            check(&format!("limits: {{{}: {number}}}", limit.key), &[&problem]);
        };
        check(limit.min - 1);
        check(limit.max + 1);
    }
    let all = |number: fn(&Limit) -> u64| {
        let lines = Limits::ALL.iter().map(|it| format!("  {}: {}\n", it.key, number(it)));
        accept(&format!("limits:\n{}", lines.collect::<String>()))
    };
    assert_eq!(all(|it| it.min).limits.depth, 16);
    assert_eq!(all(|it| it.max).limits.depth, 1_024);
}

#[test]
fn limits_leave_room_for_each_other() {
    check(
        "limits: {stanza_bytes: 1048577}",
        &[
            "limits.queue_bytes: must be at least limits.stanza_bytes, which is 1048577: write more here or less there",
            "limits.outbox_bytes: must be at least limits.stanza_bytes, which is 1048577: write more here or less there",
        ],
    );
    check(
        "limits: {stanza_bytes: 10000, preauth_element_bytes: 20000}",
        &[
            "limits.stanza_bytes: must be at least limits.preauth_element_bytes, which is 20000: write more here or less there",
        ],
    );
    check(
        "limits: {queue_total_bytes: 1048576, queue_bytes: 1048577}",
        &[
            "limits.queue_total_bytes: must be at least limits.queue_bytes, which is 1048577: write more here or less there",
        ],
    );
}

#[test]
fn netfilter_turns_to_one_port() {
    let redirect = "capture: redirect\nredirect: {uid: 7269}\nlisten: ";
    let check = |listen: &str, expect: &[&str]| check(&format!("{redirect}{listen}"), expect);
    let one = "`capture: redirect` needs one port: write the same for all addresses";
    check("{federation: ['127.0.0.1:1', '[::1]:2']}", &[&format!("listen.federation: {one}")]);
    check("{backend: '127.0.0.1:0'}", &[&format!("listen.backend: {one}")]);
    check(
        "{dns: null}",
        &[
            "listen.dns: `capture: redirect` needs an address to turn to: write one like 127.0.0.1:7270",
        ],
    );
    accept(&format!("{redirect}{{backend: ['127.0.0.1:7270', '[::1]:7270']}}"));
}

/// What a resolver on this machine asks others would be turned to us, who ask it.
#[test]
fn a_resolver_on_this_machine_does_not_ask_in_circles() {
    let circle = "redirect.resolver_uid: is missing: what 127.0.0.53:53 asks others would be turned to us, who ask 127.0.0.53:53; write the number of the user that it runs as (`id -u unbound`), or name other resolver.servers";
    let listed = "resolver: {servers: [192.0.2.53, 127.0.0.53]}\n";
    check(&format!("{listed}capture: redirect\nredirect: {{uid: 7269}}"), &[circle]);
    accept(&format!("{listed}capture: redirect\nredirect: {{uid: 7269, resolver_uid: 101}}"));
    accept(listed);

    let check = |more: &str, expect: &[&str]| {
        let problems = Problems::default();
        check_system(&accept(more), "nameserver 192.0.2.53\nnameserver 127.0.0.53\n", &problems);
        let found: Vec<_> = problems.into_vec().iter().map(ToString::to_string).collect();
        assert_eq!(found, expect);
    };
    check("capture: redirect\nredirect: {uid: 7269}", &[circle]);
    check("capture: redirect\nredirect: {uid: 7269, resolver_uid: 101}", &[]);
    check("capture: redirect\nredirect: {uid: 7269}\nresolver: {servers: [192.0.2.53]}", &[]);
    check("listen: {dns: '127.0.0.1:53'}", &[]);
}

#[test]
fn the_systems_resolver_may_not_be_ours_either() {
    let check = |more: &str, expect: &[&str]| {
        let problems = Problems::default();
        let system =
            "# a comment\nsearch lab\nnameserver 192.0.2.53\n nameserver 127.0.0.1 x\nnameserver\n";
        check_system(&accept(more), system, &problems);
        let found: Vec<_> = problems.into_vec().iter().map(ToString::to_string).collect();
        assert_eq!(found, expect);
    };
    let ours = "resolver.servers: the system's resolver, 127.0.0.1:53, is our own listen.dns: write the IP:PORT of another DNS server";
    check("listen: {dns: '127.0.0.1:53'}", &[ours]);
    check("listen: {dns: '0.0.0.0:53'}", &[ours]);
    check("listen: {dns: '127.0.0.1:7253'}", &[]);
    check("listen: {dns: '127.0.0.1:53'}\nresolver: {servers: ['192.0.2.53']}", &[]);
}

#[test]
fn hosts_may_be_kept_in_a_file() {
    let folder = Folder::new("hosts");
    folder.write("good", "# ours\nmontague.example\n\n conference.montague.example # rooms\n");
    folder.write("bad", "montague.example\na b\n");
    folder.write("empty", "# nobody\n");
    let text = |hosts: &str| LEAST.replace("[montague.example]", hosts);
    let parse = |hosts: &str| parse_in(&folder.0, &text(hosts));

    let expect = Hosts::Listed {
        domains: [domain("montague.example"), domain("conference.montague.example")].into(),
        file: Some(folder.0.join("good")),
    };
    assert_eq!(parse("{file: good}").unwrap().backends[0].hosts, expect);
    assert_eq!(parse("auto").unwrap().backends[0].hosts, Hosts::Auto);
    let check = |hosts: &str, expect: &[&str]| assert_eq!(parse(hosts).unwrap_err(), expect);
    check(
        "{file: bad}",
        &["hosts.file: line 2: \"a b\" is not a domain name: write one like montague.example"],
    );
    check("{file: empty}", &["hosts: name at least one domain"]);
    check(
        "{path: good}",
        &[
            "hosts.file: is missing: write the path of a list, one domain a line",
            "hosts.path: unknown key; known are file",
        ],
    );
    let absent = folder.0.join("absent");
    let expect = format!(
        "hosts.file: {}: No such file or directory (os error 2): write one domain a line there",
        absent.display()
    );
    check("{file: absent}", &[&expect]);
}

#[test]
fn a_dialback_secret_is_read_and_never_shown() {
    let folder = Folder::new("secret");
    let (current, previous) = ("c".repeat(32), "p".repeat(32));
    folder.write("one", &format!("{current}\n"));
    folder.write("two", &format!("{current}\n{previous}\n"));
    folder.write("three", &format!("{current}\n{previous}\n{previous}\n"));
    folder.write("short", "hunter2\n");
    folder.write("empty", "\n");
    folder.write("huge", &"x".repeat(5_000));
    let parse =
        |name: &str| parse_in(&folder.0, &format!("{LEAST}dialback_secret: {{file: {name}}}"));

    let one = parse("one").unwrap();
    assert_eq!(**one.dialback_secret.as_ref().unwrap().current, *current.as_bytes());
    assert_eq!(one.dialback_secret.as_ref().unwrap().previous, None);
    let two = parse("two").unwrap();
    let secret = two.dialback_secret.as_ref().unwrap();
    assert_eq!(secret.previous.as_ref().map(|it| it.as_slice()), Some(previous.as_bytes()));
    let shown = format!("{two:?}");
    assert!(!shown.contains("cccc") && !shown.contains("112, 112"), "{shown}");

    for (name, problem) in [
        ("three", "holds more than the current and the previous secret: leave two lines"),
        (
            "short",
            "a secret has at least 32 characters: write what `openssl rand -hex 32` prints into it",
        ),
        ("empty", "is empty: write what `openssl rand -hex 32` prints into it"),
        ("huge", "is larger than 4096 bytes: write what `openssl rand -hex 32` prints into it"),
    ] {
        let path = folder.0.join(name);
        let expect = format!("dialback_secret.file: {}: {problem}", path.display());
        assert_eq!(parse(name).unwrap_err(), [expect]);
    }
}

#[test]
fn load_balancers_are_trusted_by_network() {
    let text =
        "proxy_protocol: {trusted: [192.0.2.7/24, 198.51.100.1, '2001:db8::/32'], required: false}";
    let config = parse(&format!("{LEAST}{text}")).unwrap();
    let trusted: Vec<_> = config.proxy_protocol.trusted.iter().map(ToString::to_string).collect();
    assert_eq!(trusted, ["192.0.2.0/24", "198.51.100.1/32", "2001:db8::/32"]);
    assert!(!config.proxy_protocol.required);
    check(
        "proxy_protocol: {trusted: ['192.0.2.0/33', '::ffff:192.0.2.0/120', lb.example]}",
        &[
            "proxy_protocol.trusted[0]: \"192.0.2.0/33\" is no network: write one like 10.0.0.0/8",
            "proxy_protocol.trusted[1]: \"::ffff:192.0.2.0/120\" is IPv4 written as IPv6: write one like 10.0.0.0/8",
            "proxy_protocol.trusted[2]: \"lb.example\" is no network: write one like 10.0.0.0/8",
        ],
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let errors = Config::read(Path::new("/nonexistent/ligase.yaml"), &Overrides::default());
    let error = errors.unwrap_err()[0].to_string();
    assert_eq!(
        error,
        "(file): /nonexistent/ligase.yaml: No such file or directory (os error 2): name another with --config"
    );
}

/// A folder of one test's own, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("ligase-config-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Two servers, without the keys that one alone has.
const SEVERAL: &str = "server_name: xmpp1.hosting.example
certificates: [{chain: /etc/ligase/tls.crt, key: /etc/ligase/tls.key}]
backends:
  - {name: one, address: 'one.chat.svc.cluster.local:5269', hosts: [a.example, b.example]}
  - {name: two, address: '192.0.2.2:5270', hosts: [c.example]}
";

#[test]
fn several_servers_have_domains_of_their_own() {
    let config = parse(SEVERAL).unwrap();
    let told: Vec<_> = config
        .backends
        .iter()
        .map(|it| (it.name.as_str(), it.address.to_string(), it.domains().count()))
        .collect();
    let expect = [
        ("one", "one.chat.svc.cluster.local:5269".to_owned(), 2),
        ("two", "192.0.2.2:5270".to_owned(), 1),
    ];
    assert_eq!(told, expect);
    let all = ["a.example", "b.example", "c.example"].map(domain);
    assert_eq!(config.domains(), Some(all.iter().collect()));
}

#[test]
fn what_cannot_be_right_about_several_servers() {
    let check = |from: &str, to: &str, expect: &[&str]| {
        assert_eq!(parse(&SEVERAL.replace(from, to)).unwrap_err(), expect, "{to}");
    };
    check(
        "[c.example]",
        "[a.example]",
        &["backends[1].hosts: a.example is one of \"one\": write it in one place"],
    );
    check(
        "[c.example]",
        "auto",
        &["backends[1].hosts: with several servers, list the domains of each"],
    );
    check(
        "name: two",
        "name: one",
        &["backends[1].name: \"one\" is another's: write one of its own"],
    );
    check(
        "192.0.2.2:5270",
        "one.chat.svc.cluster.local:5269",
        &["backends[1].address: is that of \"one\": write all their hosts there"],
    );
    check(
        "192.0.2.2:5270",
        "127.0.0.1:7270",
        &[
            "backends[1].address: 127.0.0.1:7270 is our own listen.backend: write where your server takes streams from other servers",
        ],
    );
    check("name: two, ", "", &["backends[1].name: is missing: write what people call it"]);
}

#[test]
fn what_cannot_be_right_beside_several_servers() {
    let check = |more: &str, expect: &[&str]| {
        assert_eq!(parse(&format!("{SEVERAL}{more}")).unwrap_err(), expect, "{more}");
    };
    check(
        "hosts: [d.example]\n",
        &["hosts: each of `backends` has hosts of its own: write them there"],
    );
    check(
        "backend: {address: '192.0.2.9:5269'}\n",
        &["backend.address: each of `backends` has an address of its own: write it there"],
    );
    check(
        "listen: {backend: '0.0.0.0:7270'}\n",
        &["backend.networks: is missing: write where one.chat.svc.cluster.local connects from"],
    );
    check(
        "backend: {networks: [10.0.0.0/40]}\n",
        &["backend.networks[0]: \"10.0.0.0/40\" is no network: write one like 10.0.0.0/8"],
    );
    check(
        "steer: {to: '0.0.0.0:7270'}\n",
        &["steer.to: 0.0.0.0:7270 cannot be connected to: write where listen.backend is reached"],
    );
    check(
        "resolver: {forward: ['127.0.0.1:7253']}\n",
        &[
            "resolver.forward: 127.0.0.1:7253 is our own listen.dns: write the IP:PORT of another DNS server",
        ],
    );
    let none = SEVERAL.split("backends:").next().unwrap();
    let list = "backends: must be a list of {name: WORD, address: HOST:PORT, hosts: [...]}";
    for empty in ["backends: []", "backends: {}", "backends: one"] {
        assert_eq!(parse(&format!("{none}{empty}")).unwrap_err(), [list], "{empty}");
    }
}
