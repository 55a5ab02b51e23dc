use std::net::{Ipv4Addr, Ipv6Addr};

use tokio::net::TcpListener;

use super::*;

/// Arrives at `local`, while we listen on the federation port of every address and on two
/// loopback ports.
#[track_caller]
fn check(original: &str, local: &str, expect: Origin) {
    let listening = ["0.0.0.0:7269", "127.0.0.1:7270", "[::1]:7270"].map(|it| it.parse().unwrap());
    let original = Some(original).filter(|it| !it.is_empty());
    let original = original.map(|it| it.parse().unwrap());
    let found = judge(original, local.parse().unwrap(), &listening);
    assert_eq!(found, expect);
}

fn redirected(to: &str) -> Origin {
    Origin::Redirected(to.parse().unwrap())
}

#[test]
fn only_what_was_bound_elsewhere_is_redirected() {
    check("", "127.0.0.1:7270", Origin::Direct);
    // Our own DNS answers send the backend straight to its listener.
    check("127.0.0.1:7270", "127.0.0.1:7270", Origin::Direct);
    check("[::ffff:127.0.0.1]:7270", "127.0.0.1:7270", Origin::Direct);
    let elsewhere = "192.0.2.1:5269";
    check(elsewhere, "127.0.0.1:7270", redirected(elsewhere));
    check("[::ffff:192.0.2.1]:5269", "[::ffff:127.0.0.1]:7270", redirected(elsewhere));
    check("[2001:db8::1]:5269", "[::1]:7270", redirected("[2001:db8::1]:5269"));
    // The same port on a host that is not ours.
    check("192.0.2.1:7269", "127.0.0.1:7270", redirected("192.0.2.1:7269"));
}

#[test]
fn what_was_bound_for_another_listener_of_ours_is_a_loop() {
    check("[::1]:7270", "127.0.0.1:7270", Origin::Loop);
    check("127.0.0.1:7269", "127.0.0.1:7270", Origin::Loop);
    check("10.0.0.7:7269", "10.0.0.7:7271", Origin::Loop);
}

#[tokio::test]
async fn a_connection_that_nobody_redirected_is_direct() {
    for address in [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()] {
        let address = SocketAddr::new(address, 0);
        let listener = TcpListener::bind(address).await.unwrap();
        let local = listener.local_addr().unwrap();
        let _caller = TcpStream::connect(local).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        // Whether its own address is kept depends on whether this machine tracks connections.
        let original = original(&socket).unwrap();
        assert!(original.is_none_or(|it| it == local), "{original:?}");
        assert_eq!(judge(original, local, &[local]), Origin::Direct);
    }
}
