use Finding::*;

use super::*;

/// Every finding, its name and its sentence. The names are what dashboards and alerts are made of.
const ALL: [(Finding, &str, &str); 22] = [
    (NoCertificate, "cert.none", "the peer presented no certificate"),
    (UntrustedChain, "cert.chain", "no trusted authority vouches for the certificate"),
    (Expired, "cert.expired", "a certificate is expired or not yet valid"),
    (WrongName, "cert.name", "the certificate does not name the domain"),
    (WrongUsage, "cert.eku", "the certificate is not meant for TLS"),
    (MalformedCertificate, "cert.malformed", "the certificate cannot be read"),
    (ConstrainedAuthority, "cert.constraint", "the authority may not vouch for this name"),
    (Revoked, "cert.revoked", "the certificate was revoked"),
    (TlsaMismatch, "dane.mismatch", "the certificate matches none of the domain's TLSA records"),
    (NoTlsa, "dane.none", "the domain publishes no secure and usable TLSA record"),
    (DnsBogus, "dns.bogus", "DNS data failed DNSSEC validation"),
    (DnsFailure, "dns.failure", "DNS could not be asked"),
    (DnsLimit, "dns.limit", "DNS took too much time or work"),
    (
        ForbiddenTarget,
        "dns.forbidden_target",
        "DNS points at an address that peers may not send us to",
    ),
    (PoshUnavailable, "posh.http", "no POSH document could be fetched"),
    (PoshUntrusted, "posh.tls", "the web server's certificate is not to be trusted"),
    (PoshRedirect, "posh.redirect", "the web server redirects to where we do not follow"),
    (PoshMalformed, "posh.json", "the POSH document is malformed"),
    (PoshTooLarge, "posh.size", "the POSH document is too large"),
    (PoshExpired, "posh.expired", "the POSH document or the certificate has expired"),
    (PoshForbiddenTarget, "posh.ssrf", "the web server is at an address we do not connect to"),
    (PoshMismatch, "posh.mismatch", "the certificate matches none of the POSH fingerprints"),
];

#[test]
fn every_finding_has_a_name_and_a_sentence() {
    for (finding, label, text) in ALL {
        assert_eq!((finding.label(), finding.text()), (label, text));
        let name = |it: &str| it.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let of_two = label
            .split_once('.')
            .is_some_and(|(group, name_in_it)| name(group) && name(name_in_it));
        assert!(of_two, "{label}");
        assert!(!text.ends_with('.') && text.is_ascii(), "{text}");
    }
}

#[test]
fn no_two_findings_are_called_the_same() {
    let (labels, texts) = (ALL.map(|(_, label, _)| label), ALL.map(|(_, _, text)| text));
    for mut all in [labels, texts] {
        all.sort_unstable();
        assert!(all.is_sorted_by(|one, next| one < next), "{all:?}");
    }
}

#[test]
fn a_reason_names_the_prooftype_that_settled_it() {
    let mut reason = Reason { prooftype: Some(Prooftype::Pkix), finding: Expired };
    assert_eq!(reason.to_string(), "pkix: a certificate is expired or not yet valid");
    reason.prooftype = None;
    assert_eq!(reason.to_string(), "a certificate is expired or not yet valid");
}
