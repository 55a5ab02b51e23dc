//! What the images say they are made of, held to what the program was made from.

use std::collections::BTreeSet;
use std::fs;

use ligase_tests::{OrFail as _, Podman, image};
use serde_json::Value;

use crate::{CAPTURE, LIGASE, root};

/// Whatever a program contains, it has kept where the sources were: each crate in a folder called
/// by its name and version.
#[test]
fn every_crate_in_the_program_is_told_and_no_other() {
    let told = parts(&LIGASE, "ligase");
    let crates: BTreeSet<_> =
        told.iter().filter_map(|purl| purl.strip_prefix("pkg:cargo/")).map(whole).collect();
    let file = image::folder().join("ligase.debug");
    let program = fs::read(file).or_fail("read the program with its lines");
    let linked = folders(&program);
    assert!(100 < linked.len(), "the crates have got lost: {linked:?}");
    let untold: Vec<_> = linked.iter().filter(|name| !crates.contains(*name)).collect();
    assert_eq!(untold, [""; 0]);

    // What is told is locked, and not all that is locked is told.
    let lock = fs::read_to_string(root().join("Cargo.lock")).or_fail("read Cargo.lock");
    let locked: BTreeSet<_> = lock
        .split("[[package]]")
        .filter_map(|package| {
            let value = |key: &str| {
                let line = package.lines().find_map(|line| line.strip_prefix(key))?;
                Some(line.trim_start_matches(" = ").trim_matches('"').to_owned())
            };
            Some(format!("{}-{}", value("name")?, value("version")?))
        })
        .collect();
    let unknown: Vec<_> = crates.iter().filter(|name| !locked.contains(*name)).collect();
    assert_eq!(unknown, [""; 0]);
    let is_told = |name: &str| crates.iter().any(|it| it.starts_with(&format!("{name}-")));
    assert!(is_told("rustls") && is_told("tokio"), "{crates:?}");
    assert!(!is_told("ring") && !is_told("stats_alloc"), "{crates:?}");
}

#[test]
fn what_is_no_crate_is_told_too() {
    let told = parts(&LIGASE, "ligase");
    for part in
        ["pkg:deb/debian/libc6-dev@", "pkg:deb/debian/ca-certificates@", "pkg:generic/rust-std@"]
    {
        assert!(told.iter().any(|purl| purl.starts_with(part)), "{part}");
    }
    let capture = parts(&CAPTURE, "ligase-capture");
    let packages = fs::read_to_string(image::folder().join("packages"));
    let packages = packages.or_fail("read which packages the image is made of");
    for package in packages.lines() {
        let part = format!("pkg:deb/debian/{package}@");
        assert!(capture.iter().any(|purl| purl.starts_with(&part)), "{part}");
    }
    assert!(told.is_subset(&capture), "the program is in both images");
    for package in ["nftables", "iptables", "libc6"] {
        assert!(packages.lines().any(|it| it == package), "{package}");
    }
}

/// Nothing tells where the images were built, but for the program's own lines, which are apart.
#[test]
fn nothing_tells_where_it_was_built() {
    let podman = Podman::new();
    let here = root().display().to_string();
    for file in ["ligase", "usr/share/sbom/ligase.cdx.json", "usr/share/doc/ligase/copyright"] {
        let content = podman.look_into(&LIGASE, |root| fs::read(root.join(file)));
        let content = content.or_fail("read a file of the image");
        let text = String::from_utf8_lossy(&content);
        for place in [here.as_str(), "/.cargo/registry/"] {
            assert!(!text.contains(place), "{file} tells {place}");
        }
    }
}

/// The package URLs of all parts of an image, and the one rule that holds for all of them.
fn parts(image: &str, name: &str) -> BTreeSet<String> {
    let podman = Podman::new();
    let path = format!("usr/share/sbom/{name}.cdx.json");
    let text = podman.look_into(image, |root| fs::read_to_string(root.join(path)));
    let bom: Value = serde_json::from_str(&text.or_fail("read the SBOM")).or_fail("parse the SBOM");
    let value = |pointer: &str| bom.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    assert_eq!(value("/bomFormat"), "CycloneDX");
    assert_eq!(value("/specVersion"), "1.5");
    assert_eq!(value("/metadata/component/name"), name);
    assert_eq!(value("/metadata/component/version"), env!("CARGO_PKG_VERSION"));
    let parts = bom.get("components").and_then(Value::as_array).or_fail("find the components");
    let of = |part: &Value, key: &str| part.get(key).and_then(Value::as_str).map(str::to_owned);
    let purls: BTreeSet<_> = parts.iter().filter_map(|part| of(part, "purl")).collect();
    assert_eq!(purls.len(), parts.len(), "a part is told twice, or not by what it is called");

    // Who looks for what needs what finds only what is there.
    let refs: BTreeSet<_> = parts.iter().filter_map(|part| of(part, "bom-ref")).collect();
    let dependencies = bom.get("dependencies").and_then(Value::as_array);
    let needed = dependencies.into_iter().flatten().flat_map(|it| it.get("dependsOn"));
    let needed = needed.filter_map(Value::as_array).flatten().filter_map(Value::as_str);
    let lost: Vec<_> = needed.filter(|it| !refs.contains(*it)).collect();
    assert_eq!(lost, [""; 0]);
    purls
}

/// `NAME@VERSION` with whatever follows, as `NAME-VERSION`.
fn whole(purl: &str) -> String {
    let crate_ = purl.split('?').next().unwrap_or_default();
    crate_.replacen('@', "-", 1)
}

/// The names of the folders of crates that a program's bytes tell, each many times.
fn folders(program: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(program);
    let is_name = |it: char| it.is_ascii_alphanumeric() || "-_.+".contains(it);
    let folder = |(at, found): (usize, &str)| {
        let (_registry, rest) = text.get(at + found.len()..)?.split_once('/')?;
        let name = rest.split(|it| !is_name(it)).next()?;
        name.contains('-').then(|| name.to_owned())
    };
    text.match_indices(SOURCES).filter_map(folder).collect()
}

/// Where cargo keeps the sources of crates, as the program was told.
const SOURCES: &str = "/registry/src/";
