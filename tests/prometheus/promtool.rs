//! What promtool says of the files.

use std::io::Write;
use std::process::{Command, Stdio};

use ligase_metrics::Metrics;
use ligase_tests::OrFail;

use crate::files::{EXAMPLE, RULES, TESTS, root};

/// Has promtool look at what a proxy tells Prometheus: names, types, units and help.
#[track_caller]
pub(crate) fn check_metrics(text: &str) {
    assert_eq!(promtool(&["check", "metrics"], text), "", "promtool complains");
}

/// Runs promtool in the project's folder.
#[track_caller]
fn promtool(arguments: &[&str], input: &str) -> String {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(root());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().or_fail("run promtool; tests/install.sh brings it");
    // Dropped when it is written, so that promtool sees its end.
    let written = child.stdin.take().or_fail("speak to promtool").write_all(input.as_bytes());
    written.or_fail("speak to promtool");
    let done = child.wait_with_output().or_fail("hear what promtool says");
    let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert!(done.status.success(), "promtool {arguments:?}: {said}");
    said
}

/// Every family as it is before anything has happened.
#[test]
fn what_ligase_tells_is_sound() {
    check_metrics(&Metrics::new("1", "test").render());
}

#[test]
fn the_rules_are_sound() {
    let said = promtool(&["check", "rules", RULES], "");
    assert!(said.contains("SUCCESS"), "{said}");
}

#[test]
fn the_rules_do_what_their_tests_say() {
    promtool(&["test", "rules", TESTS], "");
}

#[test]
fn the_example_of_a_configuration_is_sound_and_finds_the_rules() {
    let said = promtool(&["check", "config", EXAMPLE], "");
    assert!(said.contains("1 rule files found"), "{said}");
}
