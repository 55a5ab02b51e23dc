//! What is in an image, and what is not.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use ligase_tests::{OrFail as _, Podman, image};
use serde_json::{Value, json};

use crate::{CAPTURE, LIGASE};

/// One program, the authorities, whose rights are in it, what it is made of, and empty places.
#[test]
fn the_image_holds_one_program_and_no_more() {
    let podman = Podman::new();
    let files = podman.look_into(&LIGASE, |root| all(root, root));
    let expected = [
        "/etc 755",
        "/etc/ligase 755",
        "/etc/ligase/config 755",
        "/etc/ligase/dialback 755",
        "/etc/ligase/tls 755",
        "/etc/ssl 755",
        "/etc/ssl/certs 755",
        "/etc/ssl/certs/ca-certificates.crt 644",
        "/ligase 755",
        "/tmp 1777",
        "/usr 755",
        "/usr/share 755",
        "/usr/share/doc 755",
        "/usr/share/doc/ligase 755",
        "/usr/share/doc/ligase/copyright 644",
        "/usr/share/sbom 755",
        "/usr/share/sbom/ligase.cdx.json 644",
        "/var 755",
        "/var/lib 755",
        "/var/lib/ligase 1777",
    ];
    let expected: BTreeSet<_> = expected.map(str::to_owned).into();
    assert_eq!(files, expected);
}

#[test]
fn the_image_for_the_packet_filter_holds_its_programs_and_no_shell() {
    let podman = Podman::new();
    let files = podman.look_into(&CAPTURE, |root| all(root, root));
    let programs = files.iter().filter(|file| {
        let is_library = file.contains(".so");
        file.ends_with(" 755") && !is_library && file.starts_with("/usr/sbin/")
    });
    let expected = [
        "/usr/sbin/nft 755",
        "/usr/sbin/xtables-legacy-multi 755",
        "/usr/sbin/xtables-nft-multi 755",
    ];
    assert_eq!(programs.collect::<Vec<_>>(), expected);
    // Every library is that of a package, whose rights and name are there.
    let package = "/usr/share/doc/libnftables1/copyright 644";
    assert!(files.contains(package), "{files:?}");
    assert!(files.contains("/var/lib/dpkg/status.d/libnftables1 644"), "{files:?}");
    for file in &files {
        let name = file.split(' ').next().and_then(|path| path.rsplit('/').next());
        let is_shell = ["sh", "bash", "dash", "busybox", "env", "perl", "python3"];
        assert!(!name.is_some_and(|name| is_shell.contains(&name)), "{file}");
    }
}

/// A file may be of another user or group than root, or change who runs it, only where it is known.
#[test]
fn nothing_in_an_image_makes_anybody_more_than_they_are() {
    let podman = Podman::new();
    for image in [&*LIGASE, &*CAPTURE] {
        let files = podman.look_into(image, |root| all(root, root));
        assert!(10 < files.len(), "the files have got lost");
        let strange = files.iter().filter(|file| {
            let mode = file.split(' ').nth(1).and_then(|mode| u32::from_str_radix(mode, 8).ok());
            let is_owned = file.split(' ').count() == 3;
            is_owned || mode.or_fail("read a mode") & 0o7022 != 0
        });
        let known = ["/tmp 1777", "/var/lib/ligase 1777"];
        let strange: Vec<_> = strange.filter(|file| !known.contains(&file.as_str())).collect();
        assert_eq!(strange, [""; 0], "{image}");
    }
}

#[test]
fn the_images_are_small() {
    let podman = Podman::new();
    for (image, most) in [(&*LIGASE, 20e6), (&*CAPTURE, 30e6)] {
        let size = podman.image(image).get("Size").and_then(Value::as_f64);
        let size = size.or_fail("find the size of an image");
        println!("{image}: {:.1} MB", size / 1e6);
        assert!(10e6 < size && size < most, "{image}: {size}");
    }
}

#[test]
fn an_image_says_what_it_is_and_how_it_runs() {
    let podman = Podman::new();
    let found = podman.image(&LIGASE);
    let config = |key: &str| found.pointer(&format!("/Config/{key}")).cloned();
    assert_eq!(config("User"), Some(json!("7269:7269")));
    assert_eq!(config("Entrypoint"), Some(json!(["/ligase"])));
    let run = json!(["run", "--config", "/etc/ligase/config/ligase.yaml"]);
    assert_eq!(config("Cmd"), Some(run));
    assert_eq!(config("ExposedPorts"), Some(json!({"7269/tcp": {}, "7290/tcp": {}})));
    let health = found.pointer("/Healthcheck/Test");
    let asks = json!(["CMD", "/ligase", "ready", "--admin", "127.0.0.1:7290"]);
    assert_eq!(health, Some(&asks));

    for (image, title) in [(&*LIGASE, "ligase"), (&*CAPTURE, "ligase-capture")] {
        let found = podman.image(image);
        let label = |name: &str| {
            let label =
                found.pointer("/Labels")?.get(format!("org.opencontainers.image.{name}"))?;
            label.as_str().map(str::to_owned)
        };
        assert_eq!(label("title").as_deref(), Some(title));
        assert_eq!(label("version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
        assert_eq!(label("revision"), Some(image::argument("REVISION")));
        assert_eq!(label("created"), Some(image::argument("CREATED")));
        assert_eq!(label("licenses").as_deref(), Some("Apache-2.0 OR MIT"));
        assert!(label("description").is_some_and(|text| !text.is_empty()));
    }
    let capture = podman.image(&CAPTURE);
    assert_eq!(capture.pointer("/Config/User"), Some(&json!("0:0")));
}

/// Every file below `folder`, with its mode, and its owner if that is not root. Links are left out.
fn all(root: &Path, folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).or_fail("read a folder of an image").flatten() {
        let path = entry.path();
        let meta = fs::symlink_metadata(&path).or_fail("look at a file of an image");
        if meta.is_symlink() {
            continue;
        }
        let name = path.strip_prefix(root).or_fail("name a file of an image");
        let mode = meta.permissions().mode() & 0o7777;
        let owner = match (meta.uid(), meta.gid()) {
            (0, 0) => String::new(),
            (uid, gid) => format!(" {uid}:{gid}"),
        };
        let _ = found.insert(format!("/{} {mode:o}{owner}", name.display()));
        if meta.is_dir() {
            found.append(&mut all(root, &path));
        }
    }
    found
}
