"""Writes what both images are made of (CycloneDX 1.5), and whose rights are in the program.

usage: sbom.py CDX TRIPLE DEBIAN IMAGE

CDX is what cargo-cyclonedx says of the crate. It lists what any member of the workspace asks for,
and where this machine keeps the sources; and what is linked besides, it cannot know.
"""

import copy
import hashlib
import json
import pathlib
import subprocess
import sys
import uuid


def say(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def crates(triple):
    """Every crate of the program, with its version, and where its sources are."""
    tree = say(
        *("cargo", "tree", "--locked", "--package", "ligase", "--edges", "normal"),
        *("--target", triple, "--prefix", "none", "--no-dedupe", "--format", "{p}"),
    )
    used = {tuple(line.split(" ")[:2]) for line in tree.splitlines()}
    known = json.loads(say("cargo", "metadata", "--locked", "--format-version", "1"))["packages"]
    of = {(it["name"], "v" + it["version"]): it for it in known}
    return [of[crate] for crate in sorted(used)]


def package(debian, name, **more):
    """A Debian package as it is unpacked there."""
    database = pathlib.Path(debian, "var/lib/dpkg")
    shown = "--showformat=${source:Package}\n${Version}\n${Architecture}\n"
    said = say("dpkg-query", f"--admindir={database}", "--show", shown, name)
    source, version, architecture = said.splitlines()[:3]
    purl = f"pkg:deb/debian/{name}@{version}?arch={architecture}"
    upstream = [{"name": "debian:source", "value": source}]
    component = {"type": "library", "bom-ref": purl, "name": name, "version": version}
    return component | {"scope": "required", "purl": purl, "properties": upstream} | more


def standard_library():
    version = next(
        line.removeprefix("release: ")
        for line in say("rustc", "--version", "--verbose").splitlines()
        if line.startswith("release: ")
    )
    purl = f"pkg:generic/rust-std@{version}"
    component = {"type": "library", "bom-ref": purl, "name": "rust-std", "version": version}
    return component | {
        "scope": "required",
        "licenses": [{"expression": "MIT OR Apache-2.0"}],
        "purl": purl,
    }


def write(path, bom, name):
    """Writes it under a serial number that the same content always gets."""
    bom = copy.deepcopy(bom)
    bom["components"].sort(key=lambda it: it["bom-ref"])
    digest = hashlib.sha256(json.dumps(bom, sort_keys=True).encode()).digest()
    bom["serialNumber"] = f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}"
    bom["metadata"]["component"]["name"] = name
    path.write_text(json.dumps(bom, indent=1) + "\n")


def rights(linked, debian):
    """The licences of all that is linked, each text once."""
    texts = {}
    for crate in (it for it in linked if it["source"]):
        folder = pathlib.Path(crate["manifest_path"]).parent
        # A text in the sources may be that of a part, as of the library that aws-lc-sys brings.
        files = [it for it in sorted(folder.glob("**/*")) if it.is_file() and is_licence(it)]
        for file in files:
            text = file.read_text(errors="replace").strip()
            texts.setdefault(text, []).append(f"{crate['name']} {crate['version']}")
    libc = pathlib.Path(debian, "usr/share/doc/libc6-dev/copyright").read_text()
    texts.setdefault(libc.strip(), []).append("the GNU C Library")
    lines = [f"{it['name']} {it['version']}: {it['license']}" for it in linked]
    parts = ["ligase is made of these crates, under these licences:", "", *lines]
    for text, names in texts.items():
        parts += ["", "-" * 72, "For " + ", ".join(sorted(set(names))) + ":", "", text]
    return "\n".join(parts) + "\n"


def is_licence(file):
    name = file.name.upper()
    return name.startswith(("LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"))


def main():
    file, triple, debian, image = sys.argv[1:]
    image = pathlib.Path(image)
    # Where the sources are on this machine is nobody's business, and different on another.
    here = pathlib.Path.cwd().as_uri()
    bom = json.loads(pathlib.Path(file).read_text().replace(here, "file://"))

    linked = crates(triple)
    names = {(it["name"], it["version"]) for it in linked}
    bom["components"] = [it for it in bom["components"] if (it["name"], it["version"]) in names]
    missing = names - {(it["name"], it["version"]) for it in bom["components"]}
    main_crate = bom["metadata"]["component"]
    missing -= {(main_crate["name"], main_crate["version"])}
    if missing:
        sys.exit(f"sbom.py: cargo-cyclonedx does not know {sorted(missing)}")
    bom["components"] += [
        standard_library(),
        package(debian, "libc6-dev", description="The GNU C Library, linked into the program"),
        package(debian, "ca-certificates", type="data"),
    ]
    known = {it["bom-ref"] for it in bom["components"]} | {main_crate["bom-ref"]}
    bom["dependencies"] = [
        {"ref": it["ref"], "dependsOn": [on for on in it.get("dependsOn", []) if on in known]}
        for it in bom["dependencies"]
        if it["ref"] in known
    ]

    copyright = rights(linked, debian)
    write(image / "ligase/usr/share/sbom/ligase.cdx.json", bom, "ligase")
    packages = (image / "packages").read_text().split()
    bom["components"] += [package(debian, name) for name in packages]
    write(image / "capture/usr/share/sbom/ligase-capture.cdx.json", bom, "ligase-capture")
    for tree in ["ligase", "capture"]:
        (image / tree / "usr/share/doc/ligase/copyright").write_text(copyright)


main()
