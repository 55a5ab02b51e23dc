//! The files that operators are given: rules, and a dashboard.

use std::fs;
use std::path::{Path, PathBuf};

use ligase_tests::OrFail;
use serde_json::Value as Json;
use serde_yaml::Value as Yaml;

/// Where the rules are, their tests and an example configuration.
pub(crate) const RULES: &str = "deploy/prometheus/ligase.rules.yaml";
pub(crate) const TESTS: &str = "deploy/prometheus/ligase.tests.yaml";
pub(crate) const EXAMPLE: &str = "deploy/prometheus/prometheus.yaml";
const DASHBOARD: &str = "deploy/grafana/ligase.json";

/// A rule, as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// Its name: an alert's, or a series'.
    pub(crate) name: String,
    /// What is asked.
    pub(crate) expr: String,
    /// What is said, if it is an alert.
    pub(crate) alert: Option<Alert>,
}

/// What an alert says.
#[derive(Clone, Debug)]
pub(crate) struct Alert {
    pub(crate) severity: String,
    /// How long it has to be so, as it is written.
    pub(crate) wait: Option<String>,
    pub(crate) summary: String,
    pub(crate) description: String,
    pub(crate) runbook: String,
}

/// Something that is asked, and by whom.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) place: String,
    pub(crate) expr: String,
}

/// All rules.
pub(crate) fn rules() -> Vec<Rule> {
    let file: Yaml = serde_yaml::from_str(&read(RULES)).or_fail("read the rules");
    let groups = file["groups"].as_sequence().or_fail("find groups of rules");
    let rules = groups.iter().flat_map(|group| group["rules"].as_sequence().into_iter().flatten());
    rules.map(Rule::of).collect()
}

/// The names of all alerts; one that has two severities stands there once.
pub(crate) fn alerts() -> Vec<String> {
    let mut names: Vec<_> =
        rules().into_iter().filter(|it| it.alert.is_some()).map(|it| it.name).collect();
    names.dedup();
    names
}

/// What the panels of the dashboard ask, with the values that a test has in the place of those that
/// people choose.
pub(crate) fn panels() -> Vec<Query> {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().or_fail("find panels");
    let targets = panels.iter().flat_map(|panel| {
        let title = panel["title"].as_str().unwrap_or_default().to_owned();
        let targets = panel["targets"].as_array().into_iter().flatten();
        targets.map(move |target| (title.clone(), target["expr"].as_str().unwrap_or_default()))
    });
    targets.map(|(place, expr)| Query { place, expr: chosen(expr) }).collect()
}

/// The dashboard, as it is written.
pub(crate) fn dashboard() -> Json {
    serde_json::from_str(&read(DASHBOARD)).or_fail("read the dashboard")
}

/// A file of the project.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).or_fail(&format!("read {path}"))
}

/// The folder of the project.
pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().or_fail("find the project").to_owned()
}

impl Rule {
    fn of(rule: &Yaml) -> Self {
        let text = |value: &Yaml| value.as_str().map(str::to_owned);
        let name = text(&rule["alert"]).or_else(|| text(&rule["record"]));
        let said = |name: &str| text(&rule["annotations"][name]).unwrap_or_default();
        let alert = rule.get("alert").map(|_| Alert {
            severity: text(&rule["labels"]["severity"]).unwrap_or_default(),
            wait: text(&rule["for"]),
            summary: said("summary"),
            description: said("description"),
            runbook: said("runbook_url"),
        });
        let expr = text(&rule["expr"]).or_fail("read what a rule asks");
        Self { name: name.or_fail("read a rule's name"), expr, alert }
    }
}

/// A query as somebody asks it who has chosen everything, and long times.
fn chosen(expr: &str) -> String {
    let mut expr = expr.replace("$__rate_interval", "1h").replace("$__range", "1h");
    for variable in ["$namespace", "$pod", "$instance", "$direction"] {
        expr = expr.replace(variable, ".*");
    }
    assert!(!expr.contains('$'), "who chooses what stands in {expr}?");
    expr
}
