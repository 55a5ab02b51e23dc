use super::*;

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

#[test]
fn the_machine_has_no_more_than_it_has() {
    let files = |limit: &'static str, machine: &'static str| {
        move |path: &Path| {
            let text = match path.to_str()? {
                "/proc/self/cgroup" => "0::/a\n",
                "/sys/fs/cgroup/a/memory.max" => limit,
                "/proc/meminfo" => machine,
                _ => return None,
            };
            (!text.is_empty()).then(|| text.to_owned())
        }
    };
    let machine = "MemTotal:        2097152 kB\nMemFree:          100000 kB\n";
    let cases = [
        ("max\n", machine, Some(2048 * MIB)),
        ("268435456\n", machine, Some(256 * MIB)),
        ("4294967296\n", machine, Some(2048 * MIB)),
        ("268435456\n", "", Some(256 * MIB)),
        ("max\n", "", None),
        ("", "MemTotal: lots\n", None),
        ("", "MemFree: 100000 kB\n", None),
        ("", "MemTotal: 18446744073709551615 kB\n", None),
    ];
    for (limit, machine, expect) in cases {
        assert_eq!(all(files(limit, machine)), expect, "{limit:?} of {machine:?}");
    }
}

#[test]
fn the_program_itself_is_left_room_for() {
    let cases = [(2048, 1518), (256, 174), (128, 78), (64, 30), (40, 15), (32, 12), (1, 8), (0, 8)];
    for (all, expect) in cases {
        assert_eq!(share(all * MIB), expect * MIB, "of {all} MiB");
    }
}

#[test]
fn no_more_is_given_than_the_operator_says() {
    assert_eq!(budget(1), 1);
    assert!(budget(usize::MAX) < usize::MAX);
}
