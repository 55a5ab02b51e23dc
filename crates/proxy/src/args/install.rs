use std::path::PathBuf;

use clap_complete::Shell;

/// For which shell.
#[derive(clap::Args, Clone, Debug, Eq, PartialEq)]
pub struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// Where the manual goes.
#[derive(clap::Args, Clone, Debug, Eq, PartialEq)]
pub struct Man {
    /// The folder to write ligase.1 and a page for each command to; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
