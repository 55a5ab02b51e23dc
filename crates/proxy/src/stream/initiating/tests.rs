#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what a test does not look at is none of its business"
)]

use std::collections::{HashMap, HashSet};

use ligase_verifier::{Finding as Found, Reason, Verdict};

use super::*;
use crate::binding::{DomainPair, Level};
use crate::stream::{Authorization, Dialback, Features, Part, Unsecured, Word};
use crate::tests::walk::{ID, Place, Tally, Witness, stroll, walk};
use crate::tests::{domain, message, pair, proof, terms};

/// What may be said and told, by what happened before.
#[derive(Clone, Debug, Default)]
struct Seen {
    side: Option<Side>,
    secured: bool,
    judging: bool,
    /// Whether the far end was found to be whom we wanted, or policy lets dialback do.
    known: bool,
    /// EXTERNAL was asked for; and granted.
    auth: bool,
    success: bool,
    /// Requests by dialback whose answers are due on the stream as it is.
    requests: u32,
    /// The answer that came last, where one was due.
    valid: bool,
    told: bool,
    bound: bool,
}

impl Seen {
    fn learn(&mut self, input: &Input) {
        match input {
            Input::Secured(_) => self.secured = true,
            Input::Found(_, Finding::Verdict(verdict)) if self.judging => {
                self.judging = false;
                self.known = matches!(verdict, Verdict::Proven(_) | Verdict::Unproven(_));
            }
            Input::Frame(Frame::Success) => self.success |= self.auth,
            Input::Frame(Frame::Dialback(dialback)) => {
                let due = 0 < self.requests && dialback.pair == pair("a.test", "l.test");
                self.valid = due && dialback.word == Word::Valid;
                self.requests -= u32::from(due);
            }
            _ => (),
        }
    }

    fn check_sent(&mut self, text: &str) {
        let speaks = text.starts_with("<db:") || text.starts_with("<auth");
        if self.side == Some(Side::Public) && self.secured {
            // B-15: not a word for our domains before the far end is known, not even a header.
            assert!(self.known, "{text} before the certificate was judged");
        }
        assert!(self.secured || !text.starts_with("<auth"), "{text} in the clear");
        assert!(!(speaks && self.bound), "{text} though there is nothing to ask any more");
        self.auth |= text.starts_with("<auth");
        self.requests += u32::from(text.starts_with("<db:result"));
    }
}

impl Witness for Seen {
    fn see(&mut self, input: &Input, actions: &[Action], table: &Table) {
        self.learn(input);
        for action in actions {
            match action {
                Action::Judge(..) => self.judging = true,
                Action::Send(text) => self.check_sent(text),
                Action::Forward(..) | Action::Hold(_) => panic!("a stanza came in: {action:?}"),
                Action::Tell(Tidings::Bound(pair)) => {
                    let granted = self.success || self.valid;
                    assert!(granted, "bound by {input:?} though nobody granted it");
                    assert_eq!(table.exit(pair), Some(ID));
                    (self.told, self.bound) = (true, true);
                }
                Action::Tell(_) => (self.told, self.bound) = (true, false),
                Action::Close(_) => {
                    assert!(self.told, "closed by {input:?}, and whoever waits hears nothing");
                }
                _ => (),
            }
        }
        let lapsed = |finding: &Finding| !matches!(finding, Finding::Verdict(Verdict::Proven(_)));
        if matches!(input, Input::Renewed(_, finding) if lapsed(finding)) {
            let held = table.row(ID).is_some_and(|row| row.speaks_for(&domain("a.test")).is_some());
            assert!(!held, "{input:?} left what it took back");
        }
        let exits = table.row(ID).map_or(0, |row| row.exits.len());
        assert!(exits == 0 || self.bound, "an exit that nobody was told of");
    }
}

fn place(side: Side, level: Level, direct_tls: bool) -> Place<Initiating, Seen> {
    let mut table = Table::default();
    let errand = Errand::Carry(pair("l.test", "a.test"));
    let mut terms = terms(side, level);
    if side == Side::Backend {
        // To our own server we speak as everybody else.
        terms.hosted = Arc::new(crate::binding::Hosted::Ask);
    }
    let (machine, _) =
        Initiating::new(ID, Arc::new(terms), attempt(errand, direct_tls), &mut table);
    Place { machine, table, witness: Seen { side: Some(side), ..Seen::default() }, ended: false }
}

fn attempt(errand: Errand, direct_tls: bool) -> Attempt {
    Attempt { errand, rung: Rung::DomainName, server: None, direct_tls, better: false }
}

fn header(from: &str) -> Input {
    Input::Frame(Frame::Header(Header {
        from: Some(domain(from)),
        to: None,
        id: Some(StreamId("S1".into())),
        version_1: true,
    }))
}

fn features(external: bool) -> Input {
    Input::Frame(Frame::Features(Features {
        start_tls: true,
        external,
        dialback: true,
        errors: true,
        ..Features::default()
    }))
}

fn result(word: Word) -> Input {
    Input::Frame(Frame::Dialback(Dialback {
        part: Part::Result,
        pair: pair("a.test", "l.test"),
        word,
    }))
}

fn found(verdict: Verdict) -> Input {
    Input::Found(domain("a.test").into(), Finding::Verdict(verdict))
}

fn because(finding: Found) -> Reason {
    Reason { prooftype: None, finding }
}

fn secured() -> Input {
    Input::Secured(Some(proof::presented("a.test")))
}

#[track_caller]
fn check(place: &Place<Initiating, Seen>, inputs: &[Input], depth: u32) {
    let mut tally = Tally::default();
    walk(place, inputs, depth, &mut tally);
    assert!(0 < tally.bound && 0 < tally.closed, "led nowhere: {tally:?}");
    assert_eq!(tally.stanzas, 0);
}

#[test]
fn no_path_binds_what_the_far_end_did_not_grant() {
    let inputs = [
        secured(),
        found(proof::proven("a.test")),
        found(Verdict::Unproven(because(Found::WrongName))),
        header("a.test"),
        features(true),
        Input::Frame(Frame::Success),
        Input::Frame(Frame::SaslFailure),
        result(Word::Valid),
        result(Word::Invalid),
    ];
    check(&place(Side::Public, Level::Encrypted, true), &inputs, 8);
}

/// F-51: an exit ends with the proof that it rests on, and whoever waits hears of it.
#[test]
fn no_path_keeps_an_exit_whose_proof_has_ended() {
    let renewed = |verdict| Input::Renewed(domain("a.test").into(), Finding::Verdict(verdict));
    let inputs = [
        secured(),
        found(proof::proven("a.test")),
        header("a.test"),
        features(true),
        Input::Frame(Frame::Success),
        result(Word::Valid),
        renewed(proof::proven("a.test")),
        renewed(Verdict::Undetermined(because(Found::DnsFailure))),
        renewed(Verdict::Refuted(because(Found::TlsaMismatch))),
    ];
    check(&place(Side::Public, Level::Dna, true), &inputs, 7);
}

#[test]
fn no_path_says_anything_to_a_server_that_was_caught_out() {
    let inputs = [
        header("a.test"),
        features(false),
        Input::Frame(Frame::Proceed),
        secured(),
        found(proof::proven("a.test")),
        found(Verdict::Refuted(because(Found::TlsaMismatch))),
        found(Verdict::Undetermined(because(Found::DnsFailure))),
        result(Word::Valid),
        Input::TimedOut { quiet: Duration::from_secs(40) },
    ];
    check(&place(Side::Public, Level::Encrypted, false), &inputs, 8);
}

#[test]
fn no_path_in_the_clear_binds_what_was_not_granted() {
    let inputs = [
        header("a.test"),
        header("v.test"),
        Input::Frame(Frame::Features(Features { dialback: true, ..Features::default() })),
        Input::Frame(Frame::Success),
        result(Word::Valid),
        result(Word::Error(None)),
        Input::Repeat(pair("l.test", "a.test")),
        Input::Drain,
        Input::Frame(Frame::Stanza(message("a.test", "l.test", "1"))),
    ];
    check(&place(Side::Public, Level::Any, false), &inputs, 6);
}

#[test]
fn no_path_to_our_own_server_binds_what_was_not_granted() {
    let inputs = [
        header("a.test"),
        features(true),
        Input::Frame(Frame::Proceed),
        secured(),
        Input::Frame(Frame::Success),
        Input::Frame(Frame::SaslFailure),
        result(Word::Valid),
        Input::Frame(Frame::Close),
    ];
    check(&place(Side::Backend, Level::Any, false), &inputs, 8);
}

/// Who takes the offer of TLS out, or refuses it in the peer's name, is seen where we insist.
#[test]
fn tls_that_is_refused_is_counted_where_it_is_required() {
    let old = Input::Frame(Frame::Header(Header {
        from: Some(domain("a.test")),
        to: Some(domain("l.test")),
        id: Some(StreamId("S1".into())),
        version_1: false,
    }));
    let refused =
        [header("a.test"), features(true), Input::Frame(Frame::TlsFailure)].as_slice().to_vec();
    for (level, inputs, counted) in [
        (Level::Encrypted, refused.clone(), true),
        (Level::Any, refused, false),
        (Level::Encrypted, vec![old.clone()], true),
        (Level::Any, vec![old], false),
    ] {
        let Place { mut machine, mut table, .. } = place(Side::Public, level, false);
        let mut out = Vec::new();
        for input in inputs {
            machine.handle(input, Duration::ZERO, &mut table, &mut out);
        }
        let seen = out.iter().any(|it| matches!(it, Action::Count(Violation::StreamTlsRequired)));
        assert_eq!(seen, counted, "{level:?}: {out:?}");
    }
}

/// What is out of turn ends the stream, with word to whoever waits, and panics nowhere.
#[test]
fn no_path_of_odd_inputs_panics() {
    let claim = result(Word::Request("00".into()));
    let inputs = [
        header("a.test"),
        features(true),
        Input::Frame(Frame::Proceed),
        Input::Frame(Frame::TlsFailure),
        Input::Frame(Frame::StartTls),
        Input::Frame(Frame::Unknown),
        Input::Frame(Frame::Error(Some(Condition::HostUnknown))),
        Input::Frame(Frame::Close),
        Input::Frame(Frame::Auth(Authorization {
            mechanism: "EXTERNAL".into(),
            response: "=".into(),
        })),
        claim,
        result(Word::Unknown),
        secured(),
        Input::Secured(None),
        Input::NotSecured(Unsecured::Failed),
        found(proof::proven("a.test")),
        Input::Authority(pair("l.test", "a.test"), Answer::Valid),
        Input::Reached(pair("l.test", "a.test"), Ok(())),
        Input::Refuse(Condition::NotWellFormed.because("a test")),
        Input::Drain,
    ];
    for (level, direct_tls) in [(Level::Any, false), (Level::Encrypted, true)] {
        let mut tally = Tally::default();
        walk(&place(Side::Public, level, direct_tls), &inputs, 5, &mut tally);
        assert!(0 < tally.closed, "{tally:?}");
    }
}

/// Which pairs were asked for, and granted when they were.
#[derive(Clone, Debug, Default)]
struct Rights {
    due: HashMap<DomainPair, u32>,
    granted: HashSet<DomainPair>,
}

impl Witness for Rights {
    fn see(&mut self, input: &Input, actions: &[Action], table: &Table) {
        if let Input::Frame(Frame::Dialback(dialback)) = input {
            let pair = dialback.pair.reversed();
            let due = self.due.entry(pair.clone()).or_default();
            if 0 < *due && dialback.word == Word::Valid {
                self.granted.insert(pair);
            } else if dialback.word != Word::Valid {
                // Unasked or not, a "no" takes the right away (E-16).
                self.granted.remove(&pair);
            }
            *due = due.saturating_sub(1);
        }
        for action in actions {
            match action {
                Action::Send(text) => {
                    let words: Vec<_> = text.split('\'').collect();
                    assert!(text.starts_with("<db:result from='"), "{text}");
                    *self.due.entry(pair(words[1], words[3])).or_default() += 1;
                }
                Action::Tell(Tidings::Bound(pair)) => {
                    assert!(self.granted.contains(pair), "{pair} was not granted");
                }
                Action::Tell(Tidings::Failed(pair, Setback::TimedOut)) => {
                    self.due.remove(pair);
                }
                _ => (),
            }
        }
        for pair in table.row(ID).iter().flat_map(|row| &row.exits) {
            assert!(self.granted.contains(pair), "{pair} may leave by {input:?}");
        }
    }
}

#[test]
fn no_long_path_binds_what_the_far_end_did_not_grant() {
    let Place { mut machine, mut table, .. } = place(Side::Public, Level::Any, false);
    let mut begins = Vec::new();
    let no_tls = Features { dialback: true, ..Features::default() };
    for input in [header("a.test"), Input::Frame(Frame::Features(no_tls))] {
        machine.handle(input, Duration::ZERO, &mut table, &mut begins);
    }
    let mut witness = Rights::default();
    witness.due.insert(pair("l.test", "a.test"), 1);
    let place = Place { machine, table, witness, ended: false };
    let mut inputs = vec![
        Input::Found(domain("b.test").into(), Finding::Verdict(proof::proven("b.test"))),
        Input::Found(
            domain("b.test").into(),
            Finding::Verdict(Verdict::Unproven(because(Found::WrongName))),
        ),
        Input::TimedOut { quiet: Duration::ZERO },
    ];
    for (sender, target) in
        [("l.test", "a.test"), ("l2.test", "a.test"), ("l.test", "b.test"), ("l2.test", "b.test")]
    {
        inputs.extend([Input::Ask(pair(sender, target)), Input::Repeat(pair(sender, target))]);
        for word in [Word::Valid, Word::Valid, Word::Invalid, Word::Error(None)] {
            inputs.push(Input::Frame(Frame::Dialback(Dialback {
                part: Part::Result,
                pair: pair(target, sender),
                word,
            })));
        }
    }
    let mut tally = Tally::default();
    stroll(&place, &inputs, 3000, &mut tally);
    assert!(1000 < tally.bound, "{tally:?}");
}

#[test]
fn errands_end_when_they_are_done() {
    let mut table = Table::default();
    let terms = Arc::new(terms(Side::Backend, Level::Any));
    let errand = Errand::Look(pair("a.test", "l.test"));
    let (mut machine, first) = Initiating::new(ID, terms, attempt(errand, true), &mut table);
    assert!(
        matches!(first.last(), Some(Action::StartTls(Some(name))) if *name == domain("l.test"))
    );
    let mut out = Vec::new();
    for input in [secured(), header("l.test"), features(true)] {
        assert!(!out.iter().any(|it| matches!(it, Action::Tell(_) | Action::Close(_))), "{out:?}");
        machine.handle(input, Duration::ZERO, &mut table, &mut out);
    }
    let seen = proof::presented("a.test");
    let last: Vec<_> = out.iter().rev().take(2).collect();
    assert!(matches!(&last[1], Action::Tell(Tidings::Seen(shown)) if *shown == seen), "{out:?}");
    assert!(matches!(&last[0], Action::Close(None)));
    assert!(table.row(ID).is_none());
}

/// Whoever does not take our certificate is not taken by its own: it would have to ask about our
/// keys on the very stream that waits for it to have asked.
#[test]
fn who_does_not_take_ours_shows_nothing() {
    let mut table = Table::default();
    let terms = Arc::new(terms(Side::Backend, Level::Any));
    let errand = Errand::Look(pair("a.test", "l.test"));
    let (mut machine, _) = Initiating::new(ID, terms, attempt(errand, true), &mut table);
    let mut out = Vec::new();
    for input in [secured(), header("l.test"), features(false)] {
        machine.handle(input, Duration::ZERO, &mut table, &mut out);
    }
    let failed = |it: &Action| matches!(it, Action::Tell(Tidings::Failed(_, Setback::Sasl)));
    assert!(out.iter().any(failed), "{out:?}");
    assert!(!out.iter().any(|it| matches!(it, Action::Tell(Tidings::Seen(_)))), "{out:?}");
    assert!(table.row(ID).is_none());
}

#[test]
fn who_does_not_know_the_name_of_a_server_may_say_so_by_another_and_no_more() {
    let refusal = Frame::Error(Some(Condition::HostUnknown));
    let more = features(true);
    let silence = Input::TimedOut { quiet: Duration::from_secs(8) };
    let end = Input::Frame(Frame::Close);
    for (next, setback, closed) in [
        (Input::Frame(refusal), Setback::Stream(Some(Condition::HostUnknown)), None),
        (more, Setback::Broken(Condition::InvalidFrom), Some(Condition::InvalidFrom)),
        (silence, Setback::Broken(Condition::InvalidFrom), Some(Condition::InvalidFrom)),
        (end, Setback::Broken(Condition::InvalidFrom), Some(Condition::InvalidFrom)),
    ] {
        let mut table = Table::default();
        let errand = Errand::Carry(pair("l.test", "a.test"));
        let attempt = Attempt {
            rung: Rung::ServerName,
            server: Some(domain("xmpp.a.test")),
            ..attempt(errand, false)
        };
        let terms = Arc::new(terms(Side::Public, Level::Dna));
        let (mut machine, _) = Initiating::new(ID, terms, attempt, &mut table);
        let mut out = Vec::new();
        machine.handle(header("xmpp.hosting.test"), Duration::ZERO, &mut table, &mut out);
        assert!(out.is_empty(), "{out:?}");
        machine.handle(next, Duration::ZERO, &mut table, &mut out);
        let told = out.iter().find_map(|action| match action {
            Action::Tell(Tidings::Failed(_, setback)) => Some(setback.clone()),
            _ => None,
        });
        assert_eq!(told, Some(setback));
        let Some(Action::Close(error)) = out.last() else { panic!("{out:?}") };
        assert_eq!(error.as_ref().map(|error| error.condition), closed);
    }
}

/// What became of a stream that is opened with a certificate, told it is not believed, and then hears
/// this.
fn after_denial(side: Side, input: Input) -> Vec<Setback> {
    let mut place = place(side, Level::Encrypted, true);
    let inputs = [
        secured(),
        found(proof::proven("a.test")),
        header("a.test"),
        features(true),
        Input::Frame(Frame::SaslFailure),
        input,
    ];
    let mut out = Vec::new();
    for input in inputs {
        place.machine.handle(input, Duration::ZERO, &mut place.table, &mut out);
    }
    let told = out.into_iter().filter_map(|action| match action {
        Action::Tell(Tidings::Failed(_, setback)) => Some(setback),
        _ => None,
    });
    told.collect()
}

/// M-03: whoever answers our certificate with a failure may end the stream over it, before our key
/// has come or after.
#[test]
fn who_hangs_up_over_our_certificate_has_refused_it() {
    for (input, expect) in [
        (Input::Frame(Frame::Close), Setback::Sasl),
        (Input::Frame(Frame::Error(Some(Condition::PolicyViolation))), Setback::Sasl),
        // What is said of the key is not about the certificate.
        (result(Word::Invalid), Setback::Invalid),
    ] {
        assert_eq!(after_denial(Side::Public, input.clone()), [expect], "{input:?}");
    }
    assert_eq!(after_denial(Side::Public, result(Word::Valid)), []);
}

/// M-07: there are servers that answer as their domain, whoever was called.
#[test]
fn a_server_may_answer_as_its_domain() {
    for (from, answered) in
        [("xmpp.a.test", true), ("a.test", true), ("v.test", false), ("l.test", false)]
    {
        let mut table = Table::default();
        let attempt = Attempt {
            rung: Rung::ServerName,
            server: Some(domain("xmpp.a.test")),
            ..attempt(Errand::Carry(pair("l.test", "a.test")), false)
        };
        let terms = Arc::new(terms(Side::Public, Level::Encrypted));
        let (mut machine, mut out) = Initiating::new(ID, terms, attempt, &mut table);
        for input in [header(from), features(false)] {
            machine.handle(input, Duration::ZERO, &mut table, &mut out);
        }
        let goes_on =
            out.iter().any(|it| matches!(it, Action::Send(text) if text.starts_with("<starttls")));
        assert_eq!(goes_on, answered, "{from}");
    }
}

/// M-02: whoever does not go by the name of a server may say so, or hang up over it.
#[test]
fn a_handshake_that_came_to_nothing_tells_why() {
    for (server, why, expect) in [
        (true, Unsecured::Unrecognized, Setback::Unrecognized),
        (true, Unsecured::Left, Setback::Stream(None)),
        (true, Unsecured::Failed, Setback::Handshake),
        (false, Unsecured::Unrecognized, Setback::Unrecognized),
        (false, Unsecured::Left, Setback::Handshake),
        (false, Unsecured::Failed, Setback::Handshake),
    ] {
        let mut table = Table::default();
        let attempt = Attempt {
            server: server.then(|| domain("xmpp.a.test")),
            ..attempt(Errand::Carry(pair("l.test", "a.test")), true)
        };
        let terms = Arc::new(terms(Side::Public, Level::Encrypted));
        let (mut machine, _) = Initiating::new(ID, terms, attempt, &mut table);
        let mut out = Vec::new();
        machine.handle(Input::NotSecured(why), Duration::ZERO, &mut table, &mut out);
        let told = matches!(
            out.first(),
            Some(Action::Tell(Tidings::Failed(_, setback))) if *setback == expect
        );
        assert!(told, "{server} {why:?}: {out:?}");
    }
}

/// E-18: what a stream is for may not be ours any more before it is open; then nobody goes on with it.
/// What is looked at again that the far end was never taken for is no news.
#[test]
fn a_negotiation_goes_on_only_for_what_is_still_ours() {
    let pair = pair("l.test", "a.test");
    let carry = Errand::Carry(pair.clone());
    let verify = Errand::Verify(pair.reversed(), StreamId("S9".into()), "00".into());
    let ours = || Arc::new(terms(Side::Public, Level::Encrypted));
    let others = || {
        let mut terms = terms(Side::Public, Level::Encrypted);
        let l2 = crate::binding::Residents::of([domain("l2.test")], &crate::tests::home());
        terms.hosted = Arc::new(crate::binding::Hosted::Only(l2));
        Arc::new(terms)
    };
    let stranger = Input::Renewed(
        domain("b.test").into(),
        Finding::Verdict(Verdict::Refuted(because(Found::TlsaMismatch))),
    );
    for errand in [carry, verify] {
        for (input, goes_on) in [
            (Input::Terms(ours()), true),
            (Input::Terms(others()), false),
            (stranger.clone(), true),
        ] {
            let mut table = Table::default();
            let attempt = attempt(errand.clone(), false);
            let (mut machine, _) = Initiating::new(ID, ours(), attempt, &mut table);
            let mut out = Vec::new();
            machine.handle(input.clone(), Duration::ZERO, &mut table, &mut out);
            assert_eq!(table.row(ID).is_some(), goes_on, "{errand:?} {input:?}: {out:?}");
            assert_eq!(out.is_empty(), goes_on, "{out:?}");
        }
    }
}

/// What is said and told by a stream over TLS to a.test, which offers this and says that then.
fn offered(
    attempt: Attempt,
    terms: Terms,
    features: Features,
    then: impl IntoIterator<Item = Input>,
) -> (Vec<Action>, Table) {
    let mut table = Table::default();
    let (mut machine, mut out) = Initiating::new(ID, Arc::new(terms), attempt, &mut table);
    let features = Input::Frame(Frame::Features(features));
    let inputs = [secured(), found(proof::proven("a.test")), header("a.test"), features];
    for input in inputs.into_iter().chain(then) {
        machine.handle(input, Duration::ZERO, &mut table, &mut out);
    }
    (out, table)
}

fn says(out: &[Action], begin: &str) -> bool {
    out.iter().any(|it| matches!(it, Action::Send(text) if text.starts_with(begin)))
}

/// XEP-0288 §2.2: what comes the other way is taken only where both ends have said that it may.
#[test]
fn both_directions_are_wanted_by_both_or_not_had() {
    for (theirs, ours) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut terms = terms(Side::Public, Level::Encrypted);
        terms.channels.bidi = ours;
        let features = Features { bidi: theirs, external: true, ..Features::default() };
        let attempt = attempt(Errand::Carry(pair("l.test", "a.test")), true);
        let (out, table) = offered(attempt, terms, features, []);
        let both = theirs && ours;
        assert_eq!(says(&out, "<bidi"), both, "{theirs} {ours}: {out:?}");
        assert_eq!(table.row(ID).unwrap().far.bidi, both, "{theirs} {ours}");
    }
}

/// Draft §7: a certificate of the sender's own is tried where ours would not do, and only then.
#[test]
fn the_senders_own_certificate_comes_after_ours() {
    for (rung, external, better, goes_on) in [
        (Rung::DomainName, false, true, false),
        (Rung::DomainName, true, true, true),
        (Rung::DomainName, false, false, true),
        (Rung::SenderCertificate, false, true, true),
        (Rung::SenderCertificate, true, true, true),
        (Rung::Dialback, false, true, true),
    ] {
        let errand = Errand::Carry(pair("l.test", "a.test"));
        let attempt = Attempt { rung, better, ..attempt(errand, true) };
        let features = Features { external, dialback: true, ..Features::default() };
        let (out, table) = offered(attempt, terms(Side::Public, Level::Encrypted), features, []);
        assert_eq!(table.row(ID).is_some(), goes_on, "{rung:?} {external} {better}: {out:?}");
        let gave_up = |it: &Action| matches!(it, Action::Tell(Tidings::Failed(_, Setback::Sasl)));
        assert_eq!(out.iter().any(gave_up), !goes_on, "{out:?}");
        assert_eq!(says(&out, "<auth"), goes_on && external, "{out:?}");
    }
}

/// RFC 7590 §3.1: TLS is asked for wherever we can, offered or not, but on the rung that does without.
#[test]
fn tls_is_asked_for_but_on_the_last_rung() {
    for (tls, rung, start_tls, asked) in [
        (true, Rung::DomainName, true, true),
        (true, Rung::DomainName, false, false),
        (true, Rung::Plain, true, false),
        (false, Rung::DomainName, true, false),
        (false, Rung::Plain, true, false),
    ] {
        let mut table = Table::default();
        let errand = Errand::Carry(pair("l.test", "a.test"));
        let attempt = Attempt { rung, ..attempt(errand, false) };
        let terms = Arc::new(Terms { tls, ..terms(Side::Public, Level::Any) });
        let (mut machine, mut out) = Initiating::new(ID, terms, attempt, &mut table);
        let features = Frame::Features(Features { start_tls, ..Features::default() });
        for input in [header("a.test"), Input::Frame(features)] {
            machine.handle(input, Duration::ZERO, &mut table, &mut out);
        }
        assert_eq!(says(&out, "<starttls"), asked, "{tls} {rung:?} {start_tls}: {out:?}");
        assert_eq!(says(&out, "<db:result"), !asked, "{tls} {rung:?} {start_tls}: {out:?}");
    }
}

/// Who has said once what it understands need not say it again when it has let us in.
#[test]
fn what_the_far_end_understands_is_kept() {
    for (errors, dna) in [(true, false), (false, true), (true, true), (false, false)] {
        let features = Features { external: true, errors, dna, ..Features::default() };
        let attempt = attempt(Errand::Carry(pair("l.test", "a.test")), true);
        let again = Input::Frame(Frame::Features(Features::default()));
        let then = [Input::Frame(Frame::Success), header("a.test"), again];
        let (_, table) = offered(attempt, terms(Side::Public, Level::Encrypted), features, then);
        let far = table.row(ID).unwrap().far;
        assert_eq!((far.errors, far.dna), (errors, dna));
    }
}

/// E-20: an answer about another pair, or about a key for another stream, is none to what we asked:
/// whoever could have it taken for one could shut a peer out.
#[test]
fn an_answer_about_another_key_is_no_answer() {
    let question = pair("a.test", "l.test");
    let id = |text: &str| StreamId(text.into());
    for word in [Word::Valid, Word::Invalid, Word::Error(None)] {
        for (pair, part, ours) in [
            (question.clone(), Part::Verify(id("S9")), true),
            (question.reversed(), Part::Verify(id("S9")), false),
            (pair("b.test", "l.test"), Part::Verify(id("S9")), false),
            (question.clone(), Part::Verify(id("S8")), false),
            (question.clone(), Part::Result, false),
        ] {
            let errand = Errand::Verify(question.clone(), id("S9"), "00".into());
            let features = Features { dialback: true, ..Features::default() };
            let answer = Dialback { part, pair, word: word.clone() };
            let (attempt, then) = (attempt(errand, true), [Input::Frame(Frame::Dialback(answer))]);
            let (out, _) = offered(attempt, terms(Side::Public, Level::Encrypted), features, then);
            let told = out.iter().any(|it| matches!(it, Action::Tell(Tidings::Verified(_))));
            assert_eq!(told, ours, "{word:?}: {out:?}");
            let counted = |it: &Action| matches!(it, Action::Count(Violation::DialbackUnsolicited));
            assert_eq!(out.iter().any(counted), !ours, "{out:?}");
        }
    }
}
