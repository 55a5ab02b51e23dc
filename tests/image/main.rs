//! Images: what `deploy/image/build.sh` and the Dockerfiles make, built from scratch, and run as a
//! cluster would run it.

mod capture;
mod files;
mod parts;
mod proxy;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use ligase_tests::{OrFail as _, Podman, image};

/// The image of the proxy, built once.
static LIGASE: LazyLock<String> = LazyLock::new(|| image::ligase(&Podman::new()));

/// The image that puts the packet filter's rules in place, built once.
static CAPTURE: LazyLock<String> = LazyLock::new(|| image::capture(&Podman::new()));

/// What is built from the same files is the same, but for the name of the container that buildah
/// worked in, which the format of Docker keeps.
#[test]
fn an_image_built_twice_is_the_same() {
    let podman = Podman::new();
    let again = podman.named("again");
    for (first, dockerfile) in [(&*LIGASE, "Dockerfile"), (&*CAPTURE, "Dockerfile.capture")] {
        image::build(&podman, dockerfile, &again);
        let [first, second] = [first, &again].map(|image| {
            let image = podman.image(image);
            ["RootFS", "Config", "History", "Created"].map(|key| image.get(key).cloned())
        });
        podman.run(&["rmi", "--force", &again]);
        assert!(first.iter().all(Option::is_some), "{first:?}");
        assert_eq!(first, second, "{dockerfile}");
    }
}

#[test]
fn what_builds_the_images_has_nothing_to_be_said_about() {
    let hadolint = root().join(".venv/bin/hadolint");
    let done = Command::new(hadolint)
        .args(["Dockerfile", "Dockerfile.capture"])
        .current_dir(root().join("deploy"))
        .output()
        .or_fail("run hadolint");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!((done.status.success(), said.as_str()), (true, ""));
}

#[test]
fn another_architecture_is_refused_before_anything_is_built() {
    let build = |arguments: &[&str]| {
        let mut build = Command::new(root().join("deploy/image/build.sh"));
        let done = build.args(arguments).output().or_fail("run build.sh");
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let (is_built, why) = build(&["riscv64"]);
    assert!(!is_built && why.contains("no image is made for riscv64"), "{why}");
    let other = if cfg!(target_arch = "x86_64") { "arm64" } else { "amd64" };
    let (is_built, why) = build(&[other]);
    assert!(!is_built && why.contains("LIGASE_DEBIAN must name a folder"), "{why}");
}

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().or_fail("find the repository").to_owned()
}
