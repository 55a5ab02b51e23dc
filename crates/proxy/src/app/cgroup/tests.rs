use super::*;

const MIB: usize = 1024 * 1024;

/// The limit in those groups, where these files hold these numbers.
#[track_caller]
fn check(groups: &str, files: &[(&str, &str)], expect: Option<usize>) {
    let read = |path: &Path| {
        let file = files.iter().find(|(known, _)| path == Path::new(known));
        file.map(|(_, text)| format!("{text}\n"))
    };
    assert_eq!(limit(groups, read), expect, "{groups}");
}

#[test]
fn the_least_of_all_groups_around_us_counts() {
    let pod = "0::/kubepods/pod1/ligase\n";
    let own = ("/sys/fs/cgroup/kubepods/pod1/ligase/memory.max", "268435456");
    check(pod, &[own], Some(256 * MIB));
    check(pod, &[own, ("/sys/fs/cgroup/kubepods/memory.max", "134217728")], Some(128 * MIB));
    check(pod, &[("/sys/fs/cgroup/kubepods/pod1/ligase/memory.max", "max")], None);
    // A container that sees its own group as the root.
    check("0::/\n", &[("/sys/fs/cgroup/memory.max", "268435456")], Some(256 * MIB));
    check("0::/\n", &[], None);
}

#[test]
fn version_1_has_a_hierarchy_for_memory() {
    let groups = "12:cpu,cpuacct:/a\n4:memory:/docker/x\n0::/\n";
    let own = |text| ("/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", text);
    check(groups, &[own("335544320")], Some(320 * MIB));
    check(groups, &[own("9223372036854771712")], None);
    let inside = ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "335544320");
    check(groups, &[inside], Some(320 * MIB));
}

#[test]
fn what_cannot_be_read_limits_nothing() {
    check("", &[], None);
    check("nonsense\n0::\n1:memory\n", &[("/sys/fs/cgroup/memory.max", "lots")], None);
}
