//! Records for programs. Fields may be added; none is ever renamed.

use std::time::SystemTime;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::posh;
use crate::published::{PRIORITY, Published, Shown, TTL, Tenant, WEIGHT, key_name, service_name};

/// The whole answer.
pub(super) fn render(published: &Published) -> Value {
    let server_name = &published.server_name;
    let mut tlsa = Vec::new();
    for port in &published.ports {
        for key in &published.keys {
            tlsa.push(json!({
                "name": key_name(*port, server_name),
                "ttl": TTL,
                "data": key.data(),
                "key": if key.is_next { "next" } else { "current" },
                "chain": key.chain.display().to_string(),
            }));
        }
    }
    let domains = published.hosted.iter();
    json!({
        "version": VERSION,
        "server_name": server_name.ascii(),
        "tlsa": tlsa,
        "posh": {"url": posh::url(server_name), "document": published.document},
        "domains": domains.map(|it| render_tenant(published, it)).collect::<Vec<_>>(),
    })
}

fn render_tenant(published: &Published, tenant: &Tenant) -> Value {
    let services = tenant.services.iter().map(|it| {
        json!({
            "name": service_name(it.service, &tenant.domain),
            "ttl": TTL,
            "data": it.data(&published.server_name),
            "service": it.service,
            "priority": PRIORITY,
            "weight": WEIGHT,
            "port": it.port,
            "target": published.server_name.ascii(),
        })
    });
    json!({
        "domain": tenant.domain.ascii(),
        "srv": services.collect::<Vec<_>>(),
        "certificate": certificate(&tenant.certificate),
        "posh": {
            "url": posh::url(&tenant.domain),
            "document": tenant.document,
            "reference": tenant.reference,
        },
    })
}

fn certificate(shown: &Shown) -> Value {
    json!({
        "chain": shown.chain.display().to_string(),
        "names": shown.names,
        "names_domain": shown.is_for,
        "not_after": timestamp(shown.not_after),
        "sha256": shown.sha256,
    })
}

fn timestamp(at: SystemTime) -> Option<String> {
    OffsetDateTime::from(at).replace_nanosecond(0).ok()?.format(&Rfc3339).ok()
}

/// Of the form. One that lacks or renames a field would be another.
const VERSION: u32 = 1;
