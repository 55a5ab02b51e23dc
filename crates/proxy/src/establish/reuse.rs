use std::net::SocketAddr;

/// A connection that a further pair might leave by.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Where it leads; `None` where the far end opened it, and nobody knows where it listens.
    pub address: Option<SocketAddr>,
    /// Whether its far end understands dialback errors: without, asking for a pair in vain may cost
    /// the others the stream (I-04).
    pub errors: bool,
    /// Whether the certificate that its far end presented names the target; whether it proves it
    /// is for the verifier to say (I-02). Never so in the clear.
    pub names_target: bool,
    /// Whether its far end is the very server that the target is securely delegated to: the one that
    /// we dialed by that name and port, or one that came and proved the name.
    pub is_server: bool,
    /// Whether its far end has proven that it speaks for the target.
    pub is_proven: bool,
    /// Whether it carries as many pairs as it may.
    pub is_full: bool,
}

/// Whether a pair may be asked for on a connection that was opened for another (B-02, B-03).
///
/// `addresses` are those that DNS names for the target now. The target has been proven there, or
/// has delegated itself to that server; or, without DNSSEC, it has the same address and port and a
/// certificate for the target. In any case the far end must be able to refuse without hanging up.
/// Otherwise it takes a connection of its own.
pub fn may_share(candidate: &Candidate, addresses: &[SocketAddr]) -> bool {
    let leads_there = candidate.address.is_some_and(|it| addresses.contains(&it));
    let is_meant =
        candidate.is_proven || candidate.is_server || candidate.names_target && leads_there;
    candidate.errors && !candidate.is_full && is_meant
}

#[cfg(test)]
mod tests;
