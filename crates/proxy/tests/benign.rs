//! What honest servers send: not one stanza of it is refused, however it arrives, and each is sent on
//! meaning the same.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;

use bytes::BytesMut;
use ligase::stream::{Element, Framer, Kind, Limits, Piece, Raw, Stanza};

/// As they are by default.
const LIMITS: Limits = Limits { element: 262_144, depth: 128, attributes: 256 };

/// The header that our own server or a peer may send, with prefixes and a language that stanzas
/// inherit.
const THEIRS: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
    xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' \
    xml:lang='de' version='1.0'>";

/// One that gives nothing but the content namespace.
const BARE: &str = "<s:stream xmlns='jabber:server' xmlns:s='http://etherx.jabber.org/streams'>";

/// The attribute `xml:lang`, as [`Element`] names it.
const LANGUAGE: &str = "{http://www.w3.org/XML/1998/namespace}lang";

/// Fewer would not be what is sent.
const STANZAS_MIN: usize = 250;

/// Reads a stream that arrives in pieces of this size. It holds nothing but stanzas.
fn read(stream: &str, size: usize) -> Result<Vec<(Raw, Stanza)>, String> {
    let mut framer = Framer::new(LIMITS);
    let mut buffer = BytesMut::new();
    let mut seen = None;
    let mut stanzas = Vec::new();
    for chunk in stream.as_bytes().chunks(size) {
        buffer.extend_from_slice(chunk);
        while let Some(piece) = framer.next(&mut buffer).map_err(|it| format!("{it:?}"))? {
            match piece {
                Piece::Header(_) => (),
                Piece::Element(raw) => {
                    let stanza = Stanza::read(&raw, &mut seen);
                    let stanza = stanza.map_err(|it| format!("{it:?}: {raw:?}"))?;
                    stanzas.push((raw, stanza));
                }
                Piece::Close => return Err("an end".to_owned()),
            }
        }
    }
    if buffer.trim_ascii().is_empty() { Ok(stanzas) } else { Err(format!("{buffer:?} is left")) }
}

/// What a stanza means: its element without what it declares, its attributes in order, its
/// addresses as they must be spelled, and its language.
fn meaning(raw: &Raw, stanza: &Stanza) -> Element {
    let mut element = Element::read(raw).unwrap();
    forget_declarations(&mut element);
    if element.attribute(LANGUAGE).is_none()
        && let Some(language) = raw.stream().language()
    {
        element.attributes.push((LANGUAGE.to_owned(), language.to_owned()));
    }
    for (name, value) in &mut element.attributes {
        let domain = match name.as_str() {
            "from" => stanza.pair.sender.as_str(),
            "to" => stanza.pair.target.as_str(),
            _ => continue,
        };
        let (bare, resource) = match value.split_once('/') {
            Some((bare, resource)) => (bare, format!("/{resource}")),
            None => (value.as_str(), String::new()),
        };
        let local = bare.split_once('@').map_or(String::new(), |(local, _)| format!("{local}@"));
        *value = format!("{local}{domain}{resource}");
    }
    element.attributes.sort();
    element
}

fn forget_declarations(element: &mut Element) {
    element.attributes.retain(|(name, _)| name != "xmlns" && !name.starts_with("xmlns:"));
    element.attributes.sort();
    for child in &mut element.children {
        if let ligase::stream::Node::Element(child) = child {
            forget_declarations(child);
        }
    }
}

fn files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/benign");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn what_honest_servers_send_is_never_refused() {
    let mut count = 0;
    for (path, text) in files() {
        let stream = format!("{THEIRS}{text}");
        let whole = read(&stream, stream.len()).unwrap_or_else(|error| panic!("{path}: {error}"));
        for size in [1, 7, 1448] {
            let divided = read(&stream, size).unwrap_or_else(|error| panic!("{path}: {error}"));
            let bytes = |it: &[(Raw, Stanza)]| -> Vec<_> {
                it.iter()
                    .map(|(raw, stanza)| (raw.bytes().clone(), stanza.bytes().clone()))
                    .collect()
            };
            assert_eq!(bytes(&whole), bytes(&divided), "{path} in pieces of {size}");
        }
        // Every stanza that begins in the file has been found.
        let starts = |line: &&str| {
            Kind::ALL.iter().any(|kind| {
                line.strip_prefix('<').is_some_and(|it| {
                    it.strip_prefix(kind.as_str())
                        .is_some_and(|it| !it.starts_with(|it: char| it.is_alphabetic()))
                })
            })
        };
        assert_eq!(whole.len(), text.lines().filter(starts).count(), "{path}");
        count += whole.len();
    }
    assert!(STANZAS_MIN <= count, "{count} stanzas");
}

#[test]
fn what_honest_servers_send_is_sent_on_as_it_was_meant() {
    for (path, text) in files() {
        let stream = format!("{THEIRS}{text}");
        for (raw, stanza) in read(&stream, stream.len()).unwrap() {
            let onward = format!("{BARE}{}", str::from_utf8(stanza.bytes()).unwrap());
            let again = read(&onward, onward.len()).unwrap();
            let [(raw_again, again)] = &again[..] else {
                panic!("{path}: {} stanzas of {stanza:?}", again.len());
            };
            assert_eq!(meaning(&raw, &stanza), meaning(raw_again, again), "{path}");
            assert_eq!((&stanza.pair, stanza.kind), (&again.pair, again.kind), "{path}");
            assert_eq!(stanza.bytes(), again.bytes(), "{path}: it is written but once");
        }
    }
}

/// A reader that passed everything would pass the tests above.
#[test]
fn what_no_honest_server_sends_is_refused() {
    let odd = [
        "<message xmlns='jabber:client' from='a@m.example' to='b@c.example'/>",
        "<message from='a@m.example'/>",
        "<message from='a@m.example' to='b@c.example'><!-- hidden --></message>",
        "<message from='a@m.example' to='b@c.example'>&nbsp;</message>",
        "<message from='a@m.example' to='b@c.example' to='d@c.example'/>",
        "<message from='a@m.example' to='b@c.example'><p:x/></message>",
        "<message from='a@m.example' to='b@c.example'><x xmlns='u&#10;v'/></message>",
    ];
    for odd in odd {
        let stream = format!("{THEIRS}{odd}");
        assert!(read(&stream, stream.len()).is_err(), "{odd}");
        assert!(read(&stream, 1).is_err(), "{odd}");
    }
}
