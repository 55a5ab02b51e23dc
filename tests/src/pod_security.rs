//! The Pod Security Standards, as far as the profile "restricted" goes: what a cluster that enforces
//! it refuses, written out from the standard (Kubernetes 1.37, "Pod Security Standards").

use serde_json::Value;

/// Everything about a pod (an object with `metadata` and `spec`) that the profile "restricted"
/// forbids, each as `where: what`; empty if it lets the pod in. "restricted" includes "baseline".
pub fn violations(pod: &Value) -> Vec<String> {
    let spec = &pod["spec"];
    let mut found = Vec::new();
    judge("spec", spec, POD_RULES, &mut found);
    judge("spec", spec, CONTEXT_RULES, &mut found);
    for kind in ["initContainers", "containers", "ephemeralContainers"] {
        for container in spec[kind].as_array().into_iter().flatten() {
            let place = format!("{kind}.{}", container["name"].as_str().unwrap_or_default());
            judge(&place, container, CONTAINER_RULES, &mut found);
            judge(&place, container, CONTEXT_RULES, &mut found);
            found.extend(inherited(&place, spec, container));
        }
    }
    let annotations = pod["metadata"]["annotations"].as_object().into_iter().flatten();
    for (key, profile) in annotations.filter(|(key, _)| key.starts_with(APPARMOR)) {
        let profile = profile.as_str().unwrap_or_default();
        if profile != "runtime/default" && !profile.starts_with("localhost/") {
            found.push(format!("metadata: {key} is {profile}"));
        }
    }
    found
}

/// A field, and whether its value is allowed; what is not there is null.
type Rule = (&'static [&'static str], fn(&Value) -> bool);

/// Of the spec of a pod alone.
const POD_RULES: &[Rule] = &[
    // Baseline: host namespaces, host paths, sysctls.
    (&["hostNetwork"], is_off),
    (&["hostPID"], is_off),
    (&["hostIPC"], is_off),
    (&["securityContext", "sysctls"], |it| {
        each(it, |it| SYSCTLS.contains(&it["name"].as_str().unwrap_or_default()))
    }),
    // Restricted: volume types, of which a path of the host is none.
    (&["volumes"], |it| {
        each(it, |it| {
            let kinds = it.as_object().into_iter().flatten().filter(|(key, _)| *key != "name");
            kinds.map(|(key, _)| key.as_str()).all(|it| VOLUMES.contains(&it))
        })
    }),
];

/// Of a container alone.
const CONTAINER_RULES: &[Rule] = &[
    // Baseline: privileged containers, host ports, the address of probes and hooks, /proc.
    (&["securityContext", "privileged"], is_off),
    (&["securityContext", "procMount"], |it| is_one_of(it, &["Default"])),
    (&["ports"], |it| each(it, |it| it["hostPort"].is_null() || it["hostPort"] == 0)),
    (&["startupProbe"], asks_the_pod),
    (&["readinessProbe"], asks_the_pod),
    (&["livenessProbe"], asks_the_pod),
    (&["lifecycle", "postStart"], asks_the_pod),
    (&["lifecycle", "preStop"], asks_the_pod),
    // Restricted: privilege escalation, capabilities.
    (&["securityContext", "allowPrivilegeEscalation"], |it| *it == false),
    (&["securityContext", "capabilities", "drop"], |it| {
        it.as_array().is_some_and(|it| it.iter().any(|it| it == "ALL"))
    }),
    (&["securityContext", "capabilities", "add"], |it| each(it, |it| it == "NET_BIND_SERVICE")),
];

/// Of the security context of a pod, and of that of each container.
const CONTEXT_RULES: &[Rule] = &[
    // Baseline: Windows host processes, AppArmor, SELinux, seccomp.
    (&["securityContext", "windowsOptions", "hostProcess"], is_off),
    (&["securityContext", "appArmorProfile", "type"], |it| {
        is_one_of(it, &["RuntimeDefault", "Localhost"])
    }),
    (&["securityContext", "seLinuxOptions", "type"], |it| is_one_of(it, SELINUX)),
    (&["securityContext", "seLinuxOptions", "user"], |it| is_one_of(it, &[])),
    (&["securityContext", "seLinuxOptions", "role"], |it| is_one_of(it, &[])),
    (&["securityContext", "seccompProfile", "type"], |it| is_one_of(it, SECCOMP)),
    // Restricted: who it runs as.
    (&["securityContext", "runAsUser"], |it| *it != 0),
    (&["securityContext", "runAsNonRoot"], |it| *it != false),
];

fn judge(place: &str, of: &Value, rules: &[Rule], found: &mut Vec<String>) {
    for (path, allows) in rules {
        let value = path.iter().fold(of, |value, key| &value[*key]);
        if !allows(value) {
            found.push(format!("{place}: {} is {value}", path.join(".")));
        }
    }
}

/// What a container has to say unless its pod does.
fn inherited(place: &str, spec: &Value, container: &Value) -> Vec<String> {
    let said = |path: &[&str]| {
        let read = |of: &Value| {
            path.iter().fold(&of["securityContext"], |value, key| &value[*key]).clone()
        };
        let own = read(container);
        if own.is_null() { read(spec) } else { own }
    };
    let mut found = Vec::new();
    if said(&["runAsNonRoot"]) != true {
        found.push(format!("{place}: nobody says securityContext.runAsNonRoot"));
    }
    if said(&["seccompProfile", "type"]).is_null() {
        found.push(format!("{place}: nobody says securityContext.seccompProfile"));
    }
    found
}

fn is_off(value: &Value) -> bool {
    value.is_null() || *value == false
}

fn is_one_of(value: &Value, allowed: &[&str]) -> bool {
    value.as_str().map_or_else(|| value.is_null(), |it| it.is_empty() || allowed.contains(&it))
}

fn each(list: &Value, allows: impl Fn(&Value) -> bool) -> bool {
    list.is_null() || list.as_array().is_some_and(|it| it.iter().all(allows))
}

/// Whether a probe or a hook asks nobody but the pod itself.
fn asks_the_pod(probe: &Value) -> bool {
    ["httpGet", "tcpSocket"].iter().all(|it| is_one_of(&probe[*it]["host"], &[]))
}

const SYSCTLS: &[&str] = &[
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
];

const VOLUMES: &[&str] = &[
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

const SELINUX: &[&str] =
    &["container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

const SECCOMP: &[&str] = &["RuntimeDefault", "Localhost"];

const APPARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

#[cfg(test)]
mod tests;
