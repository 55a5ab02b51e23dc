use std::net::TcpListener;
use std::thread;

use super::*;

/// Asks somebody who answers just this; also what was asked.
fn answered(answer: &'static [u8]) -> (Result<String, String>, String) {
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
    let said = ask(address, "/explain?local=a&remote=b").map_err(|it| it.to_string());
    (said, serving.join().unwrap().replace(&address.to_string(), "HERE"))
}

#[test]
fn what_an_admin_port_says_is_read() {
    let (said, asked) = answered(b"HTTP/1.0 200 OK\r\nContent-Type: a/b\r\n\r\n{\"a\": 1}\r\n\r\n");
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
        assert_eq!(answered(answer).0.unwrap_err(), expect);
    }
}

#[test]
fn nobody_there_is_told_of() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let said = ask(address, "/live").unwrap_err().to_string();
    assert!(said.starts_with("cannot be asked: "), "{said}");
}
