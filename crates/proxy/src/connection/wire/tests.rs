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
        _ = wire.turn(&outbox, true) => true,
        () = ready(()) => false,
    };
    assert!(!early, "it was read from");

    let mut read = vec![0; 1 << 20];
    let turn = tokio::select! {
        turn = wire.turn(&outbox, true) => turn,
        never = async {
            while far.read(&mut read).await.unwrap() != 0 {}
            pending::<io::Result<Turn>>().await
        } => never,
    };
    assert_eq!(turn.unwrap(), Turn::Read);
    assert_eq!(&wire.incoming[..], b"question");
}
