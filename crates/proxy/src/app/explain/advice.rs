use ligase_verifier::Domain;

use crate::binding::Side;

/// What to do about a pair that finds no way out towards a side, for this reason; the reasons are
/// explained in docs/troubleshooting.md.
pub(in crate::app) fn advice(side: Side, label: &str) -> &'static str {
    match (side, label) {
        (Side::Backend, "connect") => {
            "Our own server does not listen at backend.address: start it, or mend the address."
        }
        (Side::Backend, "sasl" | "stream.closed" | "timeout" | "tls.handshake") => {
            "Our own server does not believe ligase: put the certificate of backend.local_ca into \
             its trust store and restart it."
        }
        (Side::Backend | Side::Public, label) => about_peer(label),
    }
}

/// What to do about somebody who came, claimed to be a peer, and was not believed for this reason.
///
/// It may have been the peer, and it may have been an impostor, whose key nobody shall publish.
pub(in crate::app) fn advice_about_caller(label: &str) -> &'static str {
    match label {
        "dane.mismatch" => {
            "Somebody claimed to be REMOTE with a key that its TLSA records exclude, and was \
             refused. If the address in the log is not the peer's, there is nothing to do; if it \
             is, its operator has to publish the TLSA record of the new key."
        }
        "posh.mismatch" | "posh.expired" => {
            "Somebody claimed to be REMOTE with a certificate that its POSH document does not \
             name, and was refused. If the address in the log is not the peer's, there is nothing \
             to do; if it is, its operator has to renew the document."
        }
        "cert.none" | "cert.chain" | "cert.expired" | "cert.name" | "cert.eku"
        | "cert.malformed" | "cert.constraint" => {
            "Somebody claimed to be REMOTE and showed nothing that proves it. If the address in \
             the log is not the peer's, there is nothing to do; if it is, its operator has to show \
             a certificate that proves the domain: `ligase check REMOTE` tells which."
        }
        label => about_peer(label),
    }
}

/// The advice with the names of the domains in it: of ours for `LOCAL`, of the peer's for `REMOTE`.
/// Domains have no capitals, so that none is taken for the other.
pub(in crate::app) fn name(advice: &str, local: &Domain, remote: &Domain) -> String {
    advice.replace("REMOTE", remote.as_str()).replace("LOCAL", local.as_str())
}

fn about_peer(label: &str) -> &'static str {
    match label {
        "dns.not_found" => {
            "Is the name spelled right? If so, its operator has to publish SRV or address records."
        }
        "dns.declined" => "Nothing: the domain says that it takes no part in federation.",
        "dns.bogus" => {
            "Its zone is signed wrongly, somebody forges it, or resolver.servers leave signatures \
             out: `ligase check REMOTE` tells which record, and `dig +dnssec` what each resolver \
             says."
        }
        "dns.failure" | "dns.limit" => {
            "Look at resolver.servers first; if they answer for other domains, its own name \
             servers are at fault."
        }
        "dns.forbidden_target" => {
            "Its operator has to publish addresses that are reached from the Internet."
        }
        "connect" => {
            "Its server is down or a packet filter is in the way: try the places below from this \
             machine."
        }
        "timeout" => {
            "Its server is overloaded, or cannot reach us to ask back: see that our own SRV records \
             lead to listen.federation."
        }
        "tls.handshake" => {
            "Its server has no usable certificate, or nothing newer than TLS 1.1; its operator has \
             to mend that."
        }
        "tls.unrecognized_name" => {
            "Its server has no certificate for the name that it was called by; its operator has \
             to add one."
        }
        "stream.tls_required" => {
            "Either its server has no TLS, or somebody on the way takes it out. Where the domain \
             publishes TLSA records or was met over TLS before, make no exception; otherwise \
             policy.peers may let it do without (`any`)."
        }
        label => about_proof(label),
    }
}

fn about_proof(label: &str) -> &'static str {
    match label {
        "cert.none" | "cert.chain" | "cert.expired" | "cert.name" | "cert.eku"
        | "cert.malformed" | "cert.constraint" => {
            "Its operator has to show a certificate that proves the domain, or publish TLSA \
             records or a POSH document for the one that it shows: `ligase check REMOTE` tells \
             which. policy.peers may let dialback do meanwhile (`encrypted`)."
        }
        "cert.revoked" => "Nothing: its authority has revoked the certificate.",
        "dane.mismatch" => {
            "Its operator has to publish the TLSA record of the key that the server shows; until \
             then somebody else may be answering, so make no exception."
        }
        "dane.none" => {
            "Its operator has to sign the zone and publish TLSA records, or policy.prooftypes has \
             to list more."
        }
        "posh.mismatch" | "posh.expired" => {
            "Its operator has to renew the POSH document, so that it names the certificate that \
             the server shows."
        }
        "posh.http" | "posh.tls" | "posh.redirect" | "posh.json" | "posh.size" | "posh.ssrf" => {
            "Its operator has to mend the web server that serves its POSH document, or prove the \
             domain in another way."
        }
        label => about_us(label),
    }
}

fn about_us(label: &str) -> &'static str {
    match label {
        "sasl" => {
            "It does not believe our certificate: `ligase check LOCAL --peer REMOTE` tells what it \
             should see; compare `ligase records` with what is published."
        }
        "dialback.invalid" | "db.key" => {
            "It asked somebody else about our key: see that the SRV records of LOCAL lead here, and \
             that all replicas have the same dialback_secret."
        }
        "dialback.refused" | "db.error" => {
            "It does not want this pair: its operator has to look at why, or whether it serves the \
             domain at all."
        }
        "stream.closed" => {
            "It ended the stream: its log tells why; the condition in parentheses is its own word."
        }
        "stream.broken" => "Its server, or whatever answers in its place, breaks the protocol.",
        "policy" => "It shows less than policy asks for: policy.peers may make an exception.",
        "pointless" => {
            "ligase carries what goes between a domain of `hosts` and one that is not: compare \
             both names with `hosts`."
        }
        "draining" => "Wait until ligase has been started again.",
        _ => "The log has more: look for `no way out for a pair` and `peer not proven`.",
    }
}

#[cfg(test)]
mod tests;
