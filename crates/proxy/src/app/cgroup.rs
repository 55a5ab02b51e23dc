//! How much memory the kernel gives us, as control groups tell (cgroups(7)).

use std::fs;
use std::path::{Path, PathBuf};

/// Three quarters of what our control group may take; none, if it may take all there is. The rest is
/// for what is not counted: the program itself, what is remembered of DNS, and what the allocator has
/// not given back yet.
pub(super) fn allowance() -> Option<usize> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let read = |path: &Path| fs::read_to_string(path).ok();
    let limit = limit(&groups, read)?;
    Some(limit - limit / 4)
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

/// As much as no machine has.
const NO_LIMIT: u64 = 1 << 60;

#[cfg(test)]
mod tests;
