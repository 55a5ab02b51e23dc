use std::net::Ipv4Addr;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::*;
use crate::stream::Frame;

const LIMITS: Limits = Limits { element: 10_000, depth: 8, attributes: 32 };

const HEADER: &str = "<?xml version='1.0'?><stream:stream to='l.test' version='1.0' \
    xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>";

/// What comes of a connection whose far end says so much at a time, and then goes.
async fn opening(words: &[&str]) -> Box<Opening> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (far, near) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (mut far, near) = (far.unwrap(), near.unwrap().0);
    let mut opening = Opening::new(LIMITS);
    let said = async {
        for word in words {
            far.write_all(word.as_bytes()).await.unwrap();
            tokio::task::yield_now().await;
        }
        far.shutdown().await.unwrap();
    };
    tokio::join!(said, async { opening.listen(&near).await.unwrap() });
    opening
}

#[tokio::test]
async fn a_header_is_what_is_waited_for_however_it_comes() {
    let halves = HEADER.split_at(70);
    let letters: Vec<_> = HEADER.split_inclusive(|_| true).collect();
    for words in [&[HEADER][..], &[halves.0, halves.1], &letters] {
        let mut opening = opening(words).await;
        assert!(opening.reader.is_ahead());
        let frame = opening.reader.next(&mut opening.incoming);
        assert!(matches!(frame, Ok(Some(Frame::Header(_)))), "{frame:?}");
        assert_eq!(opening.bytes, HEADER.len() as u64);
        assert!(!opening.reader.is_ahead());
    }
}

#[tokio::test]
async fn what_comes_with_the_header_is_read_after_it() {
    let mut opening = opening(&[&format!("{HEADER}<starttls xmlns='{TLS}'/>")]).await;
    let Opening { reader, incoming, .. } = &mut *opening;
    assert!(matches!(reader.next(incoming), Ok(Some(Frame::Header(_)))));
    assert!(matches!(reader.next(incoming), Ok(Some(Frame::StartTls))));
    assert!(matches!(reader.next(incoming), Ok(None)));
}

#[tokio::test]
async fn a_mistake_is_found_when_it_is_made_and_told_once() {
    let mut opening = opening(&["GET / HTTP/1.1\r\n\r\n"]).await;
    assert!(opening.reader.is_ahead());
    assert!(opening.reader.next(&mut opening.incoming).is_err());
}

#[tokio::test]
async fn an_end_is_an_end() {
    let opening = opening(&["<stream:str"]).await;
    assert!(!opening.reader.is_ahead());
    assert_eq!((opening.bytes, &opening.incoming[..]), (11, &b"<stream:str"[..]));
}

#[tokio::test]
async fn whoever_says_more_than_a_header_without_one_is_listened_to_no_longer() {
    let blanks = " ".repeat(usize::try_from(BYTES_MAX).unwrap() * 4);
    let opening = opening(&[&blanks]).await;
    assert!(!opening.reader.is_ahead());
    assert!(opening.bytes < BYTES_MAX + 512, "{}", opening.bytes);
}

const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
