//! What promtool says of the files.

use std::process::Command;

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
