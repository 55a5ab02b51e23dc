//! Cgroup: how much memory a program may take before the kernel ends it, as a container's limit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Host, OrFail};

/// A group of processes whose memory the kernel counts. It is removed when dropped, and whoever is
/// in it must have ended by then.
#[derive(Debug)]
pub struct Cgroup {
    folder: PathBuf,
    version: Version,
}

/// How the kernel tells of a group's memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Version {
    One,
    Two,
}

impl Cgroup {
    /// A group for a program on this host, which may take so many bytes, or as many as there are.
    pub fn new(host: &Host, bytes_max: Option<u64>) -> Self {
        let two = Path::new(MOUNTED);
        let is_two = fs::read_to_string(two.join("cgroup.controllers"))
            .is_ok_and(|it| it.split_whitespace().any(|it| it == "memory"));
        let (parent, version) = if is_two {
            (two.to_owned(), Version::Two)
        } else {
            (two.join("memory"), Version::One)
        };
        if version == Version::Two {
            // It is there already where anything else has a limit.
            let _ = fs::write(parent.join("cgroup.subtree_control"), "+memory");
        }
        let folder = parent.join(&host.namespace);
        fs::create_dir(&folder).or_fail("make a group of processes");
        let group = Self { folder, version };
        if let Some(bytes) = bytes_max {
            let file = group.by("memory.limit_in_bytes", "memory.max");
            fs::write(file, bytes.to_string()).or_fail("limit the memory of a group");
            // What may be swapped out has no limit worth the name.
            let swap = group.by("memory.memsw.limit_in_bytes", "memory.swap.max");
            let none = if version == Version::Two { 0 } else { bytes };
            let _ = fs::write(swap, none.to_string());
        }
        group
    }

    /// A command that runs on this host in the group, as root, with as many descriptors as it may
    /// have. Its `/sys` is the machine's, and so is its `/etc`.
    pub fn command(&self, host: &Host, program: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-ec", ENTER, "sh"]).arg(self.folder.join("cgroup.procs"));
        command.arg("nsenter").arg(format!("--net={}", host.network().display()));
        command.args(["--", program]);
        command
    }

    /// The most that its processes have ever held in memory, in bytes, with what the kernel holds
    /// for them.
    pub fn peak(&self) -> u64 {
        let text = fs::read_to_string(self.by("memory.max_usage_in_bytes", "memory.peak"));
        let text = text.or_fail("read the memory of a group");
        text.trim().parse().or_fail("read the memory of a group")
    }

    /// How often the kernel has killed one of them for want of memory.
    pub fn kills(&self) -> u64 {
        let text = fs::read_to_string(self.by("memory.oom_control", "memory.events"));
        let text = text.or_fail("read what befell a group");
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        count.and_then(|it| it.parse().ok()).or_fail("read what befell a group")
    }

    fn by(&self, one: &str, two: &str) -> PathBuf {
        self.folder.join(if self.version == Version::One { one } else { two })
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // A process that is not quite gone keeps it; it costs nothing.
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Goes into the group whose list is named first, and becomes the rest of its arguments.
const ENTER: &str = "echo $$ > \"$1\"; shift; ulimit -S -n \"$(ulimit -H -n)\"; exec \"$@\"";

const MOUNTED: &str = "/sys/fs/cgroup";
