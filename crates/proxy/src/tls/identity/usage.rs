use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Whether a leaf, in DER, says that it is for TLS servers and not for clients (RFC 5280 §4.2.1.12).
pub(super) fn is_for_servers_alone(leaf: &[u8]) -> bool {
    let Ok((_, leaf)) = X509Certificate::from_der(leaf) else {
        return false;
    };
    // One that says nothing is for all.
    let usage = leaf.extended_key_usage().ok().flatten().map(|it| it.value);
    usage.is_some_and(|it| it.server_auth && !it.client_auth && !it.any)
}
