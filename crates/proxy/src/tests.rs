//! What the tests of many rooms begin with.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what a test does not look at is none of its business"
)]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use ligase_verifier::{Domain, Verdict};

use crate::binding::{DomainPair, Grounds, Home, Hosted, Level, Policy, Residents, Side};
use crate::stream::{
    Bounds, Channels, Element, Frame, Framer, Keys, Limits, Piece, Reader, Stanza, Terms,
};

#[path = "../tests/support/proof.rs"]
pub(crate) mod proof;
pub(crate) mod walk;

pub(crate) const LIMITS: Limits = Limits { element: 65_536, depth: 128, attributes: 256 };

/// What opens a stream whose rest is to be read.
pub(crate) const HEADER: &str = "<stream:stream xmlns='jabber:server' \
    xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams'>";

pub(crate) fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

pub(crate) fn pair(sender: &str, target: &str) -> DomainPair {
    DomainPair::new(domain(sender), domain(target))
}

/// What a verdict on `name` lets a peer speak on, until so long after [`proof::noon`].
pub(crate) fn grounds(name: &str, lifetime: Duration) -> Grounds {
    match proof::proven_for(name, lifetime) {
        Verdict::Proven(association) => Grounds::Proven(association),
        other => panic!("{other:?}"),
    }
}

/// A message without a body.
pub(crate) fn message(sender: &str, target: &str, id: &str) -> Stanza {
    let text = format!("<message id='{id}' from='u@{sender}' to='u@{target}'/>");
    match frame(&text) {
        Frame::Stanza(stanza) => stanza,
        other => panic!("{other:?}"),
    }
}

/// What a stream makes of its first element.
pub(crate) fn frame(text: &str) -> Frame {
    frame_behind("", text)
}

/// The same where the header has these attributes besides.
pub(crate) fn frame_behind(attributes: &str, text: &str) -> Frame {
    let mut reader = Reader::new(LIMITS);
    let header = HEADER.replace('>', &format!("{attributes}>"));
    let mut buffer = BytesMut::from(format!("{header}{text}").as_str());
    reader.next(&mut buffer).unwrap().unwrap();
    reader.next(&mut buffer).unwrap().unwrap()
}

/// The first element of a stream, as those see it who look into it.
pub(crate) fn element(text: &str) -> Element {
    let mut framer = Framer::new(LIMITS);
    let mut buffer = BytesMut::from(format!("{HEADER}{text}").as_str());
    framer.next(&mut buffer).unwrap().unwrap();
    match framer.next(&mut buffer).unwrap().unwrap() {
        Piece::Element(raw) => Element::read(&raw).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The header of a stream with these attributes, which may redeclare nothing.
pub(crate) fn header(attributes: &str) -> Element {
    let text = HEADER.replace('>', &format!(" {attributes}>"));
    match Framer::new(LIMITS).next(&mut BytesMut::from(text.as_str())) {
        Ok(Some(Piece::Header(element))) => element,
        other => panic!("{other:?}"),
    }
}

pub(crate) const BOUNDS: Bounds = Bounds {
    preauth: Duration::from_secs(30),
    preauth_elements_max: 32,
    step: Duration::from_secs(8),
    answer: Duration::from_secs(31),
    idle: Duration::from_secs(900),
    claims_max: 4,
    pairs_max: 3,
};

/// Where our own server is.
pub(crate) fn home() -> Home {
    std::net::SocketAddr::from(([127, 0, 0, 1], 5269)).into()
}

/// Terms under which l.test and l2.test are served here, by ligase.test.
pub(crate) fn terms(side: Side, level: Level) -> Terms {
    let hosted = HashSet::from([domain("l.test"), domain("l2.test")]);
    let policy = Policy { default: level, ..Policy::default() };
    Terms {
        side,
        hosted: Arc::new(Hosted::Only(Residents::of(hosted, &home()))),
        policy: Arc::new(policy),
        tls: true,
        server_name: domain("ligase.test"),
        keys: Arc::new(Keys::new(&[b"s3cr3tf0rd14lb4ck".to_vec()])),
        channels: Channels::default(),
        bounds: BOUNDS,
    }
}
