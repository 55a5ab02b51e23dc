//! Whatever the framer lets through, expat takes too, and reads the same: before ligase has
//! touched it, and after, on a stream with another header.

#![no_main]

mod expat;

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use ligase::stream::{Element, Framer, Kind, Limits, Node, Piece, Raw, Stanza, StreamError};

use self::expat::{Event, Expat, Name, Setup};

const LIMITS: Limits = Limits {
    element: 16_384,
    depth: 24,
    attributes: 32,
};

/// Headers for inputs that do not bring their own.
const HEADERS: [&str; 3] = [
    "",
    "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:e='urn:e' xml:lang='de' \
     xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback'>",
    "<s:stream xmlns='urn:other' xmlns:s='http://etherx.jabber.org/streams' xmlns:p=\"it's\">",
];

/// The header that ligase opens streams with.
const OURS: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
    xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' \
    from='a.test' to='b.test' version='1.0'>";

const XML: &str = "http://www.w3.org/XML/1998/namespace";

fuzz_target!(|input: &[u8]| {
    let [mode, chunk, input @ ..] = input else {
        return;
    };
    let header = HEADERS[usize::from(*mode) % HEADERS.len()];
    let stream = [header.as_bytes(), input].concat();
    let whole = frame(&stream, usize::MAX);
    let divided = frame(&stream, 1 + usize::from(*chunk) % 64);
    assert_eq!(
        format!("{whole:?}"),
        format!("{divided:?}"),
        "division matters"
    );

    for setup in [Setup::Prosody, Setup::Ejabberd] {
        compare(&stream, &whole, setup);
    }
});

/// What came of a stream: each piece and where it ended.
#[derive(Debug)]
struct Framed {
    pieces: Vec<(Piece, usize)>,
    #[expect(dead_code, reason = "compared by what Debug shows")]
    error: Option<StreamError>,
}

fn frame(stream: &[u8], chunk: usize) -> Framed {
    let mut framer = Framer::new(LIMITS);
    let mut buffer = BytesMut::new();
    let mut pieces = Vec::new();
    let mut received = 0;
    for chunk in stream.chunks(chunk) {
        buffer.extend_from_slice(chunk);
        received += chunk.len();
        loop {
            match framer.next(&mut buffer) {
                Ok(None) => break,
                Ok(Some(piece)) => pieces.push((piece, received - buffer.len())),
                Err(error) => {
                    let error = Some(error);
                    return Framed { pieces, error };
                }
            }
        }
    }
    Framed {
        pieces,
        error: None,
    }
}

/// Feeds expat what the framer passed, piece by piece, and compares what each makes of it.
fn compare(stream: &[u8], framed: &Framed, setup: Setup) {
    let mut expat = Expat::new(setup);
    let mut start = 0;
    let mut elements = 0;
    for (piece, end) in &framed.pieces {
        let before = expat.events().len();
        if let Err(error) = expat.feed(&stream[start..*end]) {
            panic!("{setup:?} says {error}");
        }
        start = *end;
        let events = &expat.events()[before..];
        match piece {
            Piece::Header(header) => same_header(header, events),
            Piece::Element(raw) => {
                elements += 1;
                assert_eq!(expat.elements(), elements, "{setup:?} counts otherwise");
                same_element(raw, events, setup);
            }
            Piece::Close => assert_eq!(expat.depth(), 0),
        }
    }
    assert_eq!(expat.elements(), elements);
}

fn same_header(header: &Element, events: &[Event]) {
    let mut header = header.clone();
    header
        .attributes
        .retain(|(name, _)| name != "xmlns" && !name.starts_with("xmlns:"));
    let mut ours = Vec::new();
    flatten(&header, &mut ours);
    ours.pop();
    assert_eq!(ours, events);
}

fn same_element(raw: &Raw, events: &[Event], setup: Setup) {
    let Some(Event::Start(name, attributes)) = events.first() else {
        panic!("no element");
    };
    let local = std::str::from_utf8(raw.local_name()).expect("names are UTF-8");
    assert_eq!(*name, (raw.namespace().to_owned(), local.to_owned()));
    for attribute in ["from", "to", "id", "type"] {
        let theirs = attributes.get(&(String::new(), attribute.to_owned()));
        assert_eq!(
            raw.attribute(attribute).as_deref(),
            theirs.map(String::as_str)
        );
    }
    match Element::read(raw) {
        Ok(element) => {
            let mut ours = Vec::new();
            flatten(&element, &mut ours);
            assert_eq!(ours, events);
        }
        Err(error) => assert_eq!(error.because, "an element of more parts than we look into"),
    }
    let is_stanza = Kind::ALL
        .iter()
        .any(|it| raw.is("jabber:server", it.as_str()));
    match Stanza::read(raw, &mut None) {
        Ok(stanza) => {
            assert!(is_stanza && !raw.is_prefixed());
            same_stanza(raw, &stanza, events, setup);
        }
        Err(_) => assert!(!is_stanza || has_odd_address(attributes) || raw.is_prefixed()),
    }
}

/// Whether a reader of stanzas may have something against the addresses.
fn has_odd_address(attributes: &BTreeMap<Name, String>) -> bool {
    ["from", "to"].iter().any(|name| {
        let value = attributes.get(&(String::new(), (*name).to_owned()));
        !value.is_some_and(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_lowercase()))
    })
}

/// What is written of a stanza must say what the stanza said.
fn same_stanza(raw: &Raw, stanza: &Stanza, before: &[Event], setup: Setup) {
    let after = on_our_stream(stanza.bytes(), setup);
    let (Some(Event::Start(old_name, old)), Some(Event::Start(new_name, new))) =
        (before.first(), after.first())
    else {
        panic!("no stanza");
    };
    assert_eq!(old_name, new_name);
    assert_eq!(before[1..], after[1..]);
    let mut expected = old.clone();
    let language = (XML.to_owned(), "lang".to_owned());
    if let Some(stream) = raw.stream().language() {
        expected
            .entry(language)
            .or_insert_with(|| stream.to_owned());
    }
    for (name, domain) in [("from", &stanza.pair.sender), ("to", &stanza.pair.target)] {
        let value = expected
            .get_mut(&(String::new(), name.to_owned()))
            .expect("it was read");
        let (bare, resource) = value
            .split_once('/')
            .map_or((&**value, None), |(b, r)| (b, Some(r)));
        let local = bare.split_once('@').map(|(local, _)| local);
        let mut canonical = local.map_or_else(String::new, |it| format!("{it}@"));
        canonical += domain.as_str();
        canonical += &resource.map_or_else(String::new, |it| format!("/{it}"));
        *value = canonical;
    }
    assert_eq!(&expected, new);

    // Written once, it needs no second writing.
    let again = frame(&[OURS.as_bytes(), stanza.bytes()].concat(), usize::MAX);
    let Some((Piece::Element(again), _)) = again.pieces.get(1) else {
        // Declarations may have taken it over the limit of this framer.
        assert!(LIMITS.element < stanza.bytes().len() || 24 < old.len());
        return;
    };
    let again = Stanza::read(again, &mut None).expect("it was read before");
    assert_eq!(again.bytes(), stanza.bytes());
    if let Some(bounce) = stanza.bounce("gone", "cancel", Some("<&>")) {
        assert_eq!(bounce.pair, stanza.pair.reversed());
        on_our_stream(bounce.bytes(), setup);
    }
}

/// What expat makes of a stanza on a stream of ours.
fn on_our_stream(stanza: &Bytes, setup: Setup) -> Vec<Event> {
    let mut expat = Expat::new(setup);
    expat.feed(OURS.as_bytes()).expect("our own header");
    let before = expat.events().len();
    expat.feed(stanza).expect("our own stanza");
    assert_eq!(expat.elements(), 1);
    expat.events()[before..].to_vec()
}

/// Writes an element as expat would tell it.
fn flatten(element: &Element, into: &mut Vec<Event>) {
    let attributes = element.attributes.iter().map(|(name, value)| {
        let name = match name.strip_prefix('{').and_then(|it| it.rsplit_once('}')) {
            Some((namespace, name)) => (namespace.to_owned(), name.to_owned()),
            None => (String::new(), name.clone()),
        };
        (name, value.clone())
    });
    let name = (element.namespace.clone(), element.name.clone());
    into.push(Event::Start(name, attributes.collect()));
    for child in &element.children {
        match child {
            Node::Element(element) => flatten(element, into),
            Node::Text(text) => into.push(Event::Text(text.clone())),
        }
    }
    into.push(Event::End);
}
