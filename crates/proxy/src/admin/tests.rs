use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::Request;
use ligase_metrics::Component;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::answer::{Reply, answer};
use super::{
    Explained, Patience, Readiness, SEATS_MAX, SEATS_PER_ADDRESS_MAX, Seats, Views, serve,
    serve_with,
};
use crate::config::Error;
use crate::stream::Violation;

/// What was asked of the views, and whom they turned away.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn hear(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn standing() -> Readiness {
    Readiness { parts: Component::ALL.iter().map(|it| (*it, Ok(()))).collect() }
}

fn views(heard: &Heard, readiness: Readiness) -> Views {
    let say = |what: &'static str| {
        let heard = heard.clone();
        move || heard.hear(what.to_owned())
    };
    let (log, turned_away) = (heard.clone(), heard.clone());
    let retried = heard.clone();
    let reload = say("reload");
    Views {
        server_name: "xmpp1.hosting.example".parse().unwrap(),
        ready: Box::new(move || readiness.clone()),
        metrics: Box::new(|| "ligase_up 1\n".to_owned()),
        config: Box::new(|| json!({"server_name": "xmpp1.hosting.example"})),
        connections: Box::new(|| json!([])),
        bindings: Box::new(|| json!([{"local": "montague.example"}])),
        explain: Box::new(|local, remote| {
            let pair = json!({"local": local.as_str(), "remote": remote.as_str()});
            Explained(Box::pin(async { pair }))
        }),
        status: Box::new(|| json!({"version": 1})),
        self_check: Box::new(|| json!({"version": 1, "domains": []})),
        failures: Box::new(|| json!({"version": 1, "failures": [], "left_out": 0})),
        certificates: Box::new(|| json!([])),
        reload: Box::new(move || {
            reload();
            let problem = "is missing".to_owned();
            Err(vec![Error { key: "hosts".to_owned(), problem }])
        }),
        retry: Box::new(move |remote| {
            retried.hear(format!("retry {remote}"));
            2
        }),
        drain: Box::new(say("drain")),
        levels: Box::new(|| json!({"level": "info", "targets": []})),
        log: Box::new(move |order| log.hear(format!("log {}", order.level.as_str()))),
        turned_away: Box::new(move |violation: Violation, from| {
            turned_away.hear(format!("{} {}", violation.as_str(), from.ip()));
        }),
    }
}

const HERE: &str = "127.0.0.1:50000";
const STRANGER: &str = "192.0.2.66:50000";

/// What is answered to a request with these headers: the status, and what was heard of it.
fn ask(line: &str, from: &str, headers: &[(&str, &str)]) -> (u16, Vec<String>) {
    let heard = Heard::default();
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(()).unwrap();
    let status = match answer(&request, from.parse().unwrap(), &views(&heard, standing())) {
        Reply::Now(response) => response.status().as_u16(),
        Reply::Soon(_) => 200,
    };
    (status, heard.take())
}

#[track_caller]
fn check(line: &str, from: &str, headers: &[(&str, &str)], status: u16, heard: &[&str]) {
    let heard = heard.iter().map(|it| (*it).to_owned()).collect();
    assert_eq!(ask(line, from, headers), (status, heard), "{line} {headers:?}");
}

#[test]
fn whoever_reaches_the_port_may_read() {
    for path in super::answer::READS {
        for (from, host) in [(HERE, "localhost"), (STRANGER, "anything.example")] {
            check(&format!("GET {path}"), from, &[("Host", host)], 200, &[]);
            check(&format!("HEAD {path}"), from, &[("Host", "10.0.0.1:7290")], 200, &[]);
        }
        check(&format!("GET {path}?verbose"), HERE, &[("Host", "localhost")], 200, &[]);
    }
}

#[test]
fn whoever_reaches_the_port_may_have_a_pair_explained() {
    let pair = "local=montague.example&remote=capulet.example";
    for (from, host) in [(HERE, "localhost"), (STRANGER, "anything.example")] {
        check(&format!("GET /explain?{pair}"), from, &[("Host", host)], 200, &[]);
        check(&format!("HEAD /explain?{pair}"), from, &[("Host", "10.0.0.1:7290")], 200, &[]);
    }
    let asked = &["admin.request 127.0.0.1"];
    for query in ["", "?", "?local=a.example", "?local=a..b&remote=b.example", "?x=1", "?local"] {
        check(&format!("GET /explain{query}"), HERE, &[("Host", "localhost")], 400, asked);
    }
    check(&format!("GET /explain?{pair}"), HERE, &[], 400, asked);
    check(&format!("POST /explain?{pair}"), HERE, &[("Host", "localhost")], 405, asked);
}

#[tokio::test]
async fn a_pair_is_explained_and_a_bad_question_is_not_repeated() {
    let (address, _, _guard) = start(standing()).await;
    let ask = |query: &str| {
        let request = format!("GET /explain?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        async move { raw(address, request.as_bytes()).await }
    };
    let answer = ask("local=montague.example&remote=b%C3%BCcher.example").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert_eq!(body(&answer), json!({"local": "montague.example", "remote": "bücher.example"}));
    for query in ["local=montague.example&remote=%3Cscript%3Ealert%281%29", "local=../etc/passwd"] {
        let answer = ask(query).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains("is not a domain name; ask for /explain?local="), "{answer}");
        assert!(!answer.contains("script") && !answer.contains("passwd"), "{answer}");
    }
}

#[test]
fn only_this_machine_may_ask_for_something_to_be_done() {
    for host in [
        "127.0.0.1:7290",
        "127.0.0.1",
        "[::1]:7290",
        "[::1]",
        "localhost:7290",
        "LOCALHOST",
        "10.1.2.3:80",
        "xmpp1.hosting.example:7290",
    ] {
        check("POST /drain", HERE, &[("Host", host)], 202, &["drain"]);
        check("POST /drain", "[::1]:5", &[("Host", host)], 202, &["drain"]);
        check("POST /drain", "[::ffff:127.0.0.1]:5", &[("Host", host)], 202, &["drain"]);
        check("POST /drain", STRANGER, &[("Host", host)], 403, &["admin.denied 192.0.2.66"]);
    }
    check("POST /reload", HERE, &[("Host", "localhost")], 422, &["reload"]);
    check("POST /log?level=debug", HERE, &[("Host", "localhost")], 200, &["log debug"]);
    for query in ["", "?level=", "?level=loud", "?x=1&level=debug", "?level=debug&x"] {
        let line = format!("POST /log{query}");
        check(&line, HERE, &[("Host", "localhost")], 400, &["admin.request 127.0.0.1"]);
    }
}

#[tokio::test]
async fn a_peer_is_tried_again_when_this_machine_asks_for_it() {
    let local = [("Host", "localhost")];
    let remote = "POST /retry?remote=capulet.example";
    check(remote, HERE, &local, 200, &["retry capulet.example"]);
    check(remote, STRANGER, &local, 403, &["admin.denied 192.0.2.66"]);
    for query in ["", "?", "?remote=", "?remote=a..b", "?local=a.example", "?remote"] {
        let line = format!("POST /retry{query}");
        check(&line, HERE, &local, 400, &["admin.request 127.0.0.1"]);
    }
    let asked = &["admin.request 127.0.0.1"];
    check("GET /retry?remote=capulet.example", HERE, &local, 405, asked);
    let (address, _, _guard) = start(standing()).await;
    let request = "POST /retry?remote=capulet.example HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let answer = raw(address, request.as_bytes()).await;
    let expect = json!({"retried": true, "remote": "capulet.example", "forgotten": 2});
    assert_eq!(body(&answer), expect);
}

#[test]
fn no_web_page_may_ask_in_the_name_of_its_reader() {
    let denied = &["admin.denied 127.0.0.1"];
    for host in [
        "evil.test",
        "evil.test:7290",
        "localhost.evil.test",
        "127.0.0.1.evil.test",
        "[::1",
        "",
        "localhost:x",
        "[x]:7290",
        "a b",
    ] {
        check("POST /drain", HERE, &[("Host", host)], 421, denied);
        check("POST /quit", HERE, &[("Host", host)], 421, denied);
        // Nor read whom we talk with, by a name that it has had lead here.
        check("GET /status", HERE, &[("Host", host)], 421, denied);
        check("GET /explain?local=a.test&remote=b.test", HERE, &[("Host", host)], 421, denied);
        check("GET /metrics", HERE, &[("Host", host)], 200, &[]);
    }
    for origin in ["http://evil.test", "null", "http://127.0.0.1:7290"] {
        check("POST /drain", HERE, &[("Host", "127.0.0.1"), ("Origin", origin)], 403, denied);
    }
}

#[test]
fn what_there_is_not_is_not_there() {
    let asked = &["admin.request 127.0.0.1"];
    let host = [("Host", "localhost")];
    for path in [
        "/page.html",
        "/quit",
        "/ready/",
        "//ready",
        "/../../etc/passwd",
        "/%2e%2e/etc/passwd",
        "/debug/pprof",
    ] {
        check(&format!("GET {path}"), HERE, &host, 404, asked);
        check(&format!("POST {path}"), HERE, &host, 404, asked);
        check(&format!("DELETE {path}"), HERE, &host, 405, asked);
    }
    check("GET /drain", HERE, &host, 405, asked);
    check("POST /ready", HERE, &host, 405, asked);
    check("PUT /drain", HERE, &host, 405, asked);
    check("OPTIONS /drain", HERE, &host, 405, asked);
}

#[test]
fn what_can_be_read_two_ways_is_not_answered() {
    let asked = &["admin.request 127.0.0.1"];
    check("GET /ready", HERE, &[], 400, asked);
    check("GET /ready", HERE, &[("Host", "a"), ("Host", "b")], 400, asked);
    let chunked = [("Host", "localhost"), ("Transfer-Encoding", "chunked")];
    check("POST /drain", HERE, &chunked, 400, asked);
}

/// What a client reads who sends exactly these bytes.
async fn raw(address: SocketAddr, request: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    // We may be hung up on before all of it is sent, and what was said before is lost then.
    let sent = socket.write_all(request).await;
    let mut answer = Vec::new();
    let read = socket.read_to_end(&mut answer).await;
    assert!(!answer.is_empty() || sent.is_err() || read.is_err(), "hung up on without a word");
    String::from_utf8(answer).unwrap()
}

async fn start(readiness: Readiness) -> (SocketAddr, Heard, Served) {
    let heard = Heard::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(serve(listener, Arc::new(views(&heard, readiness))));
    (address, heard, Served(tasks))
}

/// Ends the server with its test.
struct Served(#[expect(dead_code, reason = "it is there to be dropped")] JoinSet<()>);

fn body(answer: &str) -> Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn readiness_names_every_part_and_its_cause() {
    let get = b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let (address, _, _guard) = start(standing()).await;
    let answer = raw(address, get).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert_eq!(body(&answer)["ready"], true);

    let parts = vec![
        (Component::Config, Ok(())),
        (Component::Certificates, Ok(())),
        (Component::Resolver, Err("no server answers".to_owned())),
    ];
    let (address, _, _guard) = start(Readiness { parts }).await;
    let answer = raw(address, get).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    let expect = json!({"ready": false, "components": {
        "config": {"ready": true, "cause": null},
        "certificates": {"ready": true, "cause": null},
        "resolver": {"ready": false, "cause": "no server answers"},
        "listeners": {"ready": false, "cause": "not started"},
    }});
    assert_eq!(body(&answer), expect);
}

#[tokio::test]
async fn answers_are_typed_and_the_connection_ends() {
    let (address, _, _guard) = start(standing()).await;
    let answer = raw(address, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await.to_lowercase();
    assert!(answer.contains("content-type: text/plain; version=0.0.4\r\n"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nligase_up 1\n"), "{answer}");
    let answer = raw(address, b"GET /version HTTP/1.0\r\n\r\n").await;
    assert_eq!(body(&answer)["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(body(&answer)["tls"], "rustls with aws-lc-rs");
    let answer = raw(address, b"POST /reload HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let expect =
        json!({"reloaded": false, "problems": [{"key": "hosts", "problem": "is missing"}]});
    assert_eq!(body(&answer), expect);
    let answer =
        raw(address, b"GET /drain HTTP/1.1\r\nHost: localhost\r\n\r\n").await.to_lowercase();
    assert!(answer.contains("allow: post\r\n"), "{answer}");
    let answer = raw(address, b"DELETE /log HTTP/1.1\r\nHost: x\r\n\r\n").await.to_lowercase();
    assert!(answer.contains("allow: get, head, post\r\n"), "{answer}");
    for (line, levels) in [
        ("GET /log", json!({"level": "info", "targets": []})),
        (
            "POST /log?level=debug&target=ligase::stream&seconds=600",
            json!({"level": "info", "targets": []}),
        ),
    ] {
        let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(body(&raw(address, request.as_bytes()).await), levels);
    }
    let request = b"POST /log?level=debug&target=%3Cscript%3E HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let answer = raw(address, request).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && !answer.contains("script"), "{answer}");
    assert!(answer.contains("target: write one of ligase, "), "{answer}");
}

#[tokio::test]
async fn hostile_requests_harm_nobody() {
    let (address, heard, _guard) = start(standing()).await;
    let huge = format!("GET /ready HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(1 << 20));
    let many = format!("GET /ready HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(1_000));
    let pipelined = "GET /ready HTTP/1.1\r\nHost: x\r\n\r\n".repeat(10_000);
    let both = "POST /drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\
                Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nPOST /drain HTTP/1.1\r\n\r\n";
    let status = |answer: &str| answer.get(9..12).map(str::to_owned);
    for (request, expect) in [
        (huge.as_str(), "431"),
        (many.as_str(), "431"),
        (both, "400"),
        ("\x16\x03\x01\x02\x00\x01\r\n\r\n", "400"),
        ("GET /ready HTTP/9.9\r\n\r\n", "400"),
        ("GET http://evil.test/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
    ] {
        let answer = raw(address, request.as_bytes()).await;
        // Whoever still sends when we hang up may miss what we said.
        assert!(answer.is_empty() || status(&answer).as_deref() == Some(expect), "{answer}");
        assert_eq!(heard.take(), ["admin.request 127.0.0.1"], "{request:.60}");
    }
    let answer = raw(address, pipelined.as_bytes()).await;
    assert!(answer.matches("HTTP/1.1 200").count() <= 1, "{answer}");
    let answer = raw(address, b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.ends_with("live\n"), "{answer}");
    assert_eq!(heard.take(), Vec::<String>::new());
}

#[tokio::test]
async fn the_silent_do_not_lock_others_out() {
    let (address, heard, _guard) = start(standing()).await;
    let mut silent = Vec::new();
    for _ in 0..SEATS_PER_ADDRESS_MAX {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let mut late = TcpStream::connect(address).await.unwrap();
    let mut nothing = Vec::new();
    let _ = late.read_to_end(&mut nothing).await;
    assert_eq!(nothing, b"");
    assert_eq!(heard.take(), ["limit.conn 127.0.0.1"]);
    // Once one has been answered there is room again, whoever is still silent.
    let mut first = silent.swap_remove(0);
    first.write_all(b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    first.read_to_end(&mut nothing).await.unwrap();
    let answer = loop {
        let answer = raw(address, b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n").await;
        if !answer.is_empty() {
            break answer;
        }
    };
    assert!(answer.ends_with("live\n"), "{answer}");
}

#[tokio::test]
async fn the_slow_are_hung_up_on() {
    let short = Duration::from_millis(50);
    let long = Duration::from_secs(3_600);
    for (header, talk) in [(short, long), (long, short)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let patience = Patience { header, talk };
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_with(listener, Arc::new(views(&Heard::default(), standing())), patience));
        for request in [&b""[..], b"GET /live HTTP/1.1\r\nHost: x\r\n"] {
            let mut socket = TcpStream::connect(address).await.unwrap();
            socket.write_all(request).await.unwrap();
            let mut answer = Vec::new();
            // It comes to an end without our doing: that is all there is to see.
            let _ = socket.read_to_end(&mut answer).await;
            assert!(!answer.starts_with(b"HTTP/1.1 200"));
        }
    }
}

#[test]
fn strangers_do_not_take_the_seats_of_this_machine() {
    let mut seats = Seats::default();
    let mut taken = Vec::new();
    for last in 0..=255 {
        while let Some(seat) = seats.take(IpAddr::from([192, 0, 2, last])) {
            taken.push(seat);
        }
    }
    assert_eq!(taken.len(), SEATS_MAX);
    let here = IpAddr::from([127, 0, 0, 1]);
    let own: Vec<_> = std::iter::from_fn(|| seats.take(here)).collect();
    assert_eq!(own.len(), SEATS_PER_ADDRESS_MAX);
    assert!(seats.take(here).is_none());
    taken.clear();
    assert!(seats.take(IpAddr::from([192, 0, 2, 1])).is_some());
    assert!(seats.0.len() <= 2, "empty seats are cleared away");
}
