//! The programs that speak to the packet filter, run and heard.

use std::fs;
use std::io;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use super::Error;

/// Runs a program that must succeed, and returns what it printed.
pub(super) async fn succeed(
    tool: &'static str,
    arguments: &[&str],
    input: &str,
) -> Result<String, Error> {
    let done = run(tool, arguments, input).await?;
    match done.status.success() {
        true => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
        false => Err(refused(tool, &done)),
    }
}

/// What it means that a program refused.
pub(super) fn refused(tool: &'static str, done: &Output) -> Error {
    let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    // Who lacks the right hears of it in many words.
    if !may_change_networks() || said.contains("not permitted") || said.contains("ermission denied")
    {
        return Error::Unprivileged { tool, said };
    }
    Error::Refused { tool, said }
}

pub(super) async fn run(
    tool: &'static str,
    arguments: &[&str],
    input: &str,
) -> Result<Output, Error> {
    let running = async {
        let mut command = Command::new(tool);
        // What they say is read, so they have to say it in one language.
        command.args(arguments).env("LC_ALL", "C");
        if tool != "nft" && !is_writable(LOCK) {
            command.env("XTABLES_LOCKFILE", NO_LOCK);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // Whoever has refused already may have stopped listening, and says why.
            let _ = stdin.write_all(input.as_bytes()).await;
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

/// Whether we have the capability `CAP_NET_ADMIN` (capabilities(7)), or may have it for all that we
/// know.
fn may_change_networks() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|it| u64::from_str_radix(it.trim(), 16).ok());
    effective.is_none_or(|it| it & CAP_NET_ADMIN != 0)
}

/// Whether the old iptables can make its lock.
fn is_writable(path: &str) -> bool {
    fs::OpenOptions::new().create(true).append(true).open(path).is_ok()
}

/// What makes the old iptables wait for others. Where it cannot be written, as in a container with
/// a read-only root, it gives up; there, nobody else is at these tables.
const LOCK: &str = "/run/xtables.lock";

/// What it may lock instead.
const NO_LOCK: &str = "/dev/null";

const CAP_NET_ADMIN: u64 = 1 << 12;

/// Longer than it waits for the lock; none of these programs has much to do.
const PATIENCE: Duration = Duration::from_secs(10);
