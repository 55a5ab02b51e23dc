use http_body_util::BodyExt as _;
use hyper::header::{ALLOW, CACHE_CONTROL};
use serde_json::json;

use super::*;

/// What is answered to a request with these headers: the status, and its body.
async fn ask(line: &str, headers: &[(&str, &str)], asked: Option<&str>) -> (u16, String) {
    let (method, path) = line.split_once(' ').unwrap();
    let version = if path.ends_with(" HTTP/1.0") { Version::HTTP_10 } else { Version::HTTP_11 };
    let path = path.trim_end_matches(" HTTP/1.0");
    let mut request = Request::builder().method(method).uri(path).version(version);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(()).unwrap();
    let document = |domain: Domain| {
        let hosted = domain.ascii() == "montague.example";
        hosted.then(|| json!({"of": domain.ascii()}))
    };
    let response = answer(&request, asked, &document);
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    let allow = response.headers().get(ALLOW);
    assert_eq!(allow.is_some(), response.status() == StatusCode::METHOD_NOT_ALLOWED);
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

const PAGE: &str = "GET /.well-known/posh/xmpp-server.json";

#[track_caller]
fn check(line: &str, host: Option<&str>, asked: Option<&str>, status: u16) {
    let headers: Vec<_> = host.iter().map(|it| ("Host", *it)).collect();
    check_headers(line, &headers, asked, status);
}

#[track_caller]
fn check_headers(line: &str, headers: &[(&str, &str)], asked: Option<&str>, status: u16) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (found, body) = runtime.block_on(ask(line, headers, asked));
    assert_eq!(found, status, "{line} {headers:?} {asked:?}: {body}");
    assert_eq!(body == r#"{"of":"montague.example"}"#, status == 200, "{body}");
}

#[test]
fn there_is_one_page_for_each_domain() {
    let montague = Some("montague.example");
    check(PAGE, montague, montague, 200);
    check("HEAD /.well-known/posh/xmpp-server.json", montague, montague, 200);
    check(&format!("{PAGE}?"), montague, montague, 200);
    for line in [
        "GET /",
        "GET /.well-known/posh/xmpp-client.json",
        "GET /.well-known/posh/xmpp-server.json/",
        "GET //.well-known/posh/xmpp-server.json",
        "GET /.well-known/posh/../posh/xmpp-server.json",
        "GET /.well-known/posh/xmpp%2dserver.json",
        "POST /",
    ] {
        check(line, montague, montague, 404);
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get"] {
        let line = format!("{method} /.well-known/posh/xmpp-server.json");
        check(&line, montague, montague, 405);
    }
}

#[test]
fn the_domain_is_the_one_of_the_host_and_of_the_certificate() {
    let montague = Some("montague.example");
    for host in
        ["montague.example:443", "Montague.Example", "montague.example.", "montague.example:"]
    {
        check(PAGE, Some(host), montague, 200);
        check(PAGE, Some(host), None, 200);
    }
    check(PAGE, montague, Some("MONTAGUE.example"), 200);
    check(PAGE, montague, Some("capulet.example"), 421);
    check(PAGE, Some("capulet.example"), montague, 421);
    check(PAGE, Some("capulet.example"), Some("capulet.example"), 404);
    check(PAGE, Some("www.montague.example"), None, 404);
    for host in
        ["192.0.2.1", "[::1]:443", "", ":443", "a b", "montague.example/", "x@montague.example"]
    {
        check(PAGE, Some(host), None, 404);
    }
}

#[test]
fn what_two_would_read_differently_is_refused() {
    let montague = Some("montague.example");
    check(PAGE, None, montague, 400);
    check(&format!("{PAGE} HTTP/1.0"), None, montague, 200);
    check(&format!("{PAGE} HTTP/1.0"), montague, montague, 200);
    check(&format!("{PAGE} HTTP/1.0"), None, None, 400);
    let twice = [("Host", "montague.example"), ("Host", "montague.example")];
    check_headers(PAGE, &twice, montague, 400);
    let chunked = [("Host", "montague.example"), ("Transfer-Encoding", "chunked")];
    check_headers(PAGE, &chunked, montague, 400);
    let whole = "GET https://montague.example/.well-known/posh/xmpp-server.json";
    check(whole, montague, montague, 400);
    check_headers(PAGE, &[("Host", "mont\u{e4}gue.example")], montague, 400);
}
