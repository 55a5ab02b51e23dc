//! What happened, told to the log and to the metrics; the one room with both.

mod dead_ends;
mod met;
mod proofs;
mod verified;
mod whence;
mod wires;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ligase_metrics::{
    BindingGuard, BounceCondition, ChannelGuard, ConnectionGuard, Direction, Kind, Metrics, Proof,
    Side, Transport, ViolationReason, ViolationSide,
};
use ligase_verifier::Domain;
use tracing::{debug, info, warn};

use crate::binding::{self, ConnectionId};
use crate::connection::event::{Ending, Event, Facts, Totals};
use crate::stream::{self, Loss};

pub use verified::verified;

use self::dead_ends::DeadEnds;
use self::met::Met;
use self::whence::whence;

/// Turns events into log lines and numbers.
#[derive(Debug)]
pub struct Observer {
    metrics: Arc<Metrics>,
    open: Mutex<HashMap<ConnectionId, Counted>>,
    dead_ends: DeadEnds,
    met: Mutex<Met>,
}

/// What is counted for a connection until it ends.
#[derive(Debug)]
struct Counted {
    connection: ConnectionGuard,
    channel: Option<ChannelGuard>,
    bindings: HashMap<binding::DomainPair, BindingGuard>,
    /// Whether it was counted as opened: it is when it is known what carries it.
    came_up: bool,
}

impl Observer {
    /// An observer that counts in `metrics`.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            metrics,
            open: Mutex::default(),
            dead_ends: DeadEnds::default(),
            met: Mutex::default(),
        }
    }

    /// Takes note of an event.
    pub fn tell(&self, event: Event) {
        match event {
            Event::Opened(facts) => self.opened(facts),
            Event::Settled(facts) => {
                if let Some(counted) = self.open().get_mut(&facts.id) {
                    counted.connection.turn(transport(&facts));
                    self.came_up(facts, counted);
                }
            }
            Event::Panicked => self.metrics.standing.panicked(),
            Event::Ended(facts, ending, totals) => self.ended(facts, ending, totals),
            Event::Bound { facts, pair, comes, mode, grounds, took } => {
                self.bound(facts, &pair, comes, grounds, took);
                self.dead_ends.mended(&pair, facts.side);
                tell_bound(facts, &pair, comes, mode, grounds);
            }
            Event::Failed { pair, side, setback } => self.failed(&pair, side, setback.label()),
            Event::Refused { facts, pair, denial } => tell_refused(facts, &pair, denial),
            Event::Fell { pair, to } => {
                let rung = proofs::fell(&self.metrics, to);
                let (remote, rung) = (pair.target.ascii(), rung.as_str());
                debug!(target: "ligase::establish", remote, rung, "fell back");
            }
            Event::Broke { violation, side, connection, peer } => {
                self.broke(violation, whence(violation, side), None, connection, peer);
            }
            Event::Denied(violation, peer) => {
                self.broke(violation, ViolationSide::Admin, None, None, Some(peer));
            }
            Event::Shut { violation, limit, side, peer } => {
                self.broke(violation, whence(violation, side), limit, None, Some(peer));
            }
            Event::Dialback { role, valid } => proofs::dialed_back(&self.metrics, role, valid),
            Event::Barred { outbound, level } => proofs::barred(&self.metrics, outbound, level),
            Event::Judged { side, outbound, domain, proof, result, reason } => {
                proofs::judged(&self.metrics, side, outbound, proof, result, reason);
                tell_judged(&domain, proof, result, reason);
            }
            Event::Passed { side, kind, count } => {
                let kind = Kind::read(kind.as_str()).unwrap_or(Kind::Message);
                self.metrics.connections.passed(towards(side), kind, count);
            }
            Event::Bounced { side, condition } => {
                let condition = BounceCondition::read(condition);
                let condition = condition.unwrap_or(BounceCondition::UndefinedCondition);
                self.metrics.refusals.bounced(towards(side.other()), condition);
            }
            Event::Lost { facts, pair, comes, loss } => self.lost(facts, &pair, comes, loss),
            Event::Shaken { facts, version, took } => {
                wires::shaken(&self.metrics, &facts, version, took);
            }
            Event::Headed(facts, mode) => wires::headed(&self.metrics, &facts, mode),
            Event::Acknowledged(took) => self.metrics.wires.acknowledged(took),
            Event::DialedHome { reached, took } => {
                self.metrics.standing.backend(reached);
                wires::dialed_home(&self.metrics, reached, took);
            }
            Event::Captured(led) => wires::captured(&self.metrics, led),
            Event::Steered(fate) => wires::steered(&self.metrics, fate),
            Event::Introduced(how) => wires::introduced(&self.metrics, how),
        }
    }

    fn failed(&self, pair: &binding::DomainPair, side: binding::Side, reason: &'static str) {
        self.dead_ends.tell(pair, side, reason);
    }

    fn opened(&self, facts: Facts) {
        let connection =
            self.metrics.connections.opened(side(facts.side), direction(&facts), transport(&facts));
        let (channel, bindings) = (None, HashMap::new());
        let counted = Counted { connection, channel, bindings, came_up: false };
        self.open().insert(facts.id, counted);
        debug!(
            target: "ligase::connection",
            conn = facts.id.0,
            side = facts.side.as_str(),
            direction = direction(&facts).as_str(),
            peer = %facts.peer,
            "connection opened"
        );
    }

    /// Counts a connection as opened, once.
    fn came_up(&self, facts: Facts, counted: &mut Counted) {
        if !std::mem::replace(&mut counted.came_up, true) {
            let (side, direction) = (side(facts.side), direction(&facts));
            self.metrics.connections.came_up(side, direction, transport(&facts));
        }
    }

    fn ended(&self, facts: Facts, ending: Ending, totals: Totals) {
        let mut open = self.open();
        let counted = open.remove(&facts.id);
        binding::give_back(&mut open);
        drop(open);
        if let Some(mut counted) = counted {
            self.came_up(facts, &mut counted);
            let (side, direction) = (side(facts.side), direction(&facts));
            let ending = wires::ending(ending);
            self.metrics.connections.closed(side, direction, ending, totals.lasted);
        }
        let (reason, because) = match ending {
            Ending::Closed => ("closed", None),
            Ending::Refused(condition, because) => (condition.as_str(), Some(because)),
            Ending::Broken => ("broken", None),
            Ending::Idle => ("idle", None),
            Ending::Drained => ("drain", None),
        };
        info!(
            target: "ligase::connection",
            conn = facts.id.0,
            side = facts.side.as_str(),
            direction = direction(&facts).as_str(),
            peer = %facts.peer,
            reason,
            because,
            bytes_in = totals.bytes_in,
            bytes_out = totals.bytes_out,
            stanzas_in = totals.stanzas_in,
            stanzas_out = totals.stanzas_out,
            seconds = totals.lasted.as_secs(),
            "connection ended"
        );
    }

    #[expect(clippy::disallowed_methods, reason = "what peers have shown is forgotten in time")]
    fn bound(
        &self,
        facts: Facts,
        pair: &binding::DomainPair,
        comes: bool,
        grounds: &'static str,
        took: Duration,
    ) {
        let direction = direction(&facts);
        let mut open = self.open();
        if let Some(counted) = open.get_mut(&facts.id) {
            self.came_up(facts, counted);
        }
        if facts.side == binding::Side::Backend {
            // Whatever our own server has shown, it is no peer's proof.
            self.metrics.standing.backend(true);
            return;
        }
        let Some(proof) = Proof::read(grounds) else {
            return;
        };
        if proof != Proof::Dialback {
            self.metrics.verdicts.upgraded(direction, proof);
        }
        let (_, remote) = ends(&facts, pair, comes);
        let fallen = {
            let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
            met.meet(direction, remote, proof, Instant::now())
        };
        if let Some(from) = fallen {
            self.metrics.verdicts.downgraded(direction, from);
        }
        if let Some(counted) = open.get_mut(&facts.id) {
            let binding = self.metrics.connections.bound(direction, proof);
            counted.bindings.insert(pair.clone(), binding);
            if counted.channel.is_none() {
                self.metrics.connections.set_up(direction, proof, took);
                counted.channel = Some(self.metrics.connections.channel_opened(direction));
            }
        }
    }

    fn lost(&self, facts: Facts, pair: &binding::DomainPair, comes: bool, loss: Loss) {
        if facts.side == binding::Side::Backend {
            return;
        }
        let cause = proofs::lost(&self.metrics, loss);
        if let Some(counted) = self.open().get_mut(&facts.id) {
            counted.bindings.remove(pair);
        }
        let (local, remote) = ends(&facts, pair, comes);
        info!(
            target: "ligase::binding",
            conn = facts.id.0,
            side = facts.side.as_str(),
            direction = direction(&facts).as_str(),
            local = local.ascii(),
            remote = remote.ascii(),
            reason = cause.as_str(),
            "pair no longer authenticated"
        );
    }

    fn broke(
        &self,
        violation: stream::Violation,
        side: ViolationSide,
        limit: Option<&'static str>,
        connection: Option<ConnectionId>,
        peer: Option<std::net::SocketAddr>,
    ) {
        if let Some(reason) = ViolationReason::read(violation.as_str()) {
            self.metrics.refusals.violated(side, reason);
        }
        warn!(
            target: "ligase::stream",
            event = "violation",
            side = side.as_str(),
            reason = violation.as_str(),
            limit,
            conn = connection.map(|id| id.0),
            peer = peer.map(|peer| peer.to_string()),
            "violation"
        );
    }

    fn open(&self) -> MutexGuard<'_, HashMap<ConnectionId, Counted>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever is not proven is worth a line: it is what an operator looks for when a pair fails.
fn tell_judged(
    domain: &Domain,
    proof: Option<&'static str>,
    result: &'static str,
    reason: &'static str,
) {
    let (domain, proof) = (domain.ascii(), proof.unwrap_or("none"));
    if stream::Violation::read(reason).is_some() {
        info!(target: "ligase::verifier", remote = domain, result, reason, "peer not proven");
    } else {
        debug!(target: "ligase::verifier", remote = domain, proof, result, reason, "judged a peer");
    }
}

/// A pair may pass; `comes` tells whether its sender is the far end's.
fn tell_bound(
    facts: Facts,
    pair: &binding::DomainPair,
    comes: bool,
    mode: binding::Mode,
    proof: &'static str,
) {
    let (local, remote) = ends(&facts, pair, comes);
    info!(
        target: "ligase::binding",
        conn = facts.id.0,
        side = facts.side.as_str(),
        direction = direction(&facts).as_str(),
        local = local.ascii(),
        remote = remote.ascii(),
        proof,
        mode = mode.as_str(),
        transport = transport(&facts).as_str(),
        "pair authenticated"
    );
}

/// Somebody asked for a pair and did not get it; why is in lines of their own, which have a limit.
fn tell_refused(facts: Facts, pair: &binding::DomainPair, denial: stream::Denial) {
    let (local, remote) = ends(&facts, pair, true);
    debug!(
        target: "ligase::binding",
        conn = facts.id.0,
        side = facts.side.as_str(),
        local = local.ascii(),
        remote = remote.ascii(),
        reason = denial.label(),
        "pair refused"
    );
}

fn side(side: binding::Side) -> Side {
    match side {
        binding::Side::Public => Side::Public,
        binding::Side::Backend => Side::Backend,
    }
}

/// The direction of what leaves on a side, seen from our server.
fn towards(side: binding::Side) -> Direction {
    match side {
        binding::Side::Public => Direction::Outbound,
        binding::Side::Backend => Direction::Inbound,
    }
}

/// The direction of a connection, seen from our server: towards it is inbound.
pub fn direction(facts: &Facts) -> Direction {
    match (facts.side, facts.outbound) {
        (binding::Side::Public, false) | (binding::Side::Backend, true) => Direction::Inbound,
        (binding::Side::Public, true) | (binding::Side::Backend, false) => Direction::Outbound,
    }
}

/// The ends of a pair, ours first; `comes` tells whether its sender is the far end's. On a stream for
/// both directions (XEP-0288) that is not up to who opened it.
fn ends<'a>(facts: &Facts, pair: &'a binding::DomainPair, comes: bool) -> (&'a Domain, &'a Domain) {
    let (far, near) =
        if comes { (&pair.sender, &pair.target) } else { (&pair.target, &pair.sender) };
    // Behind our own server's connections are our own domains.
    match facts.side {
        binding::Side::Public => (near, far),
        binding::Side::Backend => (far, near),
    }
}

/// How a connection is encrypted.
pub fn transport(facts: &Facts) -> Transport {
    match facts.transport {
        None => Transport::Plain,
        Some(ligase_verifier::Transport::StartTls) => Transport::StartTls,
        Some(ligase_verifier::Transport::DirectTls) => Transport::DirectTls,
    }
}

#[cfg(test)]
mod tests;
