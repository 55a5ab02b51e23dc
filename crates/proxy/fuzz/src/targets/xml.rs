use std::cell::RefCell;

use bytes::BytesMut;
use ligase::stream::{Dialback, Element, Frame, Header, Management, Part, Piece, Reader, Word};

use crate::chance::Chance;
use crate::compare::{Comparison, OURS};
use crate::division::{Division, Framed, LIMITS};

/// Headers for inputs that do not bring their own.
const HEADERS: [&str; 3] = [
    "",
    "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:e='urn:e' xml:lang='de' \
     xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback'>",
    "<s:stream xmlns='urn:other' xmlns:s='http://etherx.jabber.org/streams' xmlns:p=\"it's\">",
];

thread_local! {
    static COMPARISON: RefCell<Comparison> = RefCell::default();
}

/// The first byte chooses the header, the second how the stream is divided, the rest is the stream:
/// whatever passes, servers read the same, before and after.
pub(super) fn framer(input: &[u8]) {
    let [header, chance, input @ ..] = input else {
        return;
    };
    let header = HEADERS[usize::from(*header) % HEADERS.len()];
    let stream = [header.as_bytes(), input].concat();
    let mut chance = Chance::new(0, u64::from(*chance));
    COMPARISON.with_borrow_mut(|comparison| {
        if let Err(difference) = comparison.compare(&stream, &mut chance) {
            panic!("{difference}");
        }
    });
    // The reader of frames finds no more than the framer.
    let mut reader = Reader::new(LIMITS);
    let mut buffer = BytesMut::from(&stream[..]);
    let mut frames = 0;
    while let Ok(Some(frame)) = reader.next(&mut buffer) {
        frames += 1;
        if let Frame::Stanza(stanza) = frame {
            assert!(!stanza.bytes().is_empty());
        }
    }
    assert!(frames <= Framed::of(&stream, Division::Whole).pieces.len());
}

/// The first frames of a stream.
fn frames(stream: &[u8]) -> Vec<Frame> {
    let mut reader = Reader::new(LIMITS);
    let mut buffer = BytesMut::from(stream);
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = reader.next(&mut buffer) {
        frames.push(frame);
    }
    frames
}

/// The frames of what is said on a stream of ours, without its header.
fn said(words: &str) -> Vec<Frame> {
    frames(&[OURS, words].concat().into_bytes()).split_off(1)
}

/// The bytes are attributes of a header: what is read of it is written the same, and read again.
pub(super) fn header(input: &[u8]) {
    let start = &b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' \
        xmlns='jabber:server' "[..];
    let stream = [start, input, b">"].concat();
    let Some(Frame::Header(header)) = frames(&stream).into_iter().next() else {
        return;
    };
    assert!(header.id.as_ref().is_none_or(|id| (1..=256).contains(&id.0.len())));
    assert!(Header::is_in(&header.to_xml()));
    let default = "ligase.test".parse().unwrap();
    let answer = header.answer(&default, ligase::binding::StreamId("an id".into()));
    assert_eq!(answer.to, header.from);
    assert_eq!(answer.from.as_ref(), Some(header.to.as_ref().unwrap_or(&default)));
    for header in [header, answer] {
        let again = frames(header.to_xml().as_bytes());
        assert!(matches!(&again[..], [Frame::Header(again)] if *again == header), "{header:?}");
    }
}

/// The bytes are an element on our stream; frames of other targets' kinds are theirs to look at.
fn element(input: &[u8]) -> Option<Element> {
    let stream = [OURS.as_bytes(), input].concat();
    let framed = Framed::of(&stream, Division::Whole);
    match framed.pieces.into_iter().nth(1) {
        Some((Piece::Element(raw), _)) => Element::read(&raw).ok(),
        _ => None,
    }
}

/// What a server offers, and why it says that it ends a stream: whatever is said is understood in
/// full or not at all.
pub(super) fn features(input: &[u8]) {
    let Some(element) = element(input) else {
        return;
    };
    let features = ligase::stream::Features::read(&element);
    // Nothing is offered by an element that does not hold as much.
    let children = element.elements().count();
    let offers = [features.start_tls, features.external, features.bidi, features.dna];
    let offered = offers.iter().filter(|it| **it).count();
    assert!(offered <= children, "{features:?} of {children} elements");
    assert!(!features.errors || features.dialback);
    assert!(!features.server_names || features.dna);
    if let Some(condition) = ligase::stream::Condition::read(&element.name) {
        assert_eq!(condition.as_str(), element.name);
        let told = said(&condition.because("it was said").to_xml());
        assert!(matches!(&told[..], [Frame::Error(Some(it))] if *it == condition));
    }
}

/// A dialback element is written as it was read.
pub(super) fn dialback(input: &[u8]) {
    let Some(element) = element(input) else {
        return;
    };
    let Ok(Some(dialback)) = Dialback::read(&element) else {
        return;
    };
    let answers = [Word::Valid, Word::Invalid, Word::Error(None)];
    let answers = answers.map(|word| dialback.answer(word));
    assert!(answers.iter().all(|it| it.pair == dialback.pair.reversed()));
    for dialback in answers.iter().chain([&dialback]) {
        if let Part::Verify(id) = &dialback.part {
            assert!(!id.0.is_empty());
        }
        let again = said(&dialback.to_xml());
        let [Frame::Dialback(again)] = &again[..] else {
            panic!("{dialback:?} is not understood");
        };
        // Errors without a condition, and types that there are not, are written as errors that there
        // are.
        match (&dialback.word, &again.word) {
            (Word::Error(None), Word::Error(Some(_))) | (Word::Unknown, Word::Error(None)) => {
                assert_eq!((&again.part, &again.pair), (&dialback.part, &dialback.pair));
            }
            _ => assert_eq!(again, dialback),
        }
    }
}

/// An element of stream management is written as it was read.
pub(super) fn management(input: &[u8]) {
    let Some(element) = element(input) else {
        return;
    };
    let Ok(Some(management)) = Management::read(&element) else {
        return;
    };
    let again = said(&management.to_xml());
    assert!(matches!(&again[..], [Frame::Management(again)] if *again == management));
}
