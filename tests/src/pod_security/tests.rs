use serde_json::json;

use super::*;

/// A pod that is let in.
fn sound() -> Value {
    json!({
        "metadata": {"annotations": {}},
        "spec": {
            "securityContext": {
                "runAsNonRoot": true,
                "seccompProfile": {"type": "RuntimeDefault"},
                "sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "53"}],
            },
            "initContainers": [],
            "containers": [{
                "name": "a",
                "ports": [{"containerPort": 1}],
                "readinessProbe": {"httpGet": {"path": "/", "port": 1}},
                "securityContext": {
                    "allowPrivilegeEscalation": false,
                    "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
                },
            }],
            "volumes": [{"name": "b", "emptyDir": {}}, {"name": "c", "secret": {}}],
        },
    })
}

#[test]
fn a_pod_that_asks_for_nothing_is_let_in() {
    assert_eq!(violations(&sound()), [""; 0]);
}

#[test]
fn each_rule_is_enforced() {
    const CONTAINER: &str = "/spec/containers/0";
    for (place, change) in [
        ("/spec", json!({"hostNetwork": true})),
        ("/spec", json!({"hostPID": true})),
        ("/spec", json!({"hostIPC": true})),
        ("/spec", json!({"volumes": [{"name": "b", "hostPath": {"path": "/"}}]})),
        ("/spec", json!({"volumes": [{"name": "b", "nfs": {}}]})),
        ("/spec/securityContext", json!({"sysctls": [{"name": "net.ipv4.ip_forward"}]})),
        ("/spec/securityContext", json!({"runAsNonRoot": null})),
        ("/spec/securityContext", json!({"runAsNonRoot": false})),
        ("/spec/securityContext", json!({"runAsUser": 0})),
        ("/spec/securityContext", json!({"seccompProfile": null})),
        ("/spec/securityContext", json!({"seccompProfile": {"type": "Unconfined"}})),
        ("/spec/securityContext", json!({"appArmorProfile": {"type": "Unconfined"}})),
        ("/spec/securityContext", json!({"seLinuxOptions": {"type": "spc_t"}})),
        ("/spec/securityContext", json!({"seLinuxOptions": {"user": "root"}})),
        ("/spec/securityContext", json!({"seLinuxOptions": {"role": "root"}})),
        ("/spec/securityContext", json!({"windowsOptions": {"hostProcess": true}})),
        (CONTAINER, json!({"ports": [{"hostPort": 80}]})),
        (CONTAINER, json!({"livenessProbe": {"tcpSocket": {"host": "192.0.2.1"}}})),
        (CONTAINER, json!({"startupProbe": {"httpGet": {"host": "192.0.2.1"}}})),
        (CONTAINER, json!({"lifecycle": {"preStop": {"httpGet": {"host": "192.0.2.1"}}}})),
        (CONTAINER, json!({"securityContext": null})),
        ("/spec/containers/0/securityContext", json!({"privileged": true})),
        ("/spec/containers/0/securityContext", json!({"procMount": "Unmasked"})),
        ("/spec/containers/0/securityContext", json!({"allowPrivilegeEscalation": null})),
        ("/spec/containers/0/securityContext", json!({"capabilities": {"drop": ["NET_RAW"]}})),
        ("/spec/containers/0/securityContext/capabilities", json!({"add": ["NET_ADMIN"]})),
        ("/spec/containers/0/securityContext", json!({"runAsUser": 0})),
        ("/spec/containers/0/securityContext", json!({"runAsNonRoot": false})),
        ("/spec/containers/0/securityContext", json!({"seccompProfile": {"type": "Unconfined"}})),
        ("/spec", json!({"initContainers": [{"name": "b"}]})),
        ("/spec", json!({"ephemeralContainers": [{"name": "b"}]})),
        (
            "/metadata/annotations",
            json!({"container.apparmor.security.beta.kubernetes.io/a": "unconfined"}),
        ),
    ] {
        let mut pod = sound();
        let object = pod.pointer_mut(place).and_then(Value::as_object_mut).unwrap();
        object.extend(change.as_object().unwrap().clone());
        assert_ne!(violations(&pod), [""; 0], "{place}: {change}");
    }
}
