use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::*;

fn admission(connections_max: usize, per_address_max: usize) -> Admission {
    Admission::new(Limits { connections_max, per_address_max })
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn seats_are_limited_for_each_address_and_in_all() {
    let admission = admission(3, 2);
    let _first = admission.admit(ip("192.0.2.1")).unwrap();
    let second = admission.admit(ip("::ffff:192.0.2.1")).unwrap();
    assert_eq!(admission.admit(ip("192.0.2.1")).unwrap_err(), Full::ForAddress);
    let _third = admission.admit(ip("2001:db8::1")).unwrap();
    assert_eq!(admission.admit(ip("2001:db8::2")).unwrap_err(), Full::Everywhere);
    assert_eq!(admission.taken(), 3);
    drop(second);
    let _again = admission.admit(ip("192.0.2.1")).unwrap();
    assert_eq!(admission.taken(), 3);
}

#[tokio::test(start_paused = true)]
async fn nobody_comes_faster_than_that_and_whoever_does_takes_nothing_from_others() {
    let (each, all) = (Rate::new(2, 1), Rate::new(5, 1));
    let admission = admission(100, 100).paced(each, all).behind(|it| it == ip("192.0.2.100"));
    let come = |address| admission.admit(ip(address)).map(|seat| seat.is_named());
    assert_eq!(come("192.0.2.1"), Ok(true));
    assert_eq!(come("::ffff:192.0.2.1"), Ok(true));
    for _ in 0..100 {
        assert_eq!(come("192.0.2.1"), Err(Full::TooFast));
    }
    assert_eq!(admission.taken(), 0);
    assert_eq!(come("2001:db8::1"), Ok(true));
    assert_eq!(come("2001:db8::2"), Ok(true));

    // What a load balancer brings is counted for whom it names, and not before.
    let mut relayed: Vec<_> = (0..7).map(|_| admission.admit(ip("192.0.2.100")).unwrap()).collect();
    assert_eq!(relayed[0].name(ip("192.0.2.1")), Err(Full::TooFast));
    assert_eq!(relayed[1].name(ip("192.0.2.2")), Ok(()));
    // That was the fifth of all.
    assert_eq!(relayed[2].name(ip("192.0.2.2")), Err(Full::TooFast));
    assert_eq!(come("192.0.2.3"), Err(Full::TooFast));

    tokio::time::advance(Duration::from_millis(500)).await;
    assert_eq!(come("192.0.2.1"), Ok(true));
    assert_eq!(come("192.0.2.1"), Err(Full::TooFast));
    assert_eq!(relayed[2].name(ip("192.0.2.2")), Ok(()));
    assert_eq!(come("192.0.2.3"), Err(Full::TooFast));
}

#[test]
fn nothing_is_remembered_of_those_who_left() {
    let admission = admission(10, 10);
    for last in 0..=255 {
        drop(admission.admit(ip(&format!("192.0.2.{last}"))).unwrap());
    }
    assert_eq!(admission.taken(), 0);
    assert!(admission.counts.lock().unwrap().by_address.is_empty());
}

#[tokio::test]
async fn whoever_finds_no_seat_is_reset_and_the_loop_goes_on() {
    let listener = bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, mut told) = mpsc::unbounded_channel();
    let listening =
        tokio::task::JoinSet::from_iter([accept_all(listener, admission(1, 1), move |arrival| {
            tell.send(arrival).unwrap()
        })]);

    let mut first = TcpStream::connect(address).await.unwrap();
    let Some(Arrival::Admitted(mut socket, peer, seat)) = told.recv().await else {
        panic!("not admitted");
    };
    assert_eq!(peer, first.local_addr().unwrap());
    assert!(socket.nodelay().unwrap());
    assert!(socket2::SockRef::from(&socket).keepalive().unwrap());
    socket.write_all(b"!").await.unwrap();
    assert_eq!(first.read_u8().await.unwrap(), b'!');

    let mut second = TcpStream::connect(address).await.unwrap();
    let refused = told.recv().await;
    assert!(matches!(refused, Some(Arrival::Refused(_, Full::ForAddress))), "{refused:?}");
    drop(refused);
    let heard = second.read(&mut [0]).await;
    assert_eq!(heard.unwrap_err().kind(), io::ErrorKind::ConnectionReset);

    drop((socket, seat));
    let _third = TcpStream::connect(address).await.unwrap();
    assert!(matches!(told.recv().await, Some(Arrival::Admitted(_, _, _))));
    drop(listening);
}

#[tokio::test]
async fn the_unspecified_v6_address_hears_both_families() {
    let listener = bind((Ipv6Addr::UNSPECIFIED, 0).into()).unwrap();
    let port = listener.local_addr().unwrap().port();
    for address in [ip("127.0.0.1"), ip("::1")] {
        let caller = TcpStream::connect((address, port)).await.unwrap();
        let (_, peer) = listener.accept().await.unwrap();
        assert_eq!(plain(peer), caller.local_addr().unwrap());
    }
}

#[tokio::test]
async fn a_port_is_free_again_at_once() {
    let listener = bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let mut caller = TcpStream::connect(address).await.unwrap();
    let (socket, _) = listener.accept().await.unwrap();
    // The side that closes first is the one whose port lingers.
    drop((socket, listener));
    assert_eq!(caller.read(&mut [0]).await.unwrap(), 0);
    drop(caller);
    bind(address).unwrap();
}

#[test]
fn only_what_a_peer_did_is_forgiven_without_a_pause() {
    assert!(is_the_peers(&io::ErrorKind::ConnectionAborted.into()));
    // Out of file descriptors.
    assert!(!is_the_peers(&io::Error::from_raw_os_error(24)));
}

#[test]
fn what_a_load_balancer_brings_is_counted_for_whom_it_is_from() {
    let admission = admission(12, 2).behind(|address| address == ip("192.0.2.100"));
    let relayed = || admission.admit(ip("192.0.2.100"));
    let mut seats: Vec<_> = (0..3).map(|_| relayed().unwrap()).collect();
    assert!(seats.iter().all(|seat| !seat.is_named()));
    assert!(admission.counts.lock().unwrap().by_address.is_empty());

    assert_eq!(seats[0].name(ip("198.51.100.1")), Ok(()));
    assert!(seats[0].is_named());
    assert_eq!(seats[1].name(ip("::ffff:198.51.100.1")), Ok(()));
    assert_eq!(seats[2].name(ip("198.51.100.1")), Err(Full::ForAddress));
    assert!(!seats[2].is_named());
    // It has its place among all, for as long as it is there, and may be somebody else's.
    assert_eq!(admission.taken(), 3);
    assert_eq!(seats[2].name(ip("198.51.100.2")), Ok(()));
    // Who comes by another way is the same somebody.
    assert_eq!(admission.admit(ip("198.51.100.1")).unwrap_err(), Full::ForAddress);

    for last in 0..9 {
        let mut seat = relayed().unwrap();
        assert_eq!(seat.name(ip(&format!("203.0.113.{last}"))), Ok(()));
        seats.push(seat);
    }
    assert_eq!(relayed().unwrap_err(), Full::Everywhere);
    drop(seats);
    assert_eq!(admission.taken(), 0);
    assert!(admission.counts.lock().unwrap().by_address.is_empty());
}

/// How many that a load balancer brings and does not name find a seat among so many.
#[track_caller]
fn check_unnamed(connections_max: usize, expect: usize) {
    let admission = admission(connections_max, 2).behind(|address| address == ip("192.0.2.100"));
    let relayed = || admission.admit(ip("192.0.2.100"));
    let mut seats: Vec<_> = (0..expect).map(|_| relayed().unwrap()).collect();
    let full = if expect < connections_max { Full::Unnamed } else { Full::Everywhere };
    assert_eq!(relayed().unwrap_err(), full, "{connections_max}");

    // Whoever is turned away for being too many stays one of those that are not named.
    let from = ip("198.51.100.1");
    let others: Vec<_> = (expect..connections_max).take(2).map(|_| admission.admit(from)).collect();
    if let [Ok(_), Ok(_)] = others.as_slice() {
        assert_eq!(seats[0].name(from), Err(Full::ForAddress));
        assert_eq!(relayed().unwrap_err(), Full::Unnamed, "{connections_max}");
        // One that is named, or leaves, makes room for another.
        assert_eq!(seats[0].name(ip("198.51.100.2")), Ok(()));
        seats.push(relayed().unwrap());
        assert_eq!(relayed().unwrap_err(), Full::Unnamed, "{connections_max}");
        drop(seats.pop());
        seats.push(relayed().unwrap());
    }
    drop((seats, others));
    let counts = admission.counts.lock().unwrap();
    assert_eq!((counts.all, counts.unnamed), (0, 0), "{connections_max}");
}

#[test]
fn those_that_nobody_names_have_a_quarter_of_all_seats() {
    check_unnamed(1, 1);
    check_unnamed(2, 1);
    check_unnamed(7, 1);
    check_unnamed(8, 2);
    check_unnamed(10_000, 2500);
}

#[test]
fn a_seat_is_named_once() {
    let admission = admission(5, 2);
    let mut seat = admission.admit(ip("192.0.2.1")).unwrap();
    assert_eq!(seat.name(ip("192.0.2.2")), Ok(()));
    assert_eq!(admission.counts.lock().unwrap().from(ip("192.0.2.2")), 0);
    drop(seat);
    assert!(admission.counts.lock().unwrap().by_address.is_empty());
}

#[test]
fn only_the_lack_of_ipv6_makes_us_do_without() {
    assert!(lacks_ipv6(&io::Error::from_raw_os_error(EAFNOSUPPORT)));
    assert!(lacks_ipv6(&io::ErrorKind::AddrNotAvailable.into()));
    assert!(!lacks_ipv6(&io::ErrorKind::AddrInUse.into()));
    assert!(!lacks_ipv6(&io::ErrorKind::PermissionDenied.into()));
    for address in ["0.0.0.0:7269", "[::1]:7269", "[::]:7269"] {
        let address = address.parse().unwrap();
        assert_eq!(within_reach(address), address);
    }
}

#[test]
fn the_loopback_of_a_family_that_is_not_there_is_done_without() {
    let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    };
    let (v4, v6) = ("127.0.0.1:7270", "[::1]:7270");
    for (written, lacks, expect) in [
        (&[v4, v6][..], true, &[v4][..]),
        (&[v4, v6], false, &[v4, v6]),
        // There is nothing else: whoever wrote it shall hear that it is not there.
        (&[v6], true, &[v6]),
        (&[v4], true, &[v4]),
        (&[], true, &[]),
    ] {
        let found = present_where(&addresses(written), || lacks);
        assert_eq!(found, addresses(expect), "{written:?}");
    }
}
