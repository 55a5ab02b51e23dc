use std::net::TcpListener;
use std::thread;

use super::*;

fn explain() -> Way {
    Way::Get("/explain?local=a&remote=b".to_owned())
}

/// Asks somebody who answers just this; also what was asked.
fn answered(way: &Way, answer: &'static [u8]) -> (Result<String, String>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let (mut asked, mut byte) = (Vec::new(), [0]);
        while !asked.ends_with(b"\r\n\r\n") && socket.read(&mut byte).unwrap() == 1 {
            asked.extend(byte);
        }
        socket.write_all(answer).unwrap();
        String::from_utf8(asked).unwrap()
    });
    let said = ask(address, way).map(|it| it.body).map_err(|it| it.to_string());
    (said, serving.join().unwrap().replace(&address.to_string(), "HERE"))
}

#[test]
fn what_an_admin_port_says_is_read() {
    let (said, asked) =
        answered(&explain(), b"HTTP/1.0 200 OK\r\nContent-Type: a/b\r\n\r\n{\"a\": 1}\r\n\r\n");
    assert_eq!(said.unwrap(), "{\"a\": 1}\r\n\r\n");
    assert_eq!(asked, "GET /explain?local=a&remote=b HTTP/1.0\r\nHost: HERE\r\n\r\n");
}

#[test]
fn whatever_else_answers_is_told_of_and_harms_no_terminal() {
    for (answer, expect) in [
        (&b"HTTP/1.1 404 Not Found\r\n\r\nNot Found\n"[..], "refused with 404: Not Found"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n\x1b[31m", "refused with 400: \\u{1b}[31m"),
        (b"HTTP/1.1 200 OK\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 many\r\n\r\n", "does not speak HTTP"),
        (b"<stream:stream>\r\n\r\n", "does not speak HTTP"),
        (b"SSH-2.0 200\r\n\r\n", "does not speak HTTP"),
        (b"", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\n\xff", "cannot be asked: invalid data"),
    ] {
        assert_eq!(answered(&explain(), answer).0.unwrap_err(), expect);
    }
}

#[test]
fn nobody_there_is_told_of() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let said = ask(address, &Way::Get("/live".to_owned())).unwrap_err().to_string();
    let expect = "cannot be asked: nobody listens there; does it run? Name its admin port by --admin \
                  or --config";
    assert_eq!(said, expect);
}

#[test]
fn what_is_done_is_heard_and_so_is_why_it_is_not() {
    let way = Way::Post("/reload".to_owned());
    let (said, asked) = answered(&way, b"HTTP/1.1 202 Accepted\r\n\r\n{}");
    assert_eq!(said.unwrap(), "{}");
    assert_eq!(asked, "POST /reload HTTP/1.0\r\nHost: HERE\r\n\r\n");
    let (said, _) = answered(&way, b"HTTP/1.1 422 Unprocessable Entity\r\n\r\n{}");
    assert_eq!(said.unwrap(), "{}");
    let (said, _) = answered(&way, b"HTTP/1.1 403 Forbidden\r\n\r\nForbidden\n");
    assert_eq!(said.unwrap_err(), "refused with 403: Forbidden");
    let (said, _) = answered(&explain(), b"HTTP/1.1 422 Unprocessable Entity\r\n\r\n{}");
    assert_eq!(said.unwrap_err(), "refused with 422: {}");
}

/// A proxy that is not ready says of what in its answer, which is no refusal.
#[test]
fn what_is_not_ready_is_heard() {
    let answer = b"HTTP/1.1 503 Service Unavailable\r\n\r\n{\"ready\":false}";
    let (said, _) = answered(&Way::Get(READY.to_owned()), answer);
    assert_eq!(said.unwrap(), "{\"ready\":false}");
    let (said, _) = answered(&explain(), answer);
    assert_eq!(said.unwrap_err(), "refused with 503: {\"ready\":false}");
}
