use std::net::Ipv4Addr;

use tokio::net::TcpStream;

use super::*;

/// No other test is here, which could take a port away.
const HERE: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 1);

fn tcp() -> Socket {
    std::net::TcpListener::bind((HERE, 0)).unwrap().into()
}

fn udp(address: SocketAddr) -> Socket {
    std::net::UdpSocket::bind(address).unwrap().into()
}

fn address(socket: &Socket) -> SocketAddr {
    socket.local_addr().unwrap().as_socket().unwrap()
}

#[tokio::test]
async fn who_was_waiting_before_we_came_is_served() {
    let socket = tcp();
    let at = address(&socket);
    let caller = TcpStream::connect(at).await.unwrap();
    let mut inherited = Inherited::of(vec![socket]).unwrap();
    let listener = inherited.listener(at).unwrap();
    inherited.finish().unwrap();
    let (_, peer) = listener.accept().await.unwrap();
    assert_eq!(peer, caller.local_addr().unwrap());
}

#[tokio::test]
async fn a_socket_is_taken_once_and_for_what_it_is() {
    let tcp = tcp();
    let at = address(&tcp);
    let udp = udp(at);
    let mut inherited = Inherited::of(vec![udp, tcp]).unwrap();
    assert_eq!(inherited.listener(at).unwrap().local_addr().unwrap(), at);
    assert_eq!(inherited.datagrams(at).unwrap().local_addr().unwrap(), at);
    inherited.finish().unwrap();
}

#[tokio::test]
async fn a_socket_that_no_key_names_is_named() {
    let (wanted, other) = (tcp(), tcp());
    let (at, elsewhere) = (address(&wanted), address(&other));
    let mut inherited = Inherited::of(vec![wanted, other]).unwrap();
    let _listener = inherited.listener(at).unwrap();
    let error = inherited.finish().unwrap_err();
    assert!(
        error.to_string().starts_with(&format!("a TCP socket at {elsewhere} was inherited")),
        "{error}"
    );
}

#[tokio::test]
async fn datagrams_are_no_connections() {
    let at = (HERE, 0).into();
    let socket = udp(at);
    let at = address(&socket);
    let mut inherited = Inherited::of(vec![socket]).unwrap();
    // TCP at the same address is bound anew.
    let _listener = inherited.listener(at).unwrap();
    let error = inherited.finish().unwrap_err();
    assert!(matches!(error, Error::Unnamed(it, Kind::Udp) if it == at), "{error}");
}

#[test]
fn a_connection_is_no_listener() {
    let listener = std::net::TcpListener::bind((HERE, 0)).unwrap();
    let at = listener.local_addr().unwrap();
    let _caller = std::net::TcpStream::connect(at).unwrap();
    let (connection, _) = listener.accept().unwrap();
    let error = Inherited::of(vec![connection.into()]).unwrap_err();
    assert!(matches!(error, Error::Connected(it) if it == at), "{error}");
}

#[test]
fn a_socket_of_another_family_is_refused() {
    let (socket, _) = std::os::unix::net::UnixDatagram::pair().unwrap();
    let error = Inherited::of(vec![tcp(), socket.into()]).unwrap_err();
    assert!(matches!(error, Error::Foreign(1)), "{error}");
}

#[tokio::test]
async fn what_was_not_inherited_is_bound() {
    let mut inherited = Inherited::default();
    let listener = inherited.listener((HERE, 0).into()).unwrap();
    let at = listener.local_addr().unwrap();
    let _datagrams = inherited.datagrams(at).unwrap();
    let taken = inherited.listener(at).unwrap_err();
    assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
    inherited.finish().unwrap();
}
