use std::path::Path;

use super::rules;
use crate::config::{Config, Overrides};

fn config(more: &str) -> Config {
    let text = format!(
        "server_name: xmpp1.hosting.example\nhosts: [montague.example]\n\
         certificates: [{{chain: tls.crt, key: tls.key}}]\n{more}"
    );
    Config::parse(&text, Path::new("/"), &Overrides::default()).unwrap()
}

#[test]
fn the_rules_are_those_that_the_configuration_asks_for() {
    let config = config(
        "capture: redirect\nredirect: {uid: 7269}\n\
         listen: {federation: '[::]:1', backend: ['127.0.0.1:2', '[::1]:2'], dns: '127.0.0.1:3'}",
    );
    let rules = rules(&config).unwrap();
    assert_eq!((rules.uid, rules.federation, rules.backend, rules.dns), (7269, 1, 2, 3));
    assert_eq!(rules.peers, [5269, 5270]);
}

#[test]
fn other_ways_to_capture_have_no_rules() {
    for capture in ["dns", "explicit"] {
        let problems = rules(&config(&format!("capture: {capture}"))).unwrap_err();
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems, ["capture: there are rules with `capture: redirect` only"]);
    }
}
