use std::fs;
use std::process::Command;

use clap::{CommandFactory as _, ValueEnum as _};
use clap_complete::Shell;

use super::script;
use crate::args::Args;

#[test]
fn every_shell_knows_every_command() {
    for shell in Shell::value_variants() {
        let script = String::from_utf8(script(*shell)).unwrap();
        for command in Args::command().get_subcommands() {
            let name = command.get_name();
            assert!(script.contains(name), "{shell} does not know {name}");
        }
        assert!(script.contains("trust-anchor"), "{shell} does not know flags");
    }
}

/// What bash makes of the script, when somebody has written so much and presses Tab.
#[test]
fn bash_completes_what_was_begun() {
    let path = std::env::temp_dir().join(format!("ligase-completions-{}", std::process::id()));
    fs::write(&path, script(Shell::Bash)).unwrap();
    let complete = |words: &str| {
        let ask = format!(
            "source {}; COMP_WORDS=(ligase {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _ligase ligase \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; \
             echo \"${{COMPREPLY[*]}}\"",
            path.display()
        );
        let said = Command::new("bash").args(["--norc", "-c", &ask]).output().unwrap();
        assert!(said.status.success() && said.stderr.is_empty(), "{said:?}");
        String::from_utf8(said.stdout).unwrap().trim().to_owned()
    };
    let completed =
        ["val", "check --trust", "capture a", "check --service c", "completions z"].map(complete);
    fs::remove_file(&path).unwrap();
    assert_eq!(completed, ["validate", "--trust-anchor", "apply", "client", "zsh"]);
}
