use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::net::listener::bind;

/// What peers say first, if nobody speaks before them: a header, or a handshake.
const STREAM: &[u8] = b"<?xml version='1.0'?><stream:stream xmlns='jabber:server'>\r\n";
const HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03PROXY \r\n\r\n";

/// A header of version 2 as it is written: command, family, and what its length counts.
fn two(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [SIGNATURE, &[command, family], &length, rest].concat()
}

/// An extension (§2.2).
fn extension(kind: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap().to_be_bytes();
    [&[kind], length.as_slice(), value].concat()
}

/// The block of 192.0.2.1:40000, on its way to 198.51.100.2:5269.
const V4: &[u8] = &[192, 0, 2, 1, 198, 51, 100, 2, 0x9c, 0x40, 0x14, 0x95];

/// The block of [2001:db8::1]:40000, on its way to [2001:db8::2]:5269.
fn v6() -> Vec<u8> {
    let ip = |text: &str| text.parse::<Ipv6Addr>().unwrap().octets();
    [&ip("2001:db8::1")[..], &ip("2001:db8::2"), &[0x9c, 0x40, 0x14, 0x95]].concat()
}

/// With the right checksum in the last four bytes, which are zero.
fn summed(mut header: Vec<u8>) -> Vec<u8> {
    let sum = crc32c(header.iter().copied());
    let at = header.len() - 4;
    header[at..].copy_from_slice(&sum.to_be_bytes());
    header
}

/// What comes of these bytes, in pieces that end at these places, with other bytes behind them; and
/// how many of them belong to the header.
fn fed(bytes: &[u8], cuts: &[usize]) -> Result<Option<(Header, usize)>, Malformed> {
    let mut reading = Reading::default();
    let (mut at, mut seen) = (0, 0);
    let ends = cuts.iter().copied().chain([bytes.len()]);
    for end in ends {
        seen = end.max(seen);
        // What was not taken is looked at again, as it is still in the socket.
        let (count, header) = reading.take(&bytes[at..seen])?;
        at += count;
        assert!(at <= seen && reading.taken.len() <= BINARY_MAX);
        assert_eq!(reading.taken, bytes[..at]);
        if let Some(header) = header {
            return Ok(Some((header, at)));
        }
        assert_eq!(at, seen, "a header that goes on leaves nothing behind");
    }
    Ok(None)
}

/// A header reads as this, wherever it is cut, and to its last byte whatever follows.
#[track_caller]
fn check(header: &[u8], version: Version, source: Option<&str>) {
    let source = source.map(|text| text.parse::<SocketAddr>().unwrap());
    let expect = Ok(Some((Header { version, source }, header.len())));
    // Of the few that are long, each hundredth place will do.
    let stride = if header.len() < 300 { 1 } else { 100 };
    for rest in [b"".as_slice(), STREAM, HELLO] {
        let bytes = [header, rest].concat();
        assert_eq!(fed(&bytes, &[]), expect, "in one piece");
        let each: Vec<_> = (0..bytes.len()).collect();
        assert_eq!(fed(&bytes, &each), expect, "byte by byte");
        for cut in each.iter().step_by(stride) {
            assert_eq!(fed(&bytes, &[*cut]), expect, "cut at {cut}");
        }
    }
    for end in (0..header.len()).step_by(stride) {
        assert_eq!(fed(&header[..end], &[]), Ok(None), "{end} bytes are no header yet");
    }
}

#[track_caller]
fn refuse(header: &[u8]) {
    let bytes = [header, STREAM].concat();
    let each: Vec<_> = (0..bytes.len()).collect();
    for cuts in [vec![], each] {
        assert_eq!(fed(&bytes, &cuts), Err(Malformed), "{:?}", String::from_utf8_lossy(header));
    }
}

#[test]
fn a_line_tells_where_a_connection_comes_from() {
    for (line, source) in [
        ("TCP4 192.0.2.1 198.51.100.2 40000 5269", Some("192.0.2.1:40000")),
        ("TCP4 255.255.255.255 255.255.255.255 65535 65535", Some("255.255.255.255:65535")),
        ("TCP4 0.0.0.0 127.0.0.1 0 0", Some("0.0.0.0:0")),
        ("TCP6 2001:db8::1 2001:db8::2 40000 5269", Some("[2001:db8::1]:40000")),
        ("TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.2 1 2", Some("192.0.2.1:1")),
        ("UNKNOWN", None),
        ("UNKNOWN TCP4 whatever \r stands here", None),
        (
            "UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535",
            None,
        ),
    ] {
        check(format!("PROXY {line}\r\n").as_bytes(), Version::One, source);
    }
}

#[test]
fn a_line_that_breaks_a_rule_is_refused() {
    for line in [
        "",
        "TCP4",
        "TCP5 192.0.2.1 198.51.100.2 1 2",
        "tcp4 192.0.2.1 198.51.100.2 1 2",
        "UDP4 192.0.2.1 198.51.100.2 1 2",
        "UNKNOWNS",
        "TCP4 192.0.2.1 198.51.100.2 1",
        "TCP4 192.0.2.1 198.51.100.2 1 2 ",
        "TCP4 192.0.2.1 198.51.100.2 1 2 3",
        "TCP4  192.0.2.1 198.51.100.2 1 2",
        "TCP4\r192.0.2.1\r198.51.100.2\r1\r2",
        "TCP4 192.0.2.256 198.51.100.2 1 2",
        "TCP4 192.0.02.1 198.51.100.2 1 2",
        "TCP4 192.0.2.1 mail.example 1 2",
        "TCP4 2001:db8::1 2001:db8::2 1 2",
        "TCP6 192.0.2.1 198.51.100.2 1 2",
        "TCP6 fe80::1%eth0 2001:db8::2 1 2",
        "TCP6 [2001:db8::1] [2001:db8::2] 1 2",
        "TCP4 192.0.2.1 198.51.100.2 +1 2",
        "TCP4 192.0.2.1 198.51.100.2 -1 2",
        "TCP4 192.0.2.1 198.51.100.2 01 2",
        "TCP4 192.0.2.1 198.51.100.2 00 2",
        "TCP4 192.0.2.1 198.51.100.2 65536 2",
        "TCP4 192.0.2.1 198.51.100.2 1 ",
        "TCP4 192.0.2.1 198.51.100.2 1 99999999999999999999",
        "TCP4 192.0.2.1\0 198.51.100.2 1 2",
        "TCP4 \u{661}92.0.2.1 198.51.100.2 1 2",
    ] {
        refuse(format!("PROXY {line}\r\n").as_bytes());
    }
    refuse(b"PROXY UNKNOWN\n");
    refuse(b"PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n");
    refuse(b"PRIVMSG PROXY TCP4 192.0.2.1 198.51.100.2 1 2\r\n");
    refuse(b"PROXY TCP4 \xff\xfe 198.51.100.2 1 2\r\n");
    // One byte more than there may be.
    let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(TEXT_MAX + 1 - 16));
    assert_eq!(long.len(), TEXT_MAX + 1);
    refuse(long.as_bytes());
    check(long.replacen('x', "", 1).as_bytes(), Version::One, None);
}

#[test]
fn bytes_tell_where_a_connection_comes_from() {
    let source = Some("192.0.2.1:40000");
    check(&two(PROXY, 0x11, V4), Version::Two, source);
    check(&two(PROXY, 0x21, &v6()), Version::Two, Some("[2001:db8::1]:40000"));
    let mapped = [&[0; 10], &[0xff, 0xff, 192, 0, 2, 1][..], &[0; 16], &[0, 1, 0, 2]].concat();
    check(&two(PROXY, 0x21, &mapped), Version::Two, Some("192.0.2.1:1"));
    // Extensions are skipped, whatever they are: ALPN, a name, padding, one of a cloud, a wrong
    // "checksum" within another.
    let inner = extension(CRC32C, &[1, 2, 3, 4]);
    for more in [
        extension(0x01, b"xmpp-server"),
        extension(0x02, "montague.example\n\u{1b}[2J".as_bytes()),
        [extension(0x04, &[]), extension(0x04, &[0; 200])].concat(),
        [extension(0x20, &inner), extension(0xea, b"\x01vpce-08d2bf15fac5001c9")].concat(),
        extension(0xff, &vec![0xff; 4096 - 12 - 3]),
    ] {
        check(&two(PROXY, 0x11, &[V4, &more].concat()), Version::Two, source);
    }
}

#[test]
fn a_load_balancer_may_speak_for_itself() {
    for rest in [vec![], V4.to_vec(), v6(), extension(0xea, b"\x01vpce-08d2bf15fac5001c9")] {
        for family in [0x00, 0x11, 0x21, 0x31, 0xff] {
            check(&two(LOCAL, family, &rest), Version::Two, None);
        }
        for family in [0x00, 0x01, 0x02, 0x10, 0x20, 0x30] {
            check(&two(PROXY, family, &rest), Version::Two, None);
        }
    }
}

#[test]
fn bytes_that_break_a_rule_are_refused() {
    let unix = [0; 216];
    for family in [0x12, 0x22, 0x31, 0x32, 0x03, 0x13, 0x33, 0x40, 0x41, 0xf0, 0xff] {
        refuse(&two(PROXY, family, &unix));
    }
    for command in [0x22, 0x2f, 0x11, 0x10, 0x01, 0x31, 0xf1] {
        refuse(&two(command, 0x11, V4));
    }
    refuse(&two(PROXY, 0x11, &V4[..11]));
    refuse(&two(PROXY, 0x21, V4));
    refuse(&two(PROXY, 0x11, &[]));
    // Extensions that end beyond the header, or in the middle of their own beginning.
    for more in
        [&[0x01][..], &[0x01, 0], &[0x01, 0, 1], &[0x04, 0xff, 0xff, 0], &[0x01, 0, 0, 0x01]]
    {
        refuse(&two(PROXY, 0x11, &[V4, more].concat()));
    }
    // One byte more than we take; it is refused before any of that is read.
    let long = two(PROXY, 0x11, &[V4, &extension(0xff, &vec![0; 4096 - 12 - 2])].concat());
    assert_eq!(fed(&long[..FIXED], &[]), Err(Malformed));
    refuse(&long);
    refuse(&[SIGNATURE, &[LOCAL, 0, 0xff, 0xff]].concat());
    refuse(b"\r\n<stream:stream>");
}

#[test]
fn a_checksum_has_to_be_right() {
    assert_eq!(crc32c(b"123456789".iter().copied()), 0xe306_9283);
    let of = |extensions: &[u8]| two(PROXY, 0x11, &[V4, extensions].concat());
    let empty = extension(CRC32C, &[0; 4]);
    let right = summed(of(&[extension(0x01, b"xmpp-server"), empty.clone()].concat()));
    check(&right, Version::Two, Some("192.0.2.1:40000"));
    // Damage to what says that it is a checksum is damage that nobody can see.
    let kind = right.len() - 7;
    for damaged in (FIXED..right.len()).filter(|it| *it != kind) {
        let mut header = right.clone();
        header[damaged] ^= 0x10;
        refuse(&header);
    }
    refuse(&of(&empty));
    refuse(&of(&extension(CRC32C, &[0; 3])));
    refuse(&summed(of(&[empty.clone(), empty].concat())));
    // Nothing of it counts, so nothing is lost.
    check(&two(LOCAL, 0, &extension(CRC32C, &[0; 4])), Version::Two, None);
}

/// A sound header, damaged at some places, cut into some pieces: it is a header or none, to the same
/// byte however it is cut, and it never panics.
#[test]
fn whatever_comes_is_read_to_one_end() {
    let seeds = [
        b"PROXY TCP4 192.0.2.1 198.51.100.2 40000 5269\r\n".to_vec(),
        b"PROXY TCP6 2001:db8::1 2001:db8::2 40000 5269\r\n".to_vec(),
        b"PROXY UNKNOWN\r\n".to_vec(),
        two(PROXY, 0x11, V4),
        two(PROXY, 0x21, &[v6(), extension(0x01, b"xmpp-server")].concat()),
        summed(two(PROXY, 0x11, &[V4, &extension(CRC32C, &[0; 4])].concat())),
        two(LOCAL, 0, &extension(0xea, &[7; 40])),
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut chance = move |below: usize| {
        // Xorshift (Marsaglia): chance enough, and the same each time.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let mut ends = [0_u32; 3];
    for round in 0..20_000 {
        let mut bytes = [&seeds[round % seeds.len()][..], STREAM].concat();
        for _ in 0..chance(3) {
            let at = chance(bytes.len());
            match chance(4) {
                0 => bytes[at] = u8::try_from(chance(256)).unwrap(),
                1 => bytes[at] ^= 1 << chance(8),
                2 => bytes.insert(at, u8::try_from(chance(256)).unwrap()),
                _ => drop(bytes.remove(at)),
            }
        }
        let mut cuts: Vec<_> = (0..chance(5)).map(|_| chance(bytes.len())).collect();
        cuts.sort_unstable();
        let whole = fed(&bytes, &[]);
        assert_eq!(fed(&bytes, &cuts), whole, "{bytes:?} cut at {cuts:?}");
        match whole {
            Ok(Some((_, count))) => {
                ends[0] += 1;
                assert!(FIXED.min(15) <= count);
            }
            Ok(None) => ends[1] += 1,
            Err(Malformed) => ends[2] += 1,
        }
    }
    assert!(ends.iter().all(|it| 20 < *it), "{ends:?}: nothing is tried of some");
}

#[test]
fn only_load_balancers_are_trusted() {
    let trusted = ["192.0.2.0/24", "2001:db8::/32"].map(|it| it.parse().unwrap()).to_vec();
    let relays = Relays { trusted, required: true, patience: Duration::from_secs(5) };
    for (address, expect) in [
        ("192.0.2.255", true),
        ("::ffff:192.0.2.1", true),
        ("192.0.3.0", false),
        ("2001:db8:ffff::1", true),
        ("2001:db9::1", false),
        ("::1", false),
    ] {
        assert_eq!(relays.trusts(address.parse().unwrap()), expect, "{address}");
    }
}

/// Both ends of a connection.
async fn connection() -> (TcpStream, TcpStream) {
    let listener = bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let caller = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (socket, _) = listener.accept().await.unwrap();
    socket.set_nodelay(true).unwrap();
    caller.set_nodelay(true).unwrap();
    (caller, socket)
}

/// What is heard when these pieces come, and what is left in the socket then.
async fn heard(pieces: Vec<Vec<u8>>) -> (Heard, Vec<u8>) {
    let (mut caller, mut socket) = connection().await;
    let mut reading = Reading::default();
    let said = async {
        for piece in pieces {
            caller.write_all(&piece).await.unwrap();
            // The other half runs until it has heard all that is there.
            tokio::task::yield_now().await;
        }
        drop(caller);
    };
    let ((), heard) = tokio::join!(said, hear(&mut socket, &mut reading));
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest).await.unwrap();
    (heard.unwrap(), rest)
}

#[tokio::test]
async fn what_follows_a_header_stays_in_the_socket() {
    let source = Some("192.0.2.1:40000".parse().unwrap());
    let line = b"PROXY TCP4 192.0.2.1 198.51.100.2 40000 5269\r\n".to_vec();
    let long = [V4, &extension(0xff, &[0xff; 3000])].concat();
    for (version, header) in [
        (Version::One, line),
        (Version::Two, two(PROXY, 0x11, V4)),
        (Version::Two, two(PROXY, 0x11, &long)),
    ] {
        let expect = Heard::Header(Header { version, source });
        for rest in [STREAM, HELLO, &[STREAM, HELLO].concat(), b""] {
            let bytes = [&header, rest].concat();
            let one = vec![bytes.clone()];
            let each: Vec<_> = bytes.iter().map(|it| vec![*it]).collect();
            for pieces in [one, each] {
                assert_eq!(heard(pieces).await, (expect, rest.to_vec()));
            }
        }
    }
}

#[tokio::test]
async fn what_is_no_header_is_left_as_it_is() {
    for first in [STREAM, HELLO, b"\n", b"<", b"GET / HTTP/1.1\r\n"] {
        assert_eq!(heard(vec![first.to_vec()]).await, (Heard::Nothing, first.to_vec()));
    }
    assert_eq!(heard(vec![]).await, (Heard::Left, vec![]));
    for broken in [&b"PROXY TCP4 192.0.2.1"[..], &SIGNATURE[..7], b"PROXY TCP9\r\n", b"\r\n<a/>"] {
        assert_eq!(heard(vec![broken.to_vec()]).await.0, Heard::Malformed);
    }
}
