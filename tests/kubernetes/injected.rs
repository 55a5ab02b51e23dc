//! What `ligase inject` makes of manifests, read as Kubernetes' tools read it.

use ligase_tests::pod_security::violations;

use crate::manifest::{file, inject, only, pod, read, tool, try_inject};

const SERVERS: [&str; 2] = ["ejabberd", "prosody"];
const WAYS: [&str; 4] = ["", "--capture redirect", "--capture explicit", "--plain-sidecar"];

fn server(name: &str) -> String {
    file(&format!("deploy/kubernetes/{name}.yaml"))
}

#[test]
fn injecting_twice_changes_nothing_and_uninjecting_gives_back_what_was() {
    for name in SERVERS {
        let plain = server(name);
        for way in WAYS.map(|it| format!("--config-map ligase {it}")) {
            let once = inject(&way, &plain);
            assert_ne!(once, plain);
            assert_eq!(inject(&way, &once), once);
            for other in WAYS {
                let other = inject(&format!("--config-map other {other}"), &plain);
                assert_eq!(read(&inject(&way, &other)), read(&once), "{way}");
            }
            assert_eq!(read(&inject("--uninject", &once)), read(&plain), "{way}");
        }
    }
}

/// Everything but the pod, and in the pod everything but what was added, means what it did to who
/// reads YAML as Kubernetes does.
#[test]
fn words_that_mean_two_things_go_on_meaning_the_same() {
    let traps = "metadata: &m {name: trap, namespace: chat, labels: {on: 'yes', \"y\": n, no: off}}\n\
                 apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    metadata: *m\n    spec:\n      \
                 containers:\n      - name: a\n        image: a\n        env:\n        \
                 - &e {name: A, value: \"on\"}\n        - {<<: *e, name: B}\n        \
                 - {name: C, value: 12:30:45}\n        - {name: D, value: 0o17}\n        \
                 - {name: E, value: >-\n            folded\n            text\n\n            more}\n"
        .replace("{name: E, value: >-\n            folded\n            text\n\n            more}", 
                 "name: E\n          value: >-\n            folded\n            text\n\n            more");
    let traps = format!(
        "{traps}        - name: F\n          value: plain\n            of several lines\n\n            \
         and a gap\n        - name: G\n          value: \"a \\\n            b\\x1b\\u263a\"\n        \
         tty: yes\n        stdin: On\n      volumes:\n      - name: b\n        secret: \
         {{secretName: b, defaultMode: 0440, optional: no}}\n      terminationGracePeriodSeconds: 1_0\n"
    );
    let before = only("Deployment", &read(&traps));
    let after =
        only("Deployment", &read(&inject("--config-map ligase --capture explicit", &traps)));
    let (old, new) = (pod(&before), pod(&after));
    assert_eq!(new["spec"]["containers"], old["spec"]["containers"]);
    assert_eq!(old["spec"]["volumes"][0]["secret"]["defaultMode"], 288, "{old}");
    let volumes = new["spec"]["volumes"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert_eq!(volumes.last(), old["spec"]["volumes"].get(0));
    assert_eq!(new["spec"]["terminationGracePeriodSeconds"], 10);
    for path in ["/metadata", "/spec/template/metadata/labels"] {
        assert_eq!(after.pointer(path), before.pointer(path), "{path}");
    }
}

/// kubectl takes it, and adds nothing to what was meant.
#[test]
fn kubectl_reads_what_is_injected() {
    for name in SERVERS {
        let injected = inject("--config-map ligase", &server(name));
        let arguments = ["label", "--local", "--filename=-", "--output=json", "checked=yes"];
        let said = tool("kubectl", &arguments, &injected);
        let documents: Vec<_> = serde_json::Deserializer::from_str(&said)
            .into_iter::<serde_json::Value>()
            .filter_map(Result::ok)
            .collect();
        let (said, meant) =
            (only("StatefulSet", &documents), only("StatefulSet", &read(&injected)));
        assert_eq!(pod(&said)["spec"], pod(&meant)["spec"]);
    }
}

#[test]
fn nothing_is_printed_if_there_is_a_problem() {
    let taken = server("prosody").replace("containerPort: 5269", "containerPort: 7269");
    for (flags, manifests, expect) in [
        ("--config-map ligase", taken.as_str(), "containerPort 7269 is taken"),
        ("--config-map ligase", "a: [", "line 4: while parsing"),
    ] {
        let output = try_inject(flags, &format!("kind: Service\n---\n{manifests}"));
        assert_eq!(output.status.code(), Some(65), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(expect), "{said}");
    }
}

/// A cluster that enforces "restricted" takes the pods that need no capability, and not those whose
/// rules somebody has to put in place.
#[test]
fn pods_are_as_restricted_as_their_servers() {
    for name in SERVERS {
        let plain = server(name);
        assert_eq!(violations(&pod(&only("StatefulSet", &read(&plain)))), [""; 0], "{name}");
        for way in WAYS {
            let injected = read(&inject(&format!("--config-map ligase {way}"), &plain));
            let found = violations(&pod(&only("StatefulSet", &injected)));
            if way.contains("redirect") {
                let expect = [
                    "initContainers.ligase-capture: securityContext.capabilities.add is [\"NET_ADMIN\"]",
                    "initContainers.ligase-capture: securityContext.runAsUser is 0",
                    "initContainers.ligase-capture: securityContext.runAsNonRoot is false",
                    "initContainers.ligase-capture: nobody says securityContext.runAsNonRoot",
                ];
                assert_eq!(found, expect);
            } else {
                assert_eq!(found, [""; 0], "{name} {way}");
            }
        }
    }
}
