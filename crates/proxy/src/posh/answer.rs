use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{HOST, TRANSFER_ENCODING};
use hyper::{Method, Request, Response, StatusCode, Version};
use ligase_verifier::Domain;
use serde_json::Value;

use super::document::PATH;
use crate::web::{JSON, refuse, respond};

/// Answers one request of a client that asked for the certificate of `asked`. A body is never read.
pub(super) fn answer<B>(
    request: &Request<B>,
    asked: Option<&str>,
    document: &dyn Fn(Domain) -> Option<Value>,
) -> Response<Full<Bytes>> {
    match find(request, asked, document) {
        // How long it holds is said in the document itself (RFC 7711 §6).
        Ok(document) => respond(StatusCode::OK, JSON, document.to_string()),
        Err(status) => refuse(status, "GET, HEAD"),
    }
}

fn find<B>(
    request: &Request<B>,
    asked: Option<&str>,
    document: &dyn Fn(Domain) -> Option<Value>,
) -> Result<Value, StatusCode> {
    let host = host(request)?.or(asked).ok_or(StatusCode::BAD_REQUEST)?;
    // A host that is no domain has no page.
    let domain: Domain = host.parse().map_err(|_| StatusCode::NOT_FOUND)?;
    // A connection is for the domain whose certificate was asked for, and no other (RFC 9110 §7.4).
    if asked.is_some_and(|it| it.parse::<Domain>() != Ok(domain.clone())) {
        return Err(StatusCode::MISDIRECTED_REQUEST);
    }
    if request.uri().path() != PATH {
        return Err(StatusCode::NOT_FOUND);
    }
    match *request.method() {
        Method::GET | Method::HEAD => document(domain).ok_or(StatusCode::NOT_FOUND),
        _ => Err(StatusCode::METHOD_NOT_ALLOWED),
    }
}

/// The host that a request names, without its port; which every reader would find the same
/// (RFC 9112 §3.2), or it is refused.
fn host<B>(request: &Request<B>) -> Result<Option<&str>, StatusCode> {
    let named = request.headers().get_all(HOST).iter().count();
    let named_min = usize::from(request.version() == Version::HTTP_11);
    let is_sound = (named_min..=1).contains(&named)
        && request.uri().authority().is_none()
        && !request.headers().contains_key(TRANSFER_ENCODING);
    if !is_sound {
        return Err(StatusCode::BAD_REQUEST);
    }
    let Some(host) = request.headers().get(HOST) else {
        return Ok(None);
    };
    let host = host.to_str().map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(Some(match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        Some(_) | None => host,
    }))
}

#[cfg(test)]
mod tests;
