use std::ffi::OsString;

use super::*;
use crate::args::{Args, Command, VERSION};

/// A StatefulSet as a chart writes it, with a Service before it.
const STATEFUL_SET: &str = r#"# Source: ejabberd/templates/service.yaml
apiVersion: v1
kind: Service
metadata: {name:   ejabberd}   # kept as it is
spec: {ports: [{port: 5269, targetPort: 5269}]}
---
# Source: ejabberd/templates/statefulset.yaml
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: ejabberd
  namespace: chat
  labels: &labels
    app.kubernetes.io/name: ejabberd
    on: "yes"
spec:
  serviceName: ejabberd-headless
  selector: {matchLabels: *labels}
  template:
    metadata:
      labels: *labels
      annotations: {checksum/config: "0123"}
    spec:
      initContainers:
      - name: wait
        image: busybox:1.36
        command: [sh, -c, 'until nslookup postgres; do sleep 1; done']
      containers:
      - name: ejabberd
        image: ejabberd:23.01
        env:
        - {name: CTL_OVER_HTTP, value: "on"}
        - name: START
          value: |
            #!/bin/sh
              echo "it's $1"

            exit 0
        ports: [{name: s2s, containerPort: 5269}]
      securityContext:
        fsGroup: 9000
        sysctls: [{name: net.ipv4.tcp_syncookies, value: "1"}]
      volumes:
      - name: config
        configMap: {name: ejabberd, defaultMode: 0440}
      - secret: {secretName: cookie, optional: yes}
        name: cookie
"#;

/// A Deployment as people write it.
const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: prosody\nspec:\n  \
                          template:\n    spec:\n      containers:\n      - image: prosody:0.12\n        \
                          name: prosody\n";

fn args(flags: &str) -> Inject {
    let line = format!("ligase inject {flags}");
    let args = Args::read(line.split_whitespace().map(OsString::from)).unwrap();
    let Command::Inject(inject) = args.command else {
        panic!("{args:?}");
    };
    *inject
}

fn done(flags: &str, stream: &str) -> String {
    work(&args(flags), stream).unwrap().0
}

/// What is said to be wrong.
fn problems(flags: &str, stream: &str) -> Vec<String> {
    work(&args(flags), stream).unwrap_err()
}

/// Whether two streams mean the same.
#[track_caller]
fn assert_means(stream: &str, other: &str) {
    let read = |stream: &str| -> Vec<Node> {
        let pieces = documents::split(stream);
        let nodes = pieces.iter().map(|it| yaml::parse(it.text, &mut Budget::new(MEMORY_MAX)));
        nodes.filter_map(Result::unwrap).collect()
    };
    let (nodes, others) = (read(stream), read(other));
    let same = nodes.len() == others.len() && nodes.iter().zip(&others).all(|(a, b)| a.means(b));
    assert!(same, "{stream}\ndoes not mean\n{other}");
}

/// The names of what starts in a pod, in order.
fn names(injected: &str, list: &str) -> Vec<String> {
    let list = injected.split_once(&format!("      {list}:\n")).map_or("", |(_, rest)| rest);
    let is_below = |line: &&str| {
        line.is_empty() || line.starts_with("      - ") || line.starts_with("       ")
    };
    let lines = list.lines().take_while(is_below);
    let names = lines.filter_map(|it| {
        it.strip_prefix("      - name: ").or_else(|| it.strip_prefix("        name: "))
    });
    names.map(str::to_owned).collect()
}

#[test]
fn a_sidecar_starts_before_everything_else() {
    for (flags, before, containers) in [
        ("", &["ligase", "wait"][..], &["ejabberd"][..]),
        ("--capture redirect", &["ligase-capture", "ligase", "wait"], &["ejabberd"]),
        ("--capture explicit", &["ligase", "wait"], &["ejabberd"]),
        ("--plain-sidecar", &["wait"], &["ejabberd", "ligase"]),
        (
            "--plain-sidecar --capture redirect",
            &["ligase-capture", "wait"],
            &["ejabberd", "ligase"],
        ),
    ] {
        let injected = done(&format!("--config-map it {flags}"), STATEFUL_SET);
        assert_eq!(names(&injected, "initContainers"), before, "{flags}");
        assert_eq!(names(&injected, "containers"), containers, "{flags}");
        let is_native = injected.contains("restartPolicy: Always");
        assert_eq!(is_native, !flags.contains("plain"), "{flags}");
        let asks_ligase = injected.contains("dnsPolicy: None");
        assert_eq!(asks_ligase, !flags.contains("capture"), "{flags}");
        assert_eq!(injected.contains("NET_ADMIN"), flags.contains("redirect"), "{flags}");
    }
}

#[test]
fn it_is_called_as_was_asked_for() {
    let flags = "--config-map montague --tls-secret tls.montague --dialback-secret shared --image \
                 mirror.example:5000/ligase@sha256:ab --capture redirect --capture-image mirror/cap";
    let injected = done(flags, STATEFUL_SET);
    for line in [
        "image: mirror.example:5000/ligase@sha256:ab\n",
        "image: mirror/cap\n",
        "configMap:\n          name: montague\n",
        "secretName: tls.montague\n",
        "secretName: shared\n",
    ] {
        assert_eq!(injected.matches(line).count(), 1, "{line}");
    }
    let injected = done("--config-map on --capture redirect", STATEFUL_SET);
    for line in [
        &format!("image: ligase:{VERSION}\n"),
        &format!("image: ligase-capture:{VERSION}\n"),
        "configMap:\n          name: \"on\"\n",
        "secretName: ligase-tls\n",
        "secretName: ligase-dialback\n",
    ] {
        assert_eq!(injected.matches(line).count(), 1, "{line}");
    }
}

#[test]
fn names_are_searched_for_in_the_namespace() {
    let searches = |flags: &str, stream| {
        let injected = done(&format!("--config-map it {flags}"), stream);
        let (_, rest) = injected.split_once("searches:\n").unwrap();
        let lines = rest.lines().map_while(|it| it.trim().strip_prefix("- "));
        lines.collect::<Vec<_>>().join(" ")
    };
    let own = "chat.svc.cluster.local svc.cluster.local cluster.local";
    assert_eq!(searches("--namespace other", STATEFUL_SET), own);
    let given = "other.svc.k8s.example svc.k8s.example k8s.example";
    assert_eq!(searches("--namespace other --cluster-domain k8s.example", DEPLOYMENT), given);
    let expect = "Deployment/prosody: it does not say its namespace, and its pods have to know where \
                  to search for names: add --namespace";
    assert_eq!(problems("--config-map it", DEPLOYMENT), [expect]);
    // Nobody searches.
    assert!(work(&args("--config-map it --capture redirect"), DEPLOYMENT).is_ok());
}

#[test]
fn what_is_no_namespace_is_not_searched() {
    for (namespace, shown) in [
        (r#""x\n - evil""#, r"x\u{a} - evil"),
        ("Chat", "Chat"),
        ("a.b", "a.b"),
        ("-a", "-a"),
        (r#""a ndots:0""#, "a ndots:0"),
    ] {
        let stream = DEPLOYMENT.replace(
            "name: prosody\nspec",
            &format!("name: prosody\n  namespace: {namespace}\nspec"),
        );
        let expect =
            format!("Deployment/prosody: metadata.namespace: {shown} is no name of a namespace");
        assert_eq!(problems("--config-map it --namespace chat", &stream), [expect]);
    }
    // One that is empty is none.
    let empty = DEPLOYMENT.replace("name: prosody\nspec", "name: prosody\n  namespace: ''\nspec");
    let injected = done("--config-map it --namespace chat", &empty);
    assert!(injected.contains("- chat.svc.cluster.local\n"), "{injected}");
}

#[test]
fn what_is_written_means_what_was_read() {
    let injected = done("--config-map it", STATEFUL_SET);
    let (before, after) = STATEFUL_SET.split_once("---\n").unwrap();
    let (service, workload) = injected.split_once("---\n").unwrap();
    assert_eq!(service, before, "what does not change is copied");
    assert!(workload.starts_with(after.split_inclusive('\n').next().unwrap()), "{workload}");
    for line in [
        "    on: \"yes\"\n",
        "          defaultMode: 0440\n",
        "          optional: yes\n",
        "          value: \"on\"\n",
        "        checksum/config: \"0123\"\n",
        "            #!/bin/sh\n              echo \"it's $1\"\n\n            exit 0\n",
        "        - 'until nslookup postgres; do sleep 1; done'\n",
        "        - name: net.ipv4.tcp_syncookies\n          value: \"1\"\n        - name: net.ipv4.ip",
    ] {
        assert!(workload.contains(line), "{line}\nis not in\n{workload}");
    }
    // Each who had them by an alias has them now.
    assert_eq!(workload.matches("app.kubernetes.io/name: ejabberd\n").count(), 3);
}

#[test]
fn what_was_injected_is_taken_away_again() {
    for stream in [STATEFUL_SET, DEPLOYMENT] {
        for flags in ["", "--capture redirect", "--capture explicit", "--plain-sidecar"] {
            let injected = done(&format!("--config-map it --namespace chat {flags}"), stream);
            assert_ne!(injected, stream);
            assert_means(&done("--uninject", &injected), stream);
        }
        assert_eq!(done("--uninject", stream), stream, "nothing was injected");
    }
}

/// What looks like ours and is not stays where it is.
#[test]
fn nothing_else_is_taken_away() {
    let theirs = "      dnsPolicy: None\n      dnsConfig: {nameservers: [127.0.0.1]}\n      \
                  securityContext:\n        sysctls:\n        \
                  - {name: net.ipv4.ip_unprivileged_port_start, value: '53'}\n";
    let stream = format!("{DEPLOYMENT}{theirs}");
    let injected = done("--config-map it --capture explicit", &stream);
    assert_means(&done("--uninject", &injected), &stream);
}

#[test]
fn injecting_again_replaces_what_was_injected() {
    let all = [
        "--config-map it",
        "--config-map other --capture redirect --image ligase:9",
        "--config-map it --capture explicit --tls-secret mine",
        "--config-map it --plain-sidecar",
    ];
    for stream in [STATEFUL_SET, DEPLOYMENT] {
        for flags in all.map(|it| format!("{it} --namespace chat")) {
            let once = done(&flags, stream);
            assert_eq!(done(&flags, &once), once, "{flags}");
            for other in all.map(|it| format!("{it} --namespace chat")) {
                assert_means(&done(&flags, &done(&other, stream)), &once);
            }
        }
    }
}

/// Where a manifest says its pods, by kind.
#[test]
fn whatever_makes_pods_is_injected() {
    let pod = "{metadata: {}, spec: {containers: [{name: a}]}}";
    let of = |kind: &str, spec: &str| {
        format!("{{apiVersion: {kind}, metadata: {{name: a}}, spec: {spec}}}")
    };
    let mut list = String::from("apiVersion: v1\nkind: List\nitems:\n");
    for (kind, spec) in [
        ("v1, kind: Pod", "{containers: [{name: a}]}"),
        ("apps/v1, kind: Deployment", &format!("{{template: {pod}}}")),
        ("apps/v1, kind: StatefulSet", &format!("{{template: {pod}}}")),
        ("apps/v1, kind: DaemonSet", &format!("{{template: {pod}}}")),
        ("apps/v1, kind: ReplicaSet", &format!("{{template: {pod}}}")),
        ("batch/v1, kind: Job", &format!("{{template: {pod}}}")),
        ("batch/v1, kind: CronJob", &format!("{{jobTemplate: {{spec: {{template: {pod}}}}}}}")),
    ] {
        let one = of(kind, spec);
        list += &format!("- {one}\n");
        let (injected, told) = work(&args("--config-map it --capture explicit"), &one).unwrap();
        let (_, name) = kind.split_once("kind: ").unwrap();
        assert_eq!(told, [format!("{name}/a: injected")]);
        assert_eq!(injected.matches("- name: ligase\n").count(), 1, "{injected}");
        assert_eq!(injected.matches("ligase/injected: ").count(), 1, "{injected}");
        assert_means(&done("--uninject", &injected), &one.replace("metadata: {}, ", ""));
    }
    let (injected, told) = work(&args("--config-map it --capture explicit"), &list).unwrap();
    assert_eq!(injected.matches("- name: ligase\n").count(), 7, "{injected}");
    assert_eq!(told.len(), 7);
}

#[test]
fn whatever_else_there_is_passes_as_it_is() {
    for stream in [
        "",
        "# nothing\n",
        "---\n---\n...\n",
        "a: b",
        "kind:   ConfigMap\r\ndata: {x: \"y\"} # z\r\n---\r\n- 1\n",
        "\u{feff}%YAML 1.1\n---\nkind: Deployment\napiVersion: example.com/v1\nspec: {}\n...\n",
        "apiVersion: apps/v1\nkind: ControllerRevision\ndata: {spec: {template: {}}}\n",
        "apiVersion: v1\nkind: List\nitems: []\n",
        "{\"apiVersion\": \"v1\", \"kind\": \"Secret\",\n\t\"data\": null}\n",
        "text\u{2028}\n",
    ] {
        let (written, told) = work(&args("--config-map it"), stream).unwrap();
        assert_eq!(written, stream);
        assert_eq!(told, ["there is no workload in the manifests: nothing has changed"]);
    }
}

#[test]
fn who_is_not_meant_is_left_alone() {
    let said = |flags: &str, stream: &str| {
        let (written, told) = work(&args(flags), stream).unwrap();
        assert_eq!(written, stream);
        told
    };
    let flags = "--config-map it --namespace chat";
    let annotated = "  annotations: {ligase/inject: \"false\"}\n";
    let of_workload = DEPLOYMENT.replace("spec:\n  t", &format!("{annotated}spec:\n  t"));
    let of_pod = DEPLOYMENT.replace(
        "    spec:\n      c",
        "    metadata: {annotations: {ligase/inject: 'false'}}\n    spec:\n      c",
    );
    for stream in [of_workload, of_pod] {
        assert_eq!(said(flags, &stream), ["Deployment/prosody: left alone: it is annotated so"]);
    }
    let owned = DEPLOYMENT.replace(
        "spec:\n  t",
        "  ownerReferences: [{kind: Chat, name: it, controller: true}]\nspec:\n  t",
    );
    let expect = "Deployment/prosody: left alone: its controller would undo it";
    assert_eq!(said(flags, &owned), [expect]);
    let expect = "Deployment/prosody: left alone: nothing was injected";
    assert_eq!(said("--uninject", DEPLOYMENT), [expect]);

    let both = format!("{STATEFUL_SET}---\n{DEPLOYMENT}");
    let (written, told) =
        work(&args("--config-map it --only StatefulSet/ejabberd"), &both).unwrap();
    let expect =
        ["StatefulSet/ejabberd: injected", "Deployment/prosody: left alone: it was not asked for"];
    assert_eq!(told, expect);
    assert!(written.ends_with(&format!("---\n{DEPLOYMENT}")), "{written}");
    let flags = "--config-map it --only statefulset/ejabberd --only job/it";
    assert_eq!(problems(flags, &both), ["job/it: it is not in the manifests"]);
}

#[test]
fn what_is_there_is_never_overwritten() {
    for (flags, pod, container, expect) in CONFLICTS {
        let stream = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a, namespace: b}}\nspec:\n  \
             template:\n    spec:\n      containers: [{{name: a}}, {{{container}}}]\n      {pod}\n"
        );
        let result = work(&args(&format!("--config-map it {flags}")), &stream);
        match (expect, result) {
            (None, Ok(_)) => (),
            (Some(expect), Err(found)) => {
                assert_eq!(found.len(), 1, "{stream}: {found:?}");
                assert!(found[0].contains(expect), "{stream}: {found:?}");
                assert!(found[0].starts_with("Deployment/a: "), "{found:?}");
            }
            (_, result) => panic!("{flags}\n{stream}\n{result:?}"),
        }
    }
}

const DNS: &str = "";
const REDIRECT: &str = "--capture redirect";
const EXPLICIT: &str = "--capture explicit";

/// Flags, what else a pod has, what else it has in a container, and what is wrong then.
const CONFLICTS: &[(&str, &str, &str, Option<&str>)] = &[
    (DNS, "dnsPolicy: None", "", Some("dnsPolicy: it would be overwritten")),
    (DNS, "dnsPolicy: Default", "", Some("dnsPolicy: it would be overwritten")),
    (DNS, "dnsPolicy: ClusterFirst", "", None),
    (REDIRECT, "dnsPolicy: Default", "", None),
    (DNS, "dnsConfig: {options: []}", "", Some("dnsConfig: it would be overwritten")),
    (DNS, "dnsConfig:", "", None),
    (DNS, "hostNetwork: true", "", Some("hostNetwork: what is captured")),
    (REDIRECT, "hostNetwork: yes", "", Some("hostNetwork: what is captured")),
    (REDIRECT, "hostNetwork: \"yes\"", "", None),
    (EXPLICIT, "hostNetwork: true", "", None),
    (DNS, "os: {name: windows}", "", Some("os.name: ligase runs on linux")),
    (
        DNS,
        "securityContext: {sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: '0'}]}",
        "",
        Some("net.ipv4.ip_unprivileged_port_start would be overwritten"),
    ),
    (
        EXPLICIT,
        "securityContext: {sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: '0'}]}",
        "",
        None,
    ),
    (EXPLICIT, "volumes: [{name: ligase-tls}]", "", Some("a volume is called ligase-tls")),
    (EXPLICIT, "initContainers: [{name: ligase}]", "", Some("a container is called ligase ")),
    (DNS, "ephemeralContainers: [{name: ligase}]", "", Some("a container is called ligase ")),
    (EXPLICIT, "", "name: ligase-capture", Some("a container is called ligase-capture")),
    (EXPLICIT, "", "ports: [{containerPort: 7269}]", Some("containerPort 7269 is taken")),
    (EXPLICIT, "", "ports: [{containerPort: 016172}]", Some("containerPort 7290 is taken")),
    (EXPLICIT, "", "ports: [{containerPort: 0x1c65}]", Some("containerPort 7269 is taken")),
    (EXPLICIT, "", "ports: [{containerPort: 7269, protocol: UDP}]", None),
    (EXPLICIT, "", "ports: [{containerPort: 53}]", None),
    (DNS, "", "ports: [{containerPort: 53, protocol: UDP}]", Some("containerPort 53 is taken")),
    (DNS, "", "ports: [{name: ligase-s2s, containerPort: 1}]", Some("a port is called ligase-s")),
    (REDIRECT, "", "securityContext: {runAsUser: 7269}", Some("runAsUser 7269 is who ligase is")),
    (REDIRECT, "securityContext: {runAsUser: 7269}", "", Some("runAsUser 7269 is who ligase is")),
    (REDIRECT, "securityContext: {runAsUser: 1000}", "", None),
    (DNS, "securityContext: {runAsUser: 7269}", "", None),
];

/// Whoever has several things to mend is told of all of them at once.
#[test]
fn all_that_is_wrong_is_told_at_once() {
    let stream = "apiVersion: v1\nkind: Pod\nmetadata: {name: \"a\\e[31m\", namespace: b}\nspec: {}\n---\n\
                  apiVersion: batch/v1\nkind: Job\nmetadata: {name: c, namespace: d}\n\
                  spec: {template: {spec: {hostNetwork: true, containers: [{name: ligase}]}}}\n---\n\
                  apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: e}\n---\na: [\n";
    let expect = [
        "Pod/a\\u{1b}[31m: it has no containers",
        "Job/c: a container is called ligase already, and was not injected",
        "Job/c: hostNetwork: what is captured would be the whole machine's",
        "Job/c: an ordinary container would keep it from ending: leave --plain-sidecar",
        "Deployment/e: it has no spec",
        "line 16: while parsing a node, did not find expected node content",
    ];
    assert_eq!(problems("--config-map it --plain-sidecar", stream), expect);
}

#[test]
fn what_is_too_much_is_refused() {
    let letters = "bcdefghij";
    let mut laughs = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (before, letter) in "abcdefghi".chars().zip(letters.chars()) {
        let ten = vec![format!("*{before}"); 10].join(", ");
        laughs += &format!("{letter}: &{letter} [{ten}]\n");
    }
    let found = problems("--config-map it", &laughs);
    assert!(found[0].contains("this is too much, with all its aliases"), "{found:?}");
    for deep in ["- ".repeat(200), format!("a: {}", "{a: ".repeat(200))] {
        let found = problems("--config-map it", &deep);
        assert!(
            found[0].contains("more than 100 lists and maps stand in one another"),
            "{found:?}"
        );
    }
    // Each document is a problem of its own, and nobody reads millions.
    let found = problems("--config-map it", &"---\na: [\n".repeat(2000));
    assert_eq!(found.len(), 1001);
    assert_eq!(found[1000], "and 1000 more like these");
    assert_eq!(read(&b"a: b\n"[..]).unwrap(), "a: b\n");
    assert_eq!(read(&b"\xff"[..]).unwrap_err().to_string(), "they are not UTF-8");
    let long = read(io::repeat(b'a')).unwrap_err().to_string();
    assert_eq!(long, "they are longer than 8 MiB");
}

/// A character that is the end of a line in YAML 1.1 and none in 1.2 makes two manifests of one.
#[test]
fn what_can_be_read_two_ways_is_not_injected() {
    let stream = format!("# \u{2028}spec: {{}}\n{DEPLOYMENT}");
    let expect = "line 1: some take a character in here for the end of a line";
    assert_eq!(problems("--config-map it --namespace chat", &stream), [expect]);
}
