//! How many file descriptors the system gives us, and who may have how many of them.
//!
//! Every connection takes one. Without any left we would accept nobody, look nothing up and not answer
//! at the admin port, so strangers must never have all of them, whatever the limits say.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

use crate::config::Limits;

/// How many connections are let in and made: what the limits say, or fewer, where there are
/// descriptors for fewer only.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Shares {
    /// Connections of peers.
    pub(super) peers: usize,
    /// Connections of our own servers.
    pub(super) own: usize,
    /// Connections to our own servers.
    pub(super) streams: usize,
}

impl Shares {
    /// What so many descriptors are enough for.
    ///
    /// Where they are not enough for all, a quarter is left for what is neither a connection of a peer
    /// nor one of our servers (look-ups above all). Of the rest peers have three quarters at most, as
    /// they may wait for long and cost nobody else anything; half of what they leave is for streams to
    /// our own servers, and the rest for those that our servers open and for what these lead to.
    fn of(limits: &Limits, descriptors: usize) -> Self {
        if needed(limits) <= descriptors {
            let all = limits.connections;
            return Self { peers: all, own: all, streams: limits.backend_streams };
        }
        let rest = descriptors - others(limits).min(descriptors / 4);
        let peers = limits.connections.min(rest - rest / 4);
        let left = rest - peers;
        let streams = limits.backend_streams.min(left / 2);
        let own = limits.connections.min((left - streams) / 2);
        Self { peers: peers.max(1), own: own.max(1), streams: streams.max(1) }
    }

    /// What all descriptors that we can have are enough for, and we have those from now on; warns if
    /// the limits ask for more.
    pub(super) fn take(limits: &Limits) -> Self {
        let descriptors = take_all();
        let shares = Self::of(limits, descriptors);
        if descriptors < needed(limits) {
            warn!(
                descriptors,
                needed = needed(limits),
                configured = limits.connections,
                connections = shares.peers,
                own_connections = shares.own,
                backend_streams = shares.streams,
                "too few file descriptors for limits.connections; fewer are let in",
            );
        }
        shares
    }
}

/// As many descriptors as all that the limits allow may take at a time.
fn needed(limits: &Limits) -> usize {
    // A peer's, one of our own server, and one that this one leads to.
    others(limits) + 3 * limits.connections + limits.backend_streams
}

/// Those that are neither a peer's nor our own server's.
fn others(limits: &Limits) -> usize {
    OTHERS + limits.authority_connects
}

/// Takes as many descriptors as the system would give us if we asked, and tells how many these are.
///
/// The limit that one begins with is mostly 1,024, for the sake of programs that use select(2).
fn take_all() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where it fails, we have those that we have.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    count(getrlimit(Resource::Nofile).current)
}

fn count(limit: Option<u64>) -> usize {
    limit.and_then(|it| usize::try_from(it).ok()).unwrap_or(usize::MAX)
}

/// Look-ups in DNS and documents that are fetched, 1,152 at a time at most; the questions of our own
/// server, some 320; who looks at our POSH documents, 256; the admin port, 64; listeners and files.
const OTHERS: usize = 2048;

#[cfg(test)]
mod tests;
