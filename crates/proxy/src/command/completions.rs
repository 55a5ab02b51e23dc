//! `ligase completions`: what completes the command line in a shell.

use std::io::{self, Write as _};

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::{Args, Completions, Exit};

/// Prints the completions for a shell.
#[must_use]
pub fn completions(args: &Completions) -> Exit {
    // Who has closed the pipe has read enough.
    let _ = io::stdout().lock().write_all(&script(args.shell));
    Exit::Done
}

fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "ligase", &mut script);
    script
}

#[cfg(test)]
mod tests;
