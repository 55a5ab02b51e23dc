use std::net::SocketAddr;

/// A connection that a further pair might leave by.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Where it leads.
    pub address: SocketAddr,
    /// Whether its far end understands dialback errors: without, asking for a pair in vain may cost
    /// the others the stream (I-04).
    pub errors: bool,
    /// Whether the certificate that its far end presented names the target; whether it proves it
    /// is for the verifier to say (I-02). Never so in the clear.
    pub names_target: bool,
}

/// Whether a pair may be asked for on a connection that was opened for another (B-03).
///
/// `addresses` are those that DNS names for the target now. Same address and port, a certificate
/// for the target, and a far end that can refuse without hanging up: all three, or a connection of
/// its own.
pub fn may_share(candidate: &Candidate, addresses: &[SocketAddr]) -> bool {
    candidate.errors && candidate.names_target && addresses.contains(&candidate.address)
}

#[cfg(test)]
mod tests;
