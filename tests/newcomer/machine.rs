//! Machine: a fresh Debian 12 that has booted, and its terminals.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{fs, process, thread};

use ligase_tests::{OrFail, Process};

/// A machine of its own, with its own systemd and no network. It ends when dropped, and nothing is
/// left of it.
#[derive(Debug)]
pub(crate) struct Machine {
    debian: PathBuf,
    /// What it has besides.
    more: PathBuf,
    group: PathBuf,
    /// Its first process, and all others with it.
    init: Option<Process>,
}

/// A shell on a machine, in which one command is typed after the other.
#[derive(Debug)]
pub(crate) struct Terminal {
    shell: Process,
    /// How many lines were there before the last command.
    read: usize,
    typed: usize,
}

impl Machine {
    /// Makes a fresh Debian; `packages` can be installed on it.
    pub(crate) fn fresh(packages: &str) -> Self {
        let folder = crate::root().join("target/newcomer");
        done(Command::new(script("fresh.sh")).arg(&folder).arg(packages));
        sweep(&folder);
        sweep(groups());
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("{PREFIX}{}-{}", process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let more = folder.join(&name);
        fs::create_dir(&more).or_fail("make a folder for what the machine has more");
        Self { debian: folder.join("debian"), more, group: groups().join(name), init: None }
    }

    /// Gives it a folder of ours before it starts, where it stands in the repository.
    pub(crate) fn give_folder(&self, name: &str) {
        let repository = self.more.join(REPOSITORY.trim_start_matches('/'));
        fs::create_dir_all(&repository).or_fail("give the machine a repository");
        done(Command::new("cp").arg("--archive").arg(crate::root().join(name)).arg(repository));
    }

    /// Gives it a file before it starts.
    pub(crate) fn give(&self, path: &str, content: &[u8], mode: u32) {
        let file = self.more.join(path.trim_start_matches('/'));
        let doing = format!("give the machine {path}");
        let folder = file.parent().or_fail(&doing);
        fs::create_dir_all(folder).or_fail(&doing);
        fs::write(&file, content).or_fail(&doing);
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).or_fail(&doing);
    }

    /// Starts it, and waits until its own systemd says that it runs.
    pub(crate) fn boot(&mut self) {
        fs::create_dir(&self.group).or_fail("make a control group");
        let mut boot = Command::new(script("boot.sh"));
        boot.arg(&self.debian).arg(&self.more).arg(&self.group);
        let init = Process::start("the machine", boot);
        // Before that, whoever asks for its namespaces may be given ours.
        init.hear("the machine starts", PATIENCE);
        self.init = Some(init);
        let mut terminal = self.terminal("bash");
        // Nothing tells when there is somebody to be asked. In a container of another kind, parts of
        // a Debian may fail that nobody misses.
        let _ = terminal.run(
            "until systemctl is-system-running --wait 2>/dev/null | grep -E 'running|degraded'\n\
             do sleep 0.1; done",
        );
    }

    /// Opens a terminal, in which `command` stands for a shell.
    pub(crate) fn terminal(&self, command: &str) -> Terminal {
        let init = self.init.as_ref().or_fail("open a terminal on a machine that runs");
        let shell = enter(init, &format!("cd {REPOSITORY} && exec {command}"));
        let shell = Process::start(&format!("the terminal of {command:?}"), shell);
        Terminal { shell, read: 0, typed: 0 }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if thread::panicking()
            && let Some(init) = &self.init
            && let Ok(logs) = enter(init, LOGS).output()
        {
            eprintln!("{}", String::from_utf8_lossy(&logs.stdout));
        }
        self.init = None;
        remove(&self.more);
        remove(&self.group);
    }
}

impl Terminal {
    /// Types these commands and returns all that is seen. Every one of them has to succeed.
    pub(crate) fn run(&mut self, commands: &str) -> Vec<String> {
        self.typed += 1;
        let end = format!("--- all of {} is typed", self.typed);
        // Programs must not read what is typed after them.
        self.shell.tell("set -e; { . /dev/fd/8; } 8<<'TYPED' 2>&1 </dev/null");
        for line in commands.lines() {
            self.shell.tell(line);
        }
        self.shell.tell("TYPED");
        self.shell.tell(&format!("echo; echo '{end}'"));
        let (next, _) = self.shell.hear_after(self.read, &end, PATIENCE);
        let lines = self.shell.lines();
        let mut seen = lines.get(self.read..next - 1).unwrap_or_default().to_vec();
        // The line that was begun before the end was said.
        if seen.last().is_some_and(String::is_empty) {
            seen.pop();
        }
        self.read = next;
        seen
    }
}

/// A command on the machine whose first process this is.
fn enter(init: &Process, command: &str) -> Command {
    let of = |kind: &str| format!("/proc/{}/ns/{kind}", init.id());
    let mut shell = Command::new("nsenter");
    shell.arg(format!("--mount={}", of("mnt")));
    shell.arg(format!("--pid={}", of("pid_for_children")));
    for kind in ["net", "uts", "ipc", "cgroup"] {
        shell.arg(format!("--{kind}={}", of(kind)));
    }
    shell.args(["env", "--ignore-environment", "HOME=/", PATH, "bash", "-c", command]);
    shell
}

/// Removes what runs that were killed could not remove themselves.
fn sweep(folder: impl AsRef<Path>) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next());
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            remove(&entry.path());
        }
    }
}

/// Removes a machine's files, or its control groups, which are folders without files.
fn remove(folder: &Path) {
    // What cannot be removed is swept by the next run.
    let mut find = Command::new("find");
    find.arg(folder).args(["-xdev", "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]);
    if folder.starts_with(groups()) {
        let _ = find.output();
    } else {
        let _ = Command::new("rm").args(["-rf", "--one-file-system"]).arg(folder).output();
    }
}

/// Where control groups are: the only hierarchy, or that of systemd.
fn groups() -> &'static Path {
    let one = Path::new("/sys/fs/cgroup");
    if one.join("cgroup.controllers").exists() { one } else { Path::new("/sys/fs/cgroup/systemd") }
}

fn script(name: &str) -> PathBuf {
    crate::root().join("tests/newcomer").join(name)
}

/// Has a command done, which has to succeed, and returns all that it said.
pub(crate) fn done(command: &mut Command) -> String {
    let output = command.output().or_fail(&format!("start {command:?}"));
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

/// Where this repository is on the machine.
const REPOSITORY: &str = "/usr/src/ligase";

/// What a machine's services have logged: the end of each log is enough to see why they stopped.
const LOGS: &str = "tail --lines=40 /var/log/ligase*.log /var/log/*/*.log 2>&1
    journalctl --no-pager --lines=40 --unit=ligase --unit=ejabberd --unit=named 2>&1";

const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Every folder and control group of ours begins so; the process id follows, and a number.
const PREFIX: &str = "newcomer-";

/// How long one block may take; the longest installs two servers.
const PATIENCE: Duration = Duration::from_secs(180);
