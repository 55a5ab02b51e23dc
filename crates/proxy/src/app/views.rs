//! What the admin port shows of the connections, the pairs and the certificates.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::binding::{DomainPair, Grounds, Row};
use crate::connection::rooms::Rooms;
use crate::connection::tables::Entry;
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
    let presented = entry.presented.as_ref();
    let mut server_names: Vec<_> = presented.map(|it| it.names().dns.clone()).unwrap_or_default();
    server_names.sort();
    let mut names: Vec<_> = row.into_iter().flat_map(|row| &row.names).collect();
    names.sort_by_key(|(name, _)| *name);
    let delegated: Vec<_> = names
        .into_iter()
        .filter(|(name, _)| !name.is_server())
        .map(|(name, grounds)| {
            let expires = match grounds {
                Grounds::Proven(association) => timestamp(association.expires()),
                Grounds::Dialback | Grounds::Configured => None,
            };
            json!({
                "domain": name.domain().as_str(),
                "prooftype": grounds.as_str(),
                "expires_at": expires,
            })
        })
        .collect();
    json!({
        "id": facts.id.0,
        "side": facts.side.as_str(),
        "direction": direction(facts).as_str(),
        "mode": row.map(|row| row.mode).unwrap_or_default().as_str(),
        "transport": transport(facts).as_str(),
        "peer_address": facts.peer.to_string(),
        "server_names": server_names,
        "delegated": delegated,
        "bidi": row.is_some_and(|row| row.far.bidi),
        "confirms": row.is_some_and(|row| row.far.confirms),
        "pairs": row.map_or(0, |row| row.entrances.len() + row.exits.len()),
        "opened_at": timestamp(entry.opened),
    })
}

pub(super) fn bindings(rooms: &Rooms) -> Value {
    let mut pairs: BTreeMap<DomainPair, BTreeMap<u64, (bool, bool)>> = BTreeMap::new();
    rooms.tables.look(|table| {
        for (id, row) in table.rows() {
            if row.side == crate::binding::Side::Backend {
                continue;
            }
            // Seen from our own server: what leaves by a public connection is sent.
            for pair in &row.exits {
                pairs.entry(pair.clone()).or_default().entry(id.0).or_default().0 = true;
            }
            for pair in &row.entrances {
                pairs.entry(pair.reversed()).or_default().entry(id.0).or_default().1 = true;
            }
        }
    });
    let each = pairs.into_iter().map(|(pair, connections)| {
        let connections: Vec<_> = connections
            .into_iter()
            .map(|(id, (send, receive))| json!({"id": id, "send": send, "receive": receive}))
            .collect();
        json!({
            "local": pair.sender.as_str(),
            "remote": pair.target.as_str(),
            "connections": connections,
        })
    });
    each.collect()
}

pub(super) fn certificates(identities: &Identities) -> Value {
    let list = identities.list();
    let each = list.iter().map(|identity| {
        json!({
            "names": identity.names,
            "not_after": timestamp(identity.not_after),
            "sha256": identity.sha256.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            "file": identity.files.chain.display().to_string(),
        })
    });
    each.collect()
}

fn timestamp(at: SystemTime) -> Option<String> {
    OffsetDateTime::from(at).replace_nanosecond(0).ok()?.format(&Rfc3339).ok()
}
