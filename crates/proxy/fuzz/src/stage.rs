//! What the machines are told, and what holds whatever they are told.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use ligase::binding::{
    ConnectionId, DomainPair, Finding, Grounds, Home, Hosted, Level, Policy, Residents, Side, StreamId, Table,
};
use ligase::stream::{
    Action, Answer, Authorization, Bounds, Condition, Dialback, Features, Frame, Header, Input,
    Keys, Limits, Part, Reader, Setback, Terms, Word,
};
use ligase_verifier::{Domain, Finding as Found, Presented, Reason, Verdict};
use rustls_pki_types::CertificateDer;

pub const ID: ConnectionId = ConnectionId(1);

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
pub fn terms(side: Side, level: Level) -> Arc<Terms> {
    let hosted = ["l.test", "l2.test"].map(domain);
    let seconds = Duration::from_secs;
    Arc::new(Terms {
        side,
        hosted: Arc::new(Hosted::Only(Residents::of(hosted, &home()))),
        policy: Arc::new(Policy {
            default: level,
            ..Policy::default()
        }),
        tls: true,
        server_name: domain("ligase.test"),
        keys: Arc::new(Keys::new(&[b"secret".to_vec()])),
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
    bytes.chunks_exact(2).map(|two| input(two[0], two[1]))
}

fn input(what: u8, who: u8) -> Input {
    let names = [
        ("a.test", "l.test"),
        ("b.test", "l.test"),
        ("a.test", "l2.test"),
        ("l.test", "a.test"),
    ];
    let (sender, target) = names[usize::from(who) % names.len()];
    let pair = pair(sender, target);
    let result = |word| {
        let (part, pair) = (Part::Result, pair.clone());
        Input::Frame(Frame::Dialback(Dialback { part, pair, word }))
    };
    let because = |finding| Reason {
        prooftype: None,
        finding,
    };
    let found = |verdict| Input::Found(pair.sender.clone(), Finding::Verdict(verdict));
    let offered = |external| Features {
        start_tls: 64 < who,
        external,
        dialback: true,
        errors: true,
    };
    match what % 30 {
        0 => Input::Frame(Frame::Header(Header {
            from: Some(pair.sender),
            to: Some(pair.target),
            id: (32 < who).then(|| StreamId("S".into())),
            version_1: 16 < who,
        })),
        1 => Input::Frame(Frame::StartTls),
        2 => Input::Frame(Frame::Proceed),
        3 => Input::Frame(Frame::TlsFailure),
        4 => Input::Frame(Frame::Features(offered(128 < who))),
        5 => Input::Frame(Frame::Auth(Authorization {
            mechanism: "EXTERNAL".into(),
            response: "=".into(),
        })),
        6 => Input::Frame(Frame::Success),
        7 => Input::Frame(Frame::SaslFailure),
        8 => result(Word::Request(if who < 128 { "00" } else { "" }.into())),
        9 => result(Word::Valid),
        10 => result(Word::Invalid),
        11 => result(Word::Error(None)),
        12 => result(Word::Unknown),
        13 | 14 => Input::Frame(stanza(&pair)),
        15 => Input::Frame(Frame::Unknown),
        16 => Input::Frame(Frame::Error(Some(Condition::HostUnknown))),
        17 => Input::Frame(Frame::Close),
        18 => Input::Secured(Presented::new(vec![CertificateDer::from(vec![who])])),
        19 => Input::NotSecured,
        20 => Input::Found(pair.sender, Finding::OurServer(who < 128)),
        21 => found(Verdict::Unproven(because(Found::WrongName))),
        22 => found(Verdict::Refuted(because(Found::TlsaMismatch))),
        23 => Input::Authority(
            pair,
            if who < 200 {
                Answer::Valid
            } else {
                Answer::Invalid
            },
        ),
        24 | 25 => Input::Reached(pair, Ok(())),
        26 => Input::Reached(pair, Err(Setback::Unreachable)),
        27 => Input::Ask(pair),
        28 => Input::TimedOut {
            quiet: Duration::from_secs(4 * u64::from(who)),
        },
        _ => Input::Drain,
    }
}

fn stanza(pair: &DomainPair) -> Frame {
    const LIMITS: Limits = Limits {
        element: 8192,
        depth: 8,
        attributes: 8,
    };
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
    assert_eq!(
        closed == 0,
        table.row(ID).is_some(),
        "a row for each open stream"
    );
    for action in actions {
        let speaks = matches!(
            action,
            Action::Send(_) | Action::End(_) | Action::StartTls(_)
        );
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
