//! Values that make no sense, and what whoever wrote them is told.

use ligase_tests::OrFail;
use serde_json::Value;

use crate::helm::{CHART, NAMESPACE, RELEASE, arguments_of, documents, helm, list, word};

/// A case, a value that is set besides, and what has to be said then.
const WRONG: [(&str, &str, &str); 41] = [
    ("sidecar-dns", "mode=proxy", "'/mode': value must be one of 'sidecar', 'gateway'"),
    (
        "sidecar-dns",
        "capture=nft",
        "'/capture': value must be one of 'dns', 'redirect', 'explicit'",
    ),
    (
        "sidecar-dns",
        "serverName=https://example.com",
        "'/serverName': 'https://example.com' is not valid hostname",
    ),
    ("sidecar-dns", "serverName=", "serverName: write the name that peers know your server by"),
    (
        "sidecar-closed",
        "networkPolicy.serverPorts={5222,5269}",
        "networkPolicy.serverPorts: 5269 and 5270 are for other servers",
    ),
    (
        "sidecar-closed",
        "networkPolicy.egress[0].to[0].ipBlock.cidr=10.0.0.0/8",
        "networkPolicy.egress: nothing that goes out is restricted; set networkPolicy.restrictEgress",
    ),
    (
        "sidecar-closed",
        "networkPolicy.servers[0].podSelector.matchLabels.a=b",
        "networkPolicy.servers: a sidecar's server is in its own pod",
    ),
    (
        "sidecar-dns",
        "hosts={a b}",
        "'/hosts/0': 'a b' is not valid hostname: invalid character ' '",
    ),
    ("sidecar-dns", "hosts={a.example:5269}", "'/hosts/0': 'a.example:5269' is not valid hostname"),
    ("sidecar-dns", "hosts=all", "'/hosts': value must be 'auto'"),
    ("sidecar-dns", "hosts={a.example,a.example}", "'/hosts': items at 0 and 1 are equal"),
    (
        "sidecar-dns",
        "hosts=null",
        "hosts: name the domains that your server hosts, or write `auto`",
    ),
    ("sidecar-dns", "clusterDNS=kube-dns", "'/clusterDNS': 'kube-dns' is not valid ipv4"),
    (
        "sidecar-dns",
        "clusterDNS=",
        "clusterDNS: write the address of the cluster's DNS, for it cannot be looked up from here",
    ),
    (
        "sidecar-dns",
        "resolvers={dns.example}",
        "'/resolvers/0': 'dns.example' does not match pattern",
    ),
    ("sidecar-dns", "tls.secretName=tls", "'/tls': additional properties 'secretName' not allowed"),
    (
        "sidecar-dns",
        "tls.existingSecret=",
        "tls: name a Secret under tls.existingSecret, or set tls.certManager.enabled",
    ),
    ("sidecar-dns", "tls.certManager.enabled=true", "tls.certManager.issuerRef: name who signs"),
    (
        "sidecar-dns",
        "tls.certManager.enabled=yes",
        "'/tls/certManager/enabled': got string, want boolean",
    ),
    (
        "sidecar-dns",
        "dialbackSecret.generation=0",
        "'/dialbackSecret/generation': minimum: got 0, want 1",
    ),
    (
        "sidecar-dns",
        "image.digest=latest",
        "'/image/digest': 'latest' does not match pattern '^(sha256:[0-9a-f]{64})?$'",
    ),
    ("sidecar-dns", "image.tag=1", "'/image/tag': got number, want string"),
    ("sidecar-dns", "selector=null", "selector: write the labels of your server's pods"),
    (
        "sidecar-dns",
        "backends[0].name=a,backends[0].address=a:5269,backends[0].hosts={a.example}",
        "backends: a sidecar has one server",
    ),
    (
        "sidecar-dns",
        "autoscaling.enabled=true",
        "autoscaling.enabled: only the gateway is scaled by itself",
    ),
    (
        "sidecar-dns",
        "config.server_name=a.example",
        "config.server_name: the chart writes this key from a value of its own",
    ),
    ("sidecar-dns", "replicas=3", "additional properties 'replicas' not allowed"),
    (
        "sidecar-dns",
        "service.type=Ingress",
        "'/service/type': value must be one of 'ClusterIP', 'NodePort', 'LoadBalancer'",
    ),
    (
        "sidecar-dns",
        "proxyProtocol.trusted={10.0.0.1}",
        "'/proxyProtocol/trusted/0': '10.0.0.1' does not match pattern",
    ),
    (
        "sidecar-explicit",
        "gatewayAPI.enabled=true",
        "gatewayAPI.enabled: routes lead to the Service, so service.enabled has to be true",
    ),
    (
        "sidecar-dns",
        "gatewayAPI.enabled=true",
        "gatewayAPI.gateway: write the name of your Gateway",
    ),
    ("server-dns", "server.image=", "server.image: write the image of your server"),
    (
        "server-dns",
        "server.service.ports[0].name=s2s,server.service.ports[0].port=5269",
        "server.service.ports: 5269 and 5270 are for other servers",
    ),
    (
        "server-dns",
        "server.pod.dnsPolicy=Default",
        "capture: with `dns`, the pod's resolver is ligase",
    ),
    (
        "gateway-hoster",
        "autoscaling.maxReplicas=2",
        "autoscaling: maxReplicas is less than minReplicas",
    ),
    (
        "gateway-hoster",
        "backends[0].name=ejabberd",
        "backends: two are called ejabberd; give each a name of its own",
    ),
    ("gateway-dns", "capture=redirect", "capture: `redirect` is for sidecars"),
    ("gateway-dns", "gateway.clusterIP=", "gateway.clusterIP: write an unused address"),
    (
        "gateway-dns",
        "gateway.networks=null",
        "gateway.networks: name the networks that your servers come from",
    ),
    ("gateway-dns", "hosts={a.example}", "hosts: a gateway has to know whose domain is whose"),
    (
        "gateway-dns",
        "backends[0].address=ejabberd",
        "'/backends/0/address': 'ejabberd' does not match pattern",
    ),
];

/// As `WRONG`, of values that only somebody who means harm would write, or an accident: the value
/// is JSON.
const HOSTILE: [(&str, &str, &str); 32] = [
    ("sidecar-dns", r##"serverName="#é""##, "'/serverName': '#é' does not match pattern"),
    ("sidecar-dns", r#"serverName="'é""#, "does not match pattern"),
    ("sidecar-dns", r#"serverName="é\n""#, "does not match pattern"),
    ("sidecar-dns", r#"clusterDomain="é $(id)""#, "does not match pattern"),
    ("hosts-many", r#"hosts=["a\u2028b.example"]"#, "does not match pattern"),
    ("certificate", r#"tls.certManager.dnsNames=["*.a\u2028b.example"]"#, "does not match pattern"),
    ("sidecar-dns", "service=null", "missing property 'service'"),
    ("server-dns", "server.service=null", "'/server': missing property 'service'"),
    (
        "load-balancer",
        r#"service.loadBalancerClass="x\n  externalIPs: [1.2.3.4]""#,
        "'/service/loadBalancerClass': 'x\\n  externalIPs: [1.2.3.4]' does not match pattern",
    ),
    (
        "gateway-dns",
        r#"backends=[{"name": "a", "address": "a\u2028b:5269", "hosts": ["a.example"]}]"#,
        "'/backends/0/address'",
    ),
    (
        "monitored",
        r#"prometheusRule.runbooks="https://a.example/\u2028x: y/""#,
        "'/prometheusRule/runbooks'",
    ),
    (
        "monitored",
        r#"podMonitor.labels={"app.kubernetes.io/name": "x"}"#,
        "podMonitor.labels: the chart writes app.kubernetes.io/name by itself",
    ),
    (
        "server-dns",
        r#"podAnnotations={"ligase/restart": "x"}"#,
        "podAnnotations: the chart writes ligase/restart by itself",
    ),
    ("gateway-hoster", r#"gatewayAPI.gateway={"namespace": "a"}"#, "properties 'name' required"),
    (
        "server-dns",
        r#"server.service.ports=[{"name": "a", "port": 5222, "targetPort": "x}, {port: 5269"}]"#,
        "'/server/service/ports/0/targetPort'",
    ),
    (
        "server-dns",
        r#"server.service.ports=[{"name": "a", "port": 5222, "protocol": "x"}]"#,
        "'/server/service/ports/0/protocol'",
    ),
    (
        "server-dns",
        r#"server.container.ports=[{"name": "s2s", "containerPort": 5269}],server.service.ports=[{"name": "a", "port": 5222, "targetPort": "s2s"}]"#,
        "server.service.ports: 5269 and 5270 are for other servers",
    ),
    (
        "server-dns",
        r#"server.service.ports=[{"name": "a", "port": 5222, "targetPort": "s2s"}]"#,
        "server.service.ports: no port of your server's is called s2s",
    ),
    (
        "server-dns",
        r#"server.container.name="ligase""#,
        "your pod: a container is called ligase already",
    ),
    (
        "server-explicit",
        r#"server.pod.initContainers=[{"name": "ligase-capture"}]"#,
        "your pod: a container is called ligase-capture already",
    ),
    (
        "server-dns",
        r#"server.pod.volumes=[{"name": "ligase-tls"}]"#,
        "your pod: a volume is called ligase-tls already",
    ),
    (
        "server-dns",
        r#"server.container.ports=[{"name": "ligase-s2s", "containerPort": 5269}]"#,
        "your pod: containerPort 5269 is taken",
    ),
    (
        "server-redirect",
        r#"server.pod.containers=[{"name": "a", "ports": [{"containerPort": 7290}]}]"#,
        "your pod: containerPort 7290 is taken",
    ),
    (
        "server-dns",
        r#"server.container.ports=[{"containerPort": 53, "protocol": "UDP"}]"#,
        "your pod: containerPort 53 is taken",
    ),
    (
        "server-dns",
        "server.pod.hostNetwork=true",
        "hostNetwork: what is captured would be the whole machine's",
    ),
    ("server-redirect", "server.pod.hostNetwork=true", "hostNetwork: what is captured"),
    (
        "server-dns",
        r#"server.pod.securityContext.sysctls=[{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]"#,
        "your pod: ligase sets the sysctl net.ipv4.ip_unprivileged_port_start",
    ),
    ("server-redirect", "server.pod.securityContext={\"runAsUser\": 7269}", UNCAPTURED),
    ("server-redirect", "server.container.securityContext={\"runAsUser\": 7269}", UNCAPTURED),
    (
        "server-plain-redirect",
        r#"server.pod.containers=[{"name": "a", "securityContext": {"runAsUser": 7269}}]"#,
        UNCAPTURED,
    ),
    (
        "server-redirect",
        r#"server.pod.initContainers=[{"name": "a", "securityContext": {"runAsUser": 7269}}]"#,
        UNCAPTURED,
    ),
    (
        "server-dns",
        r#"server.service.ports=[{"name": "a", "port": 5222, "externalIPs": ["1.2.3.4"]}]"#,
        "additional properties 'externalIPs' not allowed",
    ),
];

const UNCAPTURED: &str = "your pod: runAsUser 7269 is who ligase is";

#[test]
fn what_makes_no_sense_is_refused_in_words_that_say_what_to_do() {
    let plain = WRONG.map(|it| ("--set", it));
    let hostile = HOSTILE.map(|it| ("--set-json", it));
    let mut silent = Vec::new();
    for (flag, (case, value, expected)) in plain.into_iter().chain(hostile) {
        match rendered(case, &[flag, value]) {
            Err(said) if said.contains(expected) => {}
            Err(said) => silent.push(format!("{case} with {value} says\n{said}")),
            Ok(_) => silent.push(format!("{case} with {value} is taken")),
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

/// What looks like the above and is right.
#[test]
fn what_makes_sense_is_taken() {
    for (case, value) in [
        ("gateway-dns", "hosts=null"),
        ("gateway-dns", "image.digest=null"),
        ("server-dns", r#"server.container.securityContext={"runAsUser": 7269}"#),
        ("server-redirect", r#"server.container.securityContext={"runAsUser": 1000}"#),
        ("server-redirect", r#"server.container.ports=[{"containerPort": 53}]"#),
        ("server-explicit", "server.pod.hostNetwork=true"),
        (
            "server-dns",
            r#"server.container.ports=[{"name": "c2s", "containerPort": 5222}],server.service.ports=[{"name": "a", "port": 5222, "targetPort": "c2s"}]"#,
        ),
        ("load-balancer", r#"service.loadBalancerClass="service.k8s.aws/nlb""#),
        ("monitored", r#"prometheusRule.runbooks="https://a.example/x?y=%20#/""#),
    ] {
        let said = rendered(case, &["--set-json", value]);
        said.or_fail(&format!("render {case} with {value}"));
    }
}

/// What YAML reads as something else stays what it is, even for those who go by no schema.
#[test]
fn text_stays_text() {
    for name in ["'é", "#é", "null", "1.5", "münchen.example", "a: b"] {
        let value = format!("serverName={}", Value::from(name));
        let said = rendered("sidecar-dns", &["--skip-schema-validation", "--set-json", &value]);
        let manifests = documents(&said.or_fail("render"));
        let map = manifests.iter().find(|it| it["kind"] == "ConfigMap").or_fail("find it");
        let config = documents(word(&map["data"]["ligase.yaml"]));
        assert_eq!(config[0]["server_name"], name);
    }
    let names = "clusterDomain=true,fullnameOverride=null,tls.existingSecret=123";
    let said = rendered("server-dns", &["--set-string", names]);
    let manifests = documents(&said.or_fail("render"));
    let server = manifests.iter().find(|it| it["kind"] == "StatefulSet").or_fail("find it");
    let pod = &server["spec"]["template"]["spec"];
    let secrets = list(&pod["volumes"]).iter().filter_map(|it| it["secret"].get("secretName"));
    let searches = list(&pod["dnsConfig"]["searches"]).iter();
    for text in searches.chain(secrets).chain([&server["metadata"]["name"]]) {
        assert!(text.is_string(), "{text:?}");
    }
}

/// A case with more flags.
fn rendered(case: &str, more: &[&str]) -> Result<String, String> {
    let mut arguments = vec!["template", RELEASE, CHART, "--namespace", NAMESPACE];
    let values = arguments_of(case);
    arguments.extend(values.iter().map(String::as_str));
    arguments.extend(more);
    helm(&arguments)
}
