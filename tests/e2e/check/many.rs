//! A thousand domains in one run.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use ligase_tests::OrFail;
use serde_json::Value;

use super::doors::SERVER;
use super::lab::Lab;

/// Domains of a hoster: all are at a few servers, some are not well, and both is told; it takes as
/// long as it takes, and not more memory than for a few.
#[test]
#[expect(clippy::disallowed_methods, reason = "how long it takes is what is asked")]
fn a_thousand_domains_are_checked_in_one_run() {
    let mut lab = Lab::new();
    let certificate = lab.world.authority.issue(&["xmpp.hosting.lab"]);
    for port in PORTS {
        lab.doors.starttls(port, SERVER, &certificate);
        lab.world.zone.tlsa("xmpp.hosting.lab", port, &certificate);
    }
    lab.world.zone.address("xmpp.hosting.lab", &lab.host);
    let mut list = String::new();
    for number in 0..DOMAINS {
        let domain = format!("d{number}.lab");
        let is_lost = number % LOST_EVERY == 0;
        let port = if is_lost { NOBODY } else { PORTS[number % PORTS.len()] };
        lab.world.zone.server(&domain, port, "xmpp.hosting.lab");
        list.push_str(&format!("{domain}\n"));
    }
    fs::write(lab.folder().join("list.txt"), list).or_fail("write a list of domains");
    lab.world.open();

    let started = Instant::now();
    let mut command = lab.command(&["--domains-file", "list.txt", "-o", "json"]);
    let mut child = command.stdout(Stdio::piped()).spawn().or_fail("run ligase check");
    let status = format!("/proc/{}/status", child.id());
    let measuring = thread::spawn(move || {
        let mut peak = 0;
        // Nothing tells how much memory a program used but to look while it runs.
        while let Some(resident) = peak_of(&status) {
            peak = peak.max(resident);
            thread::sleep(Duration::from_millis(20));
        }
        peak
    });
    let output = std::io::read_to_string(child.stdout.take().or_fail("take its output"));
    let text = output.or_fail("read what it says");
    let exit = child.wait().or_fail("wait for its end").code();
    let took = started.elapsed();
    let peak = measuring.join().unwrap_or_default();

    let found: Value = serde_json::from_str(&text).or_fail("read JSON");
    let checks = found["checks"].as_array().or_fail("read the checks");
    println!("{DOMAINS} domains took {took:?} and {} MiB", peak / 1024);
    assert_eq!((checks.len(), exit), (DOMAINS, Some(3)), "{:#}", found["summary"]);
    for (number, check) in checks.iter().enumerate() {
        assert_eq!(check["domain"], format!("d{number}.lab"), "the order of the list");
        let verdict = if number % LOST_EVERY == 0 { "undetermined" } else { "proven" };
        assert_eq!(check["verdict"], verdict, "{check:#}");
    }
    assert_eq!(found["summary"]["could_not_test"], DOMAINS / LOST_EVERY);
    assert!(took < Duration::from_secs(50), "{took:?}");
    assert!(peak < MEMORY_MAX, "{peak} KiB");

    // For people, only those that are not well.
    let (text, _) = lab.text(&["--domains-file", "list.txt", "--dns-only", "-o", "short"]);
    assert!(
        text.contains("1000 domains: 0 proven, 0 not proven, 1000 could not be tested"),
        "{text:.2000}"
    );
}

/// The most memory a process has held so far, in KiB, unless it has ended.
fn peak_of(status: &str) -> Option<u64> {
    let status = fs::read_to_string(status).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().trim_end_matches(" kB").parse().ok()
}

const DOMAINS: usize = 1000;
const LOST_EVERY: usize = 100;
const PORTS: [u16; 4] = [6000, 6001, 6002, 6003];

/// Nobody listens there.
const NOBODY: u16 = 6999;

/// In KiB: a tenth of what a small machine has.
const MEMORY_MAX: u64 = 100 * 1024;
