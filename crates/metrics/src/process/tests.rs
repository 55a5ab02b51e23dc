use super::{Process, Stat, boot, field};
use crate::family::Families;
use prometheus::Registry;

#[test]
fn a_program_may_be_called_anything() {
    let line = "42 (a) b) c) S 1 42 42 0 -1 4194560 1 2 3 4 150 50 7 8 20 0 5 0 1000 9 9";
    let stat = Stat::parse(line).unwrap();
    assert_eq!((stat.cpu_seconds, stat.started_seconds), (2.0, 10.0));
    assert_eq!(Stat::parse("42 (x) S 1"), None);
    assert_eq!(Stat::parse(""), None);
}

#[test]
fn numbers_are_found_by_name() {
    let status = "Name:\tx\nVmRSS:\t  1024 kB\nThreads:\t3\n";
    assert_eq!(field(status, "VmRSS:"), Some(1024));
    assert_eq!(field(status, "VmSize:"), None);
    assert_eq!(field("Max open files            unlimited", "Max open files"), None);
    assert_eq!(boot("cpu 1 2\nbtime 1700000000\n"), Some(1_700_000_000.0));
}

#[test]
fn this_process_has_started_and_takes_memory() {
    let process = Process::register(&Families(Registry::new()));
    process.refresh();
    assert!(1_048_576 < process.resident.get());
    assert!(process.resident.get() < process.virtual_memory.get());
    assert!(2 < process.descriptors.get());
    assert!(process.descriptors.get() < process.descriptors_max.get());
    assert!(0 < process.threads.get());
    assert!(1_700_000_000.0 < process.started.get());
}
