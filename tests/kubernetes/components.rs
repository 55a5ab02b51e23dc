//! The components of kustomize, and what they have in common with `ligase inject`.

use ligase_tests::OrFail as _;
use serde_json::Value;

use crate::manifest::{Folder, file, inject, only, pod, read, tool};
use crate::schema::check;

/// Which component does what `ligase inject` does.
const COMPONENTS: [(&str, &str); 3] = [
    ("component", "--capture dns"),
    ("component-redirect", "--capture redirect"),
    ("component-explicit", "--capture explicit"),
];

/// A server's manifest without a namespace, which the kustomization gives it.
fn server(name: &str) -> String {
    let text = file(&format!("deploy/kubernetes/{name}.yaml")).replace("  namespace: chat\n", "");
    let kind = text.find("kind: StatefulSet").or_fail("find the workload");
    let (before, after) = text.split_at(kind);
    let annotated = "metadata:\n  annotations:\n    ligase/inject: \"true\"\n";
    format!("{before}{}", after.replacen("metadata:\n", annotated, 1))
}

/// Builds a kustomization with what its first lines say, and more.
#[track_caller]
fn build(name: &str, lines: &str, resources: &[(&str, &str)]) -> String {
    let folder = Folder::new(name);
    for (path, text) in resources {
        folder.write(path, text);
    }
    folder.write("ligase.yaml", "server_name: xmpp.montague.example\n");
    let names: Vec<_> = resources.iter().map(|(path, _)| format!("- {path}\n")).collect();
    let text = format!(
        "namespace: chat\nresources:\n{}configMapGenerator:\n- name: ligase\n  \
         files: [ligase.yaml]\n{}",
        names.concat(),
        lines.replace("LIGASE", OURS)
    );
    folder.write("kustomization.yaml", &text);
    tool("kubectl", &["kustomize", &folder.0.to_string_lossy()], "")
}

/// Where the components are from a folder of a test: kustomize takes no path that begins at the top.
const OURS: &str = "../../../deploy/kubernetes";

/// With what it takes to search for names in the namespace.
fn lines(component: &str) -> String {
    let transformer = match component {
        "component" => "transformers:\n- LIGASE/namespace\n",
        _ => "",
    };
    format!("components:\n- LIGASE/{component}\n{transformer}")
}

/// Two ways to the same pod, but for the order of what has none and the name that kustomize makes of
/// the configuration's digest.
#[test]
fn a_component_makes_the_same_pod_as_ligase_inject() {
    for name in ["ejabberd", "prosody"] {
        let plain = server(name);
        for (component, flags) in COMPONENTS {
            let built = build(
                &format!("same-{name}-{component}"),
                &lines(component),
                &[("server.yaml", &plain)],
            );
            let built = read(&built);
            let config_map = only(
                "ConfigMap",
                &built.iter().filter(|it| is_ours(it)).cloned().collect::<Vec<_>>(),
            );
            let config_map = config_map["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            assert!(config_map.starts_with("ligase-"), "{config_map}");
            let flags = format!("--config-map {config_map} --namespace chat {flags}");
            let injected = read(&inject(&flags, &plain));
            let (built, injected) = (only("StatefulSet", &built), only("StatefulSet", &injected));
            assert_eq!(pod(&built), pod(&injected), "{component}");
        }
    }
}

/// The configuration is the one that is not the server's.
fn is_ours(document: &Value) -> bool {
    document["kind"] == "ConfigMap"
        && document["metadata"]["name"].as_str().is_some_and(|it| it.starts_with("ligase"))
}

/// What a component has put into a pod is replaced and taken away by the command like its own.
#[test]
fn the_command_knows_what_a_component_did() {
    let plain = server("ejabberd");
    for (component, flags) in COMPONENTS {
        let built =
            build(&format!("known-{component}"), &lines(component), &[("server.yaml", &plain)]);
        let config_map = read(&built).into_iter().find(is_ours).or_fail("find the ConfigMap");
        let config_map = config_map["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let flags = format!("--config-map {config_map} {flags}");
        assert_eq!(inject(&flags, &built), built, "nothing is left to do");
        let without = read(&inject("--uninject", &built));
        let plain = only("StatefulSet", &read(&plain));
        assert_eq!(pod(&only("StatefulSet", &without)), pod(&plain));
    }
}

#[test]
fn what_is_not_annotated_stays_as_it_is() {
    let other = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: database\nspec:\n  \
                 selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    \
                 spec:\n      containers:\n      - {name: database, image: postgres}\n";
    let built = build(
        "other",
        &lines("component"),
        &[("server.yaml", &server("ejabberd")), ("other.yaml", other)],
    );
    let (built, other) = (only("Deployment", &read(&built)), only("Deployment", &read(other)));
    assert_eq!(pod(&built), pod(&other));
}

/// Whoever forgets it is told by the cluster, because a name has no capitals.
#[test]
fn the_namespace_is_where_the_rest_is_put() {
    let resources = [("server.yaml", &*server("prosody"))];
    let searches = |lines: &str, name| {
        let built = read(&build(name, lines, &resources));
        pod(&only("StatefulSet", &built))["spec"]["dnsConfig"]["searches"][0].clone()
    };
    assert_eq!(searches(&lines("component"), "filled"), "chat.svc.cluster.local");
    let forgotten = searches("components:\n- LIGASE/component\n", "forgotten");
    assert_eq!(forgotten, "NAMESPACE.svc.cluster.local");
}

#[test]
fn what_is_built_is_accepted() {
    let built = COMPONENTS.map(|(component, _)| {
        build(
            &format!("accepted-{component}"),
            &lines(component),
            &[("server.yaml", &server("ejabberd"))],
        )
    });
    let names = COMPONENTS.map(|(component, _)| format!("{component}.yaml"));
    let texts: Vec<_> =
        names.iter().map(String::as_str).zip(built.iter().map(String::as_str)).collect();
    check("built", &texts);
}
