//! How much memory there is for us: what the machine has (proc_meminfo(5)), or what the kernel gives
//! us of that, as control groups tell (cgroups(7)).

use std::fs;
use std::path::{Path, PathBuf};

use tracing::warn;

/// How much connections may hold together: what the operator says, or less where there is less.
pub(super) fn budget(given: usize) -> usize {
    let read = |path: &Path| fs::read_to_string(path).ok();
    let Some(all) = all(read) else { return given };
    if all < ENOUGH {
        let mebibytes = all / MIB;
        warn!(
            mebibytes,
            least = ENOUGH / MIB,
            "too little memory; connections may hold next to none"
        );
    }
    share(all).min(given)
}

/// What there is for everything; none, if nobody tells.
fn all(read: impl Fn(&Path) -> Option<String>) -> Option<usize> {
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let machine = read(Path::new("/proc/meminfo")).and_then(|it| total(&it));
    limit(&groups, read).into_iter().chain(machine).min()
}

/// How much of it connections may hold: three quarters of what the program leaves. The rest is for
/// what is not counted: what is remembered of DNS, what the kernel holds for sockets, and what the
/// allocator has not given back yet.
fn share(all: usize) -> usize {
    let left = all - PROGRAM.min(all / 2);
    (left - left / 4).max(LEAST)
}

/// What the machine has, as `/proc/meminfo` says it.
fn total(text: &str) -> Option<usize> {
    let line = text.lines().find_map(|it| it.strip_prefix("MemTotal:"))?;
    let kibibytes: usize = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The least that any of our control groups, or of those around them, may take. `groups` is what
/// `/proc/self/cgroup` says.
fn limit(groups: &str, read: impl Fn(&Path) -> Option<String>) -> Option<usize> {
    let files = groups.lines().filter_map(file).flat_map(|(root, group, name)| {
        let path = Path::new(group.trim_start_matches('/'));
        path.ancestors().map(|it| root.join(it).join(name)).collect::<Vec<_>>()
    });
    let limits = files.filter_map(|path| read(&path)?.trim().parse::<u64>().ok());
    // Version 1 has no word for no limit, but a number larger than any machine.
    let limit = limits.filter(|limit| *limit < NO_LIMIT).min()?;
    usize::try_from(limit).ok()
}

/// Where the control group of a line has its limit: below which folder, in which group, by which name.
fn file(line: &str) -> Option<(PathBuf, &str, &'static str)> {
    let mut parts = line.splitn(3, ':');
    let (number, controllers, group) = (parts.next()?, parts.next()?, parts.next()?);
    match controllers {
        "" if number == "0" => Some(("/sys/fs/cgroup".into(), group, "memory.max")),
        "memory" => Some(("/sys/fs/cgroup/memory".into(), group, "memory.limit_in_bytes")),
        _ => None,
    }
}

const MIB: usize = 1024 * 1024;

/// What the program itself takes while nobody is there, and some more.
const PROGRAM: usize = 24 * MIB;

/// The least that connections may hold, however little there is: enough for a few.
const LEAST: usize = 8 * MIB;

/// With less than this, few connections are enough for what there is.
const ENOUGH: usize = 96 * MIB;

/// As much as no machine has.
const NO_LIMIT: u64 = 1 << 60;

#[cfg(test)]
mod tests;
