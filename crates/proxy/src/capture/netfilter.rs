//! Puts the packet filter's rules in place, makes sure that they are, and asks what they counted.

mod iptables;
mod nft;
mod program;

use std::fmt;
use std::io;

use super::rules::{Caught, Rules};

/// What speaks to the packet filter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tool {
    /// `nft`, for both families at once.
    Nft,
    /// `iptables` and `ip6tables`.
    Iptables,
    /// The same for kernels without nftables, where `iptables` cannot do without.
    IptablesLegacy,
}

/// Rules that stand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standing {
    /// What put them there.
    pub tool: Tool,
    /// What each has caught since then, in connections.
    pub counts: Vec<(Caught, u64)>,
}

/// Why the rules are not as they should be.
#[derive(Debug)]
pub enum Error {
    /// There is no such program here.
    NoTool(&'static str),
    /// The program could not be run, or not in time.
    NotRun(&'static str, io::Error),
    /// The program refused.
    Refused {
        /// Which one.
        tool: &'static str,
        /// Why, in its words.
        said: String,
    },
    /// The program refused, because we have no right to do this.
    Unprivileged {
        /// Which one.
        tool: &'static str,
        /// Its words.
        said: String,
    },
    /// Everything that could put them in place refused.
    AllRefused(Vec<Self>),
    /// This rule is not there, or not in its place.
    Missing(String),
    /// This rule is there beside ours.
    Unknown(String),
    /// There are none.
    Absent,
}

/// Puts these rules in place of any that were ours before, and looks whether they stand: for IPv4
/// and IPv6, or for neither. May be repeated at any time; connections that are open go on as they
/// are.
///
/// # Errors
/// When no program can put the rules in place, or they do not stand.
pub async fn apply(rules: &Rules) -> Result<Tool, Error> {
    let mut refusals = Vec::new();
    for tool in Tool::ALL {
        match tool.apply(rules).await {
            Ok(()) => {
                remove_others(tool).await?;
                return Ok(tool);
            }
            // It may be for this program only that the kernel lacks something.
            Err(error @ (Error::NoTool(_) | Error::Refused { .. })) => refusals.push(error),
            Err(error) => return Err(error),
        }
    }
    Err(worst(refusals))
}

/// Rules that another program put there for an earlier version of us would be the second to see
/// what ours leave alone.
async fn remove_others(but: Tool) -> Result<(), Error> {
    for tool in Tool::ALL.into_iter().filter(|tool| *tool != but) {
        // Where `iptables` is the old one, both are the same.
        let both = but == Tool::IptablesLegacy && tool == Tool::Iptables
            || but == Tool::Iptables && tool == Tool::IptablesLegacy;
        if !both && tool.is_there().await.unwrap_or(false) {
            tool.remove().await?;
        }
    }
    Ok(())
}

/// Removes all rules of ours, whichever program put them there. May be repeated.
///
/// # Errors
/// When there is no program that could, or one of them fails.
pub async fn remove() -> Result<(), Error> {
    let mut refusals = Vec::new();
    for tool in Tool::ALL {
        refusals.extend(tool.remove().await.err());
    }
    // What is not installed put nothing there, unless nothing is that could tell.
    if !is_blind(&refusals) {
        refusals.retain(|error| !matches!(error, Error::NoTool(_)));
    }
    if refusals.is_empty() { Ok(()) } else { Err(worst(refusals)) }
}

/// Whether these rules stand, and nothing else of ours, and what they have caught.
///
/// # Errors
/// When they do not, or nobody can tell.
pub async fn status(rules: &Rules) -> Result<Standing, Error> {
    let mut refusals = Vec::new();
    for tool in Tool::ALL {
        match tool.is_there().await {
            Ok(true) => {
                let counts = tool.counts(rules).await?;
                let counts = rules.caught().into_iter().zip(counts).collect();
                return Ok(Standing { tool, counts });
            }
            Ok(false) => refusals.push(Error::Absent),
            Err(error @ Error::Unprivileged { .. }) => return Err(error),
            Err(error) => refusals.push(error),
        }
    }
    Err(worst(refusals))
}

/// What to tell of several errors: what is not installed matters only where nothing is that could
/// tell.
fn worst(errors: Vec<Error>) -> Error {
    let is_absent = errors.iter().any(|it| matches!(it, Error::Absent));
    let (missing, mut others): (Vec<_>, Vec<_>) = errors
        .into_iter()
        .filter(|it| !matches!(it, Error::Absent))
        .partition(|it| matches!(it, Error::NoTool(_)));
    match others.len() {
        0 if is_absent && !is_blind(&missing) => Error::Absent,
        0 => Error::AllRefused(missing),
        1 => others.remove(0),
        _ => Error::AllRefused(others),
    }
}

/// Whether there is no program that would know. (The old iptables is hardly ever alone.)
fn is_blind(errors: &[Error]) -> bool {
    let is_missing = |name| errors.iter().any(|it| matches!(it, Error::NoTool(it) if *it == name));
    is_missing("nft") && is_missing("iptables")
}

impl Tool {
    /// In the order in which they are tried.
    pub const ALL: [Self; 3] = [Self::Nft, Self::Iptables, Self::IptablesLegacy];

    async fn apply(self, rules: &Rules) -> Result<(), Error> {
        match self {
            Self::Nft => nft::apply(rules).await,
            Self::Iptables => iptables::USUAL.apply(rules).await,
            Self::IptablesLegacy => iptables::LEGACY.apply(rules).await,
        }
    }

    async fn remove(self) -> Result<(), Error> {
        match self {
            Self::Nft => nft::remove().await,
            Self::Iptables => iptables::USUAL.remove().await,
            Self::IptablesLegacy => iptables::LEGACY.remove().await,
        }
    }

    async fn counts(self, rules: &Rules) -> Result<Vec<u64>, Error> {
        match self {
            Self::Nft => nft::counts(rules).await,
            Self::Iptables => iptables::USUAL.counts(rules).await,
            Self::IptablesLegacy => iptables::LEGACY.counts(rules).await,
        }
    }

    async fn is_there(self) -> Result<bool, Error> {
        match self {
            Self::Nft => nft::is_there().await,
            Self::Iptables => iptables::USUAL.is_there().await,
            Self::IptablesLegacy => iptables::LEGACY.is_there().await,
        }
    }
}

/// Whether the rules that a program listed are these, in this order, and no others.
fn stands(found: &[&str], expected: &[&str]) -> Result<(), Error> {
    for (place, rule) in expected.iter().enumerate() {
        if found.get(place) != Some(rule) {
            return Err(Error::Missing((*rule).to_owned()));
        }
    }
    match found.get(expected.len()) {
        Some(other) => Err(Error::Unknown((*other).to_owned())),
        None => Ok(()),
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nft => "nft",
            Self::Iptables => "iptables",
            Self::IptablesLegacy => "iptables-legacy",
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTool(tool) => write!(f, "there is no {tool} here"),
            Self::NotRun(tool, error) => write!(f, "cannot run {tool}: {error}"),
            Self::Refused { tool, said } => write!(f, "{tool} refuses: {said}"),
            Self::Unprivileged { tool, said } => write!(
                f,
                "this takes root with the capability NET_ADMIN, in a container by \
                 `securityContext.capabilities.add: [NET_ADMIN]`; {tool} refuses: {said}"
            ),
            Self::AllRefused(errors) => {
                let errors: Vec<_> = errors.iter().map(Self::to_string).collect();
                f.write_str(&errors.join("\n"))
            }
            Self::Missing(rule) => write!(f, "a rule does not stand in its place: {rule}"),
            Self::Unknown(rule) => write!(f, "a rule stands among ours that is none: {rule}"),
            Self::Absent => write!(f, "no rules stand"),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests;
