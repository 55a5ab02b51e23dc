//! What is not counted when it happens, but looked at when somebody asks for the metrics.

use ligase_metrics::{Component, Metrics, Side, Way};

use crate::admin::Readiness;
use crate::binding;
use crate::connection::flow::Moved;
use crate::connection::rooms::Rooms;

/// Brings up to date what is only looked at, and adds what has come together since the last time.
pub(super) fn refresh(metrics: &Metrics, rooms: &Rooms, readiness: &Readiness) {
    let standing = &metrics.standing;
    for component in Component::ALL {
        standing.ready(*component, readiness.cause(*component).is_none());
    }
    let identities = rooms.tls.identities();
    let ends: Vec<_> = identities.list().iter().map(|identity| identity.not_after).collect();
    standing.certificates(&ends, rooms.now());
    standing.peers(rooms.places_known(), rooms.left_alone());
    standing.remaining(rooms.tables.look_around(|_, entries| entries.len()));
    let (stanzas, bytes) = rooms.tables.queued();
    metrics.connections.queued(stanzas, bytes);
    let budget = rooms.tables.budget();
    metrics.connections.holding(budget.held(), budget.most());
    metrics.lookups.remembered(rooms.verifier.load().answers_remembered());
    for moved in rooms.flow.take() {
        add(metrics, moved);
    }
}

fn add(metrics: &Metrics, moved: Moved) {
    let side = match moved.side {
        binding::Side::Public => Side::Public,
        binding::Side::Backend => Side::Backend,
    };
    metrics.wires.moved(side, Way::Received, moved.received);
    metrics.wires.moved(side, Way::Sent, moved.sent);
    metrics.wires.blocked(side, moved.blocked);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_moved_is_added_to_its_side() {
        let metrics = Metrics::new("1", "test");
        let blocked = Duration::from_millis(1_500);
        let moved = Moved { side: binding::Side::Backend, received: 10, sent: 20, blocked };
        add(&metrics, moved);
        add(&metrics, moved);
        let text = metrics.render();
        for line in [
            "ligase_wire_bytes_total{side=\"backend\",way=\"received\"} 20",
            "ligase_wire_bytes_total{side=\"backend\",way=\"sent\"} 40",
            "ligase_wire_bytes_total{side=\"public\",way=\"sent\"} 0",
            "ligase_outbox_blocked_seconds_total{side=\"backend\"} 3",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }
}
