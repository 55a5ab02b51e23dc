//! A newcomer's path: what README.md and docs/getting-started.md ask for is typed as it stands, on
//! a fresh Debian 12, and what they show is what is seen; so is what docs/debian.md asks for.

mod guide;
mod machine;
mod package;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use ligase_tests::OrFail as _;
use ligase_tests::peer::program;

use crate::guide::{Step, is_as_shown};
use crate::machine::{Machine, Terminal};

#[test]
fn a_newcomer_gets_from_nothing_to_two_servers_that_federate() {
    let steps = guide::read(&file("docs/getting-started.md"));
    assert_promises(&steps);
    // What was typed in a terminal may go on; it ends with the machine, which is dropped first.
    let mut terminals = HashMap::new();
    let mut machine = Machine::fresh(&packages());
    furnish(&machine);
    machine.boot();

    let _ = terminals.insert(MACHINE.to_owned(), machine.terminal("bash"));
    let at_first = Step {
        line: 0,
        place: MACHINE.to_owned(),
        is_new: false,
        commands: readme(),
        shown: Some("...\n✓ all … checks held, in … s".to_owned()),
    };
    let mut transcript = String::new();
    for step in [&at_first].into_iter().chain(&steps) {
        take(&machine, &mut terminals, step, &mut transcript);
    }
    let kept = root().join("target/newcomer/transcript.txt");
    fs::write(kept, transcript).or_fail("keep the transcript");
}

/// The unit that is installed on the way is the only one that we show.
#[test]
fn the_unit_lets_a_drain_end_and_does_not_insist_on_a_wrong_configuration() {
    let unit = file("deploy/ligase.service");
    let value = |key: &str| {
        let value = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        value.or_fail(&format!("find {key} in the unit")).to_owned()
    };
    assert_eq!(value("RestartPreventExitStatus"), "78");
    let configuration = file("deploy/ligase.yaml");
    let drain = configuration.lines().find_map(|line| line.strip_prefix("drain_seconds: "));
    let drain: u32 = drain.or_fail("find drain_seconds").parse().or_fail("read drain_seconds");
    let patience: u32 = value("TimeoutStopSec").parse().or_fail("read TimeoutStopSec");
    assert!(drain < patience, "killed after {patience} s, while a drain may take {drain} s");

    let operations = file("docs/operations.md");
    assert!(operations.contains("](../deploy/ligase.service)"), "the unit is not named");
    for page in [operations, file("README.md"), file("docs/getting-started.md")] {
        assert!(!page.contains("[Service]"), "a second unit is shown");
    }
}

/// Types one block, and holds what is seen to what is shown.
fn take(
    machine: &Machine,
    terminals: &mut HashMap<String, Terminal>,
    step: &Step,
    transcript: &mut String,
) {
    let mut commands = step.commands.as_str();
    if step.is_new {
        let (open, rest) = commands.split_once('\n').unwrap_or((commands, ""));
        let _ = terminals.insert(step.place.clone(), machine.terminal(open));
        commands = rest;
    }
    let place = &step.place;
    println!("line {}, at {place}", step.line);
    let terminal = terminals.get_mut(place).or_fail(&format!("find the terminal at {place}"));
    let seen = terminal.run(commands);
    // Writing into a String cannot fail.
    let _ = writeln!(transcript, "\n[{place}] {commands}\n\n{}", seen.join("\n"));
    if let Some(shown) = &step.shown {
        let (line, seen_text) = (step.line, seen.join("\n"));
        assert!(
            is_as_shown(shown, &seen),
            "line {line}, at {place}:\n{commands}\n\nshown:\n{shown}\n\nseen:\n{seen_text}"
        );
    }
}

/// What the page promises may be said in other words, but not be left out.
fn assert_promises(steps: &[Step]) {
    let shown: Vec<_> = steps.iter().filter_map(|step| step.shown.as_deref()).collect();
    let shown = shown.join("\n");
    for promise in [
        "… romeo@montague.example: ",
        "… juliet@capulet.example: ",
        "montague.example -> capulet.example: carried",
        "capulet.example -> montague.example: carried",
        "proven by dane, until …",
    ] {
        assert!(shown.contains(promise), "the page does not show {promise:?}");
    }
    let typed: Vec<_> = steps.iter().map(|step| step.commands.as_str()).collect();
    let typed = typed.join("\n");
    for command in ["systemctl enable --now ligase", "ejabberdctl start", "prosodyctl start"] {
        assert!(typed.contains(command), "the page does not ask for {command:?}");
    }
}

/// What docs/getting-started.md asks to be installed. Others have to do with that: what is fetched
/// for a fresh Debian is fetched once.
fn packages() -> String {
    let steps = guide::read(&file("docs/getting-started.md"));
    let typed = steps.iter().find_map(|step| step.commands.split_once("--no-install-recommends"));
    let (_, list) = typed.or_fail("find what is to be installed");
    // The command goes on for as long as its lines end so.
    let end = list.match_indices('\n').find(|(at, _)| !list[..*at].ends_with('\\'));
    let list = end.map_or(list, |(at, _)| &list[..at]);
    let words: Vec<_> = list.split_whitespace().filter(|word| *word != "\\").collect();
    words.join(" ")
}

/// The first command that README.md asks for.
fn readme() -> String {
    let readme = file("README.md");
    let block = readme.split_once("```sh\n").map(|(_, block)| block);
    let line = block.and_then(|block| block.lines().next()).or_fail("find README's first command");
    line.to_owned()
}

/// Gives the machine what a newcomer has: this repository, and a compiler. Compiling takes many
/// minutes, so what the compiler would make is there already.
fn furnish(machine: &Machine) {
    machine.give_folder("deploy");
    let made = fs::read(program("ligase")).or_fail("read the program");
    machine.give("/opt/ligase", &made, 0o755);
    machine.give("/usr/local/bin/cargo", CARGO.as_bytes(), 0o755);
}

/// Stands for the compiler, where it is asked for what it has made.
const CARGO: &str = r#"#!/bin/sh
case "$*" in
"build --release --package ligase") install -D /opt/ligase target/release/ligase ;;
"run -p ligase -- "*) shift 4; exec /opt/ligase "$@" ;;
*) echo "cargo $*: not on the newcomer's path"; exit 1 ;;
esac
"#;

/// Where the page begins.
const MACHINE: &str = "the machine itself";

fn file(path: &str) -> String {
    fs::read_to_string(root().join(path)).or_fail(&format!("read {path}"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().or_fail("find the repository").to_owned()
}
