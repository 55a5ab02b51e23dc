//! Values that make no sense, and what whoever wrote them is told.

use crate::helm::{CHART, NAMESPACE, RELEASE, arguments_of, helm};

/// A case, a value that is set besides, and what has to be said then.
const WRONG: [(&str, &str, &str); 36] = [
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
    ("sidecar-dns", "serverName=", "'/serverName': minLength: got 0, want 1"),
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

#[test]
fn what_makes_no_sense_is_refused_in_words_that_say_what_to_do() {
    let mut silent = Vec::new();
    for (case, value, expected) in WRONG {
        let mut arguments = vec!["template", RELEASE, CHART, "--namespace", NAMESPACE];
        let values = arguments_of(case);
        arguments.extend(values.iter().map(String::as_str));
        arguments.extend(["--set", value]);
        match helm(&arguments) {
            Err(said) if said.contains(expected) => {}
            Err(said) => silent.push(format!("{case} with {value} says\n{said}")),
            Ok(_) => silent.push(format!("{case} with {value} is taken")),
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}
