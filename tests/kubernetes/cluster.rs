//! A cluster that knows what it is asked for and no more: what the chart makes of what is there.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ligase_tests::OrFail;
use serde_json::{Value as Json, json};
use serde_yaml::Value;

use crate::helm::{CHART, NAMESPACE, RELEASE, arguments_of, documents, helm, word};

#[test]
fn the_cluster_s_dns_is_looked_up() {
    for (service, address, expected) in [
        ("kube-dns", "10.96.0.10", "10.96.0.10:53"),
        ("coredns", "10.43.0.10", "10.43.0.10:53"),
        ("kube-dns", "fd00:10:96::a", "[fd00:10:96::a]:53"),
    ] {
        let cluster = Cluster::new();
        cluster.add("kube-system", "services", service, &json!({"spec": {"clusterIP": address}}));
        let config = configuration(&cluster.render(&["--set", "clusterDNS="]).or_fail("render"));
        assert_eq!(config["resolver"]["servers"][0], expected);
    }
}

#[test]
fn a_cluster_whose_dns_is_called_otherwise_is_asked_about() {
    let said = Cluster::new().render(&["--set", "clusterDNS="]).expect_err("there is no DNS");
    assert!(said.contains("clusterDNS: write the address of the cluster's DNS"), "{said}");
}

#[test]
fn the_dialback_secret_is_made_by_chance_and_kept() {
    let cluster = Cluster::new();
    let made = cluster.install(1);
    assert_ne!(made.lines, Cluster::new().install(1).lines);
    for line in &made.lines {
        assert_eq!(line.len(), 64);
        assert!(line.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f')), "{line}");
    }
    assert_eq!(cluster.install(1).lines, made.lines);
}

/// Those who have taken a step and those who have not know what each other's keys are made from.
#[test]
fn no_step_of_a_rotation_leaves_replicas_that_do_not_know_each_other() {
    let cluster = Cluster::new();
    let mut before = cluster.install(1);
    let first = before.clone();
    for step in 2..=5 {
        let after = cluster.install(step);
        assert!(before.lines.contains(&after.lines[0]), "{step}: {before:?} {after:?}");
        assert!(after.lines.contains(&before.lines[0]), "{step}: {before:?} {after:?}");
        assert_ne!(after.lines, before.lines);
        assert_ne!(after.restart, before.restart, "pods go on with the old one");
        before = after;
    }
    assert!(!before.lines.iter().any(|it| first.lines.contains(it)), "an old secret is still good");
}

#[test]
fn steps_of_a_rotation_are_not_skipped() {
    let cluster = Cluster::new();
    cluster.install(2);
    for (step, expected) in [
        ("1", "it is 2 in the cluster, and you left it out; write 2 among your values"),
        ("4", "it is 2 in the cluster; raise it by one at a time"),
    ] {
        let set = format!("dialbackSecret.generation={step}");
        let said = cluster.render(&["--set", &set]).expect_err("a step is skipped");
        assert!(said.contains(expected), "{said}");
    }
}

/// What an operator has put there by hand; whoever has one line does not know another yet.
#[test]
fn a_secret_of_one_line_gets_its_second_and_stays_in_use() {
    for step in [1, 2] {
        let cluster = Cluster::new();
        cluster.keep(&json!({"data": {"secret": STANDARD.encode("f".repeat(64))}}));
        let kept = cluster.install(step);
        assert_eq!(kept.lines[0], "f".repeat(64));
        assert_eq!(kept.lines.len(), 2);
    }
}

/// What an installation has made.
#[derive(Clone, Debug)]
struct Installed {
    lines: Vec<String>,
    restart: String,
}

/// The little of a cluster's API that Helm looks things up by.
#[derive(Debug)]
struct Cluster {
    address: SocketAddr,
    objects: Objects,
}

/// What is there, by path.
type Objects = Arc<Mutex<BTreeMap<String, Json>>>;

impl Cluster {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").or_fail("listen");
        let address = listener.local_addr().or_fail("find out where");
        let objects = Objects::default();
        let cluster = Self { address, objects: objects.clone() };
        for (path, kinds) in [("/api/v1", &CORE[..]), ("/apis/apps/v1", &APPS[..])] {
            cluster.set(path, resources(kinds));
        }
        cluster.set("/version", json!({"major": "1", "minor": "37", "gitVersion": "v1.37.0"}));
        cluster.set("/api", json!({"kind": "APIVersions", "versions": ["v1"]}));
        let apps = json!({"groupVersion": "apps/v1", "version": "v1"});
        let group = json!({"name": "apps", "versions": [apps], "preferredVersion": apps});
        cluster.set("/apis", json!({"kind": "APIGroupList", "groups": [group]}));
        // It ends with the test's process; nobody else knows where it is.
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                // Whoever hangs up has been answered, or does not want to be.
                let _ = answer(socket, &objects);
            }
        });
        cluster
    }

    fn add(&self, namespace: &str, plural: &str, name: &str, object: &Json) {
        let mut object = object.clone();
        object["apiVersion"] = "v1".into();
        let kind = CORE.iter().find(|(_, it)| *it == plural).or_fail("know a kind");
        object["kind"] = kind.0.into();
        object["metadata"]["name"] = name.into();
        self.set(&format!("/api/v1/namespaces/{namespace}/{plural}/{name}"), object);
    }

    /// Puts the dialback secret there, as one that Helm has made for this release.
    fn keep(&self, secret: &Json) {
        let mut secret = secret.clone();
        let metadata = &mut secret["metadata"];
        metadata["labels"]["app.kubernetes.io/managed-by"] = "Helm".into();
        metadata["annotations"]["meta.helm.sh/release-name"] = RELEASE.into();
        metadata["annotations"]["meta.helm.sh/release-namespace"] = NAMESPACE.into();
        self.add(NAMESPACE, "secrets", &format!("{RELEASE}-ligase-dialback"), &secret);
    }

    fn set(&self, path: &str, answer: Json) {
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.insert(path.to_owned(), answer);
    }

    /// Renders the case of a server with everything, with what is there.
    fn render(&self, more: &[&str]) -> Result<String, String> {
        let url = format!("http://{}", self.address);
        let mut arguments = vec!["template", RELEASE, CHART, "--namespace", NAMESPACE];
        arguments.extend(["--dry-run=server", "--disable-openapi-validation"]);
        arguments.extend(["--kube-apiserver", &url]);
        let values = arguments_of("server-dns");
        arguments.extend(values.iter().map(String::as_str));
        arguments.extend(more);
        helm(&arguments)
    }

    /// Renders it at a step of its rotation, and puts the secret where it belongs.
    fn install(&self, step: u32) -> Installed {
        let set = format!("dialbackSecret.generation={step}");
        let text = self.render(&["--set", &set]).or_fail("render");
        let manifests = documents(&text);
        let of_kind = |kind: &str| {
            let found = manifests.iter().find(|it| it["kind"] == kind);
            found.or_fail(&format!("find the {kind}")).clone()
        };
        let secret = of_kind("Secret");
        let text = word(&secret["stringData"]["secret"]);
        let annotations = serde_json::to_value(&secret["metadata"]["annotations"]);
        assert_eq!(secret["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
        self.keep(&json!({
            "metadata": {"annotations": annotations.or_fail("read annotations")},
            "data": {"secret": STANDARD.encode(text)},
        }));
        let server = of_kind("StatefulSet");
        let restart =
            word(&server["spec"]["template"]["metadata"]["annotations"]["ligase/restart"]);
        Installed { lines: text.lines().map(str::to_owned).collect(), restart: restart.to_owned() }
    }
}

/// Answers one request for something that is there, or not.
fn answer(socket: TcpStream, objects: &Objects) -> std::io::Result<()> {
    let mut request = BufReader::new(socket);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if request.read_line(&mut line)? <= 2 {
            break; // The empty line that ends a request, or its end.
        }
        lines.push(line);
    }
    let path = lines.first().and_then(|it| it.split_whitespace().nth(1)).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let found = objects.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
    let (status, body) = match found {
        Some(found) => ("200 OK", found),
        None => (
            "404 Not Found",
            json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}),
        ),
    };
    let body = body.to_string();
    let length = body.len();
    write!(
        request.get_mut(),
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// How a cluster tells which kinds it has.
fn resources(kinds: &[(&str, &str)]) -> Json {
    let resource = |(kind, name): &(&str, &str)| json!({"name": name, "kind": kind, "singularName": "", "namespaced": true, "verbs": ["get"]});
    let resources: Vec<_> = kinds.iter().map(resource).collect();
    json!({"kind": "APIResourceList", "apiVersion": "v1", "resources": resources})
}

fn configuration(text: &str) -> Value {
    let manifests = documents(text);
    let map = manifests.iter().find(|it| !it["data"]["ligase.yaml"].is_null());
    let text = word(&map.or_fail("find the configuration")["data"]["ligase.yaml"]);
    serde_yaml::from_str(text).or_fail("read the configuration")
}

const CORE: [(&str, &str); 4] =
    [("Secret", "secrets"), ("Service", "services"), ("ConfigMap", "configmaps"), ("Pod", "pods")];
const APPS: [(&str, &str); 1] = [("StatefulSet", "statefulsets")];
