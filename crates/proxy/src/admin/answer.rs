use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{HOST, ORIGIN, TRANSFER_ENCODING};
use hyper::{Method, Request, Response, StatusCode, Version};
use serde_json::{Value, json};

use super::page::page;
use super::{Explained, Readiness, Views, levels, question};
use crate::args::{REVISION, TLS_PROVIDER, VERSION};
use crate::stream::Violation;
use crate::web::{JSON, TEXT, refuse, respond};

/// An answer, or that which it takes to have one.
pub(super) enum Reply {
    /// The answer.
    Now(Response<Full<Bytes>>),
    /// What is said about a pair, once it is known.
    Soon(Explained),
}

impl Reply {
    /// The answer, once it is known.
    pub(super) async fn response(self) -> Response<Full<Bytes>> {
        match self {
            Self::Now(response) => response,
            Self::Soon(explained) => object(StatusCode::OK, &explained.0.await),
        }
    }
}

/// Answers one request. A body is never read: nothing that can be asked for needs one.
pub(super) fn answer<B>(request: &Request<B>, from: SocketAddr, views: &Views) -> Reply {
    let path = request.uri().path();
    let answered = match *request.method() {
        _ if !is_sound(request) => Err(StatusCode::BAD_REQUEST),
        Method::GET | Method::HEAD if is_rebound(request, from, views) => {
            Err(StatusCode::MISDIRECTED_REQUEST)
        }
        Method::GET | Method::HEAD if path == EXPLAIN => {
            return explain(request.uri().query(), from, views);
        }
        Method::GET | Method::HEAD => show(path, views),
        Method::POST if path == LOG => {
            may_write(request, from, views).map(|()| log(request.uri().query(), from, views))
        }
        Method::POST if path == RETRY => {
            may_write(request, from, views).map(|()| retry(request.uri().query(), from, views))
        }
        Method::POST => may_write(request, from, views).and_then(|()| act(path, views)),
        _ => Err(StatusCode::METHOD_NOT_ALLOWED),
    };
    Reply::Now(answered.unwrap_or_else(|status| {
        let violation = match status {
            StatusCode::FORBIDDEN | StatusCode::MISDIRECTED_REQUEST => Violation::AdminDenied,
            _ => Violation::AdminRequest,
        };
        (views.turned_away)(violation, from);
        refuse(status, allowed(path))
    }))
}

/// Explains a pair. What was asked instead is not repeated: whoever asked knows it.
fn explain(query: Option<&str>, from: SocketAddr, views: &Views) -> Reply {
    match question::pair(query.unwrap_or_default()) {
        Ok((local, remote)) => Reply::Soon((views.explain)(local, remote)),
        Err(problem) => Reply::Now(misasked(&problem, from, views)),
    }
}

/// Logs more or less, and tells how much it is now.
fn log(query: Option<&str>, from: SocketAddr, views: &Views) -> Response<Full<Bytes>> {
    match levels::order(query.unwrap_or_default()) {
        Ok(order) => {
            (views.log)(&order);
            object(StatusCode::OK, &(views.levels)())
        }
        Err(problem) => misasked(&problem, from, views),
    }
}

/// Forgets that a peer could not be reached.
fn retry(query: Option<&str>, from: SocketAddr, views: &Views) -> Response<Full<Bytes>> {
    match question::peer(query.unwrap_or_default()) {
        Ok(remote) => {
            let forgotten = (views.retry)(&remote);
            let told = json!({
                "retried": true,
                "remote": remote.as_str(),
                "forgotten": forgotten,
            });
            object(StatusCode::OK, &told)
        }
        Err(problem) => misasked(&problem, from, views),
    }
}

/// Says what is wrong with a question.
fn misasked(problem: &dyn Display, from: SocketAddr, views: &Views) -> Response<Full<Bytes>> {
    (views.turned_away)(Violation::AdminRequest, from);
    respond(StatusCode::BAD_REQUEST, TEXT, format!("{problem}\n"))
}

/// Where a peer is tried again.
const RETRY: &str = "/retry";

/// Where it is told how much is logged, and changed.
const LOG: &str = "/log";

/// Where a pair is explained.
pub(super) const EXPLAIN: &str = "/explain";

/// What may be read.
pub(super) const READS: [&str; 13] = [
    "/",
    "/live",
    "/ready",
    "/metrics",
    "/version",
    "/config",
    "/connections",
    "/bindings",
    "/status",
    "/failures",
    "/self-check",
    "/certificates",
    LOG,
];

/// What may be asked for.
pub(super) const WRITES: [&str; 4] = ["/reload", "/drain", RETRY, LOG];

fn show(path: &str, views: &Views) -> Result<Response<Full<Bytes>>, StatusCode> {
    Ok(match path {
        "/" => page(),
        "/live" => respond(StatusCode::OK, TEXT, "live\n".into()),
        "/ready" => ready(&(views.ready)()),
        "/metrics" => respond(StatusCode::OK, ligase_metrics::CONTENT_TYPE, (views.metrics)()),
        "/version" => object(
            StatusCode::OK,
            &json!({"version": VERSION, "revision": REVISION, "tls": TLS_PROVIDER}),
        ),
        "/config" => object(StatusCode::OK, &(views.config)()),
        "/connections" => object(StatusCode::OK, &(views.connections)()),
        "/bindings" => object(StatusCode::OK, &(views.bindings)()),
        "/status" => object(StatusCode::OK, &(views.status)()),
        "/self-check" => object(StatusCode::OK, &(views.self_check)()),
        "/failures" => object(StatusCode::OK, &(views.failures)()),
        "/certificates" => object(StatusCode::OK, &(views.certificates)()),
        LOG => object(StatusCode::OK, &(views.levels)()),
        path if WRITES.contains(&path) => return Err(StatusCode::METHOD_NOT_ALLOWED),
        _ => return Err(StatusCode::NOT_FOUND),
    })
}

fn ready(readiness: &Readiness) -> Response<Full<Bytes>> {
    let ready = readiness.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    object(status, &readiness.show())
}

fn act(path: &str, views: &Views) -> Result<Response<Full<Bytes>>, StatusCode> {
    Ok(match path {
        "/reload" => match (views.reload)() {
            Ok(()) => object(StatusCode::OK, &json!({"reloaded": true})),
            Err(problems) => {
                let problem =
                    |it: &crate::config::Error| json!({"key": it.key, "problem": it.problem});
                let problems: Vec<_> = problems.iter().map(problem).collect();
                let body = json!({"reloaded": false, "problems": problems});
                object(StatusCode::UNPROCESSABLE_ENTITY, &body)
            }
        },
        "/drain" => {
            (views.drain)();
            object(StatusCode::ACCEPTED, &json!({"draining": true}))
        }
        path if READS.contains(&path) || path == EXPLAIN => {
            return Err(StatusCode::METHOD_NOT_ALLOWED);
        }
        _ => return Err(StatusCode::NOT_FOUND),
    })
}

/// Whether every reader of this request would read the same: one host, and no body whose end is a
/// matter of opinion.
fn is_sound<B>(request: &Request<B>) -> bool {
    let hosts = request.headers().get_all(HOST).iter().count();
    let hosts_min = usize::from(request.version() == Version::HTTP_11);
    (hosts_min..=1).contains(&hosts) && !request.headers().contains_key(TRANSFER_ENCODING)
}

/// Only this machine may ask for something to be done, and no web page that is open on it may do
/// so in its name: a browser tells where a page came from (`Origin`), and what it was told that we
/// are called (`Host`), which is how a rebound DNS name shows.
fn may_write<B>(request: &Request<B>, from: SocketAddr, views: &Views) -> Result<(), StatusCode> {
    if !from.ip().to_canonical().is_loopback() || request.headers().contains_key(ORIGIN) {
        return Err(StatusCode::FORBIDDEN);
    }
    let host = request.headers().get(HOST).and_then(|it| it.to_str().ok());
    if host.is_some_and(|host| is_us(host, views)) {
        Ok(())
    } else {
        Err(StatusCode::MISDIRECTED_REQUEST)
    }
}

/// Whether a browser of this machine was led here by a name that is not ours: a page may have had DNS
/// lead its own name here, to read whom we talk with. What names nobody is for everybody.
fn is_rebound<B>(request: &Request<B>, from: SocketAddr, views: &Views) -> bool {
    if !from.ip().to_canonical().is_loopback() || NAMELESS.contains(&request.uri().path()) {
        return false;
    }
    let host = request.headers().get(HOST).map(|it| it.to_str().unwrap_or_default());
    host.is_some_and(|host| !is_us(host, views))
}

/// What names no domain.
const NAMELESS: [&str; 4] = ["/live", "/ready", "/metrics", "/version"];

/// Whether a `Host` header means us, whatever DNS says: an address, this machine, our own name.
fn is_us(host: &str, views: &Views) -> bool {
    if host.parse::<SocketAddr>().is_ok() || host.parse::<IpAddr>().is_ok() {
        return true;
    }
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        _ => host,
    };
    let bracketed = name.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    bracketed.is_some_and(|it| it.parse::<IpAddr>().is_ok())
        || name.eq_ignore_ascii_case("localhost")
        || name.parse().is_ok_and(|it: ligase_verifier::Domain| it == views.server_name)
}

/// The methods by which a path may be asked for.
fn allowed(path: &str) -> &'static str {
    match (READS.contains(&path), WRITES.contains(&path)) {
        (true, true) => "GET, HEAD, POST",
        (false, true) => "POST",
        (_, false) => "GET, HEAD",
    }
}

fn object(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    respond(status, JSON, format!("{body}\n"))
}
