//! The chart with many values: what it renders, and who takes that.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use ligase_tests::peer::program;
use ligase_tests::{OrFail, pod_security};
use serde_yaml::Value;

use crate::golden;
use crate::helm::{CASES, CHART, Case, arguments_of, documents, helm, list, word, yaml};
use crate::manifest::{Folder, file, root};
use crate::readme;
use crate::valid;

#[test]
fn every_case_is_rendered_as_it_was() {
    assert!(20 <= CASES.len(), "the cases have got lost");
    for case in CASES.iter() {
        golden::hold(&golden_of(&case.name), &without_noise(&case.text));
    }
}

#[test]
fn nothing_is_golden_that_is_not_rendered() {
    let files = fs::read_dir(root().join("tests/kubernetes/golden")).or_fail("list what is golden");
    let kept: BTreeSet<_> = files
        .map(|it| it.or_fail("list what is golden").file_name().to_string_lossy().into_owned())
        .filter(|it| it.ends_with(".yaml"))
        .collect();
    let made: BTreeSet<_> = CASES.iter().map(|case| format!("{}.yaml", case.name)).collect();
    assert_eq!(kept, made);
}

#[test]
fn helm_finds_nothing_to_complain_of() {
    for case in CASES.iter() {
        let mut arguments = vec!["lint", "--strict", CHART];
        let values = arguments_of(&case.name);
        let values = values.iter().filter(|it| !it.starts_with("--api-versions"));
        arguments.extend(values.map(String::as_str));
        helm(&arguments).or_fail(&format!("lint {}", case.name));
    }
}

#[test]
fn every_manifest_is_one_that_kubernetes_takes() {
    let manifests: Vec<_> = CASES
        .iter()
        .flat_map(|case| case.manifests().into_iter().map(|it| (case.name.clone(), it)))
        .collect();
    assert!(100 < manifests.len(), "the manifests have got lost");
    assert_eq!(valid::problems(&manifests), [""; 0]);
}

/// What validates has to refuse what is wrong, or nothing is shown.
#[test]
fn a_manifest_that_is_wrong_is_refused() {
    let mut service = Case::of("sidecar-dns").manifest("Service", "xmpp-ligase");
    service["spec"]["prots"] = Value::Null;
    let problems = valid::problems(&[("a Service".to_owned(), service)]);
    assert_eq!(problems.len(), valid::VERSIONS.len());
    assert!(problems.iter().all(|it| it.contains("prots")), "{problems:?}");
}

#[test]
fn every_configuration_is_one_that_ligase_takes() {
    let folder = Folder::new("validate");
    let mut refused = Vec::new();
    for case in CASES.iter() {
        let config = case.write_what_is_mounted(&folder.0.join(&case.name));
        let mut validate = Command::new(program("ligase"));
        let validate = validate.args(["validate", "--config"]).arg(&config);
        let done = validate.output().or_fail("run ligase validate");
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stdout).into_owned();
            let config = fs::read_to_string(&config).or_fail("read a configuration");
            refused.push(format!("{}: {said}\n{config}", case.name));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

/// What the program does not know it would refuse before it comes to its help.
#[test]
fn what_containers_are_told_is_known_to_the_program() {
    let told: BTreeSet<Vec<String>> = CASES
        .iter()
        .flat_map(|case| case.pods().into_values())
        .flat_map(|pod| [list(&pod["initContainers"]), list(&pod["containers"])].concat())
        .filter(|it| OURS.contains(&word(&it["name"])))
        .map(|it| list(&it["args"]).iter().map(|it| word(it).to_owned()).collect())
        .collect();
    assert!(3 < told.len(), "the containers have got lost");
    for arguments in told {
        let mut ligase = Command::new(program("ligase"));
        let done = ligase.args(&arguments).arg("--help").output().or_fail("run ligase");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{arguments:?}: {said}");
    }
}

#[test]
fn pods_are_restricted_unless_they_change_the_network() {
    let mut looked_at = 0;
    for case in CASES.iter() {
        let captures = case.text.contains("name: ligase-capture");
        for (kind, mut pod) in case.pods() {
            // What somebody gives of their own server is theirs to restrict.
            for containers in ["containers", "initContainers"] {
                if let Some(all) = pod[containers].as_sequence_mut() {
                    all.retain(|it| OURS.contains(&word(&it["name"])));
                }
            }
            let found = violations(&pod);
            let excused = |it: &String| captures && it.contains("ligase-capture");
            let found: Vec<_> = found.into_iter().filter(|it| !excused(it)).collect();
            assert_eq!(found, [""; 0], "the pod of the {kind} in {}", case.name);
            looked_at += 1;
        }
    }
    assert!(30 < looked_at, "the pods have got lost");
    // With a server that is restricted itself, nothing is excused.
    assert_eq!(violations(&Case::of("server-dns").pods()["StatefulSet"]), [""; 0]);
}

#[test]
fn what_is_named_is_there() {
    for case in CASES.iter() {
        let manifests = case.manifests();
        for manifest in &manifests {
            assert_eq!(manifest["metadata"]["namespace"], "chat", "in {}", case.name);
        }
        for (kind, pod) in case.pods() {
            let containers =
                || [&pod["initContainers"], &pod["containers"]].into_iter().flat_map(list);
            let ports: BTreeSet<_> = containers()
                .flat_map(|it| list(&it["ports"]))
                .map(|it| word(&it["name"]))
                .collect();
            let volumes: BTreeSet<_> =
                list(&pod["volumes"]).iter().map(|it| word(&it["name"])).collect();
            for container in containers().filter(|it| OURS.contains(&word(&it["name"]))) {
                for mount in list(&container["volumeMounts"]) {
                    assert!(volumes.contains(word(&mount["name"])), "{mount:?} in {}", case.name);
                    assert!(mount.get("subPath").is_none(), "it would never be read again");
                }
            }
            let names = targets(&manifests);
            let lost = names.difference(&ports).collect::<Vec<_>>();
            assert!(
                kind == "Pod" || lost.is_empty(),
                "no port is called {lost:?} in {}",
                case.name
            );
        }
    }
}

/// EndpointSlices, and some networks, do not know the names of ports of native sidecars.
#[test]
fn ports_of_the_sidecar_are_numbers() {
    for case in CASES.iter() {
        let manifests = case.manifests();
        let named: Vec<_> =
            targets(&manifests).into_iter().filter(|it| it.starts_with("ligase")).collect();
        assert_eq!(named, [""; 0], "in {}", case.name);
    }
    let of = |case: &str, name| {
        let service = Case::of(case).manifest("Service", name);
        list(&service["spec"]["ports"]).iter().map(|it| it["targetPort"].as_u64()).collect()
    };
    let peers: Vec<_> = of("sidecar-dns", "xmpp-ligase");
    assert_eq!(peers, [Some(7269); 2]);
    let servers: Vec<_> = of("gateway-dns", "xmpp-ligase-backends");
    assert_eq!(servers, [Some(7270), Some(7253), Some(7253)]);
    let monitor = Case::of("monitored").manifest("PodMonitor", "xmpp-ligase");
    assert_eq!(monitor["spec"]["podMetricsEndpoints"][0]["portNumber"], 7290);
}

/// What a server needs besides its peers, nobody but its operator knows.
#[test]
fn a_policy_leaves_users_in_and_all_out_unless_told_otherwise() {
    let policy =
        |case: &str| Case::of(case).manifest("NetworkPolicy", "xmpp-ligase")["spec"].clone();
    let closed = policy("sidecar-closed");
    assert_eq!(list(&closed["policyTypes"]), ["Ingress"]);
    assert!(closed.get("egress").is_none());
    let open: Vec<_> = list(&closed["ingress"])
        .iter()
        .filter(|rule| rule.get("from").is_none())
        .flat_map(|rule| list(&rule["ports"]).iter().filter_map(|it| it["port"].as_u64()))
        .collect();
    assert_eq!(open, [7269, 5222, 5280]);
    let gateway = policy("gateway-hoster");
    assert_eq!(list(&gateway["policyTypes"]), ["Ingress", "Egress"]);
    let anywhere = yaml_of("[{protocol: TCP}]");
    assert!(list(&gateway["egress"]).iter().any(|rule| rule["ports"] == anywhere));
    let servers =
        yaml_of("{podSelector: {matchLabels: {app.kubernetes.io/component: xmpp-server}}}");
    let may = list(&gateway["ingress"]).iter().find(|rule| rule["ports"][0]["port"] == 7270);
    let may = list(&may.or_fail("find what is for servers")["from"]);
    assert_eq!(may.first(), Some(&servers));
    assert!(may.iter().any(|it| it["ipBlock"]["cidr"] == "10.244.0.0/16"));
}

/// Whoever is asked about peers knows nothing of the cluster, where the servers' names are.
#[test]
fn a_gateway_asks_the_cluster_for_the_names_of_its_servers() {
    for (more, expected) in [("", "system"), ("clusterDNS=10.96.0.10", "[\"10.96.0.10:53\"]")] {
        let mut arguments = vec!["template", "xmpp", CHART, "--namespace", "chat"];
        let values = arguments_of("gateway-hoster");
        arguments.extend(values.iter().map(String::as_str));
        arguments.extend(["--set", more]);
        let manifests = documents(&helm(&arguments).or_fail("render"));
        let map = manifests.iter().find(|it| it["kind"] == "ConfigMap").or_fail("find it");
        let config = yaml_of(word(&map["data"]["ligase.yaml"]));
        assert_eq!(config["resolver"]["forward"], yaml_of(expected));
        assert_eq!(config["resolver"]["servers"], yaml_of("[\"192.0.2.53:53\"]"));
    }
}

fn yaml_of(text: &str) -> Value {
    serde_yaml::from_str(text).or_fail("understand what is expected")
}

/// A value that no case sets is one whose effect nobody has seen.
#[test]
fn every_value_is_set_by_some_case() {
    let set: BTreeSet<_> = CASES
        .iter()
        .flat_map(|case| {
            let values = yaml(&format!("tests/kubernetes/values/{}.yaml", case.name));
            readme::values()
                .into_iter()
                .filter(move |path| path.iter().try_fold(&values, |at, key| at.get(key)).is_some())
        })
        .collect();
    assert_eq!(set, readme::values().into_iter().collect());
}

/// The pod of `helm test` asks; nobody should be led to it.
#[test]
fn services_and_policies_mean_the_pods_that_ligase_is_in() {
    let case = Case::of("gateway-hoster");
    let labels =
        case.manifest("Deployment", "xmpp-ligase")["spec"]["template"]["metadata"]["labels"]
            .clone();
    let service = case.manifest("Service", "xmpp-ligase")["spec"]["selector"].clone();
    let others = ["NetworkPolicy", "PodDisruptionBudget"].map(|kind| {
        let spec = case.manifest(kind, "xmpp-ligase")["spec"].clone();
        let selector = spec.get("podSelector").or_else(|| spec.get("selector"));
        selector.or_fail("find a selector")["matchLabels"].clone()
    });
    for selector in others.iter().chain([&service]) {
        assert_eq!(*selector, labels);
    }
    let asking = case.manifest("Pod", "xmpp-ligase-check")["metadata"]["labels"].clone();
    let selected = |it: &Value| {
        it.as_mapping().is_some_and(|all| all.iter().all(|(key, value)| asking[key] == *value))
    };
    assert!(!selected(&service), "peers would be led to {asking:?}");
}

/// The ports of pods that Services, policies and monitors name.
fn targets(manifests: &[Value]) -> BTreeSet<&str> {
    let of_kind = |kind: &'static str| manifests.iter().filter(move |it| it["kind"] == kind);
    let services =
        of_kind("Service").flat_map(|it| list(&it["spec"]["ports"])).map(|it| &it["targetPort"]);
    let policies = of_kind("NetworkPolicy")
        .flat_map(|it| list(&it["spec"]["ingress"]))
        .flat_map(|it| list(&it["ports"]))
        .map(|it| &it["port"]);
    let monitors = of_kind("PodMonitor")
        .flat_map(|it| list(&it["spec"]["podMetricsEndpoints"]))
        .map(|it| &it["port"]);
    services.chain(policies).chain(monitors).filter_map(Value::as_str).collect()
}

fn violations(pod: &Value) -> Vec<String> {
    let spec = serde_json::to_value(pod).or_fail("write a pod as JSON");
    pod_security::violations(&serde_json::json!({ "spec": spec }))
}

fn golden_of(name: &str) -> String {
    format!("tests/kubernetes/golden/{name}.yaml")
}

/// What is rendered, without what is drawn by chance, and what is a file of the project anyway.
fn without_noise(text: &str) -> String {
    let indented = |path: &str, link: &str| {
        let text = file(path).replace("runbook_url: docs/", link);
        let pad =
            |line: &str| if line.is_empty() { "    ".to_owned() } else { format!("    {line}") };
        text.trim_end().lines().map(pad).collect::<Vec<_>>().join("\n")
    };
    let dashboard = indented("helm/ligase/files/ligase.json", "");
    let text = text.replace(&dashboard, "    (helm/ligase/files/ligase.json)");
    let lines = text.lines().map(|line| match is_drawn(line.trim()) {
        true => "    (64 hexadecimal digits)",
        false => line,
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// Whether a line is a secret.
fn is_drawn(line: &str) -> bool {
    line.len() == 64 && line.bytes().all(|it| it.is_ascii_hexdigit())
}

/// The containers that are ligase's.
const OURS: [&str; 3] = ["ligase", "ligase-capture", "check"];
