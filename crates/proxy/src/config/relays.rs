use super::ProxyProtocol;
use super::file::Section;
use super::values::network;

/// Which load balancers say for whom they come.
pub(super) fn proxy_protocol(mut section: Section<'_>) -> ProxyProtocol {
    let proxy_protocol = ProxyProtocol {
        trusted: section.texts("trusted", network).unwrap_or_default(),
        required: section.flag("required", true),
    };
    section.finish();
    proxy_protocol
}
