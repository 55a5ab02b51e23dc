//! Manifests, read as a cluster does it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ligase_tests::OrFail as _;
use ligase_tests::peer::program;
use serde_json::{Value, json};

/// The top of the repository.
pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().or_fail("find the repository").to_owned()
}

/// A file of the repository.
pub(crate) fn file(path: &str) -> String {
    fs::read_to_string(root().join(path)).or_fail(&format!("read {path}"))
}

/// A folder of one test's own, gone when the test ends.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let folder = root().join(format!("target/kubernetes/{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).or_fail("make a folder");
        Self(folder)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().or_fail("find a folder")).or_fail("make a folder");
        fs::write(&path, text).or_fail(&format!("write {name}"));
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The next run makes another one.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Calls a program of the environment that tests/install.sh makes; what it says to `input`.
#[track_caller]
pub(crate) fn tool(name: &str, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new(root().join(".venv/bin").join(name));
    command.args(arguments).current_dir(root());
    let output = talk(command, input);
    let said = [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat();
    assert!(output.status.success(), "{name} {arguments:?}: {said}");
    String::from_utf8(output.stdout).or_fail("read what it says")
}

/// What `ligase inject` makes of manifests.
#[track_caller]
pub(crate) fn inject(flags: &str, manifests: &str) -> String {
    let output = try_inject(flags, manifests);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ligase inject {flags}: {said}");
    String::from_utf8(output.stdout).or_fail("read what was injected")
}

/// How `ligase inject` ends.
pub(crate) fn try_inject(flags: &str, manifests: &str) -> Output {
    let mut command = Command::new(program("ligase"));
    command.arg("inject").args(flags.split_whitespace());
    talk(command, manifests)
}

fn talk(mut command: Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().or_fail("start a program; tests/install.sh brings it");
    let mut stdin = child.stdin.take().or_fail("speak to a program");
    std::thread::scope(|scope| {
        // It may end before it has read everything, and then says why.
        scope.spawn(move || drop(stdin.write_all(input.as_bytes())));
        child.wait_with_output().or_fail("hear what a program says")
    })
}

/// The documents of a stream as Kubernetes' tools read them, which is by YAML 1.1.
#[track_caller]
pub(crate) fn read(manifests: &str) -> Vec<Value> {
    let script = "import json, sys, yaml; \
                  print(json.dumps([it for it in yaml.safe_load_all(sys.stdin) if it is not None]))";
    let said = tool("python", &["-c", script], manifests);
    serde_json::from_str(&said).or_fail("read manifests as JSON")
}

/// The one of a kind.
#[track_caller]
pub(crate) fn only(kind: &str, documents: &[Value]) -> Value {
    let found: Vec<_> = documents.iter().filter(|it| it["kind"] == kind).collect();
    assert_eq!(found.len(), 1, "{} of kind {kind}", found.len());
    found[0].clone()
}

/// What the pods of a workload are made of.
pub(crate) fn pod(workload: &Value) -> Value {
    match workload["kind"].as_str() {
        Some("Pod") => json!({"metadata": workload["metadata"], "spec": workload["spec"]}),
        Some("CronJob") => workload["spec"]["jobTemplate"]["spec"]["template"].clone(),
        _ => workload["spec"]["template"].clone(),
    }
}

/// Every manifest in deploy/kubernetes that is applied as it is: all but the patches of components.
pub(crate) fn shipped() -> Vec<String> {
    let folder = fs::read_dir(root().join("deploy/kubernetes")).or_fail("list deploy/kubernetes");
    let names = folder.map(|it| it.or_fail("list deploy/kubernetes").file_name());
    let names = names.filter_map(|it| it.to_str().map(str::to_owned));
    let mut paths: Vec<_> = names
        .filter(|it| it.ends_with(".yaml"))
        .map(|it| format!("deploy/kubernetes/{it}"))
        .collect();
    paths.sort();
    assert!(5 < paths.len(), "the manifests have got lost");
    paths
}
