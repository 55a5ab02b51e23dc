//! What the machines are told, and what holds whatever they are told.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::BytesMut;
use ligase::binding::{
    ConnectionId, DomainPair, Finding, Grounds, Home, Hosted, Level, Name, Policy, Residents, Side,
    StreamId, Table,
};
use ligase::stream::{
    Action, Answer, Authorization, Bounds, Channels, Condition, Dialback, DialbackError, Features,
    Frame, Header, Input, Keys, Limits, Management, Part, Reader, Setback, Terms, Unsecured, Word,
};
use ligase_verifier::{Domain, Finding as Found, Reason, Verdict};

use crate::proof;

/// The connection that is looked at.
pub const ID: ConnectionId = ConnectionId(1);

/// Who has to do with it.
pub const NAMES: [&str; 5] = ["a.test", "b.test", "l.test", "l2.test", "ligase.test"];

static PROVEN: LazyLock<HashMap<&str, Verdict>> =
    LazyLock::new(|| NAMES.iter().map(|name| (*name, proof::proven(name))).collect());

pub fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

pub fn pair(sender: &str, target: &str) -> DomainPair {
    DomainPair::new(domain(sender), domain(target))
}

/// On which side a stream is met, and what policy asks of it: the two lowest bits of its mode.
pub fn met(mode: u8) -> (Side, Level) {
    let side = if mode & 1 == 0 { Side::Public } else { Side::Backend };
    let level = if mode & 2 == 0 { Level::Any } else { Level::Encrypted };
    (side, level)
}

/// Terms under which l.test and l2.test are served here.
pub fn terms(side: Side, level: Level, channels: bool) -> Arc<Terms> {
    let hosted = ["l.test", "l2.test"].map(domain);
    let seconds = Duration::from_secs;
    let policy = Policy { default: level, ..Policy::default() };
    let channels = Channels { bidi: channels, server_names: channels, ..Channels::default() };
    Arc::new(Terms {
        side,
        hosted: Arc::new(Hosted::Only(Residents::of(hosted, &home()))),
        policy: Arc::new(policy),
        tls: true,
        server_name: domain("ligase.test"),
        keys: Arc::new(Keys::new(&[b"secret".to_vec()])),
        channels,
        bounds: Bounds {
            preauth: seconds(30),
            preauth_elements_max: 32,
            step: seconds(8),
            answer: seconds(31),
            idle: seconds(900),
            claims_max: 4,
            pairs_max: 3,
        },
    })
}

/// One input for every two bytes: what happens, and between whom.
pub fn inputs(bytes: &[u8]) -> impl Iterator<Item = Input> {
    bytes.as_chunks::<2>().0.iter().map(|[what, who]| input(*what, *who))
}

fn input(what: u8, who: u8) -> Input {
    let between = [
        ("a.test", "l.test"),
        ("b.test", "l.test"),
        ("a.test", "l2.test"),
        ("l.test", "a.test"),
        ("ligase.test", "l.test"),
    ];
    let (sender, target) = between[usize::from(who) % between.len()];
    let pair = pair(sender, target);
    let name = match who & 64 {
        0 => Name::Service(pair.sender.clone()),
        _ => Name::Server(pair.sender.clone()),
    };
    let found = |verdict| Input::Found(name.clone(), Finding::Verdict(verdict));
    let renewed = |verdict| Input::Renewed(name.clone(), Finding::Verdict(verdict));
    match what % 36 {
        18 => Input::Secured(Some(proof::presented(sender))),
        19 => Input::NotSecured(match who % 3 {
            0 => Unsecured::Failed,
            1 => Unsecured::Unrecognized,
            _ => Unsecured::Left,
        }),
        20 => Input::Found(name, Finding::OurServer(who < 128)),
        21 => found(Verdict::Unproven(because(Found::WrongName))),
        22 => found(Verdict::Refuted(because(Found::TlsaMismatch))),
        23 => found(PROVEN[sender].clone()),
        24 => Input::Authority(
            pair,
            match who {
                0..200 => Answer::Valid,
                200..230 => Answer::Invalid,
                _ => Answer::Unknown(DialbackError::RemoteServerTimeout),
            },
        ),
        25 | 26 => Input::Reached(pair, Ok(())),
        27 => Input::Reached(pair, Err(Setback::Unreachable)),
        28 => Input::Ask(pair),
        29 => Input::TimedOut { quiet: Duration::from_secs(4 * u64::from(who)) },
        30 => renewed(PROVEN[sender].clone()),
        31 => renewed(Verdict::Undetermined(because(Found::DnsFailure))),
        32 => Input::Withdraw(pair),
        33 => Input::Repeat(pair),
        34 => Input::Refuse(Condition::NotWellFormed.because("it is not")),
        35 => Input::Drain,
        what => Input::Frame(frame(what, who, pair)),
    }
}

fn frame(what: u8, who: u8, pair: DomainPair) -> Frame {
    let result = |word| {
        let (part, pair) = (Part::Result, pair.clone());
        Frame::Dialback(Dialback { part, pair, word })
    };
    match what {
        0 => Frame::Header(Header {
            from: Some(pair.sender),
            to: Some(pair.target),
            id: (32 < who).then(|| StreamId("S".into())),
            version_1: 16 < who,
        }),
        1 => Frame::StartTls,
        2 => Frame::Proceed,
        3 => Frame::TlsFailure,
        4 => Frame::Features(Features {
            start_tls: 64 < who,
            external: 128 < who,
            dialback: true,
            errors: true,
            bidi: who & 1 == 1,
            dna: who & 2 == 2,
            server_names: who & 4 == 4,
            management: who & 8 == 8,
        }),
        5 => Frame::Auth(Authorization { mechanism: "EXTERNAL".into(), response: "=".into() }),
        6 => Frame::Success,
        7 => Frame::SaslFailure,
        8 => result(Word::Request(if who < 128 { "00" } else { "" }.into())),
        9 => result(Word::Valid),
        10 => result(Word::Invalid),
        11 => result(Word::Error(None)),
        12 => match who {
            0..64 => result(Word::Unknown),
            _ => Frame::Dialback(Dialback {
                part: Part::Verify(StreamId("S".into())),
                pair,
                word: if who < 160 { Word::Request("00".into()) } else { Word::Valid },
            }),
        },
        13 => stanza(&pair),
        14 => Frame::Bidi(who < 128),
        15 => match who % 8 {
            0 => Frame::Unknown,
            1 => Frame::Management(Management::Enable),
            2 => Frame::Management(Management::Enabled),
            3 => Frame::Management(Management::Failed),
            4 => Frame::Management(Management::Request),
            5 => Frame::Management(Management::Answer(u32::MAX)),
            _ => Frame::Management(Management::Answer(u32::from(who >> 3))),
        },
        16 => Frame::Error(Some(Condition::HostUnknown)),
        _ => Frame::Close,
    }
}

fn because(finding: Found) -> Reason {
    Reason { prooftype: None, finding }
}

fn stanza(pair: &DomainPair) -> Frame {
    const LIMITS: Limits = Limits { element: 8192, depth: 8, attributes: 8 };
    let text = format!(
        "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>\
         <message from='u@{}' to='u@{}'/>",
        pair.sender, pair.target
    );
    let mut reader = Reader::new(LIMITS);
    let mut buffer = BytesMut::from(text.as_str());
    reader.next(&mut buffer).unwrap().unwrap();
    reader.next(&mut buffer).unwrap().unwrap()
}

/// What holds after each input, and remembers whether our half of the stream has ended.
pub fn check(actions: &[Action], table: &Table, ended: &mut bool) {
    let closes = |action: &&Action| matches!(action, Action::Close(_));
    let closed = actions.iter().filter(closes).count();
    assert!(closed < 2);
    assert_eq!(closed == 0, table.row(ID).is_some(), "a row for each open stream");
    for action in actions {
        let speaks = matches!(action, Action::Send(_) | Action::End(_) | Action::StartTls(_));
        assert!(!(*ended && speaks), "{action:?} behind our closing tag");
        *ended |= matches!(action, Action::End(_));
    }
}

/// A table with a way out for everything, on the other side.
pub fn table(side: Side) -> Table {
    let mut table = Table::default();
    let exit = ConnectionId(2);
    table.open(exit, side.other());
    for target in ["a.test", "l.test", "l2.test"] {
        table.prove(exit, domain(target), Grounds::Configured);
        for sender in ["a.test", "b.test", "l.test"] {
            table.let_out(&pair(sender, target), exit).unwrap();
        }
    }
    table
}

fn home() -> Home {
    std::net::SocketAddr::from(([127, 0, 0, 1], 5269)).into()
}
