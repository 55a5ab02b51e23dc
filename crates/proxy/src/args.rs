//! The command line, and what the environment says. The only room that reads either.

mod admin_port;
mod check;
mod explain;
mod inject;
mod install;
mod terminal;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::LazyLock;

use clap::{Parser, Subcommand, ValueEnum};

use ligase_verifier::Domain;

use crate::config::Overrides;

pub use admin_port::{AdminPort, Retry};
pub use check::{Allowance, Check, CheckOutput, CheckService, Requirement};
pub use explain::{Explain, ExplainOutput};
pub(crate) use inject::label;
pub use inject::{Inject, InjectCapture};
pub use install::{Completions, Man};
pub use terminal::{draws, likes_color, likes_color_in_print};

/// What was asked for on the command line.
#[derive(Clone, Debug, Eq, Parser, PartialEq)]
#[command(
    name = "ligase",
    version = version_text(),
    about = "A transparent, TLS-terminating federation proxy for XMPP",
    after_help = "Examples:\n  ligase validate --config /etc/ligase/ligase.yaml\n  \
                  ligase run --config /etc/ligase/ligase.yaml\n\n\
                  LIGASE_LOG and LIGASE_LOG_FORMAT are read instead of log.level and log.format.",
    styles = terminal::STYLES,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Args {
    /// Which command.
    #[command(subcommand)]
    pub command: Command,
}

/// A command.
#[derive(Clone, Debug, Eq, PartialEq, Subcommand)]
pub enum Command {
    /// Run the proxy until it is asked to end
    #[command(
        after_help = "Ends with 0 after a drain, 78 if the configuration is wrong, 69 if an address \
                      cannot be bound or there is no resolver or key.\n\n\
                      Example:\n  ligase run --config /etc/ligase/ligase.yaml"
    )]
    Run(ConfigFile),

    /// Read a configuration and everything it names, and print each problem as `key: problem`
    #[command(after_help = "Ends with 0 if there is no problem, else with 78.\n\n\
                      Example:\n  ligase validate --config /etc/ligase/ligase.yaml")]
    Validate(ConfigFile),

    /// Print the records to publish for the hosted domains: SRV, TLSA and POSH
    #[command(
        after_help = "The TLSA records are those of every key in use and of every `next_key`: publish all \
                      of them.\n\n\
                      Ends with 0; with 64 if a domain is not hosted, 69 if a certificate or key \
                      cannot be read, 78 if the configuration is wrong.\n\n\
                      Examples:\n  ligase records --config /etc/ligase/ligase.yaml\n  \
                      ligase records --config /etc/ligase/ligase.yaml montague.example -o json"
    )]
    Records(Records),

    /// The netfilter rules of `capture: redirect`
    #[command(
        subcommand,
        disable_help_subcommand = true,
        after_help = "Ends with 0; with 1 if the rules cannot be changed, 78 if the configuration is \
                      wrong or is not `capture: redirect`.\n\n\
                      Example:\n  ligase capture apply --config /etc/ligase/ligase.yaml"
    )]
    Capture(Capture),

    /// Ask what domains publish, what their servers present, and who would believe them
    #[command(
        after_help = "Ends with 0 if every domain is proven, 1 if so but there are warnings and \
                      --strict is given, 2 if some domain is not proven, 3 if something could not \
                      be tested.\n\n\
                      Examples:\n  ligase check montague.example\n  \
                      ligase check montague.example --peer capulet.example\n  \
                      ligase check capulet.example --config /etc/ligase/ligase.yaml\n  \
                      ligase check --service client montague.example -o json\n  \
                      ligase check --domains-file hosted.txt --require dane"
    )]
    Check(Box<Check>),

    /// Ask the running proxy why a pair of domains passes or does not, and what to do about it
    #[command(
        after_help = "Ends with 0 if the proxy answered, 69 if it cannot be asked, 78 if the \
                      configuration is wrong.\n\n\
                      Examples:\n  ligase explain montague.example capulet.example\n  \
                      ligase explain montague.example capulet.example --admin 10.0.0.7:7290 -o json"
    )]
    Explain(Explain),

    /// Have the running proxy try a peer again that it leaves alone for a while
    #[command(after_help = "Ends with 0 if the proxy did so, 69 if it cannot be asked, 78 if the \
                      configuration is wrong. What was looked up of the peer is forgotten, too.\n\n\
                      Example:\n  ligase retry capulet.example")]
    Retry(Retry),

    /// Have the running proxy read its configuration and everything it names again
    #[command(
        after_help = "Ends with 0 if everything is in effect, 69 if the proxy cannot be asked, 78 if \
                      the configuration is wrong; then nothing has changed.\n\n\
                      Example:\n  ligase reload --config /etc/ligase/ligase.yaml"
    )]
    Reload(AdminPort),

    /// Ask the running proxy whether everything stands, and print what does not
    #[command(
        after_help = "Ends with 0 if everything stands, 69 if something does not or the proxy cannot be \
                      asked, 78 if the configuration is wrong. It is what a container's health is \
                      asked by.\n\n\
                      Example:\n  ligase ready --admin 127.0.0.1:7290"
    )]
    Ready(AdminPort),

    /// Ask the running proxy to finish and end, as SIGTERM does
    #[command(
        after_help = "Ends with 0 as soon as the proxy has begun, 69 if it cannot be asked, 78 if the \
                      configuration is wrong.\n\n\
                      Example:\n  ligase drain --admin 127.0.0.1:7290"
    )]
    Drain(AdminPort),

    /// Show the whole story on this machine, without root and without the Internet
    #[command(
        after_help = "Ends with 0 only if everything came out as it should, with 1 if not, with 69 if a \
                      server that it needs is not installed.\n\n\
                      Examples:\n  ligase demo\n  ligase demo --with prosody --stay"
    )]
    Demo(Demo),

    /// Put ligase beside the servers of a Kubernetes manifest
    #[command(
        after_help = "Reads manifests from standard input and prints them to standard output, what was \
                      done to standard error. Injecting again replaces what was injected before. A \
                      workload that is annotated `ligase/inject: \"false\"` is left alone.\n\n\
                      Ends with 0; with 65, and without printing a manifest, if one cannot be read or \
                      there is no room in it.\n\n\
                      Examples:\n  \
                      ligase inject --config-map ligase --namespace chat < ejabberd.yaml\n  \
                      ligase inject --config-map ligase --only statefulset/ejabberd < all.yaml\n  \
                      ligase inject --uninject < injected.yaml"
    )]
    Inject(Box<Inject>),

    /// Print what completes this command line in a shell
    #[command(after_help = "Ends with 0.\n\n\
                      Examples:\n  ligase completions bash > \
                      /usr/share/bash-completion/completions/ligase\n  \
                      ligase completions zsh > /usr/local/share/zsh/site-functions/_ligase\n  \
                      ligase completions fish > ~/.config/fish/completions/ligase.fish")]
    Completions(Completions),

    /// Print the manual page, or write it and one for each command to a folder
    #[command(after_help = "Ends with 0, or with 69 if the folder cannot be written to.\n\n\
                      Examples:\n  ligase man | man -l -\n  \
                      ligase man --out /usr/local/share/man/man1")]
    Man(Man),
}

/// Where the configuration is.
#[derive(clap::Args, Clone, Debug, Eq, PartialEq)]
pub struct ConfigFile {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// Which records to print, and how.
#[derive(clap::Args, Clone, Debug, Eq, PartialEq)]
pub struct Records {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    /// Only those of these hosted domains; needed with `hosts: auto`
    #[arg(value_name = "DOMAIN")]
    pub domains: Vec<Domain>,

    /// The form
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    pub output: RecordsForm,
}

/// The form in which records are printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum RecordsForm {
    /// For zone files, with the POSH documents in comments
    #[default]
    Zone,
    /// For programs
    Json,
}

/// What to do about the netfilter rules.
#[derive(Clone, Debug, Eq, PartialEq, Subcommand)]
pub enum Capture {
    /// Print the rules and change nothing
    #[command(
        after_help = "Ends with 0, or with 78 if the configuration is wrong or is not `capture: \
                      redirect`.\n\n\
                      Example:\n  ligase capture print --config ligase.yaml | nft --check --file -"
    )]
    Print(ConfigFile),

    /// Put the rules in place, IPv4 and IPv6, and check that they are; safe to repeat
    #[command(
        after_help = "Ends with 0; with 1 if the rules cannot be put in place, 78 if the configuration \
                      is wrong or is not `capture: redirect`.\n\n\
                      Example:\n  ligase capture apply --config /etc/ligase/ligase.yaml"
    )]
    Apply(ConfigFile),

    /// Tell whether the rules stand, and how many connections each has caught
    #[command(
        after_help = "What `left uncaptured` are TCP connections from this machine to ports that no rule \
                      names: to databases and the like, and to a peer if the server found one past \
                      ligase.\n\n\
                      Ends with 0 if all rules stand; with 69 if not, or if nobody can tell; with 78 if \
                      the configuration is wrong or is not `capture: redirect`.\n\n\
                      Example:\n  ligase capture status --config /etc/ligase/ligase.yaml"
    )]
    Status(ConfigFile),

    /// Take the rules away again
    #[command(after_help = "Ends with 0, or with 1 if the rules cannot be taken away.\n\n\
                      Example:\n  ligase capture remove --config /etc/ligase/ligase.yaml")]
    Remove(ConfigFile),
}

/// How to show the story.
#[derive(clap::Args, Clone, Debug, Eq, PartialEq)]
pub struct Demo {
    /// Keep everything running until Ctrl-C
    #[arg(long)]
    pub stay: bool,

    /// Which servers stand behind the proxies
    #[arg(long, value_enum, default_value_t, value_name = "SERVER")]
    pub with: DemoServer,
}

/// A server that can stand behind a proxy of the demo.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum DemoServer {
    /// One that is part of this program
    #[default]
    Embedded,
    /// Prosody, as it is installed here
    Prosody,
    /// ejabberd, as it is installed here
    Ejabberd,
}

impl Args {
    /// Reads a command line, program name first.
    ///
    /// # Errors
    /// What to print instead: what is wrong with the line, or the help or version that was asked
    /// for.
    pub fn read(line: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        Self::try_parse_from(line)
    }
}

/// What the environment says instead of the configuration file; what is empty says nothing.
pub fn overrides() -> Overrides {
    let read = |name: &str| {
        #[expect(clippy::disallowed_methods, reason = "here is where the environment is read")]
        let value = std::env::var(name);
        value.ok().filter(|it| !it.is_empty())
    };
    Overrides { log_level: read("LIGASE_LOG"), log_format: read("LIGASE_LOG_FORMAT") }
}

/// How a command ended, as shells and supervisors read it (sysexits.h).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// As it should: `run` after a drain.
    Done,
    /// The command line makes no sense.
    Usage,
    /// What was to be worked on is not as it should be.
    Data,
    /// Something that is needed cannot be had: an address, a resolver, a key.
    Unavailable,
    /// The demo did not come out as it should, a rule could not be put in place, or a check that
    /// is strict met warnings.
    Failed,
    /// A domain that was checked is not proven.
    Unproven,
    /// Something could not be tested, so nothing is known.
    Untested,
    /// The configuration is wrong.
    Config,
}

impl Exit {
    /// How a command ends that was never begun: help and version are what was asked for.
    pub fn instead(of: &clap::Error) -> Self {
        if of.use_stderr() { Self::Usage } else { Self::Done }
    }

    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Unproven => 2,
            Self::Untested => 3,
            Self::Usage => 64,
            Self::Data => 65,
            Self::Unavailable => 69,
            Self::Config => 78,
        }
    }
}

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The revision it was built from, when whoever built it said so by `LIGASE_REVISION`.
pub const REVISION: &str = match option_env!("LIGASE_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

/// Who does the cryptography.
pub const TLS_PROVIDER: &str = "rustls with aws-lc-rs";

/// What `--version` prints behind the name.
fn version_text() -> &'static str {
    static TEXT: LazyLock<String> =
        LazyLock::new(|| format!("{VERSION} (revision {REVISION}; TLS by {TLS_PROVIDER})"));
    &TEXT
}

#[cfg(test)]
mod tests;
