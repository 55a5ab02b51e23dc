//! What promtool says of the files.

use std::io::Write;
use std::process::{Command, Stdio};

use ligase_metrics::Metrics;
use ligase_tests::OrFail;

use crate::files::{EXAMPLE, RULES, TESTS, root};

/// Runs promtool in the project's folder.
#[track_caller]
fn promtool(arguments: &[&str]) -> String {
    let done = Command::new("promtool").args(arguments).current_dir(root()).output();
    let done = done.or_fail("run promtool; does tests/install.sh say nothing?");
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(done.status.success(), "promtool {arguments:?}: {said}");
    said
}

/// Names, types, units and help of every family.
#[test]
fn what_ligase_tells_is_sound() {
    let mut reader = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .or_fail("run promtool; does tests/install.sh say nothing?");
    let text = Metrics::new("1", "test").render();
    // Dropped when it is written, so that promtool sees its end.
    let written = reader.stdin.take().or_fail("write").write_all(text.as_bytes());
    written.or_fail("write the metrics");
    let done = reader.wait_with_output().or_fail("read what promtool says");
    let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert!(done.status.success() && said.is_empty(), "{said}");
}

#[test]
fn the_rules_are_sound() {
    let said = promtool(&["check", "rules", RULES]);
    assert!(said.contains("SUCCESS"), "{said}");
}

#[test]
fn the_rules_do_what_their_tests_say() {
    promtool(&["test", "rules", TESTS]);
}

#[test]
fn the_example_of_a_configuration_is_sound_and_finds_the_rules() {
    let said = promtool(&["check", "config", EXAMPLE]);
    assert!(said.contains("1 rule files found"), "{said}");
}
