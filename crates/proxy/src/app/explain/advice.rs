//! What to do about each reason: one or two sentences that can be followed as they stand.

use ligase_verifier::Domain;

use crate::binding::Side;

/// What to do about a pair that finds no way out towards a side, for this reason; the reasons are
/// explained in docs/troubleshooting.md.
pub(in crate::app) fn advice(side: Side, label: &str) -> &'static str {
    match (side, label) {
        (Side::Backend, "connect.refused") => {
            "Our own server does not listen at backend.address: start it, or mend the address."
        }
        (Side::Backend, "connect.timeout" | "connect.no_route") => {
            "Our own server is not at backend.address, or a packet filter is before it: mend the \
             address or the filter."
        }
        (Side::Backend, "backend.from") => {
            "Our own server sends for LOCAL, which is not in `hosts`: list it there."
        }
        (Side::Backend, "backend.to") => {
            "Our own server looks for REMOTE outside, though it is in `hosts`: start the component \
             that serves it, or take it out of `hosts`."
        }
        (Side::Backend, "host_unknown") => {
            "Our own server does not host LOCAL: add the domain there, or take it out of `hosts`."
        }
        (Side::Backend, "sasl" | "sasl.eku" | "stream.closed" | "timeout" | "tls.handshake") => {
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
             refused. If the address that it came from is not the peer's, there is nothing to do; if it \
             is, its operator has to publish the TLSA record of the new key."
        }
        "posh.mismatch" | "posh.expired" => {
            "Somebody claimed to be REMOTE with a certificate that its POSH document does not \
             name, and was refused. If the address that it came from is not the peer's, there is nothing \
             to do; if it is, its operator has to renew the document."
        }
        "cert.none" | "cert.chain" | "cert.expired" | "cert.name" | "cert.eku"
        | "cert.malformed" | "cert.constraint" => {
            "Somebody claimed to be REMOTE and showed nothing that proves it. If the address that it came from is not the peer's, there is nothing to do; if it is, its operator has to show \
             a certificate that proves the domain: `ligase check REMOTE --config FILE` tells which."
        }
        "db.not_hosted" => {
            "Somebody who claims to be REMOTE asked for LOCAL. If our server serves it as a domain, \
             list it in `hosts`. If it is only the name of a host, there is nothing to do: some peers \
             try whether a server goes by it. Else see that no SRV records of LOCAL lead here."
        }
        "db.from_hosted" => {
            "Somebody from outside claimed to be REMOTE, which is one of ours, and was refused. If the address that it came from is our own server's, it goes out past ligase: look at \
             `capture`. If not, there is nothing to do."
        }
        "db.key" => {
            "The server that DNS names for REMOTE denied the key. If the address that it came from is not \
             the peer's, there is nothing to do; if it is, its servers have to share one dialback \
             secret."
        }
        "db.error" => {
            "The server that DNS names for REMOTE was to confirm its key and did not: `ligase check \
             REMOTE --config FILE` tells whether it is reached from here. Its operator has to have \
             its SRV records lead to it, or to show a certificate that proves the domain."
        }
        "db.limit" => {
            "Nothing, if it comes alone: the peer asks again. If it does not pass, raise \
             limits.assertions_in_flight or limits.pairs_per_connection."
        }
        "stream.tls_required" => {
            "Somebody claimed to be REMOTE without TLS, and was refused. If the address that it came \
             from is not the peer's, there is nothing to do; if it is, its operator has to switch TLS \
             on."
        }
        "posh.http" | "posh.tls" | "posh.redirect" | "posh.json" | "posh.size" | "posh.ssrf" => {
            "Somebody claimed to be REMOTE, whose POSH document could not be had. If the address that \
             it came from is not the peer's, there is nothing to do; if it is, its operator has to \
             mend what https://REMOTE/.well-known/posh/xmpp-server.json answers."
        }
        "dane.none" | "policy" => {
            "Somebody claimed to be REMOTE and showed less than policy asks for. If the address that \
             it came from is not the peer's, there is nothing to do; if it is, its operator has to \
             prove the domain better: `ligase check REMOTE --config FILE` tells how."
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
            "Its zone is signed wrongly, or somebody forges it: `ligase check REMOTE --config FILE` \
             tells which record. If it is so in another network, too, its operator has to sign the \
             zone anew. If every signed domain fails, replace resolver.servers."
        }
        "dns.failure" | "dns.limit" => {
            "Look at resolver.servers first; if they answer for other domains, its own name \
             servers are at fault."
        }
        "dns.forbidden_target" => {
            "Its operator has to publish addresses that are reached from the Internet."
        }
        "connect.refused" => {
            "Its server does not run, or does not listen where its SRV records lead: its operator \
             has to start it, or to mend the records."
        }
        "connect.timeout" | "connect.no_route" => {
            "A packet filter drops what is sent where its SRV records lead, or the machine is off: \
             see that this machine may connect there (`ligase explain LOCAL REMOTE` names the places; \
             `nc -vz HOST PORT`), then ask its operator to."
        }
        "connect.exhausted" => "Raise the limit of open files (LimitNOFILE) and restart ligase.",
        "timeout" => {
            "It accepted the connection and went silent: it is overloaded, or cannot reach us to \
             ask back. See that the SRV records of LOCAL lead to listen.federation."
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
             `policy.peers: {REMOTE: any}` lets it do without."
        }
        "host_unknown" => {
            "The server that its records lead to does not host REMOTE: its operator has to add the \
             domain there, or to have the SRV records of REMOTE lead to the server that has it."
        }
        label => about_certificate(label),
    }
}

/// Its certificate proves nothing; what else it may do, policy says.
fn about_certificate(label: &str) -> &'static str {
    match label {
        "cert.expired" => {
            "Its operator has to renew the certificate and have the server load it. If dialback \
             will do meanwhile: `policy.peers: {REMOTE: encrypted}`."
        }
        "cert.name" => {
            "Its operator has to show a certificate that names REMOTE, or publish TLSA records or \
             a POSH document for this one. If it never was proven before and dialback will do \
             meanwhile: `policy.peers: {REMOTE: encrypted}`."
        }
        "cert.chain" | "cert.constraint" => {
            "Policy asks for proof: its operator has to show a certificate of an authority that \
             trust.roots knows, or publish TLSA records or a POSH document for this one. If it never \
             was proven before and dialback will do: `policy.peers: {REMOTE: encrypted}`."
        }
        "cert.none" | "cert.eku" | "cert.malformed" => {
            "Its operator has to show a certificate for a TLS server that names REMOTE. If it never \
             was proven before and dialback will do meanwhile: `policy.peers: {REMOTE: encrypted}`."
        }
        "cert.revoked" => "Nothing: its authority has revoked the certificate.",
        label => about_proof(label),
    }
}

fn about_proof(label: &str) -> &'static str {
    match label {
        "dane.mismatch" => {
            "Its operator has to publish the TLSA record of the key that the server shows: \
             `ligase check REMOTE --config FILE` prints it. Until then somebody else may be \
             answering, so make no exception."
        }
        "dane.none" => {
            "Its operator has to sign the zone and publish TLSA records, or policy.prooftypes has \
             to list more."
        }
        "posh.mismatch" | "posh.expired" => {
            "Its operator has to renew the POSH document, so that it names the certificate that \
             the server shows."
        }
        "posh.http" => {
            "Its operator has to have https://REMOTE/.well-known/posh/xmpp-server.json answered: \
             the web server does not run, is not reached from here, or does not serve it. If it \
             never was proven before and dialback will do: `policy.peers: {REMOTE: encrypted}`."
        }
        "posh.tls" | "posh.redirect" | "posh.json" | "posh.size" | "posh.ssrf" => {
            "Its operator has to mend what https://REMOTE/.well-known/posh/xmpp-server.json \
             answers, or prove the domain in another way."
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
        "sasl.eku" => {
            "It wants a certificate for TLS clients, too, and no dialback: its operator has to \
             update the server (ejabberd from 25.08 on) or allow dialback, or we have to show a \
             certificate for serverAuth and clientAuth (`certificates`)."
        }
        "dialback.invalid" | "db.key" => {
            "It asked somebody else about our key: have the SRV records of LOCAL lead here \
             (`ligase records --config FILE LOCAL` prints them), any older server give the domain \
             up, and all replicas share one dialback_secret."
        }
        "dialback.unreached" => {
            "It cannot reach us to ask about our key: have the SRV records of LOCAL lead here \
             (`ligase records --config FILE LOCAL` prints them), and the packet filter let it in."
        }
        "dialback.refused" | "db.error" => {
            "It does not want this pair: its operator has to look at why, in the server's log."
        }
        "stream.closed" => {
            "It ended the stream: its log tells why; the condition in parentheses is its own word."
        }
        "stream.broken" => "Its server, or whatever answers in its place, breaks the protocol.",
        "policy" => {
            "It shows less than policy asks for. If it never was proven before and dialback will do: \
             `policy.peers: {REMOTE: encrypted}`."
        }
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
