//! Valid: what Kubernetes says of manifests.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::{io::Write, thread};

use ligase_tests::OrFail;
use serde_json::json;
use serde_yaml::Value;

use crate::helm::word;
use crate::manifest::root;

/// What is wrong with manifests, by the schemas of all versions that we are for; each comes with
/// the name of whoever wants it.
///
/// Those of other makers' kinds have no schema there, and are left out.
pub(crate) fn problems(manifests: &[(String, Value)]) -> Vec<String> {
    let known = manifests.iter().filter(|(_, it)| !is_custom(it));
    // Most cases have much in common; what is the same is looked at once.
    let different: BTreeMap<String, &str> = known
        .map(|(name, manifest)| {
            let text = serde_json::to_string(manifest).or_fail("write a manifest as JSON");
            (text, name.as_str())
        })
        .collect();
    let lines: Vec<_> = different
        .iter()
        .map(|(text, name)| {
            let manifest: serde_json::Value = serde_json::from_str(text).or_fail("read JSON");
            json!({"name": name, "manifest": manifest}).to_string()
        })
        .collect();

    let mut validator = Command::new(root().join(".venv/bin/python"));
    validator.arg(root().join("tests/python/manifests.py")).args(VERSIONS);
    let mut validator = validator
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .or_fail("start the validator");
    let mut stdin = validator.stdin.take().or_fail("speak to the validator");
    let told = thread::spawn(move || {
        for line in lines {
            writeln!(stdin, "{line}").or_fail("give the validator a manifest");
        }
    });
    let done = validator.wait_with_output().or_fail("await the validator");
    assert!(told.join().is_ok() && done.status.success(), "the validator failed");
    String::from_utf8_lossy(&done.stdout).lines().map(str::to_owned).collect()
}

/// Whether a manifest is of a kind that others add to Kubernetes.
pub(crate) fn is_custom(manifest: &Value) -> bool {
    let kind = format!("{} {}", word(&manifest["apiVersion"]), word(&manifest["kind"]));
    CUSTOM.contains(&kind.as_str())
}

/// From the oldest that has native sidecars by default to the newest that is known.
pub(crate) const VERSIONS: [&str; 9] =
    ["1.29", "1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"];

/// The kinds of cert-manager, the Gateway API and the Prometheus Operator.
const CUSTOM: [&str; 5] = [
    "cert-manager.io/v1 Certificate",
    "gateway.networking.k8s.io/v1 TCPRoute",
    "gateway.networking.k8s.io/v1alpha2 TCPRoute",
    "monitoring.coreos.com/v1 PodMonitor",
    "monitoring.coreos.com/v1 PrometheusRule",
];
