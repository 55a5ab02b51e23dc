use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::{Introduction, Relays, introduction};
use crate::net::listener::bind;
use crate::net::proxy_protocol::Version;

const LINE: &[u8] = b"PROXY TCP4 192.0.2.1 198.51.100.2 40000 5269\r\n";
const UNKNOWN: &[u8] = b"PROXY UNKNOWN\r\n<stream:stream>";
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\x04\xea\0\x01\x07";
const STREAM: &[u8] = b"<stream:stream>";

fn relays(required: bool, patience: Duration) -> Relays {
    Relays { trusted: Vec::new(), required, patience }
}

/// Both ends of a connection.
async fn connection() -> (TcpStream, TcpStream) {
    let listener = bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let caller = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (caller, listener.accept().await.unwrap().0)
}

/// What is made of whoever says this and waits, and of whoever says it and goes.
async fn introduced(said: &[u8], required: bool) -> Option<(Introduction, Option<SocketAddr>)> {
    let relays = relays(required, LONG);
    let mut found = Vec::new();
    for goes in [false, true] {
        let (mut caller, mut socket) = connection().await;
        caller.write_all(said).await.unwrap();
        let kept = (!goes).then_some(caller);
        found.push(introduction(&mut socket, &relays).await);
        drop(kept);
    }
    assert_eq!(found[0], found[1]);
    found[0]
}

#[tokio::test]
async fn a_load_balancer_says_whom_a_connection_is_from() {
    let source: SocketAddr = "192.0.2.1:40000".parse().unwrap();
    for required in [true, false] {
        let said = introduced(LINE, required).await;
        assert_eq!(said, Some((Introduction::Named(Version::One), Some(source))));
        let said = introduced(UNKNOWN, required).await;
        assert_eq!(said, Some((Introduction::Own(Version::One), None)));
        let said = introduced(LOCAL, required).await;
        assert_eq!(said, Some((Introduction::Own(Version::Two), None)));
        let said = introduced(b"PROXY TCP9\r\n", required).await;
        assert_eq!(said, Some((Introduction::Refused(Some(Version::One)), None)));
    }
}

#[tokio::test]
async fn whoever_has_to_say_it_and_does_not_is_refused() {
    assert_eq!(introduced(STREAM, true).await, Some((Introduction::Refused(None), None)));
    assert_eq!(introduced(STREAM, false).await, Some((Introduction::Spared, None)));
}

#[tokio::test]
async fn whoever_leaves_without_a_word_is_not_told_of() {
    for required in [true, false] {
        let (caller, mut socket) = connection().await;
        drop(caller);
        assert_eq!(introduction(&mut socket, &relays(required, LONG)).await, None);
        // So is one that was torn off.
        let (caller, mut socket) = connection().await;
        caller.set_zero_linger().unwrap();
        drop(caller);
        assert_eq!(introduction(&mut socket, &relays(required, LONG)).await, None);
    }
}

#[tokio::test]
async fn a_header_that_takes_too_long_is_none() {
    let short = Duration::from_millis(50);
    for required in [true, false] {
        let relays = relays(required, short);
        let (_silent, mut socket) = connection().await;
        let said = introduction(&mut socket, &relays).await;
        assert_eq!(said, Some((Introduction::Refused(None), None)));

        // Bytes that come one by one do not make it longer.
        let (mut caller, mut socket) = connection().await;
        let dribble = async {
            for byte in LINE {
                // Whoever is refused hangs up in between.
                let _ = caller.write_all(&[*byte]).await;
                tokio::time::sleep(short / 2).await;
            }
        };
        let said = tokio::select! {
            said = introduction(&mut socket, &relays) => said,
            () = dribble => panic!("nobody gave up"),
        };
        assert_eq!(said, Some((Introduction::Refused(Some(Version::One)), None)));
    }
}

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(60);
