//! The manifests that work as they are.

use std::fs;
use std::path::Path;
use std::process::Command;

use ligase_tests::peer::program;
use ligase_tests::{Authority, OrFail as _};

use crate::manifest::{Folder, file, inject, only, pod, read, shipped};

/// What says by which command it was made was made so.
#[test]
fn what_was_injected_is_what_the_command_says() {
    for name in ["ejabberd", "prosody"] {
        let plain = file(&format!("deploy/kubernetes/{name}.yaml"));
        let command =
            format!("ligase inject --config-map ligase < {name}.yaml > {name}.injected.yaml");
        assert!(plain.contains(&command), "{name}.yaml does not say how it is injected");
        let injected = inject("--config-map ligase", &plain);
        let path = format!("deploy/kubernetes/{name}.injected.yaml");
        assert_eq!(file(&path), injected, "make {path} anew: {command}");
    }
}

/// Every configuration is accepted, with what it names where it says, below another folder.
#[test]
fn every_configuration_is_accepted() {
    let authority = Authority::new("lab");
    let mut checked = 0;
    for path in shipped() {
        for document in read(&file(&path)).iter().filter(|it| it["kind"] == "ConfigMap") {
            let Some(text) = document["data"]["ligase.yaml"].as_str() else {
                continue;
            };
            checked += 1;
            let folder = Folder::new(&format!("config-{checked}"));
            let name = text.lines().find_map(|line| line.strip_prefix("server_name: "));
            let certificate = authority.issue(&[name.or_fail("find server_name")]);
            folder.write("dialback/secret", &"0123456789abcdef".repeat(4));
            for mount in ["tls", "ca"].map(|it| folder.0.join(it)) {
                fs::create_dir_all(&mount).or_fail("make a folder");
                certificate.write(&mount, "tls");
            }
            let text = text.replace("/etc/ligase", &folder.0.to_string_lossy());
            validate(&folder.write("config/ligase.yaml", &text), &path);
        }
    }
    assert!(1 < checked, "only {checked} configurations were found");
}

#[track_caller]
fn validate(config: &Path, shipped: &str) {
    let mut command = Command::new(program("ligase"));
    let output = command.arg("validate").arg("--config").arg(config).output();
    let output = output.or_fail("run ligase");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shipped}: {said}");
}

/// Whoever builds another version changes the images, too.
#[test]
fn images_are_of_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    let mut images = 0;
    let patches = ["component-explicit/sidecar.yaml", "component-redirect/capture.yaml"];
    let patches = patches.map(|it| format!("deploy/kubernetes/{it}"));
    for path in shipped().into_iter().chain(patches) {
        for line in file(&path).lines().filter(|it| it.contains("image: ligase")) {
            images += 1;
            assert!(line.ends_with(&format!(":{version}")), "{path}: {line}");
        }
    }
    assert!(3 < images, "only {images} images were found");
}

/// EndpointSlices do not know the names of ports of native sidecars everywhere.
#[test]
fn ports_of_the_sidecar_are_numbers() {
    for path in shipped() {
        for document in read(&file(&path)) {
            let spec = &document["spec"];
            let rules = spec["ingress"].as_array().into_iter().flatten();
            let policies = rules.flat_map(|it| it["ports"].as_array().into_iter().flatten());
            let policies = policies.map(|it| &it["port"]);
            let services = spec["ports"].as_array().into_iter().flatten();
            let services = services.map(|it| &it["targetPort"]);
            for port in policies.chain(services) {
                assert!(!port.is_string(), "{path}: {port}");
            }
        }
    }
}

/// Peers reach the sidecar by its Service, whichever the server.
#[test]
fn the_service_leads_to_the_sidecar() {
    let services = read(&file("deploy/kubernetes/ligase.yaml"));
    let is_public = |it: &&serde_json::Value| it["metadata"]["name"] == "xmpp-federation";
    let service = services.iter().find(is_public).or_fail("find the Service");
    for name in ["ejabberd", "prosody"] {
        let injected = read(&file(&format!("deploy/kubernetes/{name}.injected.yaml")));
        let pod = pod(&only("StatefulSet", &injected));
        for (key, value) in service["spec"]["selector"].as_object().into_iter().flatten() {
            assert_eq!(&pod["metadata"]["labels"][key], value);
        }
        assert_eq!(pod["spec"]["initContainers"][0]["ports"][0]["containerPort"], 7269);
        for port in service["spec"]["ports"].as_array().into_iter().flatten() {
            assert_eq!(port["targetPort"], 7269);
        }
    }
}
