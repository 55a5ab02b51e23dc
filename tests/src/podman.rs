//! Podman: containers and pods on this machine, in a storage of our own.
//!
//! Images are kept between runs, below `target/podman`. Everything else is called by the process
//! id of the test that made it, ends with it, and is swept by the next run if it could not.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::host::run;
use crate::{OrFail, Process};

/// Podman and buildah with a storage of their own. Copies mean the same storage.
#[derive(Clone, Debug)]
pub struct Podman {
    folder: PathBuf,
    /// What is forgotten when the machine starts anew. Podman wants fifty letters at most.
    run: PathBuf,
}

/// A container that runs, or has run. It is removed when dropped.
#[derive(Debug)]
pub struct Container {
    podman: Podman,
    name: String,
}

/// A pod that runs. It is removed with its containers when dropped.
#[derive(Debug)]
pub struct Pod {
    podman: Podman,
    name: String,
}

impl Podman {
    /// The one storage of this checkout.
    pub fn new() -> Self {
        static SWEPT: OnceLock<Podman> = OnceLock::new();
        let podman = SWEPT.get_or_init(|| {
            let podman = Self::unswept();
            podman.sweep();
            podman
        });
        podman.clone()
    }

    fn unswept() -> Self {
        let folder = root().join("target/podman");
        fs::create_dir_all(folder.join("empty")).or_fail("make a folder for podman");
        let mark = fs::metadata(&folder).or_fail("look at podman's folder").ino();
        let run = PathBuf::from(format!("/run/ligase-podman-{mark}"));
        fs::write(folder.join("containers.conf"), CONTAINERS).or_fail("configure podman");
        fs::create_dir_all(folder.join("networks")).or_fail("make a folder for networks");
        Self { folder, run }
    }

    /// What something is to be called that ends with this test: `juliet` as `t123-juliet`.
    pub fn named(&self, name: &str) -> String {
        format!("{PREFIX}{}-{name}", process::id())
    }

    /// A podman command that works in our storage. Its arguments follow.
    pub fn command(&self) -> Command {
        let mut podman = self.tool("podman");
        podman.arg("--tmpdir").arg(self.run.join("tmp"));
        podman.arg("--network-config-dir").arg(self.folder.join("networks"));
        podman
    }

    /// Runs a podman command to its end, and returns what it said. It must succeed.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> String {
        run(self.command().args(arguments))
    }

    /// Builds an image from what is in `context`; arguments for buildah may be added.
    #[track_caller]
    pub fn build(&self, dockerfile: &Path, context: &Path, image: &str, arguments: &[&str]) {
        let _lock = self.lock();
        let mut build = self.tool("buildah");
        // HEALTHCHECK is no part of the other format.
        build.args(["bud", "--isolation", "chroot", "--format", "docker", "--quiet"]);
        build.args(["--pull-never", "--tag", image]).args(arguments);
        run(build.arg("--file").arg(dockerfile).arg(context));
        // The image that had this name before has none now, and nobody wants it.
        self.run(&["image", "prune", "--force"]);
    }

    /// Makes an image of a tree of files; a change is `USER root` or another line of a Dockerfile.
    #[track_caller]
    pub fn import(&self, tree: &Path, image: &str, changes: &[&str]) {
        let _lock = self.lock();
        let mut tar = Command::new("tar");
        tar.arg("--directory").arg(tree).args(["--numeric-owner", "--create", "."]);
        let mut tar = tar.stdout(Stdio::piped()).spawn().or_fail("start tar");
        let mut import = self.command();
        import.args(["import", "--quiet"]);
        for change in changes {
            import.args(["--change", change]);
        }
        import.arg("-").arg(image).stdin(tar.stdout.take().or_fail("take what tar says"));
        run(&mut import);
        assert!(tar.wait().or_fail("await the end of tar").success(), "tar failed");
        self.run(&["image", "prune", "--force"]);
    }

    /// Whether there is such an image.
    pub fn has(&self, image: &str) -> bool {
        self.succeeds(&["image", "exists", image])
    }

    /// What podman knows of an image.
    #[track_caller]
    pub fn image(&self, image: &str) -> Value {
        one(&self.run(&["image", "inspect", image]))
    }

    /// Mounts an image for as long as `look` looks at its files.
    pub fn look_into<T>(&self, image: &str, look: impl FnOnce(&Path) -> T) -> T {
        let folder = self.run(&["image", "mount", image]);
        let seen = look(Path::new(folder.trim()));
        self.run(&["image", "unmount", image]);
        seen
    }

    /// A command that runs a container called `name` and ends with it: podman's options, the image
    /// and its arguments follow.
    pub fn runner(&self, name: &str) -> Command {
        let mut runner = self.command();
        runner.args(["run", "--pull", "never", "--name", name]);
        runner
    }

    /// Runs a container to its end, and returns how it ended and all that it said.
    pub fn done(&self, name: &str, arguments: &[&str]) -> (ExitStatus, String) {
        let name = self.named(name);
        let done = self.runner(&name).arg("--rm").args(arguments).output().or_fail("start podman");
        let said = [done.stdout, done.stderr].concat();
        (done.status, String::from_utf8_lossy(&said).into_owned())
    }

    /// Starts a container: podman's options, the image and its arguments.
    #[track_caller]
    pub fn start(&self, name: &str, arguments: &[&str]) -> Container {
        let name = self.named(name);
        // From here on, it is removed even if it cannot be started.
        let container = Container { podman: self.clone(), name };
        run(self.runner(&container.name).arg("--detach").args(arguments));
        container
    }

    /// Plays a manifest whose one Pod is called `name` as it stands (which must be one of
    /// [ours](Self::named)); ConfigMaps and Secrets may stand before it.
    #[track_caller]
    pub fn play(&self, name: &str, manifest: &str, arguments: &[&str]) -> Pod {
        let pod = Pod { podman: self.clone(), name: name.to_owned() };
        let file = self.folder.join(format!("{name}.yaml"));
        fs::write(&file, manifest).or_fail("write a manifest");
        let mut play = self.command();
        run(play.args(["play", "kube", "--log-driver", "k8s-file"]).args(arguments).arg(&file));
        fs::remove_file(file).or_fail("remove a manifest");
        pod
    }

    fn tool(&self, program: &str) -> Command {
        let mut tool = Command::new(program);
        // A folder that is called like an image would be taken for it.
        tool.current_dir(self.folder.join("empty"));
        tool.env("CONTAINERS_CONF", self.folder.join("containers.conf"));
        tool.arg("--root").arg(self.folder.join("storage"));
        tool.arg("--runroot").arg(self.run.join("run")).args(["--storage-driver", "vfs"]);
        tool
    }

    fn succeeds(&self, arguments: &[&str]) -> bool {
        self.command().args(arguments).output().or_fail("start podman").status.success()
    }

    /// One at a time makes images.
    fn lock(&self) -> File {
        let lock = File::create(self.folder.join("lock")).or_fail("open a lock");
        lock.lock().or_fail("take a lock");
        lock
    }

    /// Removes what runs that were killed could not remove themselves.
    fn sweep(&self) {
        let kinds: [(&[&str], &[&str]); 6] = [
            (&["pod", "ls", "--format={{.Name}}"], &["pod", "rm", "--force", "--time=0"]),
            (&["ps", "--all", "--format={{.Names}}"], &["rm", "--force", "--time=0", "--ignore"]),
            (&["volume", "ls", "--format={{.Name}}"], &["volume", "rm", "--force"]),
            (&["secret", "ls", "--format={{.Name}}"], &["secret", "rm"]),
            (&["network", "ls", "--format={{.Name}}"], &["network", "rm", "--force"]),
            (&["images", "--format={{.Repository}}:{{.Tag}}"], &["rmi", "--force"]),
        ];
        for (list, remove) in kinds {
            let names = self.run(list);
            let names: BTreeSet<_> = names.lines().filter(|name| is_orphan(name)).collect();
            for name in names {
                // Another run may be sweeping, too.
                let _ = self.command().args(remove).arg(name).output();
            }
        }
    }
}

impl Default for Podman {
    fn default() -> Self {
        Self::new()
    }
}

impl Container {
    /// A container of a pod, or one that was [run](Podman::runner).
    pub fn of(podman: &Podman, name: &str) -> Self {
        Self { podman: podman.clone(), name: name.to_owned() }
    }

    /// What podman calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What podman knows of it.
    #[track_caller]
    pub fn inspect(&self) -> Value {
        one(&self.podman.run(&["container", "inspect", &self.name]))
    }

    /// The process id, on this machine, of its first process. It must be running.
    #[track_caller]
    pub fn pid(&self) -> u64 {
        let state = self.inspect();
        let pid = state.pointer("/State/Pid").and_then(Value::as_u64);
        pid.filter(|pid| 0 < *pid).or_fail(&format!("find {} running", self.name))
    }

    /// A command of this machine that runs in the container's network.
    #[track_caller]
    pub fn beside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.pid())).arg(program);
        command
    }

    /// A command of the container's own.
    pub fn inside(&self, program: &str) -> Command {
        let mut command = self.podman.command();
        command.args(["exec", &self.name, program]);
        command
    }

    /// What it says, from its first line on.
    pub fn log(&self) -> Process {
        let mut logs = self.podman.command();
        logs.args(["logs", "--follow", &self.name]);
        Process::start(&self.name, logs)
    }

    /// Sends a signal to its first process: `"TERM"`.
    #[track_caller]
    pub fn signal(&self, signal: &str) {
        self.podman.run(&["kill", "--signal", signal, &self.name]);
    }

    /// Starts it again where it ran before.
    #[track_caller]
    pub fn start_again(&self) {
        self.podman.run(&["start", &self.name]);
    }

    /// Waits for its end, and tells its exit code.
    #[track_caller]
    pub fn end(&self) -> i32 {
        let code = self.podman.run(&["wait", &self.name]);
        code.trim().parse().or_fail("read an exit code")
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // What cannot be removed is swept by the next run.
        let remove = ["rm", "--force", "--time=0", "--ignore", "--volumes", &self.name];
        let _ = self.podman.command().args(remove).output();
    }
}

impl Pod {
    /// What podman calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What podman calls a container of it.
    pub fn container(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        let remove = ["pod", "rm", "--force", "--time=0", &self.name];
        let _ = self.podman.command().args(remove).output();
    }
}

/// Whether this is called by the process id of a test that is no more.
fn is_orphan(name: &str) -> bool {
    let name = name.strip_prefix("localhost/").unwrap_or(name);
    let pid = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')).map(|(pid, _)| pid);
    pid.is_some_and(|pid| pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists())
}

/// The only one that was asked for.
fn one(inspected: &str) -> Value {
    let mut all: Vec<Value> = serde_json::from_str(inspected).or_fail("read what podman knows");
    all.pop().or_fail("find what was asked for")
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().or_fail("find the repository").to_owned()
}

/// What everything begins with that ends with a test; the process id follows.
const PREFIX: &str = "t";

/// Small limits, because nobody may be able to raise them here, and cgroups without systemd.
const CONTAINERS: &str = r#"[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
"#;
