use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ligase_verifier::Domain;
use serde_json::{Value, json};

use crate::tls::identity::{Identities, Identity};

/// Where the document of a domain is to be found (RFC 7711 §3).
pub fn url(domain: &Domain) -> String {
    format!("https://{}{PATH}", domain.ascii())
}

/// The fingerprints of the certificates by which a domain's streams are to be known (RFC 7711
/// §3.1), as JSON.
///
/// The one that is shown for the domain comes first; then the others that name it, because a
/// certificate that is to follow has to be announced before it is shown; then those of our own name
/// in the same order, because a peer that trusts the domain's SRV records may ask by it.
pub fn fingerprints(identities: &Identities, server_name: &Domain, domain: &Domain) -> Value {
    let list = identities.list();
    let mut listed: Vec<Identity> = Vec::new();
    for name in [domain.ascii(), server_name.ascii()] {
        let others = list.iter().filter(|it| it.is_for(name)).cloned();
        for identity in std::iter::once(identities.shown(name)).chain(others) {
            if !listed.iter().any(|it| it.sha256 == identity.sha256) {
                listed.push(identity);
            }
        }
    }
    // What comes first is what is shown today.
    listed.truncate(FINGERPRINTS_MAX);
    let listed: Vec<_> = listed.iter().map(fingerprint).collect();
    json!({ "fingerprints": listed, "expires": FINGERPRINTS_LIFETIME })
}

/// The document by which a domain's own web server refers to that of our own name (RFC 7711 §3.2),
/// as JSON; none if that one does not list what is shown for the domain, or is the domain's own.
///
/// The document of our own name never lists a certificate for the sake of another domain: whoever else holds
/// its key could speak for everybody who refers to us.
pub fn reference(identities: &Identities, server_name: &Domain, domain: &Domain) -> Option<Value> {
    let shown = fingerprint(&identities.shown(domain.ascii()));
    let ours = fingerprints(identities, server_name, server_name);
    let listed = ours.get("fingerprints").and_then(Value::as_array)?.contains(&shown);
    (listed && domain != server_name)
        .then(|| json!({ "url": url(server_name), "expires": REFERENCE_LIFETIME }))
}

/// The digests of a certificate, all of which must match.
fn fingerprint(identity: &Identity) -> Value {
    // A certificate that is held has a leaf.
    let leaf = identity.certificate.cert.first().map_or(&[][..], |it| it);
    let sha512 = STANDARD.encode(digest(&SHA512, leaf));
    json!({ "sha-256": STANDARD.encode(digest(&SHA256, leaf)), "sha-512": sha512 })
}

/// Where a web server keeps the document for servers (RFC 7711 §8, RFC 7712 §5.2).
pub(super) const PATH: &str = "/.well-known/posh/xmpp-server.json";

/// Seconds. Who has fetched the fingerprints goes by them for so long, even after the certificate
/// has changed; and fetches them again after so long.
const FINGERPRINTS_LIFETIME: u64 = 3_600;

/// Seconds. Where the fingerprints are changes seldom.
const REFERENCE_LIFETIME: u64 = 86_400;

/// More certificates for one domain than anybody is about to change.
const FINGERPRINTS_MAX: usize = 16;

#[cfg(test)]
mod tests;
