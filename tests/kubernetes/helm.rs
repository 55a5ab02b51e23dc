//! Helm: the real one, and what it makes of the chart.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::LazyLock;

use ligase_tests::OrFail;
use serde::Deserialize;
use serde_yaml::Value;

use crate::manifest::{file, root};

/// Where the chart is.
pub(crate) const CHART: &str = "helm/ligase";
/// What a release of it is called here, and where it is.
pub(crate) const RELEASE: &str = "xmpp";
pub(crate) const NAMESPACE: &str = "chat";

/// A file of values, and what becomes of it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// What it is about: the name of its file.
    pub(crate) name: String,
    /// How it is rendered.
    pub(crate) text: String,
}

/// All cases, rendered once for all tests.
pub(crate) static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let folder = root().join(VALUES);
    let files = fs::read_dir(&folder).or_fail("list the cases");
    let mut names: Vec<_> = files
        .map(|file| file.or_fail("list the cases").path())
        .map(|path| path.file_stem().or_fail("name a case").display().to_string())
        .collect();
    names.sort();
    names.into_iter().map(|name| Case { text: render(&name), name }).collect()
});

impl Case {
    /// The case of that name.
    pub(crate) fn of(name: &str) -> &'static Self {
        CASES.iter().find(|case| case.name == name).or_fail(&format!("find the case {name}"))
    }

    /// Its manifests.
    pub(crate) fn manifests(&self) -> Vec<Value> {
        documents(&self.text)
    }

    /// Its one manifest of that kind and name.
    pub(crate) fn manifest(&self, kind: &str, name: &str) -> Value {
        let mut all = self.manifests().into_iter();
        let found = all.find(|it| it["kind"] == kind && it["metadata"]["name"] == name);
        found.or_fail(&format!("find the {kind} {name} of {}", self.name))
    }

    /// The pods that the chart makes, by the kind of what makes them, as specifications.
    pub(crate) fn pods(&self) -> BTreeMap<String, Value> {
        let pod = |it: &Value| {
            let template = &it["spec"]["template"]["spec"];
            let whole = (it["kind"] == "Pod").then(|| it["spec"].clone());
            whole.or_else(|| Some(template.clone()).filter(|it| !it.is_null()))
        };
        let all = self.manifests().into_iter();
        all.filter_map(|it| Some((word(&it["kind"]).to_owned(), pod(&it)?))).collect()
    }
}

/// Renders a case as Helm does without a cluster.
fn render(name: &str) -> String {
    let mut arguments = vec!["template", RELEASE, CHART, "--namespace", NAMESPACE];
    let more = arguments_of(name);
    arguments.extend(more.iter().map(String::as_str));
    helm(&arguments).unwrap_or_else(|error| panic!("{name} cannot be rendered: {error}"))
}

/// What Helm tells whoever installs a case.
pub(crate) fn notes_of(name: &str) -> String {
    notes_with(name, &[])
}

/// What Helm tells whoever installs a case and says more than its file does.
pub(crate) fn notes_with(name: &str, besides: &[&str]) -> String {
    let mut arguments = vec!["install", RELEASE, CHART, "--namespace", NAMESPACE];
    let more = arguments_of(name);
    arguments.extend(more.iter().map(String::as_str));
    arguments.extend(besides);
    arguments.push("--dry-run=client");
    let said = helm(&arguments).or_fail("install it for show");
    let (_, notes) = said.split_once("\nNOTES:\n").or_fail("find the notes");
    notes.to_owned()
}

/// Its values, and whatever else its file wants Helm to be told.
pub(crate) fn arguments_of(name: &str) -> Vec<String> {
    let path = format!("{VALUES}/{name}.yaml");
    let text = file(&path);
    let more = text.lines().find_map(|line| line.strip_prefix("# helm: ")).unwrap_or_default();
    let more = more.split_whitespace().map(str::to_owned);
    ["--values".to_owned(), path].into_iter().chain(more).collect()
}

/// Runs Helm in the folder of the project: what it says, or why it does not do it.
pub(crate) fn helm(arguments: &[&str]) -> Result<String, String> {
    let mut helm = Command::new(root().join(".venv/bin/helm"));
    // Neither a cluster nor settings of whoever runs the tests.
    helm.current_dir(root()).args(arguments).env_remove("KUBECONFIG").env("HOME", "/nonexistent");
    for folder in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        helm.env(folder, root().join("target/helm"));
    }
    let done = helm.output().or_fail("run helm");
    let said = |bytes: Vec<u8>| String::from_utf8(bytes).or_fail("read what helm says");
    match done.status.success() {
        true => Ok(said(done.stdout)),
        false => Err(said([done.stdout, done.stderr].concat())),
    }
}

/// The documents of a stream of YAML that are not empty.
pub(crate) fn documents(text: &str) -> Vec<Value> {
    let all = serde_yaml::Deserializer::from_str(text);
    let all = all.map(|it| Value::deserialize(it).or_fail("read a manifest"));
    all.filter(|it| !it.is_null()).collect()
}

/// A file of the project as YAML.
pub(crate) fn yaml(path: &str) -> Value {
    serde_yaml::from_str(&file(path)).or_fail(&format!("understand {path}"))
}

/// A value that is text, or nothing.
pub(crate) fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A value that is a list, or an empty one.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_sequence().map(Vec::as_slice).unwrap_or_default()
}

/// Where the cases are.
const VALUES: &str = "tests/kubernetes/values";
