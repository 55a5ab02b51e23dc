//! What the admin port shows of the connections, the pairs and the certificates.

use std::collections::BTreeMap;
use std::time::{Instant, SystemTime};

use ligase_verifier::{Domain, Presented};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::binding::{ConnectionId, DomainPair, Grounds, Row, Side, Table};
use crate::connection::rooms::Rooms;
use crate::connection::tables::Entry;
use crate::logging::{Asked, Logging};
use crate::observe::{direction, transport};
use crate::tls::identity::Identities;

pub(super) fn connections(rooms: &Rooms) -> Value {
    rooms.tables.look_around(|table, entries| {
        let mut entries: Vec<_> = entries.values().collect();
        entries.sort_by_key(|entry| entry.facts.id);
        let each = entries.into_iter();
        each.map(|entry| connection(entry, table.row(entry.facts.id))).collect()
    })
}

fn connection(entry: &Entry, row: Option<&Row>) -> Value {
    let facts = &entry.facts;
    let mut told = json!({
        "id": facts.id.0,
        "side": facts.side.as_str(),
        "direction": direction(facts).as_str(),
        "mode": row.map(|row| row.mode).unwrap_or_default().as_str(),
        "transport": transport(facts).as_str(),
        "peer_address": facts.peer.to_string(),
        "bidi": row.is_some_and(|row| row.far.bidi),
        "confirms": row.is_some_and(|row| row.far.confirms),
        "pairs": row.map_or(0, |row| row.entrances.len() + row.exits.len()),
        "opened_at": timestamp(entry.opened),
    });
    if let (Value::Object(told), Value::Object(names)) =
        (&mut told, names(row, entry.presented.as_ref()))
    {
        told.extend(names);
    }
    told
}

/// By which names a far end goes: those that it has proven, as a server and for domains, and those
/// that its certificate lists, which prove nothing by themselves.
fn names(row: Option<&Row>, presented: Option<&Presented>) -> Value {
    let mut presented: Vec<_> = presented.map(|it| it.names().dns.clone()).unwrap_or_default();
    presented.sort();
    let mut proven: Vec<_> = row.into_iter().flat_map(|row| &row.names).collect();
    proven.sort_by_key(|(name, _)| *name);
    let servers = proven.iter().filter(|(name, _)| name.is_server());
    let servers: Vec<_> = servers.map(|(name, _)| name.domain().as_str()).collect();
    let delegated = proven.iter().filter(|(name, _)| !name.is_server()).map(|(name, grounds)| {
        json!({
            "domain": name.domain().as_str(),
            "prooftype": grounds.as_str(),
            "expires_at": expiry(grounds),
        })
    });
    json!({
        "server_names": servers,
        "presented_names": presented,
        "authenticated_server": row.and_then(|row| row.server.as_ref()).map(Domain::as_str),
        "delegated": delegated.collect::<Vec<_>>(),
    })
}

/// When a proof ends, if it does.
pub(super) fn expiry(grounds: &Grounds) -> Option<String> {
    match grounds {
        Grounds::Proven(association) => timestamp(association.expires()),
        Grounds::Dialback | Grounds::Configured => None,
    }
}

pub(super) fn bindings(rooms: &Rooms) -> Value {
    rooms.tables.look(bound)
}

/// The pairs that are bound on the public side, each with its connections in the order in which
/// they are used: those that take it out, the one in use first, then those that only bring it in.
fn bound(table: &Table) -> Value {
    let mut pairs: BTreeMap<DomainPair, BTreeMap<ConnectionId, (bool, bool)>> = BTreeMap::new();
    for (id, row) in table.rows().filter(|(_, row)| row.side == Side::Public) {
        // Seen from our own server: what leaves by a public connection is sent.
        for pair in &row.exits {
            pairs.entry(pair.clone()).or_default().entry(id).or_default().0 = true;
        }
        for pair in &row.entrances {
            pairs.entry(pair.reversed()).or_default().entry(id).or_default().1 = true;
        }
    }
    let each = pairs.into_iter().map(|(pair, connections)| {
        let sends = table.exits(&pair).filter(|id| connections.contains_key(id));
        let receives = connections.iter().filter(|(_, (send, _))| !send).map(|(id, _)| *id);
        let connections: Vec<_> = sends
            .chain(receives)
            .map(|id| {
                let (send, receive) = connections.get(&id).copied().unwrap_or_default();
                json!({"id": id.0, "send": send, "receive": receive})
            })
            .collect();
        json!({
            "local": pair.sender.as_str(),
            "remote": pair.target.as_str(),
            "connections": connections,
        })
    });
    each.collect()
}

/// Our own certificates, and in how many whole days each ends: less than none where it has.
pub(super) fn certificates(identities: &Identities, now: SystemTime) -> Value {
    let list = identities.list();
    let each = list.iter().map(|identity| {
        json!({
            "names": identity.names,
            "not_after": timestamp(identity.not_after),
            "days_left": days(now, identity.not_after),
            "sha256": identity.sha256.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            "file": identity.files.chain.display().to_string(),
        })
    });
    each.collect()
}

/// How much is logged: of everything, as the configuration says it, and of parts.
#[expect(clippy::disallowed_methods, reason = "how much time is left is told as a time of day")]
pub(super) fn levels(logging: &Logging) -> Value {
    let (levels, now, today) = (logging.levels(), Instant::now(), SystemTime::now());
    let until = |asked: Asked| {
        let left = asked.ends.map(|it| it.saturating_duration_since(now));
        left.and_then(|left| timestamp(today.checked_add(left)?))
    };
    let targets = levels.targets().iter().map(|(target, asked)| {
        json!({"target": target, "level": asked.level.as_str(), "until": until(*asked)})
    });
    json!({
        "level": levels.level().as_str(),
        "until": levels.everything().and_then(until),
        "configured": levels.configured().as_str(),
        "targets": targets.collect::<Vec<_>>(),
    })
}

/// Whole days from one time to another, rounded down.
fn days(from: SystemTime, to: SystemTime) -> i64 {
    (OffsetDateTime::from(to) - OffsetDateTime::from(from)).whole_seconds().div_euclid(DAY)
}

/// A time as RFC 3339 writes it, to the second.
pub(super) fn timestamp(at: SystemTime) -> Option<String> {
    OffsetDateTime::from(at).replace_nanosecond(0).ok()?.format(&Rfc3339).ok()
}

const DAY: i64 = 24 * 3600;

#[cfg(test)]
mod tests;
