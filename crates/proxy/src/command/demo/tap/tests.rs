use std::net::Ipv4Addr;

use super::*;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const FEATURES: &str = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'>\
                        <required/></starttls><bidi/></stream:features>";

/// What comes until it ends like this.
async fn read(socket: &mut TcpStream, end: &str) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end.as_bytes()) {
        assert_ne!(socket.read_buf(&mut bytes).await.unwrap(), 0, "{bytes:?}");
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn whoever_strips_tls_passes_on_the_rest_and_says_no_for_the_server() {
    let server = TcpListener::bind((HERE, 0)).await.unwrap();
    let tap = Tap::open(HERE, server.local_addr().unwrap()).await.unwrap();
    tap.strip(true);
    let mut client = TcpStream::connect(tap.address).await.unwrap();
    let (mut served, _) = server.accept().await.unwrap();

    client.write_all(b"<stream:stream>").await.unwrap();
    assert_eq!(read(&mut served, ">").await, "<stream:stream>");
    // An offer in two pieces is no way past her.
    let (first, second) = FEATURES.split_at(FEATURES.len() / 2);
    served.write_all(first.as_bytes()).await.unwrap();
    served.write_all(second.as_bytes()).await.unwrap();
    let offered = read(&mut client, "</stream:features>").await;
    assert_eq!(offered, "<stream:features><bidi/></stream:features>");

    client.write_all(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await.unwrap();
    assert_eq!(read(&mut client, "</stream:stream>").await.as_bytes(), NO_TLS);
    let mut rest = Vec::new();
    assert_eq!(served.read_to_end(&mut rest).await.unwrap(), 0, "she has asked the server");
    assert_eq!(tap.connections_with("<starttls"), 1);
}

#[tokio::test]
async fn what_is_cut_is_seen_by_both_ends_and_counted_no_more() {
    let server = TcpListener::bind((HERE, 0)).await.unwrap();
    let tap = Tap::open(HERE, server.local_addr().unwrap()).await.unwrap();
    let mut client = TcpStream::connect(tap.address).await.unwrap();
    let (mut served, _) = server.accept().await.unwrap();
    client.write_all(b"<message/>").await.unwrap();
    assert_eq!(read(&mut served, "/>").await, "<message/>");
    assert_eq!((tap.connections(), tap.connections_with("<message")), (1, 1));
    assert_eq!(tap.last(2), b"/>");

    tap.begin_anew();
    let mut rest = Vec::new();
    for end in [&mut client, &mut served] {
        // Closed or reset, but over.
        let _ = end.read_to_end(&mut rest).await;
    }
    assert!(rest.is_empty());
    assert_eq!((tap.connections(), tap.length(), tap.last(2)), (0, 0, Vec::new()));
}
