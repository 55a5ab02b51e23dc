//! docs/kubernetes.md, typed as it stands, but for what a cluster would do with it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use ligase_tests::peer::program;
use ligase_tests::{Leaf, OrFail};

use crate::manifest::{Folder, file, read, root};
use crate::valid::problems;

/// Every file of the page is written and every command typed, in order, with the real tools. What
/// would be sent to a cluster is what every version of Kubernetes takes, and ligase is in it.
#[test]
fn what_the_page_asks_for_is_what_clusters_take() {
    let page = file("docs/kubernetes.md");
    let folder = Folder::new("guide");
    let here = &folder.0;
    let sent = here.join("sent");
    fs::create_dir(&sent).or_fail("make a folder");
    for copied in ["deploy", "helm"] {
        let mut copy = Command::new("cp");
        let done = copy.arg("-r").arg(root().join(copied)).arg(here).status();
        assert!(done.or_fail("run cp").success(), "cannot copy {copied}");
    }
    Leaf::of(&["xmpp.montague.example"]).self_signed().write(here, "tls");
    for (made, named) in [("tls.crt", "fullchain.pem"), ("tls.key", "privkey.pem")] {
        fs::rename(here.join(made), here.join(named)).or_fail("name a certificate");
    }
    for name in ["capulet", "hosting"] {
        Leaf::of(&[&format!("xmpp.{name}.example")]).self_signed().write(here, name);
    }
    for (name, script) in [("kubectl", KUBECTL), ("helm", HELM), ("ligase", LIGASE)] {
        let path = folder.write(&format!("bin/{name}"), script);
        let all = fs::Permissions::from_mode(0o755);
        fs::set_permissions(path, all).or_fail("make a command");
    }

    let mut typed = 0;
    for (info, text) in blocks(&page) {
        match info.split_once(' ') {
            Some(("yaml", name)) => drop(folder.write(name, &text)),
            None if info == "sh" => {
                typed += text.lines().filter(|line| !line.starts_with(' ')).count();
                let mut shell = Command::new("sh");
                shell.args(["-euc", &text]).current_dir(here);
                shell.env("PATH", format!("{}:/usr/bin:/bin", here.join("bin").display()));
                shell.env("SENT", &sent).env("TOOLS", root().join(".venv/bin"));
                shell.env("LIGASE", program("ligase"));
                let done = shell.output().or_fail("run sh");
                let said = [&done.stdout[..], &done.stderr].map(String::from_utf8_lossy).concat();
                assert!(done.status.success(), "{text}\n{said}");
            }
            _ => assert_eq!(info, "text", "a block that nobody types"),
        }
    }
    assert!(15 < typed, "only {typed} commands were found");

    let mut manifests = Vec::new();
    let mut pods = 0;
    for entry in fs::read_dir(&sent).or_fail("list what was sent") {
        let path = entry.or_fail("list what was sent").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).or_fail("read what was sent");
        assert!(!text.contains("NAMESPACE"), "whose namespace is not said");
        pods += text.matches("containerPort: 7269").count();
        // As Kubernetes' own tools read them, by YAML 1.1.
        let read = read(&text).into_iter().map(|it| serde_yaml::to_value(it).or_fail("keep it"));
        manifests.extend(read.map(|it| (name.clone(), it)));
    }
    assert!(30 < manifests.len(), "only {} manifests were sent", manifests.len());
    assert!(4 < pods, "ligase is in {pods} pods");
    assert_eq!(problems(&manifests), [""; 0]);
    let config = folder.write("taken.yaml", BELIEVED);
    let mut validate = Command::new(program("ligase"));
    let done = validate.current_dir(here).args(["validate", "--config"]).arg(config).output();
    let done = done.or_fail("run ligase");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
}

/// What takes the authority that the page makes.
const BELIEVED: &str = r"
server_name: xmpp.montague.example
hosts: [montague.example]
certificates: [{chain: fullchain.pem, key: privkey.pem}]
capture: explicit
listen: {dns: null}
backend: {local_ca: {certificate: ca.crt, key: ca.key}}
";

/// What stands in fences: what is said of it, and its text.
fn blocks(page: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let text: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((info, text.join("\n") + "\n"));
        }
    }
    blocks
}

/// Keeps what would be sent. What asks a cluster is not asked; what asks ligase in a pod is asked
/// here, as far as that it is understood.
const KUBECTL: &str = r#"#!/bin/sh
set -eu
kept=$(mktemp "$SENT/XXXXXX")
case " $* " in
*" create "*) exec "$TOOLS/kubectl" "$@" --dry-run=client -o yaml > "$kept" ;;
*" apply -k "*) exec "$TOOLS/kubectl" kustomize "$3" > "$kept" ;;
*" apply -f - "*) cat > "$kept" ;;
*" apply "*)
    for word; do
        case $word in *.yaml) cat "$word"; echo "---" ;; esac
    done > "$kept" ;;
*" exec "*)
    while [ "$1" != -- ]; do shift; done
    [ "$2" = /ligase ]
    shift 2
    exec "$LIGASE" "$@" --help > /dev/null ;;
*" port-forward "* | *" rollout restart "*) ;;
*) echo "nobody knows what this does: kubectl $*" >&2; exit 1 ;;
esac
"#;

/// Renders what would be installed, with the values of the release before where they are to stay.
const HELM: &str = r#"#!/bin/sh
set -eu
kept=$(mktemp "$SENT/XXXXXX")
case $1 in
install | upgrade)
    shift
    known=values-of-$1
    what= values=
    while [ $# != 0 ]; do
        case $1 in
        --values | --set) values="$values $1 $2"; shift ;;
        --reset-then-reuse-values) values="$(cat "$known") $values" ;;
        *) what="$what $1" ;;
        esac
        shift
    done
    echo "$values" > "$known"
    exec "$TOOLS/helm" template $what $values > "$kept" ;;
test) ;;
*) exit 1 ;;
esac
"#;

/// Itself; but there is nobody to check.
const LIGASE: &str = r#"#!/bin/sh
case $1 in check) set -- "$@" --help ;; esac
exec "$LIGASE" "$@"
"#;
