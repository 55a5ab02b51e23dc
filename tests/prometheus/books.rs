//! What the files and the pages say of each other, and of the metrics that there are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use ligase_metrics::Metrics;
use ligase_tests::OrFail;
use serde_yaml::Value as Yaml;

use crate::files::{Query, TESTS, alerts, dashboard, panels, read, root, rules};

#[test]
fn every_alert_has_a_page_and_every_page_an_alert() {
    let alerts: BTreeSet<_> = alerts().into_iter().collect();
    let mut pages = BTreeSet::new();
    for page in fs::read_dir(root().join("docs/runbooks")).or_fail("list the pages").flatten() {
        let name = page.file_name().to_string_lossy().into_owned();
        let name = name.strip_suffix(".md").or_fail(&format!("read the name of {name}"));
        let text = read(&format!("docs/runbooks/{name}.md"));
        for part in PARTS {
            assert!(text.contains(&format!("\n## {part}\n\n")), "{name}: no {part:?}");
        }
        pages.insert(name.to_owned());
    }
    assert_eq!(alerts, pages);
}

/// What somebody who was woken wants to know, in this order.
const PARTS: [&str; 4] = ["What it means", "How to confirm", "What to do", "When it is harmless"];

#[test]
fn every_alert_says_how_bad_it_is_and_what_it_means() {
    let index = read("docs/alerts.md");
    let mut severities: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for rule in rules() {
        let Some(alert) = rule.alert else {
            assert!(rule.name.starts_with("ligase:"), "{}", rule.name);
            assert!(index.contains(&format!("\n| `{}` | ", rule.name)), "{}", rule.name);
            continue;
        };
        let name = rule.name;
        assert!(name.starts_with("Ligase"), "{name}");
        assert!(["critical", "warning", "info"].contains(&&*alert.severity), "{name}");
        assert!(alert.description.contains("{{ $labels.instance }}"), "{name}: where?");
        assert_eq!(alert.runbook, format!("docs/runbooks/{name}.md"));
        let wait = alert
            .wait
            .as_deref()
            .map_or_else(|| "at once.".to_owned(), |it| format!("after {it}."));
        let page = read(&alert.runbook);
        let told = page.starts_with(&format!("# {name}\n\nSeverity "));
        assert!(told && page.contains(&alert.severity) && page.contains(&wait), "{name}: {wait}");
        let told = severities.entry(name.clone()).or_default();
        told.push(alert.severity);
        if told.len() == 1 {
            let wait = alert.wait.as_deref().unwrap_or("at once");
            let summary = alert.summary;
            let row = format!(" | {wait} | {summary} |");
            let told = index.lines().any(|it| it.starts_with(&link(&name)) && it.ends_with(&row));
            assert!(told, "docs/alerts.md: {name}{row}");
        }
    }
    for (name, told) in severities {
        let row = format!("{}{} | ", link(&name), told.join(", "));
        assert!(index.contains(&row), "docs/alerts.md: {row}");
    }
}

/// How a row of the table of alerts begins.
fn link(name: &str) -> String {
    format!("| [{name}](runbooks/{name}.md) | ")
}

#[test]
fn every_alert_is_tested_both_ways() {
    let file: Yaml = serde_yaml::from_str(&read(TESTS)).or_fail("read the tests of the rules");
    let tests = file["tests"].as_sequence().into_iter().flatten();
    let rows: Vec<_> = tests.flat_map(|it| it["alert_rule_test"].as_sequence()).flatten().collect();
    for name in alerts() {
        let of = rows.iter().filter(|it| it["alertname"].as_str() == Some(&*name));
        let speaks = |row: &&Yaml| row["exp_alerts"].as_sequence().is_some_and(|it| !it.is_empty());
        let (speaking, silent): (Vec<&Yaml>, Vec<&Yaml>) = of.copied().partition(speaks);
        assert!(!speaking.is_empty() && !silent.is_empty(), "{name}");
    }
    for rule in rules().iter().filter(|it| it.alert.is_none()) {
        assert!(read(TESTS).contains(&rule.name), "{} is not tested", rule.name);
    }
}

#[test]
fn every_panel_says_what_it_shows() {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().or_fail("find panels");
    let (mut numbers, mut titles) = (BTreeSet::new(), BTreeSet::new());
    let mut rows = 0;
    for panel in panels {
        let title = panel["title"].as_str().unwrap_or_default();
        assert!(numbers.insert(panel["id"].as_u64()), "{title}: another has its number");
        assert!(titles.insert(title), "{title}: another is called so");
        if panel["type"] == "row" {
            rows += 1;
            continue;
        }
        let said = panel["description"].as_str().unwrap_or_default();
        assert!(said.ends_with('.'), "{title}: what does it show?");
        let unit = panel["fieldConfig"]["defaults"]["unit"].as_str();
        assert!(unit.is_some(), "{title}: in which unit?");
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
    }
    assert_eq!(rows, 6);
}

#[test]
fn what_is_asked_for_is_counted() {
    let families = families();
    let mut asked = BTreeSet::new();
    let queries = rules().into_iter().map(|it| Query { place: it.name, expr: it.expr });
    for Query { place, expr } in queries.chain(panels()) {
        for Selector { metric, matchers } in selectors(&expr) {
            let (name, family) =
                find(&families, &metric).or_fail(&format!("find {metric}, asked for by {place}"));
            asked.insert(name.to_owned());
            for (label, value) in matchers {
                if OF_TARGETS.contains(&&*label) || label == "le" {
                    continue;
                }
                let values = family.get(&label);
                let values = values.or_fail(&format!("find {label} of {name}, as in {place}"));
                // What is no plain word is a pattern; that it finds something is shown elsewhere.
                let is_plain = |it: &&str| it.chars().all(|it| it.is_alphanumeric() || it == '-');
                for word in value.split('|').filter(is_plain) {
                    assert!(values.contains(word), "{place}: no {name} has {label}={word:?}");
                }
            }
        }
    }
    // What nobody looks at need not be counted.
    let unseen: Vec<_> = families.keys().filter(|it| !asked.contains(*it)).collect();
    assert_eq!(unseen, UNSEEN.iter().collect::<Vec<_>>());
}

/// What Prometheus adds to every series, and Kubernetes.
const OF_TARGETS: [&str; 4] = ["job", "instance", "namespace", "pod"];

/// What every exporter has and no page of ours shows.
const UNSEEN: [&str; 2] = ["process_threads", "process_virtual_memory_bytes"];

/// The labels of a family, and their values.
type Labels = BTreeMap<String, BTreeSet<String>>;

/// Every family that there is.
fn families() -> BTreeMap<String, Labels> {
    let text = Metrics::new("1", "test").render();
    let mut families: BTreeMap<String, Labels> = BTreeMap::new();
    for name in text.lines().filter_map(|it| it.strip_prefix("# TYPE ")) {
        let (name, _) = name.split_once(' ').or_fail("read a type");
        families.insert(name.to_owned(), Labels::new());
    }
    // It is not ours, but Prometheus' own word on a target.
    families.insert("up".to_owned(), Labels::new());
    for line in text.lines().filter(|it| !it.starts_with('#')) {
        for Selector { metric, matchers } in selectors(line) {
            let name = find(&families, &metric).map(|(name, _)| name.to_owned());
            let family = name.and_then(|it| families.get_mut(&it));
            let family = family.or_fail(&format!("find the family of {metric}"));
            for (label, value) in matchers {
                family.entry(label).or_default().insert(value);
            }
        }
    }
    families
}

/// The names of all series that there are, as Prometheus knows them.
pub(crate) fn series() -> BTreeSet<String> {
    let text = Metrics::new("1", "test").render();
    let lines = text.lines().filter(|it| !it.starts_with('#'));
    lines.filter_map(|it| it.split(['{', ' ']).next()).map(str::to_owned).collect()
}

/// The family of a series.
fn find<'a>(families: &'a BTreeMap<String, Labels>, metric: &str) -> Option<(&'a str, &'a Labels)> {
    let parts = ["_bucket", "_sum", "_count"].map(|end| metric.strip_suffix(end));
    let names = [Some(metric)].into_iter().chain(parts).flatten();
    let (name, labels) = names.filter_map(|it| families.get_key_value(it)).next()?;
    Some((name, labels))
}

/// A metric that is asked for, and by which labels.
struct Selector {
    metric: String,
    matchers: Vec<(String, String)>,
}

/// All metrics that a query, or a line of metrics, names.
fn selectors(expr: &str) -> Vec<Selector> {
    let is_name = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == ':';
    let mut found = Vec::new();
    let mut rest = expr;
    while let Some(at) = rest.find(is_name) {
        rest = &rest[at..];
        let end = rest.find(|it| !is_name(it)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        rest = after;
        if let Some(inside) = after.strip_prefix('{') {
            let end = inside.find('}').unwrap_or(inside.len());
            let matchers = inside[..end].split("\",").filter_map(matcher).collect();
            rest = &inside[end..];
            if !name.starts_with("ligase:") {
                found.push(Selector { metric: name.to_owned(), matchers });
            }
        } else if name.starts_with("ligase_") || name.starts_with("process_") {
            found.push(Selector { metric: name.to_owned(), matchers: Vec::new() });
        }
    }
    found
}

/// A label and what is asked of it: `rcode=~"timeout|refused`.
fn matcher(text: &str) -> Option<(String, String)> {
    let (label, rest) = text.split_once(['=', '!'])?;
    let value = rest.trim_start_matches(['=', '~', '!']).trim_start_matches('"');
    Some((label.trim().to_owned(), value.trim_end().trim_end_matches('"').to_owned()))
}
