//! Images: what is shipped for containers, built as the documentation tells.

use std::fs;
use std::path::PathBuf;

use crate::podman::root;
use crate::{OrFail, Podman};

/// Builds the image of the proxy, and tells its name.
pub fn ligase(podman: &Podman) -> String {
    named(podman, "ligase", "Dockerfile")
}

/// Builds the image that puts the packet filter's rules in place, and tells its name.
pub fn capture(podman: &Podman) -> String {
    named(podman, "ligase-capture", "Dockerfile.capture")
}

/// Where `deploy/image/build.sh` leaves what the images of this machine's kind are made from.
pub fn folder() -> PathBuf {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    root().join("target/image").join(arch)
}

/// A value that `deploy/image/build.sh` has noted for the Dockerfiles: `REVISION`.
pub fn argument(key: &str) -> String {
    let arguments = arguments();
    let value = arguments.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    value.or_fail(&format!("find {key} among the arguments")).to_owned()
}

/// Builds an image by one of the files in `deploy`.
pub fn build(podman: &Podman, dockerfile: &str, image: &str) {
    let context = root().join("target/image");
    let arguments: Vec<_> = arguments().lines().map(|line| format!("--build-arg={line}")).collect();
    let timestamp = format!("--timestamp={}", argument("SOURCE_DATE_EPOCH"));
    let arguments = arguments.iter().chain([&timestamp]).map(String::as_str).collect::<Vec<_>>();
    podman.build(&root().join("deploy").join(dockerfile), &context, image, &arguments);
}

fn named(podman: &Podman, name: &str, dockerfile: &str) -> String {
    let image = format!("localhost/{name}:{}", argument("VERSION"));
    build(podman, dockerfile, &image);
    image
}

fn arguments() -> String {
    let file = folder().join("arguments");
    fs::read_to_string(&file)
        .or_fail(&format!("read {}: run deploy/image/build.sh first", file.display()))
}
