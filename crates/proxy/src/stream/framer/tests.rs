use std::fmt::Write as _;

use bytes::{BufMut as _, BytesMut};

use super::*;

const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
    xmlns:stream='http://etherx.jabber.org/streams' to='a' from='b'>";

const LIMITS: Limits = Limits {
    element: 262_144,
    depth: 128,
    attributes: 256,
};

/// Feeds `bytes` in chunks and tells what came out, and how it ended.
fn frame(limits: Limits, bytes: &[u8], chunk: usize) -> (Vec<String>, Option<StreamError>) {
    let mut framer = Framer::new(limits);
    let mut buffer = BytesMut::new();
    let mut pieces = Vec::new();
    for chunk in bytes.chunks(chunk.max(1)) {
        buffer.put_slice(chunk);
        loop {
            match framer.next(&mut buffer) {
                Ok(None) => break,
                Ok(Some(Piece::Header(header))) => pieces.push(format!("header {header:?}")),
                Ok(Some(Piece::Element(raw))) => pieces.push(format!("element {raw:?}")),
                Ok(Some(Piece::Close)) => pieces.push("close".to_owned()),
                Err(error) => {
                    let again = framer.next(&mut buffer);
                    assert_eq!(again.unwrap_err(), error, "an error must be final");
                    return (pieces, Some(error));
                }
            }
        }
        assert!(buffer.len() <= limits.element, "more is kept than allowed");
    }
    (pieces, None)
}

/// The same, in one line.
fn verdict(limits: Limits, bytes: &[u8], chunk: usize) -> String {
    let (pieces, error) = frame(limits, bytes, chunk);
    let elements = pieces.iter().filter(|it| it.starts_with("element"));
    match error {
        None => format!("ok {}", elements.count()),
        Some(error) => {
            let violation = error
                .violation
                .expect("every refusal is blamed on something");
            format!("{} {}", violation.as_str(), error.condition.as_str())
        }
    }
}

/// What happens to `stanzas` behind a header.
#[track_caller]
fn check(stanzas: impl AsRef<[u8]>, expect: &str) {
    check_within(LIMITS, stanzas, expect);
}

#[track_caller]
fn check_within(limits: Limits, stanzas: impl AsRef<[u8]>, expect: &str) {
    let bytes = [HEADER.as_bytes(), stanzas.as_ref()].concat();
    assert_eq!(verdict(limits, &bytes, usize::MAX), expect);
    assert_eq!(verdict(limits, &bytes, 1448), expect, "in chunks");
}

/// Replaces the escapes of the case file.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let (byte, length) = match after.as_bytes()[0] {
            b'n' => (b'\n', 1),
            b'r' => (b'\r', 1),
            b't' => (b'\t', 1),
            b'x' => (u8::from_str_radix(&after[1..3], 16).unwrap(), 3),
            other => panic!("unknown escape {}", char::from(other)),
        };
        bytes.push(byte);
        rest = &after[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

#[test]
fn every_case_gets_its_verdict_however_it_is_divided() {
    let cases = include_str!("../../../tests/xml_cases.tsv");
    let mut wrong = String::new();
    let mut count = 0;
    for line in cases.lines().filter(|line| !line.starts_with('#')) {
        let [place, expect, name, bytes] = line.splitn(4, '\t').collect::<Vec<_>>()[..] else {
            panic!("malformed case: {line}");
        };
        let bytes = unescape(bytes);
        let behind = b"<message to='y'/>".as_slice();
        let whole = match place {
            "body" => [
                HEADER.as_bytes(),
                b"<message to='x'><body>",
                &bytes,
                b"</body></message>",
                behind,
            ]
            .concat(),
            "stream" => [HEADER.as_bytes(), &bytes, behind].concat(),
            "whole" => bytes,
            other => panic!("unknown place {other}"),
        };
        let expect = if expect == "open" { "ok 0" } else { expect };
        for chunk in [usize::MAX, 1, 2, 3, 7] {
            let found = verdict(LIMITS, &whole, chunk);
            if found != expect {
                let _ = writeln!(wrong, "{name}, by {chunk}: {found} instead of {expect}");
            }
        }
        count += 1;
    }
    assert_eq!(wrong, "");
    assert!(200 < count, "only {count} cases were found");
}
