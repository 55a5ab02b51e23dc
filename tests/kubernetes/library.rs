//! Whoever makes the pod, by whatever of ours: it is the same pod.

use std::fs;
use std::path::Path;

use ligase_tests::OrFail;
use serde_yaml::{Mapping, Value};

use crate::helm::{
    CHART, Case, NAMESPACE, RELEASE, arguments_of, documents, helm, list, notes_of, word, yaml,
};
use crate::manifest::{Folder, inject, root};

#[test]
fn a_chart_that_depends_on_ours_gets_the_pod_that_ours_makes() {
    let parent = Parent::new("equal");
    for (values, server) in [
        ("sidecar-dns", "server-dns"),
        ("sidecar-redirect", "server-redirect"),
        ("sidecar-explicit", "server-explicit"),
    ] {
        let manifests = parent.render(values, &[]).or_fail("render the parent");
        let ours = of_ligase(&Case::of(server).pods()["StatefulSet"]);
        for name in ["whole", "parts"] {
            let found = manifests.iter().find(|it| it["metadata"]["name"] == name);
            let pod = &found.or_fail("find a Deployment")["spec"]["template"]["spec"];
            assert_eq!(of_ligase(pod), ours, "{name} of {values}");
        }
        let kinds =
            ["ConfigMap", "Secret"].map(|kind| manifests.iter().any(|it| it["kind"] == kind));
        assert_eq!(kinds, [true; 2], "what is mounted is not there");
    }
}

/// By the very command that the notes tell to type.
#[test]
fn ligase_inject_makes_the_pod_that_the_chart_makes() {
    for (told, server) in [
        ("sidecar-dns", "server-dns"),
        ("sidecar-redirect", "server-redirect"),
        ("sidecar-plain", "server-plain-dns"),
    ] {
        let notes = notes_of(told);
        let (_, command) = notes.split_once("ligase inject ").or_fail("find the command");
        let (flags, _) = command.split_once(" < server.yaml").or_fail("find its end");
        let text = inject(&flags.replace('\\', ""), SERVER);
        let injected = documents(&text).into_iter().next().or_fail("find what was injected");
        let ours = of_ligase(&Case::of(server).pods()["StatefulSet"]);
        assert_eq!(of_ligase(&injected["spec"]["template"]["spec"]), ours, "{flags}");
    }
}

#[test]
fn a_chart_that_depends_on_ours_can_do_without() {
    let parent = Parent::new("without");
    let manifests = parent.render("sidecar-dns", &["--set", "ligase.enabled=false"]);
    let manifests = manifests.or_fail("render the parent");
    assert_eq!(manifests.len(), 1);
    assert!(manifests[0]["spec"]["template"]["spec"]["initContainers"].is_null());
}

#[test]
fn a_chart_that_depends_on_ours_is_held_to_the_schema() {
    let said = Parent::new("held").render("sidecar-dns", &["--set", "ligase.capture=nft"]);
    let said = said.expect_err("there is no such capture");
    assert!(
        said.contains("'/capture': value must be one of 'dns', 'redirect', 'explicit'"),
        "{said}"
    );
}

#[test]
fn the_overlay_for_ejabberd_s_chart_is_the_pod_that_ours_makes() {
    let overlay = yaml("helm/overlays/helm-ejabberd.yaml");
    let server = &overlay["statefulSet"];
    let mut pod = Mapping::new();
    for (ours, theirs) in [
        ("initContainers", &server["initContainers"]),
        ("volumes", &server["additionalVolumes"]),
        ("dnsPolicy", &server["dnsPolicy"]),
        ("dnsConfig", &server["dnsConfig"]),
        ("securityContext", &overlay["podSecurityContext"]),
    ] {
        pod.insert(ours.into(), theirs.clone());
    }
    let expected = of_ligase(&Case::of("server-dns").pods()["StatefulSet"]);
    let renamed = serde_yaml::to_string(&expected).or_fail("write a pod");
    let renamed = renamed.replace("name: xmpp-ligase", "name: ligase");
    let renamed = renamed.replace("secretName: xmpp-tls", "secretName: ligase-tls");
    let renamed =
        renamed.replace("secretName: xmpp-ligase-dialback", "secretName: ligase-dialback");
    let expected: Value = serde_yaml::from_str(&renamed).or_fail("read a pod");
    assert_eq!(of_ligase(&Value::Mapping(pod)), expected);
}

/// What of a pod is ligase's: its containers and volumes, and what the pod says of names and ports.
fn of_ligase(pod: &Value) -> Value {
    let ours = |all: &Value| -> Vec<Value> {
        let is_ours = |it: &&Value| word(&it["name"]).starts_with("ligase");
        let mut found: Vec<_> = list(all).iter().filter(is_ours).cloned().collect();
        if all == &pod["volumes"] {
            found.sort_by_key(|it| word(&it["name"]).to_owned()); // Their order means nothing.
        }
        found
    };
    let mut found = Mapping::new();
    for key in ["initContainers", "containers", "volumes"] {
        found.insert(key.into(), ours(&pod[key]).into());
    }
    for key in ["dnsPolicy", "dnsConfig"] {
        found.insert(key.into(), pod[key].clone());
    }
    let sysctls = list(&pod["securityContext"]["sysctls"]).iter();
    let sysctls: Vec<_> =
        sysctls.filter(|it| word(&it["name"]).contains("port_start")).cloned().collect();
    found.insert("sysctls".into(), sysctls.into());
    Value::Mapping(found)
}

/// A chart that has ours as a dependency, in a folder of its own that ends with it.
struct Parent {
    folder: Folder,
}

impl Parent {
    fn new(name: &str) -> Self {
        let parent = Self { folder: Folder::new(&format!("parent-{name}")) };
        for (from, to) in [("tests/kubernetes/parent", "parent"), (CHART, "ligase")] {
            copy(&root().join(from), &parent.folder.0.join(to));
        }
        let chart = parent.folder.0.join("parent").display().to_string();
        helm(&["dependency", "update", "--skip-refresh", &chart]).or_fail("bring the dependency");
        parent
    }

    /// Its manifests, with the values of a case for ours.
    fn render(&self, case: &str, more: &[&str]) -> Result<Vec<Value>, String> {
        let [_, file] = &arguments_of(case)[..] else {
            panic!("{case} wants more than values");
        };
        let values = Mapping::from_iter([(Value::from("ligase"), yaml(file))]);
        let values = serde_yaml::to_string(&values).or_fail("write values");
        let path = self.folder.0.join("values.yaml").display().to_string();
        fs::write(&path, values).or_fail("write values");
        let chart = self.folder.0.join("parent").display().to_string();
        let mut arguments = vec!["template", RELEASE, &chart, "--namespace", NAMESPACE];
        arguments.extend(["--values", &path]);
        arguments.extend(more);
        helm(&arguments).map(|text| documents(&text))
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).or_fail("make a folder");
    for entry in fs::read_dir(from).or_fail("list a folder") {
        let entry = entry.or_fail("list a folder").path();
        let target = to.join(entry.file_name().or_fail("name a file"));
        match entry.is_dir() {
            true => copy(&entry, &target),
            false => drop(fs::copy(&entry, &target).or_fail("copy a file")),
        }
    }
}

/// A server's manifest, before anything is put into it.
const SERVER: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: server}
spec:
  template:
    spec:
      containers: [{name: server, image: server}]
";
