use std::fmt::Write as _;
use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY};
use hyper::{Response, StatusCode};

use crate::web::{HTML, respond};

/// The page for people, and what their browser may do for it.
///
/// It runs the style and the script that stand in it and nothing else, and asks nobody but us: a
/// domain that a peer has chosen, shown on it, stays text whatever it is made of.
pub(super) fn page() -> Response<Full<Bytes>> {
    let mut response = respond(StatusCode::OK, HTML, PAGE.to_owned());
    let headers = response.headers_mut();
    if let Some(policy) = &*POLICY {
        headers.insert(CONTENT_SECURITY_POLICY, policy.clone());
    }
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// The whole page: it needs no other file.
const PAGE: &str = include_str!("page.html");

/// Hashes are of letters, digits and `+/=`, so that it always is a header's value.
static POLICY: LazyLock<Option<HeaderValue>> =
    LazyLock::new(|| HeaderValue::try_from(policy(PAGE)).ok());

/// The policy under which a page does what it is meant to do, and no more (CSP level 3).
fn policy(page: &str) -> String {
    let mut policy = "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'"
        .to_owned();
    for (directive, name) in [("style-src", "style"), ("script-src", "script")] {
        let hashes: String = blocks(page, name).fold(String::new(), |mut hashes, block| {
            let hash = STANDARD.encode(digest(&SHA256, block.as_bytes()));
            // Writing into a String cannot fail.
            let _ = write!(hashes, " 'sha256-{hash}'");
            hashes
        });
        if !hashes.is_empty() {
            let _ = write!(policy, "; {directive}{hashes}");
        }
    }
    policy
}

/// What stands inside the elements of this name, none of which has attributes.
fn blocks<'a>(page: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
    let pieces = page.split(&begin).skip(1).collect::<Vec<_>>().into_iter();
    pieces.filter_map(move |piece| Some(piece.split_once(&end)?.0))
}

#[cfg(test)]
mod tests;
