use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{Response, StatusCode};

/// A whole answer: nobody keeps it, because it tells how things are now, and no browser takes it
/// for anything but what it says it is.
pub(crate) fn respond(
    status: StatusCode,
    kind: &'static str,
    body: String,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// An answer to what is refused, in the standard's words; if that is for its method, with those
/// that are `allowed` (RFC 9110 §15.5.6).
pub(crate) fn refuse(status: StatusCode, allowed: &'static str) -> Response<Full<Bytes>> {
    let reason = status.canonical_reason().unwrap_or("refused");
    let mut response = respond(status, TEXT, format!("{reason}\n"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    }
    response
}

/// What people read.
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

/// What browsers show.
pub(crate) const HTML: &str = "text/html; charset=utf-8";

/// What programs read.
pub(crate) const JSON: &str = "application/json";

#[cfg(test)]
mod tests;
