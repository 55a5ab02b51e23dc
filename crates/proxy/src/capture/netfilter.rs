//! Puts the packet filter's rules in place, and makes sure that they are.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use super::rules::{NFT_REMOVE, OUTPUT, PREROUTING, Rules};

/// What speaks to the packet filter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tool {
    /// `nft`, for both families at once.
    Nft,
    /// `iptables` and `ip6tables`.
    Iptables,
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
    /// The program took a rule that is not there afterwards.
    Missing(String),
}

/// Puts these rules in place of any that were ours before, and looks whether they stand. May be
/// repeated at any time; connections that are open go on.
///
/// # Errors
/// When there is neither `nft` nor `iptables`, or the rules do not stand.
pub async fn apply(rules: &Rules) -> Result<Tool, Error> {
    match apply_by(Tool::Nft, rules).await {
        Err(Error::NoTool(_)) => apply_by(Tool::Iptables, rules).await?,
        other => return other.map(|()| Tool::Nft),
    }
    Ok(Tool::Iptables)
}

async fn apply_by(tool: Tool, rules: &Rules) -> Result<(), Error> {
    match tool {
        Tool::Nft => {
            succeed("nft", &["-f", "-"], &rules.nft()).await?;
            let listing = ["-n", "list", "table", "inet", "ligase"];
            let found = succeed("nft", &listing, "").await?;
            // What follows the transaction's removal is what must be there.
            stands(&found, rules.nft().trim_start_matches(NFT_REMOVE))
        }
        Tool::Iptables => {
            for family in families() {
                let restore = ["--noflush", "--wait", WAIT];
                succeed(family.restore, &restore, &rules.iptables()).await?;
                let mut found = String::new();
                for (from, chain) in CHAINS {
                    if !is_there(family.tables, &["-C", from, "-j", chain]).await? {
                        table(family.tables, &["-I", from, "1", "-j", chain]).await?;
                    }
                    found += &table(family.tables, &["-S", chain]).await?;
                }
                let expected = rules.iptables();
                let rules = expected.lines().filter(|line| line.starts_with("-A"));
                stands(&found, &rules.collect::<Vec<_>>().join("\n"))?;
            }
            Ok(())
        }
    }
}

/// Removes all rules of ours, whichever program put them there. May be repeated.
///
/// # Errors
/// When there is neither `nft` nor `iptables`, or one of them fails.
pub async fn remove() -> Result<(), Error> {
    let by_nft = remove_by(Tool::Nft).await;
    match remove_by(Tool::Iptables).await {
        // Without this one, there are no rules made by it.
        Err(Error::NoTool(_)) => by_nft,
        Err(error) => Err(error),
        Ok(()) if matches!(by_nft, Err(Error::NoTool(_))) => Ok(()),
        Ok(()) => by_nft,
    }
}

async fn remove_by(tool: Tool) -> Result<(), Error> {
    match tool {
        Tool::Nft => succeed("nft", &["-f", "-"], NFT_REMOVE).await.map(drop),
        Tool::Iptables => {
            for family in families() {
                for (from, chain) in CHAINS {
                    // Nothing can lead to a chain that is not there, nor be asked whether it does.
                    if !is_there(family.tables, &["-S", chain]).await? {
                        continue;
                    }
                    if is_there(family.tables, &["-C", from, "-j", chain]).await? {
                        table(family.tables, &["-D", from, "-j", chain]).await?;
                    }
                    table(family.tables, &["-F", chain]).await?;
                    table(family.tables, &["-X", chain]).await?;
                }
            }
            Ok(())
        }
    }
}

/// Whether all these rules are among what a program listed.
fn stands(listing: &str, rules: &str) -> Result<(), Error> {
    let missing =
        rules.lines().map(str::trim).find(|rule| !listing.lines().any(|line| line.trim() == *rule));
    missing.map_or(Ok(()), |rule| Err(Error::Missing(rule.to_owned())))
}

/// The programs for one family of addresses.
struct Family {
    tables: &'static str,
    restore: &'static str,
}

/// A host without IPv6 may well be without its tables.
fn families() -> impl Iterator<Item = Family> {
    let v4 = Family { tables: "iptables", restore: "iptables-restore" };
    let v6 = Family { tables: "ip6tables", restore: "ip6tables-restore" };
    let has_v6 = Path::new("/proc/net/if_inet6").exists();
    [Some(v4), has_v6.then_some(v6)].into_iter().flatten()
}

/// Runs a command on the table of address translations.
async fn table(tool: &'static str, arguments: &[&str]) -> Result<String, Error> {
    succeed(tool, &on_table(arguments), "").await
}

/// Whether iptables finds what it is asked for. That it could not look is no answer.
async fn is_there(tool: &'static str, arguments: &[&str]) -> Result<bool, Error> {
    let done = run(tool, &on_table(arguments), "").await?;
    match done.status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(refused(tool, &done)),
    }
}

fn on_table<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["--wait", WAIT, "-t", "nat"], arguments].concat()
}

/// Runs a program that must succeed, and returns what it printed.
async fn succeed(tool: &'static str, arguments: &[&str], input: &str) -> Result<String, Error> {
    let done = run(tool, arguments, input).await?;
    match done.status.success() {
        true => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
        false => Err(refused(tool, &done)),
    }
}

fn refused(tool: &'static str, done: &Output) -> Error {
    Error::Refused { tool, said: String::from_utf8_lossy(&done.stderr).trim().to_owned() }
}

async fn run(tool: &'static str, arguments: &[&str], input: &str) -> Result<Output, Error> {
    let running = async {
        let mut child = Command::new(tool)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes()).await?;
        }
        child.wait_with_output().await
    };
    match timeout(PATIENCE, running).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => Err(Error::NoTool(tool)),
        Ok(Err(error)) => Err(Error::NotRun(tool, error)),
        Err(_) => Err(Error::NotRun(tool, io::ErrorKind::TimedOut.into())),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTool(tool) => write!(f, "there is no {tool} here"),
            Self::NotRun(tool, error) => write!(f, "cannot run {tool}: {error}"),
            Self::Refused { tool, said } => write!(f, "{tool} refuses: {said}"),
            Self::Missing(rule) => write!(f, "a rule does not stand: {rule}"),
        }
    }
}

impl std::error::Error for Error {}

/// Our chains, after those that lead to them.
const CHAINS: [(&str, &str); 2] = [("OUTPUT", OUTPUT), ("PREROUTING", PREROUTING)];

/// Seconds to wait for another program that holds the tables.
const WAIT: &str = "5";

/// Longer than that wait; none of these programs has much to do.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
