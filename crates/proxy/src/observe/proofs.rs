use ligase_metrics::{
    Attempt, AuthReason, AuthResult, DialbackResult, DialbackRole, Direction, Metrics, PolicyLevel,
    Proof, RevocationCause, Rung,
};

use crate::binding::{Level, Side};
use crate::stream::{self, Loss, Role};

/// An answer was given or had about a dialback key.
pub(super) fn dialed_back(metrics: &Metrics, role: Role, valid: Option<bool>) {
    let role = match role {
        Role::Initiating => DialbackRole::Initiating,
        Role::Receiving => DialbackRole::Receiving,
        Role::Authoritative => DialbackRole::Authoritative,
    };
    let result = match valid {
        Some(true) => DialbackResult::Valid,
        Some(false) => DialbackResult::Invalid,
        None => DialbackResult::Error,
    };
    metrics.verdicts.dialed_back(role, result);
}

/// A peer was looked at.
pub(super) fn judged(
    metrics: &Metrics,
    side: Side,
    outbound: bool,
    proof: Option<&'static str>,
    result: &'static str,
    reason: &'static str,
) {
    if side == Side::Backend {
        return;
    }
    let direction = towards_peer(outbound);
    let tried = match reason.split('.').next() {
        Some("dane") => Proof::Dane,
        Some("posh") => Proof::Posh,
        Some(_) | None => Proof::Pkix,
    };
    let proof = proof.and_then(Proof::read).unwrap_or(tried);
    let result = AuthResult::read(result).unwrap_or(AuthResult::Undetermined);
    let reason = AuthReason::read(reason).unwrap_or(AuthReason::Other);
    metrics.verdicts.attempted(Attempt { direction, proof, result, reason });
}

/// A rung was left for a lower one.
pub(super) fn fell(metrics: &Metrics, to: stream::Rung) -> Rung {
    let rung = match to {
        stream::Rung::ServerName => Rung::ServerName,
        stream::Rung::DomainName => Rung::DomainName,
        stream::Rung::SenderCertificate => Rung::SenderCertificate,
        stream::Rung::Dialback => Rung::Dialback,
        stream::Rung::Plain => Rung::Plain,
    };
    metrics.verdicts.fell_back(rung);
    rung
}

/// A right was taken back.
pub(super) fn lost(metrics: &Metrics, loss: Loss) -> RevocationCause {
    let cause = match loss {
        Loss::PeerRevoked => RevocationCause::PeerRevoked,
        Loss::ProofEnded => RevocationCause::ProofExpired,
        Loss::ProofFailed => RevocationCause::ProofFailed,
        Loss::HostRemoved => RevocationCause::HostRemoved,
        Loss::PeerBlocked => RevocationCause::PeerBlocked,
    };
    metrics.refusals.revoked(cause);
    cause
}

/// A peer showed less than the policy asks of it.
pub(super) fn barred(metrics: &Metrics, outbound: bool, level: Level) {
    // Nobody shows less than nothing; where TLS was insisted on all the same, that was for another
    // reason.
    if let Some(level) = PolicyLevel::read(level.as_str()) {
        metrics.verdicts.rejected(towards_peer(outbound), level);
    }
}

/// The direction of a connection with a peer, seen from our server.
fn towards_peer(outbound: bool) -> Direction {
    if outbound { Direction::Outbound } else { Direction::Inbound }
}
