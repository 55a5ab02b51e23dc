//! What every cluster that has sidecars of its own accepts.

use crate::manifest::{Folder, file, inject, shipped, tool};

/// Kubernetes has sidecars since 1.29.
const VERSIONS: std::ops::RangeInclusive<u8> = 29..=37;

/// Has manifests checked, strictly: a key that nobody knows is one that nobody heeds.
#[track_caller]
pub(crate) fn check(name: &str, manifests: &[(&str, &str)]) {
    let folder = Folder::new(name);
    let paths = manifests.iter().map(|(name, text)| folder.write(name, text));
    let paths: Vec<_> = paths.map(|it| it.to_string_lossy().into_owned()).collect();
    let versions: Vec<_> = VERSIONS.map(|minor| format!("-k1.{minor}")).collect();
    let mut arguments = vec!["--strict", "--quiet"];
    arguments.extend(versions.iter().map(String::as_str));
    arguments.extend(paths.iter().map(String::as_str));
    tool("kubernetes-validate", &arguments, "");
}

#[test]
fn what_is_shipped_is_accepted() {
    let texts: Vec<_> = shipped().into_iter().map(|path| (path.clone(), file(&path))).collect();
    let texts: Vec<_> = texts
        .iter()
        .map(|(path, text)| (path.rsplit('/').next().unwrap_or(path), text.as_str()))
        .collect();
    check("shipped", &texts);
}

#[test]
fn what_is_injected_is_accepted() {
    let plain = file("deploy/kubernetes/ejabberd.yaml");
    let ways = ["", "--capture redirect", "--capture explicit", "--plain-sidecar"];
    let texts = ways.map(|it| inject(&format!("--config-map ligase {it}"), &plain));
    let names = ["dns.yaml", "redirect.yaml", "explicit.yaml", "plain.yaml"];
    let texts: Vec<_> = names.into_iter().zip(texts.iter().map(String::as_str)).collect();
    check("injected", &texts);
}

#[test]
#[should_panic(expected = "('dnsPolice' was unexpected)")]
fn what_nobody_knows_is_refused() {
    let wrong =
        file("deploy/kubernetes/ejabberd.injected.yaml").replace("dnsPolicy:", "dnsPolice:");
    check("wrong", &[("wrong.yaml", &wrong)]);
}
