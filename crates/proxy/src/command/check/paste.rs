//! Records and documents as they are pasted into zone files and web servers.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ligase_verifier::{Domain, Presented, Service, Tlsa};

use super::facts::Srv;
use super::places::labels;

/// The TLSA record that pins the key of what is presented at a port of a host: DANE-EE, public
/// key, SHA-256 (RFC 7671 §5.1). None if the certificate's key cannot be read.
pub(super) fn tlsa(base: &Domain, port: u16, presented: &Presented) -> Option<String> {
    let key = hex(digest(&SHA256, presented.spki()?).as_ref());
    Some(format!("_{port}._tcp.{}. {TTL} IN TLSA 3 1 1 {key}", base.ascii()))
}

/// The SRV record that says that a service is at a port of a host by STARTTLS, or by TLS from the
/// first byte (RFC 6120 §3.2.1, XEP-0368).
pub(super) fn srv(
    domain: &Domain,
    service: Service,
    direct: bool,
    target: &Domain,
    port: u16,
) -> String {
    let label = labels(service)[usize::from(direct)];
    format!("{label}._tcp.{}. {TTL} IN SRV 0 5 {port} {}.", domain.ascii(), target.ascii())
}

/// The POSH document that names these certificates, and where to put it (RFC 7711 §3).
pub(super) fn posh(domain: &Domain, service: Service, presented: &[&Presented]) -> String {
    let mut digests: Vec<String> = Vec::new();
    for it in presented {
        let digest = format!("{{\"sha-256\":\"{}\"}}", STANDARD.encode(it.sha256()));
        if !digests.contains(&digest) {
            digests.push(digest);
        }
    }
    let document = format!("{{\"fingerprints\":[{}],\"expires\":{DAY}}}", digests.join(","));
    format!("{}\n{document}", posh_url(domain, service))
}

/// Where a domain's POSH document is (RFC 7711 §8, RFC 7712 §5.2).
pub(super) fn posh_url(domain: &Domain, service: Service) -> String {
    let service = match service {
        Service::Server => "server",
        Service::Client => "client",
    };
    format!("https://{}/.well-known/posh/xmpp-{service}.json", domain.ascii())
}

/// The data of an SRV record as zone files have it.
pub(super) fn srv_data(srv: &Srv) -> String {
    format!("{} {} {} {}.", srv.priority, srv.weight, srv.port, srv.target)
}

/// The data of a TLSA record as zone files have it, all of it.
pub(super) fn tlsa_data(tlsa: &Tlsa) -> String {
    let Tlsa { usage, selector, matching, data } = tlsa;
    format!("{usage} {selector} {matching} {}", hex(data))
}

/// Bytes in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An hour: short enough to roll a key in a day.
const TTL: u32 = 3600;

/// For how long a POSH document is believed, in seconds.
const DAY: u32 = 24 * 3600;

#[cfg(test)]
mod tests;
