//! The chart as a thing of its own: what it says of itself, and what it is a copy of.

use std::collections::BTreeSet;
use std::process::Command;

use ligase_tests::OrFail;
use ligase_tests::peer::program;
use serde_json::Value as Json;

use crate::golden;
use crate::helm::{CHART, Case, notes_of, notes_with, word, yaml};
use crate::manifest::{Folder, file, root};

#[test]
fn it_has_the_version_of_the_program() {
    let chart = yaml("helm/ligase/Chart.yaml");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(chart["version"], version);
    assert_eq!(chart["appVersion"], version);
    let images = word(&chart["annotations"]["artifacthub.io/images"]);
    for image in ["ligase", "ligase-capture"] {
        assert!(images.contains(&format!("image: {image}:{version}\n")), "{images}");
    }
}

#[test]
fn what_it_copies_is_copied_whole() {
    let copies = [
        ("deploy/prometheus/ligase.rules.yaml", "helm/ligase/files/ligase.rules.yaml"),
        ("deploy/grafana/ligase.json", "helm/ligase/files/ligase.json"),
    ];
    for (original, copy) in copies {
        golden::hold(copy, &file(original));
    }
}

#[test]
fn prometheus_gets_the_rules_and_grafana_the_dashboard() {
    let case = Case::of("monitored");
    let rules = case.manifest("PrometheusRule", "xmpp-ligase")["spec"].clone();
    let text = file("deploy/prometheus/ligase.rules.yaml");
    let text = text.replace("runbook_url: docs/", "runbook_url: https://wiki.example/ligase/docs/");
    assert_eq!(rules, serde_yaml::from_str::<serde_yaml::Value>(&text).or_fail("read the rules"));

    let dashboard = case.manifest("ConfigMap", "xmpp-ligase-dashboard");
    let text = word(&dashboard["data"]["ligase.json"]);
    let shown: Json = serde_json::from_str(text).or_fail("read the dashboard");
    let original: Json =
        serde_json::from_str(&file("deploy/grafana/ligase.json")).or_fail("read the dashboard");
    assert_eq!(shown, original);
}

#[test]
fn every_value_has_its_place_in_the_schema_and_nothing_else_has() {
    let values: Json = serde_json::to_value(yaml("helm/ligase/values.yaml")).or_fail("read values");
    let schema = file("helm/ligase/values.schema.json");
    let schema: Json = serde_json::from_str(&schema).or_fail("read the schema");
    let mut keys = (BTreeSet::new(), BTreeSet::new());
    compare("", &values, &schema, &mut keys);
    // Helm hands these to a chart that another depends on.
    keys.0.extend(["global".to_owned(), "enabled".to_owned()]);
    assert_eq!(keys.0, keys.1);
    assert!(60 < keys.0.len(), "the values have got lost");
}

/// Collects the keys of the values, and those that the schema knows, where it knows them all.
fn compare(
    at: &str,
    values: &Json,
    schema: &Json,
    keys: &mut (BTreeSet<String>, BTreeSet<String>),
) {
    let Some(known) = schema["properties"].as_object() else {
        return; // As Kubernetes writes it, or a matter of ligase.yaml.
    };
    if values.as_object().is_some_and(|it| it.is_empty()) {
        return; // What may stand there has no default.
    }
    assert_eq!(schema["additionalProperties"], false, "{at} takes anything");
    let path = |key: &String| format!("{at}{key}");
    keys.1.extend(known.keys().map(path));
    for (key, value) in values.as_object().into_iter().flatten() {
        keys.0.insert(path(key));
        compare(&format!("{at}{key}."), value, &known.get(key).cloned().unwrap_or_default(), keys);
    }
}

#[test]
fn it_is_written_as_yaml_should_be() {
    let mut linter = Command::new(root().join(".venv/bin/yamllint"));
    linter.current_dir(root()).args(["--strict", "--config-data", YAML_RULES]);
    let files = ["Chart.yaml", "values.yaml"].map(|it| format!("{CHART}/{it}"));
    let folders = ["helm/overlays", "tests/kubernetes/values"].map(str::to_owned);
    let done = linter.args(files).args(folders).output().or_fail("run yamllint");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
}

#[test]
fn whoever_installs_it_is_told_what_to_do_next() {
    for case in [
        "sidecar-dns",
        "sidecar-closed",
        "sidecar-redirect",
        "server-dns",
        "gateway-hoster",
        "gateway-explicit",
    ] {
        golden::hold(&format!("tests/kubernetes/golden/NOTES-{case}.txt"), &notes_of(case));
    }
}

/// What `ligase inject` does not mount, nobody is led to inject.
#[test]
fn whoever_brings_an_authority_is_not_told_to_inject() {
    let told = notes_with("sidecar-dns", &["--set", "localCA.existingSecret=ligase-ca"]);
    assert!(!told.contains("ligase inject --"), "{told}");
    assert!(told.contains("`ligase inject` knows neither `localCA.existingSecret`"), "{told}");
}

#[test]
fn whoever_lints_it_as_it_is_is_told_what_to_write() {
    let mut linter = Command::new(root().join(".venv/bin/helm"));
    linter.current_dir(root()).args(["lint", CHART]).env("HOME", "/nonexistent");
    let done = linter.output().or_fail("run helm");
    let said = [&done.stdout[..], &done.stderr].map(String::from_utf8_lossy).concat();
    for value in ["serverName: write", "hosts: name", "tls: name", "selector: write"] {
        assert!(said.contains(value), "nothing is said of {value}: {said}");
    }
}

#[test]
fn the_records_that_it_tells_to_publish_are_those_of_the_program() {
    let told: BTreeSet<_> = srv_records(&notes_of("sidecar-dns"));
    let folder = Folder::new("records");
    let config = Case::of("sidecar-dns").write_what_is_mounted(&folder.0);
    let mut records = Command::new(program("ligase"));
    let done = records.args(["records", "--config"]).arg(config).output().or_fail("run ligase");
    let published = srv_records(&String::from_utf8_lossy(&done.stdout));
    assert_eq!(told.len(), 4);
    assert_eq!(told, published);
}

fn srv_records(text: &str) -> BTreeSet<String> {
    let records = text.lines().map(str::trim).filter(|it| it.contains(" IN SRV "));
    records.map(str::to_owned).collect()
}

/// As yamllint has it, but for lines as long as they need to be, and braces as we write them.
const YAML_RULES: &str = "{extends: default, rules: {line-length: disable, document-start: disable, \
    braces: {max-spaces-inside: 0}, comments: {min-spaces-from-content: 1}}}";
