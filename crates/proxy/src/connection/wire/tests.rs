use std::future::{pending, ready};
use std::net::Ipv4Addr;

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::*;

/// A wire, and the far end of it.
async fn wire() -> (Wire, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
    (Wire::new(near.unwrap()), far.unwrap().0)
}

#[tokio::test]
async fn whoever_leaves_answers_unread_is_not_read_from() {
    let (mut wire, mut far) = wire().await;
    let outbox = Outbox::new(1);
    far.write_all(b"question").await.unwrap();
    // More than the network takes without a reader.
    wire.say(&"a".repeat(64 << 20));

    let Socket::Plain(socket) = &wire.socket else {
        panic!("a wire that begins in the clear");
    };
    socket.readable().await.unwrap();
    let early = tokio::select! {
        biased;
        _ = wire.turn(Some(&outbox), true) => true,
        () = ready(()) => false,
    };
    assert!(!early, "it was read from");

    let mut read = vec![0; 1 << 20];
    let turn = tokio::select! {
        turn = wire.turn(Some(&outbox), true) => turn,
        never = async {
            while far.read(&mut read).await.unwrap() != 0 {}
            pending::<io::Result<Turn>>().await
        } => never,
    };
    assert_eq!(turn.unwrap(), Turn::Read);
    assert_eq!(&wire.incoming[..], b"question");
    let expect = Totals { bytes_in: 8, bytes_out: 64 << 20, ..Totals::default() };
    assert_eq!(wire.totals, expect);
}

fn stanza(id: &str) -> Stanza {
    crate::tests::message("a.test", "l.test", id)
}

/// Writes what is in the outbox, and returns what the far end reads of it.
async fn pass(wire: &mut Wire, outbox: &Outbox, far: &mut TcpStream, bytes: usize) -> String {
    let mut read = vec![0; bytes];
    tokio::select! {
        turn = wire.turn(Some(outbox), true) => panic!("nothing was to be read: {turn:?}"),
        done = far.read_exact(&mut read) => done.unwrap(),
    };
    String::from_utf8(read).unwrap()
}

/// XEP-0198: what is sent after it was agreed on is kept until it is acknowledged, and asked for once
/// at a time.
#[tokio::test]
async fn what_is_not_acknowledged_is_kept() {
    let (mut wire, mut far) = wire().await;
    let outbox = Outbox::new(1 << 20);
    let early = stanza("0");
    outbox.push(early.clone()).unwrap();
    assert_eq!(
        pass(&mut wire, &outbox, &mut far, early.bytes().len()).await.as_bytes(),
        early.bytes()
    );
    assert!(!wire.acknowledge(1), "nothing was kept");
    let bytes_out = early.bytes().len() as u64;
    assert_eq!(wire.totals, Totals { bytes_out, stanzas_out: 1, ..Totals::default() });

    wire.keep(true);
    let request = Management::Request.to_xml();
    let sent: Vec<_> = ["1", "2", "3"].map(stanza).into();
    sent.iter().for_each(|it| outbox.push(it.clone()).unwrap());
    let length = sent.iter().map(|it| it.bytes().len()).sum::<usize>() + request.len();
    let said = pass(&mut wire, &outbox, &mut far, length).await;
    assert!(said.ends_with(&request) && said.matches("<r ").count() == 1, "{said}");
    assert_eq!(wire.round_trip(), None, "nobody has answered");
    assert!(wire.acknowledge(2));
    assert!(wire.round_trip().is_some());
    assert_eq!(wire.round_trip(), None, "it is told once");
    // What is left is asked for again.
    assert_eq!(pass(&mut wire, &outbox, &mut far, request.len()).await, request);
    assert!(!wire.acknowledge(4), "more than was sent");
    let kept: Vec<_> = wire.unconfirmed().iter().map(|it| it.bytes().clone()).collect();
    assert_eq!(kept, [sent[2].bytes().clone()]);
    assert_eq!(wire.totals.stanzas_out, 4);
}
