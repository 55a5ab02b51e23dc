//! The packet filter's rules, put in place by a container in the network of its pod.

use std::fs;
use std::os::unix::fs::symlink;

use ligase_tests::{Host, OrFail as _, Podman, World};

use crate::CAPTURE;

/// As an init container, which has the configuration and one capability, and is run again when the
/// pod is.
#[test]
fn the_rules_stand_and_fall_by_nft() {
    let pod = PodNetwork::new();
    let printed = pod.capture("print", &[]);
    assert!(printed.contains("table inet ligase {"), "{printed}");
    pod.capture("apply", &[]);
    let rules = pod.rules("nft", &["list", "ruleset"]);
    assert!(rules.contains("meta skuid 7269") && rules.contains(":7253"), "{rules}");
    pod.capture("apply", &[]);
    assert_eq!(pod.rules("nft", &["list", "ruleset"]), rules);
    pod.capture("remove", &[]);
    assert_eq!(pod.rules("nft", &["list", "ruleset"]), "");
}

#[test]
fn without_nft_they_stand_and_fall_by_iptables() {
    let pod = PodNetwork::new();
    let without = pod.programs("xtables-nft-multi");
    pod.capture("apply", &without);
    for tables in ["iptables", "ip6tables"] {
        let rules = pod.rules(tables, &["-t", "nat", "-S"]);
        assert!(rules.contains("--uid-owner 7269"), "{tables}: {rules}");
        pod.capture("apply", &without);
        assert_eq!(pod.rules(tables, &["-t", "nat", "-S"]), rules);
    }
    pod.capture("remove", &without);
    for tables in ["iptables", "ip6tables"] {
        let rules = pod.rules(tables, &["-t", "nat", "-S"]);
        assert!(!rules.to_lowercase().contains("ligase"), "{tables}: {rules}");
    }
}

/// The old iptables asks through a raw socket, and locks a file wherever it may.
#[test]
fn without_nftables_in_the_kernel_they_stand_and_fall_by_the_old_iptables() {
    let pod = PodNetwork::new();
    let mut without = pod.programs("xtables-legacy-multi");
    without.push("--cap-add=NET_RAW".to_owned());
    pod.capture("apply", &without);
    for tables in ["iptables-legacy", "ip6tables-legacy"] {
        let rules = pod.rules(tables, &["-t", "nat", "-S"]);
        assert!(rules.contains("--uid-owner 7269"), "{tables}: {rules}");
    }
    pod.capture("remove", &without);
    for tables in ["iptables-legacy", "ip6tables-legacy"] {
        let rules = pod.rules(tables, &["-t", "nat", "-S"]);
        assert!(!rules.to_lowercase().contains("ligase"), "{tables}: {rules}");
    }
}

#[test]
fn without_the_capability_they_are_not_said_to_stand() {
    let pod = PodNetwork::new();
    let (is_done, said) = pod.run("apply", &["--cap-drop=all".to_owned()]);
    assert!(!is_done && !said.is_empty(), "{said}");
    assert_eq!(pod.rules("nft", &["list", "ruleset"]), "");
}

/// A network, as the containers of a pod share it, and what its ConfigMap says.
struct PodNetwork {
    _world: World,
    host: Host,
    podman: Podman,
}

impl PodNetwork {
    fn new() -> Self {
        let mut world = World::new();
        let host = world.host("pod");
        let config = host.folder("config").join("ligase.yaml");
        fs::write(config, CONFIG).or_fail("write the configuration");
        Self { _world: world, host, podman: Podman::new() }
    }

    /// What hides all programs but this one from the container.
    fn programs(&self, program: &str) -> Vec<String> {
        let folder = self.host.folder("programs");
        for tables in ["iptables", "ip6tables"] {
            for form in ["", "-save", "-restore"] {
                for name in [format!("{tables}{form}"), format!("{tables}-legacy{form}")] {
                    let is_old = name.contains("legacy");
                    let link = folder.join(name);
                    let _ = fs::remove_file(&link);
                    // By its own name, the old one is there only where it is the only one.
                    if !is_old || program == "xtables-legacy-multi" {
                        symlink(format!("/usr/sbin/{program}"), link).or_fail("link a program");
                    }
                }
            }
        }
        vec![format!("--volume={}:/programs:ro", folder.display()), "--env=PATH=/programs".into()]
    }

    /// Runs `ligase capture`, which must succeed, and returns what it said.
    fn capture(&self, what: &str, options: &[String]) -> String {
        let mut all = vec!["--cap-drop=all".to_owned(), "--cap-add=NET_ADMIN".to_owned()];
        all.extend_from_slice(options);
        let (is_done, said) = self.run(what, &all);
        assert!(is_done, "capture {what}: {said}");
        said
    }

    fn run(&self, what: &str, options: &[String]) -> (bool, String) {
        let config = self.host.folder("config");
        let network = format!("--network=ns:{}", self.host.network().display());
        let volume = format!("--volume={}:/etc/ligase/config:ro", config.display());
        let mut all = vec!["--user=0", "--read-only", "--read-only-tmpfs=false", &network, &volume];
        all.push("--security-opt=no-new-privileges");
        all.extend(options.iter().map(String::as_str));
        all.extend([&CAPTURE, "capture", what, "--config", "/etc/ligase/config/ligase.yaml"]);
        let name = self.host.network();
        let name = name.file_name().and_then(|it| it.to_str()).or_fail("name a container");
        let (status, said) = self.podman.done(name, &all);
        (status.success(), said)
    }

    /// What a program of this machine says of the rules in the pod's network.
    fn rules(&self, program: &str, arguments: &[&str]) -> String {
        let rules = self.host.run(program, arguments);
        let is_comment = |line: &&str| !line.starts_with('#');
        rules.lines().filter(is_comment).collect::<Vec<_>>().join("\n")
    }
}

/// The keys that it names are a Secret's, which no init container needs.
const CONFIG: &str = "
server_name: xmpp.montague.lab
hosts: [montague.lab]
certificates: [{chain: /etc/ligase/tls/tls.crt, key: /etc/ligase/tls/tls.key}]
capture: redirect
redirect: {uid: 7269}
";
