use clap::ValueEnum;
use ligase_verifier::Domain;

use super::AdminPort;

/// Which pair to ask about, and whom.
#[derive(clap::Args, Clone, Debug, Eq, PartialEq)]
pub struct Explain {
    /// The domain that our own server hosts
    #[arg(value_name = "LOCAL")]
    pub local: Domain,

    /// The domain of the peer
    #[arg(value_name = "REMOTE")]
    pub remote: Domain,

    /// Whom to ask
    #[command(flatten)]
    pub port: AdminPort,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ExplainOutput,
}

/// How an explanation is printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum ExplainOutput {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}
