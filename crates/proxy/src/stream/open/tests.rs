#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what a test does not look at is none of its business"
)]

use ligase_verifier::{Prooftype, Reason, Verdict};

use super::stanzas::STRIKES_MAX;
use super::waiting::UNUSED;
use super::*;
use crate::binding::{Grounds, Hosted, Level};
use crate::stream::{Answer, Keys, Loss};
use crate::tests::{domain, grounds, message, pair, proof, terms};

const ID: ConnectionId = ConnectionId(1);

/// A stream that we opened to a.test, in the clear, and its table.
fn outbound() -> (Open, Table) {
    outbound_to(Side::Public, "a.test")
}

fn outbound_to(side: Side, remote: &str) -> (Open, Table) {
    let mut table = Table::default();
    table.open(ID, side);
    table.prove(ID, domain(remote), Grounds::Dialback);
    let stream = StreamId("S1".into());
    table.set_stream(ID, Some(stream.clone()));
    let negotiated = Negotiated {
        way: Way::Outbound,
        stream: Some(stream),
        secured: false,
        presented: None,
        far: Far::default(),
        at: Duration::ZERO,
    };
    let terms = Arc::new(terms(side, Level::Any));
    (Open::new(ID, terms, negotiated), table)
}

/// A stream that somebody opened to us who speaks for these domains.
fn inbound(names: &[&str]) -> (Open, Table) {
    let mut table = Table::default();
    table.open(ID, Side::Public);
    for name in names {
        table.prove(ID, domain(name), Grounds::Dialback);
    }
    let negotiated = Negotiated {
        way: Way::Inbound,
        stream: Some(StreamId("S1".into())),
        secured: true,
        presented: None,
        far: Far::default(),
        at: Duration::ZERO,
    };
    (Open::new(ID, Arc::new(terms(Side::Public, Level::Encrypted)), negotiated), table)
}

fn say(open: &mut Open, table: &mut Table, at: u64, input: Input) -> Vec<Action> {
    let mut out = Vec::new();
    open.handle(input, Duration::from_secs(at), table, &mut out).unwrap();
    out
}

/// Whoever asks for acknowledgments when we have ended our half of the stream may not have heard of it
/// yet, and is not answered.
#[test]
fn nothing_about_acknowledgments_follows_our_closing_tag() {
    use super::super::Management;
    let enable = || Input::Frame(Frame::Management(Management::Enable));
    for is_offered in [false, true] {
        let (mut open, mut table) = inbound(&["a.test"]);
        if is_offered {
            open.offer_acknowledgments();
        }
        let mut other = (open.clone(), table.clone());
        let told = say(&mut other.0, &mut other.1, 1, enable());
        assert!(told.iter().any(|it| matches!(it, Action::Send(_))), "{told:?}");
        say(&mut open, &mut table, 1, Input::Drain);
        assert!(say(&mut open, &mut table, 2, enable()).is_empty());
    }
}

/// Whoever does not know yet that we have ended our half of the stream is told nothing on it about
/// its stanzas, whether they are for us or for nobody.
#[test]
fn no_answer_to_a_stanza_follows_our_closing_tag() {
    let (mut open, mut table) = inbound(&["a.test"]);
    open.set_bidi(Far { errors: true, bidi: true, dna: true, confirms: false }, &mut table);
    let own = open.terms.server_name.clone();
    table.prove(ID, Name::Server(domain("a.test")), Grounds::Dialback);
    table.let_in(&pair("a.test", "l.test"), ID).unwrap();
    for (stray, is_server) in [("b.test", false), ("a.test", true)] {
        let (mut open, mut table) = (open.clone(), table.clone());
        if is_server {
            table.admit(ID, &domain("a.test")).unwrap();
        }
        let target = if is_server { own.as_str() } else { "l.test" };
        let ping = format!("<iq type='get' id='1' from='{stray}' to='{target}'/>");
        let ping = || Input::Frame(crate::tests::frame(&ping));
        let mut other = (open.clone(), table.clone());
        let told = say(&mut other.0, &mut other.1, 1, ping());
        assert!(told.iter().any(|it| matches!(it, Action::Send(_))), "{told:?}");
        say(&mut open, &mut table, 1, Input::Drain);
        let told = say(&mut open, &mut table, 2, ping());
        assert!(!told.iter().any(|it| matches!(it, Action::Send(_))), "{told:?}");
    }
}

/// Who asked for a pair before we ended our half of the stream hears nothing more on it, though the
/// proof on which that waited has come to nothing meanwhile.
#[test]
fn no_denial_follows_our_closing_tag() {
    for leaves in [false, true] {
        let (mut open, mut table) = inbound(&["a.test"]);
        say(&mut open, &mut table, 0, claim("a.test", "l.test"));
        let proven = Finding::Verdict(proof::proven("a.test"));
        say(&mut open, &mut table, 0, Input::Found(domain("a.test").into(), proven));
        if leaves {
            say(&mut open, &mut table, 0, Input::Drain);
        }
        let mut out = Vec::new();
        let ended = renewed("a.test", mismatch());
        // Without others who share it, the stream ends with its only name.
        let _ = open.handle(ended, Duration::ZERO, &mut table, &mut out);
        assert_eq!(sent(&out).len(), usize::from(!leaves), "{out:?}");
    }
}

fn timed_out() -> Input {
    Input::TimedOut { quiet: Duration::ZERO }
}

/// The pairs that were told to have failed.
fn failed(actions: &[Action]) -> Vec<DomainPair> {
    let failed = |action: &Action| match action {
        Action::Tell(Tidings::Failed(pair, Setback::TimedOut)) => Some(pair.clone()),
        _ => None,
    };
    actions.iter().filter_map(failed).collect()
}

/// E-07, to the second.
#[test]
fn requests_are_given_up_one_by_one() {
    let (mut open, mut table) = outbound();
    let (one, two) = (pair("l.test", "a.test"), pair("l2.test", "a.test"));
    let answer = terms(Side::Public, Level::Any).bounds.answer.as_secs();
    say(&mut open, &mut table, 0, Input::Ask(one.clone()));
    say(&mut open, &mut table, 10, Input::Ask(two.clone()));
    let early = say(&mut open, &mut table, answer - 1, timed_out());
    assert!(failed(&early).is_empty());
    assert!(matches!(early[..], [Action::SetTimer(left)] if left == Duration::from_secs(1)));
    let first = say(&mut open, &mut table, answer, timed_out());
    assert_eq!(failed(&first), [one]);
    assert!(
        matches!(first.last(), Some(Action::SetTimer(left)) if *left == Duration::from_secs(10))
    );
    let second = say(&mut open, &mut table, answer + 10, timed_out());
    assert_eq!(failed(&second), [two]);
}

/// Whoever asks again and again for the same cannot put off the end of the first request.
#[test]
fn asking_again_extends_nothing() {
    let (mut open, mut table) = outbound();
    let one = pair("l.test", "a.test");
    let answer = terms(Side::Public, Level::Any).bounds.answer.as_secs();
    say(&mut open, &mut table, 0, Input::Ask(one.clone()));
    for at in [10, 20, 30] {
        say(&mut open, &mut table, at, Input::Repeat(one.clone()));
    }
    let out = say(&mut open, &mut table, answer, timed_out());
    assert_eq!(failed(&out), [one]);
}

/// E-02: a key of the latest stream, and of this side's secret.
#[test]
fn a_request_bears_the_key_of_its_stream() {
    let (mut open, mut table) = outbound();
    let way = pair("l.test", "a.test");
    let out = say(&mut open, &mut table, 0, Input::Ask(way.clone()));
    let keys = Keys::new(&[b"s3cr3tf0rd14lb4ck".to_vec()]);
    let key = keys.make(&way, &StreamId("S1".into()));
    let sent = format!("<db:result from='l.test' to='a.test'>{key}</db:result>");
    assert!(matches!(&out[0], Action::Send(text) if *text == sent), "{out:?}");
    assert!(table.is_asked(Side::Public, &StreamId("S1".into()), &way));
}

/// Where nothing more is to be said, nothing is wrong any more; before that, what has no place on an
/// open stream ends it.
#[test]
fn what_belongs_to_the_negotiation_has_no_place_on_an_open_stream() {
    for frame in [Frame::Proceed, Frame::Success, Frame::SaslFailure, Frame::TlsFailure] {
        let (mut open, mut table) = inbound(&["a.test"]);
        let mut leaving = open.clone();
        let mut out = Vec::new();
        let input = || Input::Frame(frame.clone());
        let error = open.handle(input(), Duration::ZERO, &mut table, &mut out).unwrap_err();
        assert_eq!(error.condition, StreamError::out_of_turn().condition, "{frame:?}");
        say(&mut leaving, &mut table, 0, Input::Drain);
        assert!(say(&mut leaving, &mut table, 0, input()).is_empty(), "{frame:?}");
    }
}

/// C-08, O-04: who opened a stream and is authorized for nothing has no business saying what nobody
/// knows. Whom we opened it to may offer what it likes.
#[test]
fn what_nobody_knows_ends_a_stream_that_is_not_authorized() {
    for (way, authorized, leaving, ends) in [
        (Way::Inbound, false, false, true),
        (Way::Inbound, true, false, false),
        (Way::Inbound, false, true, false),
        (Way::Outbound, false, false, false),
        (Way::Outbound, true, false, false),
    ] {
        let (mut open, mut table) = match way {
            Way::Inbound => inbound(&["a.test"]),
            Way::Outbound => outbound(),
        };
        if authorized {
            table.let_in(&pair("a.test", "l.test"), ID).unwrap();
        }
        if leaving {
            say(&mut open, &mut table, 0, Input::Drain);
        }
        let mut out = Vec::new();
        let unknown = Input::Frame(Frame::Unknown);
        let ended = open.handle(unknown, Duration::ZERO, &mut table, &mut out).is_err();
        assert_eq!(ended, ends, "{way:?} {authorized} {leaving}");
        assert!(matches!(out[..], [Action::Count(Violation::StreamElement)]), "{out:?}");
    }
}

/// E-19: a key of a stream that is not open here is another replica's only where they share a secret.
#[test]
fn replicas_answer_for_each_other() {
    let secrets = [b"s3cr3tf0rd14lb4ck".to_vec()];
    let id = StreamId("of another replica".into());
    let asked = pair("l.test", "a.test");
    let key = Keys::new(&secrets).make(&asked, &id);
    for (keys, key, answer, violation) in [
        (Keys::shared(&secrets), &key, Word::Valid, None),
        (Keys::shared(&secrets), &"0".repeat(64), Word::Invalid, Some(Violation::DialbackKey)),
        (Keys::new(&secrets), &key, Word::Invalid, Some(Violation::DialbackNoPending)),
    ] {
        let (mut open, mut table) = inbound(&[]);
        let keys = Arc::new(keys);
        open.terms = Arc::new(Terms { keys, ..terms(Side::Public, Level::Any) });
        let part = Part::Verify(id.clone());
        let word = Word::Request(key.clone());
        let question = Dialback { part, pair: asked.reversed(), word };
        let answer = question.answer(answer).to_xml();
        let out = say(&mut open, &mut table, 0, Input::Frame(Frame::Dialback(question)));
        let said = out.iter().find_map(|it| match it {
            Action::Send(text) => Some(text),
            _ => None,
        });
        assert_eq!(said, Some(&answer));
        let told = out.iter().find_map(|it| match it {
            Action::Answered(Role::Authoritative, valid) => *valid,
            _ => None,
        });
        assert_eq!(told, Some(violation.is_none()));
        let counted = out.iter().find_map(|it| match it {
            Action::Count(violation) => Some(*violation),
            _ => None,
        });
        assert_eq!(counted, violation);
    }
}

/// E-14: strikes are forgiven after a minute, and not a second earlier.
#[test]
fn strikes_are_forgiven_in_time() {
    for (wait, survives) in [(59, false), (60, true)] {
        let (mut open, mut table) = outbound();
        let stanza = || Input::Frame(Frame::Stanza(message("v.test", "l.test", "1")));
        for _ in 0..STRIKES_MAX {
            let out = say(&mut open, &mut table, 0, stanza());
            assert!(matches!(out[..], [Action::Count(Violation::PairInverse)]), "{out:?}");
        }
        let mut out = Vec::new();
        let at = Duration::from_secs(wait);
        let result = open.handle(stanza(), at, &mut table, &mut out);
        assert_eq!(result.is_ok(), survives, "after {wait} s");
    }
}

fn renewed(name: &str, verdict: Verdict) -> Input {
    Input::Renewed(domain(name).into(), Finding::Verdict(verdict))
}

fn mismatch() -> Verdict {
    let finding = ligase_verifier::Finding::TlsaMismatch;
    Verdict::Refuted(Reason { prooftype: Some(Prooftype::Dane), finding })
}

/// E-15: where others share the stream, only the pairs of one domain end, and the far end hears it.
#[test]
fn a_proof_that_failed_takes_its_pairs_and_no_others() {
    let (mut open, mut table) = inbound(&["a.test", "b.test"]);
    let [lost, kept] = ["a.test", "b.test"].map(|sender| pair(sender, "l.test"));
    for pair in [&lost, &kept] {
        table.let_in(pair, ID).unwrap();
    }
    let out = say(&mut open, &mut table, 0, renewed("a.test", mismatch()));
    let revocation = "<db:result from='l.test' to='a.test' type='error'><error type='auth'>\
                      <not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>\
                      </db:result>";
    assert!(
        matches!(
            &out[..],
            [
                Action::Count(Violation::DaneMismatch),
                Action::Lost(pair, Way::Inbound, Loss::ProofFailed),
                Action::Send(text),
            ] if *pair == lost && text == revocation
        ),
        "{out:?}"
    );
    assert!(!table.has_entrance(&lost) && table.has_entrance(&kept));

    // F-50: with the last of them the stream ends.
    let mut out = Vec::new();
    let ended = open.handle(renewed("b.test", mismatch()), Duration::ZERO, &mut table, &mut out);
    assert_eq!(ended.unwrap_err().condition, Condition::Reset);
    assert!(!table.has_entrance(&kept));
}

/// E-16: what was to leave for it leaves by another way, or goes back.
#[test]
fn a_proof_that_failed_takes_the_exits_of_its_domain() {
    let (mut open, mut table) = outbound();
    table.prove(ID, domain("b.test"), Grounds::Dialback);
    let [lost, kept] = ["a.test", "b.test"].map(|target| pair("l.test", target));
    for pair in [&lost, &kept] {
        table.let_out(pair, ID).unwrap();
    }
    let reason = Reason { prooftype: None, finding: ligase_verifier::Finding::DnsLimit };
    let unknown = Verdict::Undetermined(reason);
    let out = say(&mut open, &mut table, 0, renewed("a.test", unknown));
    assert!(
        matches!(
            &out[..],
            [Action::Count(Violation::DnsLimit), Action::Lost(pair, Way::Outbound, Loss::ProofEnded)]
                if *pair == lost
        ),
        "{out:?}"
    );
    assert_eq!((table.exit(&lost), table.exit(&kept)), (None, Some(ID)));
}

/// Another proof than before does as well, and is told of; the same again is no news.
#[test]
fn a_proof_that_holds_keeps_its_pairs() {
    let (mut open, mut table) = inbound(&["a.test"]);
    let pair = pair("a.test", "l.test");
    table.let_in(&pair, ID).unwrap();
    let holds = || renewed("a.test", proof::proven("a.test"));
    let out = say(&mut open, &mut table, 0, holds());
    assert!(matches!(&out[..], [Action::Tell(Tidings::Bound(bound))] if *bound == pair), "{out:?}");
    assert!(say(&mut open, &mut table, 0, holds()).is_empty());
    assert!(say(&mut open, &mut table, 0, renewed("v.test", mismatch())).is_empty());
    assert!(table.has_entrance(&pair));
}

/// Other terms: our own domain l.test is gone, or peers have to show more.
fn without_l() -> Input {
    let hosted =
        Hosted::Only(crate::binding::Residents::of([domain("l2.test")], &crate::tests::home()));
    let terms = terms(Side::Public, Level::Encrypted);
    Input::Terms(Arc::new(Terms { hosted: Arc::new(hosted), ..terms }))
}

fn stricter() -> Input {
    Input::Terms(Arc::new(terms(Side::Public, Level::Pkix)))
}

/// E-18: a domain that is not ours any more takes its pairs along, either way, and no others.
#[test]
fn pairs_of_a_domain_that_is_not_hosted_any_more_end() {
    let (mut open, mut table) = inbound(&["a.test"]);
    let [gone, kept] = ["l.test", "l2.test"].map(|target| pair("a.test", target));
    for pair in [&gone, &kept] {
        table.let_in(pair, ID).unwrap();
    }
    let out = say(&mut open, &mut table, 0, without_l());
    let told = "<db:result from='l.test' to='a.test' type='error'><error type='auth'>\
                <not-authorized ";
    assert!(
        matches!(
            &out[..],
            [Action::Lost(pair, Way::Inbound, Loss::HostRemoved), Action::Send(text)]
                if *pair == gone && text.starts_with(told)
        ),
        "{out:?}"
    );
    assert!(!table.has_entrance(&gone) && table.has_entrance(&kept));
    assert!(say(&mut open, &mut table, 0, without_l()).is_empty());

    let (mut open, mut table) = outbound();
    let gone = pair("l.test", "a.test");
    table.let_out(&gone, ID).unwrap();
    let mut out = Vec::new();
    let ended = open.handle(without_l(), Duration::ZERO, &mut table, &mut out);
    assert_eq!(ended.unwrap_err().condition, Condition::HostGone);
    assert_eq!(table.exit(&gone), None);
}

const ONE: &str = "192.0.2.1:5269";
const TWO: &str = "192.0.2.2:5269";

/// Terms of the side of our own servers, by which l.test is at home at one address and l2.test at
/// another.
fn at_homes(l: &str, l2: &str) -> Arc<Terms> {
    let residents = [("l.test", l), ("l2.test", l2)]
        .into_iter()
        .map(|(name, home)| (domain(name), home.parse::<std::net::SocketAddr>().unwrap().into()));
    let hosted = Arc::new(Hosted::Only(residents.collect()));
    Arc::new(Terms { hosted, ..terms(Side::Backend, Level::Any) })
}

/// A stream of the backend side, on which something has to do with l.test at its home.
fn at_home(way: Way) -> (Open, Table) {
    let mut table = Table::default();
    table.open(ID, Side::Backend);
    let stream = Some(StreamId("S1".into()));
    table.set_stream(ID, stream.clone());
    let (far, at) = (Far::default(), Duration::ZERO);
    let negotiated = Negotiated { way, stream, secured: false, presented: None, far, at };
    (Open::new(ID, at_homes(ONE, ONE), negotiated), table)
}

/// A domain that moves to another server of ours is not the old one's any more: neither what it was
/// granted, nor what it has asked for, nor what it was asked for, nor what it was known by.
#[test]
fn a_stream_about_a_domain_that_has_moved_ends() {
    let away = pair("l.test", "a.test");
    let home = away.reversed();
    let proven = |name: &str, table: &mut Table| {
        table.prove(ID, domain(name), Grounds::Configured);
    };
    type Begin = Box<dyn Fn(&mut Open, &mut Table)>;
    let begins: [(Way, Begin); 5] = [
        (Way::Inbound, Box::new(move |_, table| proven("l.test", table))),
        (Way::Inbound, {
            let away = away.clone();
            Box::new(move |_, table| {
                proven("l.test", table);
                table.let_in(&away, ID).unwrap();
            })
        }),
        (Way::Inbound, {
            let away = away.clone();
            Box::new(move |open, table| {
                let (part, word) = (Part::Result, Word::Request("00".into()));
                let claim = Dialback { part, pair: away.clone(), word };
                say(open, table, 0, Input::Frame(Frame::Dialback(claim)));
            })
        }),
        (Way::Outbound, {
            let home = home.clone();
            Box::new(move |_, table| {
                proven("l.test", table);
                table.let_out(&home, ID).unwrap();
            })
        }),
        (
            Way::Outbound,
            Box::new(move |open, table| drop(say(open, table, 0, Input::Ask(home.clone())))),
        ),
    ];
    for (number, (way, begin)) in begins.iter().enumerate() {
        for (terms, ends) in
            [(at_homes(ONE, ONE), false), (at_homes(ONE, TWO), false), (at_homes(TWO, ONE), true)]
        {
            let (mut open, mut table) = at_home(*way);
            begin(&mut open, &mut table);
            let mut out = Vec::new();
            let told = open.handle(Input::Terms(terms), Duration::ZERO, &mut table, &mut out);
            let ended = told.err().map(|error| error.condition);
            assert_eq!(ended, ends.then_some(Condition::Reset), "{number}: {out:?}");
        }
    }
}

/// One server of ours cannot have others answered as domains that are at home elsewhere.
#[test]
fn nothing_is_returned_to_whom_the_stream_is_not_with() {
    for (apart, sender, is_returned) in [
        (true, "l.test", true),
        (true, "l2.test", false),
        (true, "stranger.test", false),
        // Of one server, every domain is its own.
        (false, "l2.test", true),
    ] {
        let (mut open, mut table) = at_home(Way::Inbound);
        let terms = at_homes(ONE, if apart { TWO } else { ONE });
        say(&mut open, &mut table, 0, Input::Terms(terms));
        table.prove(ID, domain("l.test"), Grounds::Configured);
        table.let_in(&pair("l.test", "a.test"), ID).unwrap();
        let stanza = Input::Frame(Frame::Stanza(message(sender, "x.test", "m1")));
        let out = say(&mut open, &mut table, 0, stanza);
        let returned = out.iter().any(|it| matches!(it, Action::Bounce(..)));
        assert_eq!(returned, is_returned, "{sender}: {out:?}");
    }
}

/// B-19, for several servers: what stays on one of them does not come by here; what goes from one
/// to another does.
#[test]
fn servers_of_ours_reach_each_other_and_never_themselves() {
    let (apart, together) = (at_homes(ONE, TWO), at_homes(ONE, ONE));
    let both = pair("l.test", "l2.test");
    for way in [Way::Inbound, Way::Outbound] {
        assert!(apart.allows(&both, way) && !together.allows(&both, way), "{way:?}");
        assert!(!apart.allows(&pair("l.test", "l.test"), way), "{way:?}");
    }
    let claim = || {
        let (part, word) = (Part::Result, Word::Request("00".into()));
        Input::Frame(Frame::Dialback(Dialback { part, pair: both.clone(), word }))
    };
    for (terms, is_refused) in [(apart, false), (together, true)] {
        let mut table = Table::default();
        table.open(ID, Side::Backend);
        let negotiated = Negotiated {
            way: Way::Inbound,
            stream: Some(StreamId("S1".into())),
            secured: false,
            presented: None,
            far: Far::default(),
            at: Duration::ZERO,
        };
        let mut open = Open::new(ID, terms, negotiated);
        let out = say(&mut open, &mut table, 0, claim());
        let refused = out.iter().any(|it| matches!(it, Action::Count(Violation::BackendTo)));
        assert_eq!(refused, is_refused, "{out:?}");
    }
}

/// E-18, F-51: whoever has shown less than is wanted today is let go; whoever has not, stays.
#[test]
fn pairs_on_weaker_grounds_than_are_asked_for_end() {
    let (mut open, mut table) = inbound(&["a.test", "b.test"]);
    table.prove(ID, domain("b.test"), grounds("b.test", Duration::from_secs(60)));
    let [weak, proven] = ["a.test", "b.test"].map(|sender| pair(sender, "l.test"));
    for pair in [&weak, &proven] {
        table.let_in(pair, ID).unwrap();
    }
    let out = say(&mut open, &mut table, 0, stricter());
    assert!(
        matches!(
            &out[..],
            [Action::Lost(pair, Way::Inbound, Loss::PeerBlocked), Action::Send(text)]
                if *pair == weak && text.contains("<policy-violation ")
        ),
        "{out:?}"
    );
    assert!(!table.has_entrance(&weak) && table.has_entrance(&proven));
}

/// a server of ours may want the opposite pair before it takes this one, so the proof counts from
/// when it is found; but only for as long as something may come of it.
#[test]
fn a_proof_counts_while_our_own_server_makes_up_its_mind() {
    let ways = ["l.test", "l2.test"].map(|target| pair("a.test", target));
    let (mut open, mut table) = inbound(&[]);
    for way in &ways {
        let key = Word::Request("00".into());
        let claim = Dialback { part: Part::Result, pair: way.clone(), word: key };
        say(&mut open, &mut table, 0, Input::Frame(Frame::Dialback(claim)));
    }
    assert!(!table.is_proven(ID, &domain("a.test")));
    let proven = Finding::Verdict(proof::proven_for("a.test", Duration::from_secs(60)));
    say(&mut open, &mut table, 0, Input::Found(domain("a.test").into(), proven));
    assert!(table.is_proven(ID, &domain("a.test")));
    for (way, still) in ways.iter().zip([true, false]) {
        let lost = Input::Reached(way.clone(), Err(Setback::Unreachable));
        let out = say(&mut open, &mut table, 0, lost);
        assert!(matches!(&out[..], [Action::Send(text)] if text.contains("'error'")), "{out:?}");
        assert_eq!(table.is_proven(ID, &domain("a.test")), still);
        assert!(!table.has_entrance(way));
    }
}

/// What was asked for before is not granted by terms that have changed meanwhile.
#[test]
fn nothing_is_granted_by_terms_of_old() {
    let way = pair("l.test", "a.test");
    let (mut open, mut table) = outbound();
    say(&mut open, &mut table, 0, Input::Ask(way.clone()));
    say(&mut open, &mut table, 0, without_l());
    let valid = Dialback { part: Part::Result, pair: way.reversed(), word: Word::Valid };
    let out = say(&mut open, &mut table, 0, Input::Frame(Frame::Dialback(valid)));
    assert!(out.iter().any(|it| matches!(it, Action::Tell(Tidings::Failed(..)))), "{out:?}");
    assert_eq!(table.exit(&way), None);

    let way = pair("a.test", "l.test");
    for (terms, error) in [(without_l(), "<item-not-found "), (stricter(), "<policy-violation ")] {
        let (mut open, mut table) = inbound(&[]);
        let key = Word::Request("00".into());
        let claim = Dialback { part: Part::Result, pair: way.clone(), word: key };
        say(&mut open, &mut table, 0, Input::Frame(Frame::Dialback(claim)));
        let reason = Reason { prooftype: None, finding: ligase_verifier::Finding::WrongName };
        let unproven = Finding::Verdict(Verdict::Unproven(reason));
        say(&mut open, &mut table, 0, Input::Found(domain("a.test").into(), unproven));
        say(&mut open, &mut table, 0, Input::Authority(way.clone(), Answer::Valid));
        say(&mut open, &mut table, 0, terms);
        let out = say(&mut open, &mut table, 0, Input::Reached(way.clone(), Ok(())));
        let [Action::Refused(refused, _), Action::Send(text)] = &out[..] else {
            panic!("{out:?}");
        };
        assert!(*refused == way && text.contains(error), "{out:?}");
        assert!(!table.has_entrance(&way));
    }
}

/// A peer may have been granted thousands of pairs, each with a stream to our own server.
#[test]
fn a_way_to_our_own_server_ends_soon_after_the_peer_it_was_for() {
    let (mut open, mut table) = outbound_to(Side::Backend, "l.test");
    let pair = pair("a.test", "l.test");
    let peer = ConnectionId(2);
    table.open(peer, Side::Public);
    table.prove(peer, domain("a.test"), Grounds::Dialback);
    table.let_in(&pair, peer).unwrap();
    table.let_out(&pair, ID).unwrap();

    let quiet = |seconds| Input::TimedOut { quiet: Duration::from_secs(seconds) };
    let out = say(&mut open, &mut table, 60, quiet(60));
    assert!(matches!(out.as_slice(), [Action::SetTimer(next)] if *next == UNUSED));
    let out = say(&mut open, &mut table, 870, quiet(870));
    assert!(matches!(out.as_slice(), [Action::SetTimer(next)] if next.as_secs() == 30));
    table.close(peer);
    let out = say(&mut open, &mut table, 900, quiet(59));
    assert!(matches!(out.as_slice(), [Action::SetTimer(_)]));
    let out = say(&mut open, &mut table, 960, quiet(60));
    assert!(matches!(out.as_slice(), [Action::Close(None)]));
}

/// E-18: what our own server does not take any more, nobody is to send; who shares the stream stays.
#[test]
fn a_pair_that_our_server_does_not_take_is_taken_back() {
    let (mut open, mut table) = inbound(&["a.test", "b.test"]);
    for sender in ["a.test", "b.test"] {
        table.let_in(&pair(sender, "l.test"), ID).unwrap();
    }
    let gone = pair("a.test", "l.test");
    let out = say(&mut open, &mut table, 0, Input::Withdraw(gone.clone()));
    let [Action::Lost(lost, Way::Inbound, Loss::HostRemoved), Action::Send(told)] = &out[..] else {
        panic!("{out:?}");
    };
    assert_eq!(*lost, gone);
    assert!(
        told.contains("not-authorized") && told.contains("from='l.test' to='a.test'"),
        "{told}"
    );
    assert_eq!(table.passage(&gone, ID), crate::binding::Passage::Forbidden);
    assert!(table.has_entrance(&pair("b.test", "l.test")));
    assert!(say(&mut open, &mut table, 1, Input::Withdraw(gone)).is_empty(), "it is gone already");
}

/// E-16: a refused stanza costs its pair the right on this connection; but the users of a peer can
/// write such errors too, and shall not keep us asking.
#[test]
fn a_refusal_takes_a_right_back_once_in_a_while() {
    let (mut open, mut table) = outbound();
    let (ours, theirs) = (pair("l.test", "a.test"), pair("a.test", "l.test"));
    open.set_bidi(Far { errors: true, bidi: true, dna: true, confirms: false }, &mut table);
    table.let_in(&theirs, ID).unwrap();
    let stanza = refusal("a.test", "l.test");
    for (at, heeded) in [(0, true), (5, false), (9, false), (11, true)] {
        table.let_out(&ours, ID).unwrap();
        let out = say(&mut open, &mut table, at, Input::Frame(stanza.clone()));
        let lost = out
            .iter()
            .any(|it| matches!(it, Action::Lost(pair, Way::Outbound, _) if *pair == ours));
        assert_eq!(lost, heeded, "after {at} s: {out:?}");
        assert_eq!(table.exit(&ours).is_none(), heeded, "after {at} s");
        // Whoever sent what was refused hears so in any case.
        assert!(out.iter().any(|it| matches!(it, Action::Hold(_) | Action::Forward(..))));
    }
}

/// The error by which a proxy refuses a stanza.
fn refusal(from: &str, to: &str) -> Frame {
    crate::tests::frame(&format!(
        "<message type='error' from='u@{from}' to='u@{to}'><error type='auth'>\
         <not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <invalid-connection xmlns='urn:x-ligase:dna:0'/></error></message>"
    ))
}

/// A user of our own server's who writes what proxies say to each other is not heard as one.
#[test]
fn our_own_users_refuse_nothing_in_our_name() {
    let (mut open, mut table) = outbound_to(Side::Backend, "l.test");
    open.set_bidi(Far { errors: true, bidi: true, dna: true, confirms: false }, &mut table);
    table.let_in(&pair("l.test", "a.test"), ID).unwrap();
    table.let_out(&pair("a.test", "l.test"), ID).unwrap();
    let out = say(&mut open, &mut table, 1, Input::Frame(refusal("l.test", "a.test")));
    assert!(matches!(out[..], [Action::Count(Violation::BackendProtocol)]), "{out:?}");
    assert!(table.exit(&pair("a.test", "l.test")).is_some());
    let quoted = "<message type='error' from='u@l.test' to='u@a.test'><error/></message>";
    let out = say(&mut open, &mut table, 1, Input::Frame(crate::tests::frame(quoted)));
    assert!(matches!(out[..], [Action::Hold(_) | Action::Forward(..)]), "{out:?}");
}

/// A key can be handed on by whoever stands between a domain and us, so what goes to the domain does
/// not leave by a stream that only a key speaks for (traps 17 and 34).
#[test]
fn a_key_does_not_bring_a_stream_what_goes_to_its_domain() {
    for dna in [false, true] {
        let (mut open, mut table) = inbound(&["a.test"]);
        open.set_bidi(Far { errors: true, bidi: true, dna, confirms: false }, &mut table);
        let (theirs, ours) = (pair("a.test", "l.test"), pair("l.test", "a.test"));
        assert!(open.grant(&theirs, &mut table, &mut Vec::new()));
        assert_eq!(table.exit(&ours), None);
        table.stand_by(&ours);
        assert_eq!(table.exit(&ours), None);
        // Asked for it, the stream has to show who is there.
        let out = say(&mut open, &mut table, 0, Input::Ask(ours.clone()));
        assert!(
            matches!(&out[..], [Action::Judge(Name::Service(it), _)] if it.as_str() == "a.test")
        );

        // Where the far end itself is proven, it is another matter.
        let Verdict::Proven(association) = proof::proven("a.test") else {
            panic!("a proof");
        };
        table.prove(ID, domain("a.test"), Grounds::Proven(association));
        open.grant_inverse(&theirs, &mut table, &mut Vec::new());
        assert_eq!(table.exit(&ours).is_some(), !dna, "who knows channels is asked");
        table.stand_by(&ours);
        assert_eq!(table.exit(&ours), Some(ID));
    }
}

fn claim(sender: &str, target: &str) -> Input {
    let (part, word) = (Part::Result, Word::Request("00".into()));
    Input::Frame(Frame::Dialback(Dialback { part, pair: pair(sender, target), word }))
}

fn answer(pair: &DomainPair, word: Word) -> Input {
    let (part, pair) = (Part::Result, pair.reversed());
    Input::Frame(Frame::Dialback(Dialback { part, pair, word }))
}

fn sent(actions: &[Action]) -> Vec<&str> {
    let sent = actions.iter().filter_map(|action| match action {
        Action::Send(text) => Some(text.as_str()),
        _ => None,
    });
    sent.collect()
}

/// N-09: no more is asked for at a time than the far end bears, everybody has a turn, and nobody two.
#[test]
fn who_asks_for_much_has_it_in_turn() {
    let (mut open, mut table) = outbound();
    let ways: Vec<_> = (0..20).map(|n| pair("l.test", &format!("{n}.a.test"))).collect();
    for way in &ways {
        table.prove(ID, way.target.clone(), Grounds::Dialback);
    }
    let asked: Vec<usize> = ways
        .iter()
        .flat_map(|way| [way, way])
        .map(|way| sent(&say(&mut open, &mut table, 0, Input::Ask(way.clone()))).len())
        .collect();
    // Whoever has been asked for may be asked for again; whoever stands in line stands there once.
    assert_eq!(asked.iter().take(32).sum::<usize>(), 32);
    assert_eq!(asked.iter().skip(32).sum::<usize>(), 0);
    for (number, way) in ways.iter().enumerate().take(6) {
        let word = if number % 2 == 0 { Word::Valid } else { Word::Error(None) };
        let mut said = say(&mut open, &mut table, 1, answer(way, word.clone()));
        said.extend(say(&mut open, &mut table, 1, answer(way, word)));
        let next: Vec<_> =
            ways.get(16 + number).map(|it| it.target.to_string()).into_iter().collect();
        let said: Vec<_> = sent(&said).into_iter().map(str::to_owned).collect();
        assert_eq!(said.len(), next.len(), "{number}: {said:?}");
        assert!(said.iter().zip(&next).all(|(said, next)| said.contains(next)), "{said:?}");
    }
}

/// P-13: behind our closing tag nothing is asked for; who wants a pair has to look elsewhere at once.
#[test]
fn nobody_waits_for_a_stream_that_we_are_leaving() {
    let (mut open, mut table) = outbound();
    say(&mut open, &mut table, 0, Input::Drain);
    let out = say(&mut open, &mut table, 0, Input::Ask(pair("l.test", "a.test")));
    assert!(matches!(&out[..], [Action::Tell(Tidings::Failed(_, Setback::Draining))]), "{out:?}");
}

/// E-05: most who say `invalid` end the stream with it, so no other pair is risked on it; who knows
/// channels does not, nor does who gives an error.
#[test]
fn an_invalid_key_is_taken_for_the_beginning_of_the_end() {
    for (word, dna, spares) in [
        (Word::Invalid, false, false),
        (Word::Invalid, true, true),
        (Word::Error(None), false, true),
        (Word::Error(None), true, true),
    ] {
        let (mut open, mut table) = outbound();
        open.far = Far { errors: true, dna, ..Far::default() };
        table.set_far(ID, open.far);
        let way = pair("l.test", "a.test");
        say(&mut open, &mut table, 0, Input::Ask(way.clone()));
        say(&mut open, &mut table, 0, answer(&way, word.clone()));
        assert_eq!(table.row(ID).unwrap().far.errors, spares, "{word:?} {dna}");
    }
}

/// P-10: a stream that came to nothing is not kept for as long as one that is of use.
#[test]
fn a_stream_waits_by_what_it_is_for() {
    let bounds = terms(Side::Public, Level::Any).bounds;
    for (word, patience) in [(Word::Valid, bounds.idle), (Word::Error(None), bounds.step)] {
        let (mut open, mut table) = outbound();
        let way = pair("l.test", "a.test");
        say(&mut open, &mut table, 0, Input::Ask(way.clone()));
        let out = say(&mut open, &mut table, 0, answer(&way, word));
        assert!(matches!(out.last(), Some(Action::SetTimer(it)) if *it == patience), "{out:?}");
    }
}

/// While somebody waits for a domain to be proven, or in line, the stream is not given up.
#[test]
fn a_stream_that_somebody_waits_for_is_not_given_up() {
    let (mut open, mut table) = outbound();
    assert!(matches!(
        say(&mut open.clone(), &mut table.clone(), 9, timed_out())[..],
        [Action::Close(None)]
    ));
    say(&mut open, &mut table, 0, Input::Ask(pair("l.test", "b.test")));
    let out = say(&mut open, &mut table, 9, timed_out());
    assert!(matches!(out[..], [Action::SetTimer(_)]), "{out:?}");
}

/// E-21: a forged key ends the stream, unless that would harm others who share it.
#[test]
fn a_forged_key_ends_a_stream_that_nobody_shares() {
    let reason = Reason { prooftype: None, finding: ligase_verifier::Finding::WrongName };
    for (other, is_granted, ends) in
        [(None, false, true), (Some("b.test"), false, false), (Some("b.test"), true, false)]
    {
        let (mut open, mut table) = inbound(&["b.test"]);
        if let Some(other) = other {
            match is_granted {
                true => table.let_in(&pair(other, "l.test"), ID).unwrap(),
                false => drop(say(&mut open, &mut table, 0, claim(other, "l.test"))),
            }
        }
        say(&mut open, &mut table, 0, claim("a.test", "l.test"));
        let unproven = Finding::Verdict(Verdict::Unproven(reason));
        say(&mut open, &mut table, 0, Input::Found(domain("a.test").into(), unproven));
        let forged = Input::Authority(pair("a.test", "l.test"), Answer::Invalid);
        let out = say(&mut open, &mut table, 0, forged);
        let closes = matches!(out.last(), Some(Action::Close(None)));
        assert_eq!(closes, ends, "{other:?} {is_granted}: {out:?}");
        let invalid = sent(&out).iter().any(|it| it.contains("type='invalid'"));
        assert_eq!(invalid, ends, "{out:?}");
    }
}

/// F-50: when a proof has ended, whoever still waits to be granted something by it is denied, and
/// nobody else is.
#[test]
fn a_proof_that_ended_grants_nothing_to_those_who_wait() {
    let (mut open, mut table) = inbound(&[]);
    let proven =
        |name: &str| Input::Found(domain(name).into(), Finding::Verdict(proof::proven(name)));
    for name in ["a.test", "b.test"] {
        say(&mut open, &mut table, 0, claim(name, "l.test"));
        say(&mut open, &mut table, 0, proven(name));
    }
    // That one is being judged anew, by what is published now.
    say(&mut open, &mut table, 0, claim("a.test", "l2.test"));
    let out = say(&mut open, &mut table, 0, renewed("a.test", mismatch()));
    let denied = sent(&out);
    assert!(
        matches!(&denied[..], [text] if text.contains("from='l.test' to='a.test' type='error'")),
        "{out:?}"
    );
    for (way, granted) in [(pair("a.test", "l.test"), false), (pair("b.test", "l.test"), true)] {
        say(&mut open, &mut table, 0, Input::Reached(way.clone(), Ok(())));
        assert_eq!(table.has_entrance(&way), granted, "{way}");
    }
    say(&mut open, &mut table, 0, proven("a.test"));
    say(&mut open, &mut table, 0, Input::Reached(pair("a.test", "l2.test"), Ok(())));
    assert!(table.has_entrance(&pair("a.test", "l2.test")));
}

/// our own server is told the cause by the end of the stream, where nobody else is on it.
#[test]
fn a_way_out_that_is_missing_ends_a_stream_that_nobody_shares() {
    for (other, ends) in [(false, true), (true, false)] {
        let mut table = Table::default();
        table.open(ID, Side::Backend);
        table.prove(ID, domain("l.test"), Grounds::Configured);
        let stream = Some(StreamId("S1".into()));
        let (way, far, at) = (Way::Inbound, Far::default(), Duration::ZERO);
        let with = Negotiated { way, stream, secured: true, presented: None, far, at };
        let mut open = Open::new(ID, Arc::new(terms(Side::Backend, Level::Any)), with);
        let targets = if other { &["a.test", "b.test"][..] } else { &["a.test"] };
        for target in targets {
            say(&mut open, &mut table, 0, claim("l.test", target));
        }
        let ours = Finding::OurServer(true);
        say(&mut open, &mut table, 0, Input::Found(domain("l.test").into(), ours));
        let mut out = Vec::new();
        let lost = Input::Reached(pair("l.test", "a.test"), Err(Setback::Unreachable));
        let result = open.handle(lost, Duration::ZERO, &mut table, &mut out);
        let told = result.err().map(|error| error.condition);
        assert_eq!(told, ends.then_some(Condition::RemoteConnectionFailed), "{out:?}");
        assert_eq!(sent(&out).len(), usize::from(other), "{out:?}");
    }
}

/// A domain stays proven for as long as anything rests on that, and no longer: a peer may have more
/// domains than anybody wants to hear from.
#[test]
fn a_domain_that_nothing_rests_on_is_forgotten() {
    type Rest = fn(&mut Open, &mut Table);
    let rests: [(Rest, bool); 9] = [
        (|_, _| (), false),
        (|open, table| drop(say(open, table, 0, claim("a.test", "l2.test"))), true),
        (|open, table| drop(say(open, table, 0, claim("b.test", "l2.test"))), false),
        (|_, table| table.let_in(&pair("a.test", "l2.test"), ID).unwrap(), true),
        (|_, table| table.let_in(&pair("b.test", "l2.test"), ID).unwrap(), false),
        (|_, table| table.let_out(&pair("l2.test", "a.test"), ID).unwrap(), true),
        (|_, table| table.let_out(&pair("l2.test", "b.test"), ID).unwrap(), false),
        (|open, table| drop(say(open, table, 0, Input::Ask(pair("l2.test", "a.test")))), true),
        (|open, table| drop(say(open, table, 0, Input::Ask(pair("l2.test", "b.test")))), false),
    ];
    for (number, (rest, stays)) in rests.into_iter().enumerate() {
        let (mut open, mut table) = inbound(&["b.test"]);
        open.set_bidi(Far { errors: true, bidi: true, dna: false, confirms: false }, &mut table);
        let way = pair("a.test", "l.test");
        say(&mut open, &mut table, 0, claim("a.test", "l.test"));
        let proven = Finding::Verdict(proof::proven("a.test"));
        say(&mut open, &mut table, 0, Input::Found(domain("a.test").into(), proven));
        rest(&mut open, &mut table);
        say(&mut open, &mut table, 0, Input::Reached(way, Err(Setback::Unreachable)));
        assert_eq!(table.is_proven(ID, &domain("a.test")), stays, "{number}");
        assert!(table.is_proven(ID, &domain("b.test")), "{number}");
    }
}

/// D-08: a server that proves its own name may speak to us, as itself and of nobody else.
#[test]
fn a_server_speaks_to_us_as_itself_and_of_nobody_else() {
    let name = || Name::Server(domain("mx.test"));
    let (mut open, mut table) = inbound(&["a.test"]);
    table.let_in(&pair("a.test", "l.test"), ID).unwrap();
    let ours = open.terms.server_name.clone();
    let ping = |sender: &str, target: &str| {
        let text = format!("<iq type='get' id='1' from='{sender}' to='{target}'/>");
        Input::Frame(crate::tests::frame(&text))
    };
    let answers = |open: &mut Open, table: &mut Table, sender: &str, target: &str| {
        let out = say(open, table, 0, ping(sender, target));
        !sent(&out).is_empty()
    };
    assert!(!answers(&mut open, &mut table, "mx.test", ours.as_str()));
    let refuted = Finding::Verdict(mismatch());
    say(&mut open, &mut table, 0, Input::Found(name(), refuted));
    assert!(!answers(&mut open, &mut table, "mx.test", ours.as_str()));
    let proven = Finding::Verdict(proof::proven("mx.test"));
    say(&mut open, &mut table, 0, Input::Found(name(), proven));
    assert_eq!(table.row(ID).unwrap().server, Some(domain("mx.test")));
    for (sender, target, answered) in [
        ("mx.test", ours.as_str(), true),
        ("mx.test", "l.test", false),
        ("a.test", ours.as_str(), false),
        ("b.test", ours.as_str(), false),
    ] {
        assert_eq!(answers(&mut open, &mut table, sender, target), answered, "{sender} {target}");
    }
}

/// E-16: only who knows channels can take a right back by refusing a stanza, and only by refusing one.
#[test]
fn no_other_stanza_takes_a_right_back() {
    let mark = "<error type='auth'><invalid-connection xmlns='urn:x-ligase:dna:0'/></error>";
    let refusal = format!("<message type='error' from='u@a.test' to='u@l.test'>{mark}</message>");
    let other = refusal.replace("invalid-connection", "gone");
    for (dna, text, lost) in [
        (true, &refusal, true),
        (true, &other, false),
        (false, &refusal, false),
        (false, &other, false),
    ] {
        let (mut open, mut table) = outbound();
        let ours = pair("l.test", "a.test");
        open.set_bidi(Far { errors: true, bidi: true, dna, confirms: false }, &mut table);
        table.let_in(&ours.reversed(), ID).unwrap();
        table.let_out(&ours, ID).unwrap();
        say(&mut open, &mut table, 0, Input::Frame(crate::tests::frame(text)));
        assert_eq!(table.exit(&ours).is_none(), lost, "{dna} {text}");
    }
}

/// E-17: what was on its way when the right was taken back is no offense, for a while, and where its
/// sender can be told.
#[test]
fn what_was_on_its_way_when_its_right_ended_is_no_offense() {
    let way = pair("a.test", "l.test");
    for (dna, exit, after, violation, is_told) in [
        (true, false, 10, Violation::PairRevoked, true),
        (false, true, 10, Violation::PairRevoked, true),
        (false, false, 10, Violation::PairUnauthorized, false),
        (true, true, 11, Violation::PairUnauthorized, false),
        (false, true, 11, Violation::PairUnauthorized, false),
    ] {
        let (mut open, mut table) = inbound(&["a.test"]);
        open.far.dna = dna;
        for target in ["l.test", "l2.test"] {
            table.let_in(&pair("a.test", target), ID).unwrap();
        }
        if exit {
            let other = ConnectionId(2);
            table.open(other, Side::Public);
            table.prove(other, domain("a.test"), Grounds::Dialback);
            table.let_out(&way.reversed(), other).unwrap();
        }
        say(&mut open, &mut table, 0, Input::Withdraw(way.clone()));
        let stray = Input::Frame(Frame::Stanza(message("a.test", "l.test", "1")));
        let out = say(&mut open, &mut table, after, stray);
        assert!(matches!(out.first(), Some(Action::Count(it)) if *it == violation), "{out:?}");
        assert_eq!(matches!(out.last(), Some(Action::Bounce(..))), is_told, "{out:?}");
    }
}

/// M03: the right pair on the wrong stream is told from what may not come this way at all.
#[test]
fn what_comes_the_wrong_way_is_told_from_what_comes_by_another() {
    for (bidi, elsewhere, violation) in [
        (false, false, Violation::PairInverse),
        (false, true, Violation::PairInverse),
        (true, false, Violation::PairInverse),
        (true, true, Violation::PairWrongConnection),
    ] {
        let (mut open, mut table) = outbound();
        open.far.bidi = bidi;
        if elsewhere {
            let other = ConnectionId(2);
            table.open(other, Side::Public);
            table.prove(other, domain("a.test"), Grounds::Dialback);
            table.let_in(&pair("a.test", "l.test"), other).unwrap();
        }
        let stray = Input::Frame(Frame::Stanza(message("a.test", "l.test", "1")));
        let out = say(&mut open, &mut table, 0, stray);
        assert!(
            matches!(out[..], [Action::Count(it)] if it == violation),
            "{bidi} {elsewhere}: {out:?}"
        );
    }
}

/// E-18: what stands on our own server's streams for a domain that it lost ends where it brings
/// stanzas, and stays where it is still to be told something.
#[test]
fn a_way_to_our_own_server_outlives_the_domain_and_a_way_from_it_does_not() {
    for (way, side, stays) in [
        (Way::Inbound, Side::Backend, false),
        (Way::Outbound, Side::Backend, true),
        (Way::Outbound, Side::Public, false),
    ] {
        let mut table = Table::default();
        table.open(ID, side);
        let (theirs, ours) = (domain("a.test"), domain("l.test"));
        let remote = if side == Side::Backend { &ours } else { &theirs };
        table.prove(ID, remote.clone(), Grounds::Configured);
        let stream = Some(StreamId("S1".into()));
        let (far, at) = (Far::default(), Duration::ZERO);
        let with = Negotiated { way, stream, secured: true, presented: None, far, at };
        let before = terms(side, Level::Any);
        let mut open = Open::new(ID, Arc::new(before.clone()), with);
        match (way, side) {
            (Way::Inbound, _) => table.let_in(&DomainPair::new(ours, theirs), ID).unwrap(),
            (Way::Outbound, Side::Backend) => {
                table.let_out(&DomainPair::new(theirs, ours), ID).unwrap();
            }
            (Way::Outbound, Side::Public) => {
                table.let_out(&DomainPair::new(ours, theirs), ID).unwrap();
            }
        }
        let l2 = crate::binding::Residents::of([domain("l2.test")], &crate::tests::home());
        let hosted = Arc::new(Hosted::Only(l2));
        let mut out = Vec::new();
        let new = Input::Terms(Arc::new(Terms { hosted, ..before }));
        let ended = open.handle(new, Duration::ZERO, &mut table, &mut out).is_err();
        assert_eq!(ended, !stays, "{way:?} {side:?}: {out:?}");
        let row = table.row(ID).unwrap();
        assert_eq!(row.is_authorized(), stays, "{way:?} {side:?}");
    }
}

/// E-18: who has proven itself in the clear has to come back when nothing may stay in the clear, and
/// nobody else.
#[test]
fn what_may_not_stay_in_the_clear_does_not() {
    let proof = || grounds("a.test", Duration::from_secs(60));
    for (secured, level, grounds, stays) in [
        (false, Level::Any, Grounds::Dialback, true),
        (false, Level::Any, proof(), true),
        (false, Level::Encrypted, Grounds::Dialback, false),
        (false, Level::Encrypted, proof(), false),
        (true, Level::Encrypted, Grounds::Dialback, true),
        (true, Level::Pkix, Grounds::Dialback, false),
        (true, Level::Pkix, proof(), true),
    ] {
        let (mut open, mut table) = inbound(&[]);
        open.secured = secured;
        open.terms = Arc::new(terms(Side::Public, Level::Any));
        table.prove(ID, domain("a.test"), grounds.clone());
        let way = pair("a.test", "l.test");
        table.let_in(&way, ID).unwrap();
        let mut out = Vec::new();
        let new = Input::Terms(Arc::new(terms(Side::Public, level)));
        let ended = open.handle(new, Duration::ZERO, &mut table, &mut out).is_err();
        assert_eq!(ended, !stays, "{secured} {level:?} {grounds:?}");
        assert_eq!(table.has_entrance(&way), stays, "{secured} {level:?} {grounds:?}");
    }
}

/// C-08: who should have been authorized long ago and is not may ask for no more; whoever was, or
/// whom we called ourselves, may.
#[test]
fn who_is_overdue_may_ask_for_no_more() {
    for (way, authorized, heard) in
        [(Way::Inbound, false, false), (Way::Inbound, true, true), (Way::Outbound, false, true)]
    {
        let (mut open, mut table) = match way {
            Way::Inbound => inbound(&["b.test"]),
            Way::Outbound => outbound(),
        };
        open.set_bidi(Far { errors: true, bidi: true, dna: true, confirms: false }, &mut table);
        open.terms = Arc::new(terms(Side::Public, Level::Any));
        let granted = pair("b.test", "l.test");
        if authorized {
            table.let_in(&granted, ID).unwrap();
        }
        say(&mut open, &mut table, 0, claim("c.test", "l.test"));
        // Whom we called may be waited for; that is not what this is about.
        open.wants.clear();
        say(&mut open, &mut table, 30, timed_out());
        if authorized {
            say(&mut open, &mut table, 31, Input::Withdraw(granted));
        }
        let out = say(&mut open, &mut table, 32, claim("d.test", "l.test"));
        let judged = out.iter().any(|it| matches!(it, Action::Judge(..)));
        assert_eq!(judged, heard, "{way:?} {authorized}: {out:?}");
    }
}

/// Whoever has granted us a pair may send as much as anybody who has one, where it may send at all.
#[test]
fn a_far_end_is_trusted_as_soon_as_it_may_send() {
    for bidi in [false, true] {
        let (mut open, mut table) = outbound();
        let far = Far { errors: true, bidi, dna: false, confirms: false };
        open.set_bidi(far, &mut table);
        let asked = pair("l.test", "a.test");
        say(&mut open, &mut table, 0, Input::Ask(asked.clone()));
        let answer = |word| {
            let pair = asked.reversed();
            Input::Frame(Frame::Dialback(Dialback { part: Part::Result, pair, word }))
        };
        let mut answered = |word| say(&mut open, &mut table, 1, answer(word));
        let is_trusted = |told: &[Action]| told.iter().any(|it| matches!(it, Action::Trust));
        let granted = answered(Word::Valid);
        assert_eq!(is_trusted(&granted), bidi, "{granted:?}");
        let repeated = answered(Word::Valid);
        assert!(!is_trusted(&repeated), "nobody asked: {repeated:?}");
        let comes = table.has_entrance(&asked.reversed());
        assert_eq!(comes, bidi);
    }
}

/// P-14: its sender hears that a stanza is too large, and nobody who shares the way does.
#[test]
fn a_stanza_that_has_grown_too_large_comes_back_by_itself() {
    let (mut open, mut table) = inbound(&["a.test"]);
    let comes = pair("a.test", "l.test");
    table.let_in(&comes, ID).unwrap();
    let limit = crate::tests::LIMITS.element;
    let mut said = |length: usize| {
        let around = "<message from='u@a.test' to='u@l.test'></message>".len();
        let body = "x".repeat(length - around);
        let stanza = format!("<message from='u@a.test' to='u@l.test'>{body}</message>");
        let frame = crate::tests::frame_behind(" xml:lang='en'", &stanza);
        say(&mut open, &mut table, 1, Input::Frame(frame))
    };
    let passes = said(limit - " xml:lang='en'".len());
    assert!(matches!(passes[..], [Action::Hold(_)]), "{}", passes.len());
    let comes_back = said(limit);
    assert!(
        matches!(comes_back[..], [Action::Bounce(_, crate::stream::StanzaError::TooLarge)]),
        "{}",
        comes_back.len()
    );
}
