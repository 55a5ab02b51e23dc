use std::ffi::OsString;

use ligase_verifier::{Limits, RootSource, Servers, Settings};

use super::settings;
use crate::args::{Args, Command};

fn read(line: &str) -> Settings {
    let line = format!("ligase check a.example {line}");
    let args = Args::read(line.split_whitespace().map(OsString::from)).unwrap();
    let Command::Check(check) = args.command else { panic!("{args:?}") };
    settings(&check)
}

#[test]
fn without_a_word_it_is_the_internet_that_is_meant() {
    let settings = read("");
    assert_eq!(settings.servers, Servers::System);
    assert_eq!(settings.roots, RootSource::System);
    assert_eq!((settings.trust_anchor, settings.posh_port), (None, 443));
    assert!(!settings.reach.loopback && !settings.reach.private_web);
    let Limits { lookup_patience, posh_patience, .. } = settings.limits;
    assert!(lookup_patience < posh_patience && posh_patience.as_secs() < 10);
}

#[test]
fn our_own_house_is_closed_unless_it_is_a_laboratory() {
    let is_open = |line: &str| read(line).reach.loopback;
    assert!(is_open("--allow loopback"));
    assert!(is_open("--resolver 127.0.0.1:5353 --trust-anchor a"));
    assert!(is_open("--resolver [::1]:5353 --trust-anchor a"));
    // Many a machine has a resolver of its own, and many an anchor is the Internet's.
    assert!(!is_open("--resolver 127.0.0.1:53"));
    assert!(!is_open("--resolver 192.0.2.1 --trust-anchor a"));
    assert!(!is_open("--resolver 127.0.0.1 --resolver 192.0.2.1 --trust-anchor a"));
    assert!(!is_open("--trust-anchor a"));
    let is_open = |line: &str| read(line).reach.private_web;
    assert!(is_open("--resolver 127.0.0.1:5353 --trust-anchor a"));
    assert!(is_open("--resolver 10.0.0.1 --resolver fd00::1 --trust-anchor a"));
    assert!(!is_open("--resolver 10.0.0.1") && !is_open("--resolver 192.0.2.1 --trust-anchor a"));
    let is_open = |line: &str| read(line).reach.loopback;
    assert!(read("--allow private").reach.private_web && !is_open("--allow private"));
}

#[test]
fn a_resolver_is_at_port_53_unless_told_otherwise() {
    let servers = |line: &str| match read(line).servers {
        Servers::These(servers) => servers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        Servers::System => Vec::new(),
    };
    let asked = servers("--resolver 192.0.2.1 --resolver 192.0.2.2:5353 --resolver 2001:db8::1");
    assert_eq!(asked, ["192.0.2.1:53", "192.0.2.2:5353", "[2001:db8::1]:53"]);
}
