#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what a test does not look at is none of its business"
)]

use std::collections::BTreeSet;

use ligase_verifier::{Finding as Found, Reason, Verdict};

use super::*;
use crate::binding::{Finding, Grounds, Hosted, Level, Mode};
use crate::stream::{
    Answer, Authorization, Denial, Dialback, Part, Setback, Tidings, Unsecured, Word,
};
use crate::tests::walk::{ID, Place, Tally, Witness, grants, stroll, walk};
use crate::tests::{domain, message, pair, proof, terms};

/// What may pass, by what was asked, and answered to a question.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// Questions about names, about keys, about ways out, that are open.
    judging: BTreeSet<Domain>,
    asking: BTreeSet<DomainPair>,
    reaching: BTreeSet<DomainPair>,
    /// Answers that were good.
    proven: BTreeSet<Domain>,
    confirmed: BTreeSet<DomainPair>,
    reached: BTreeSet<DomainPair>,
}

impl Seen {
    fn may_pass(&self, pair: &DomainPair) -> bool {
        let proven = self.proven.contains(&pair.sender) || self.confirmed.contains(pair);
        proven && self.reached.contains(pair)
    }

    fn refute(&mut self, domain: &Domain) {
        self.proven.remove(domain);
        self.confirmed.retain(|pair| pair.sender != *domain);
    }

    /// Takes an answer for what it is worth: nothing, where nobody asked.
    fn learn(&mut self, input: &Input) {
        match input {
            Input::Secured(_) => *self = Self::default(),
            Input::Found(Name::Service(domain), finding) if self.judging.remove(domain) => {
                match finding {
                    Finding::Verdict(Verdict::Proven(_)) | Finding::OurServer(true) => {
                        self.proven.insert(domain.clone());
                    }
                    // What was proven once stands until it is refuted, or its key is.
                    Finding::Verdict(Verdict::Refuted(_)) => self.refute(domain),
                    Finding::Verdict(_) | Finding::OurServer(false) => (),
                }
            }
            // Where nothing holds any more, nothing stands.
            Input::Renewed(Name::Service(domain), Finding::Verdict(verdict))
                if !matches!(verdict, Verdict::Proven(_)) =>
            {
                self.refute(domain);
            }
            Input::Authority(pair, Answer::Valid) if self.asking.remove(pair) => {
                self.confirmed.insert(pair.clone());
            }
            Input::Authority(pair, Answer::Invalid) if self.asking.remove(pair) => {
                self.confirmed.remove(pair);
                self.reached.remove(pair);
            }
            Input::Reached(pair, Ok(())) if self.reaching.remove(pair) => {
                self.reached.insert(pair.clone());
            }
            _ => (),
        }
    }
}

impl Witness for Seen {
    fn see(&mut self, input: &Input, actions: &[Action], table: &Table) {
        self.learn(input);
        let mut bound = BTreeSet::new();
        for action in actions {
            match action {
                Action::Judge(name, _) => {
                    self.judging.insert(name.domain().clone());
                }
                Action::AskAuthority(pair, ..) => {
                    self.asking.insert(pair.clone());
                }
                Action::Reach(pair) => {
                    self.reaching.insert(pair.clone());
                }
                Action::Forward(_, stanza) | Action::Hold(stanza) => {
                    assert!(self.may_pass(&stanza.pair), "{} passes unproven", stanza.pair);
                }
                Action::Tell(Tidings::Bound(pair)) => {
                    bound.insert(pair.clone());
                }
                // Bind, then answer (E-12).
                Action::Send(text) if grants(text) => {
                    assert!(!bound.is_empty(), "{text} before anything was bound");
                }
                _ => (),
            }
        }
        let row = table.row(ID);
        for pair in bound.iter().filter(|_| row.is_some()) {
            assert!(row.unwrap().entrances.contains(pair), "{pair} was granted, not bound");
        }
        for pair in row.iter().flat_map(|row| &row.entrances) {
            assert!(self.may_pass(pair), "{pair} was let in unproven after {input:?}");
        }
    }
}

/// A stream from its first byte, with a way out for everything.
fn place(side: Side, level: Level, direct_tls: bool) -> Place<Receiving, Seen> {
    let mut table = Table::default();
    let way_out = ConnectionId(2);
    table.open(way_out, side.other());
    for target in ["l.test", "a.test"] {
        table.prove(way_out, domain(target), Grounds::Configured);
        for sender in ["a.test", "b.test", "l.test"] {
            table.let_out(&pair(sender, target), way_out).unwrap();
        }
    }
    let terms = Arc::new(terms(side, level));
    let ids = Ids::seeded([1; 32]);
    let (machine, _) = Receiving::new(ID, terms, ids, direct_tls, &mut table);
    Place { machine, table, witness: Seen::default(), ended: false }
}

fn header(from: &str, to: &str) -> Input {
    Input::Frame(Frame::Header(Header {
        from: Some(domain(from)),
        to: Some(domain(to)),
        id: None,
        version_1: true,
    }))
}

fn claim(sender: &str, target: &str) -> Input {
    Input::Frame(Frame::Dialback(Dialback {
        part: Part::Result,
        pair: pair(sender, target),
        word: Word::Request("00".into()),
    }))
}

fn stanza(sender: &str, target: &str) -> Input {
    Input::Frame(Frame::Stanza(message(sender, target, "1")))
}

fn auth() -> Input {
    Input::Frame(Frame::Auth(Authorization { mechanism: "EXTERNAL".into(), response: "=".into() }))
}

fn secured() -> Input {
    Input::Secured(Some(proof::presented("a.test")))
}

fn proven(name: &str) -> Input {
    Input::Found(domain(name).into(), Finding::Verdict(proof::proven(name)))
}

fn unproven(name: &str) -> Input {
    let reason = Reason { prooftype: None, finding: Found::WrongName };
    Input::Found(domain(name).into(), Finding::Verdict(Verdict::Unproven(reason)))
}

fn refuted(name: &str) -> Input {
    let reason = Reason { prooftype: None, finding: Found::TlsaMismatch };
    Input::Found(domain(name).into(), Finding::Verdict(Verdict::Refuted(reason)))
}

fn renewed(name: &str, verdict: Verdict) -> Input {
    Input::Renewed(domain(name).into(), Finding::Verdict(verdict))
}

fn unknown() -> Verdict {
    Verdict::Undetermined(Reason { prooftype: None, finding: Found::DnsFailure })
}

fn reached(sender: &str, target: &str) -> Input {
    Input::Reached(pair(sender, target), Ok(()))
}

fn answered(sender: &str, target: &str, answer: Answer) -> Input {
    Input::Authority(pair(sender, target), answer)
}

fn timed_out() -> Input {
    Input::TimedOut { quiet: Duration::from_secs(1000) }
}

/// Walks, and checks that it led somewhere.
#[track_caller]
fn check(place: &Place<Receiving, Seen>, inputs: &[Input], depth: u32) {
    let mut tally = Tally::default();
    walk(place, inputs, depth, &mut tally);
    let Tally { steps, stanzas, grants, bound, closed } = tally;
    let rarest = [stanzas, grants, bound, closed].into_iter().min();
    assert!(Some(0) < rarest, "led nowhere in {steps} steps");
}

#[test]
fn no_path_over_tls_lets_a_stanza_past_an_unproven_pair() {
    let inputs = [
        secured(),
        header("a.test", "l.test"),
        proven("a.test"),
        unproven("a.test"),
        refuted("a.test"),
        claim("a.test", "l.test"),
        auth(),
        reached("a.test", "l.test"),
        stanza("a.test", "l.test"),
    ];
    check(&place(Side::Public, Level::Encrypted, true), &inputs, 8);
}

/// F-51: what was proven once is worth nothing when it is not proven any more.
#[test]
fn no_path_lets_a_stanza_past_a_proof_that_has_ended() {
    let inputs = [
        secured(),
        header("a.test", "l.test"),
        proven("a.test"),
        claim("a.test", "l.test"),
        auth(),
        reached("a.test", "l.test"),
        renewed("a.test", proof::proven("a.test")),
        renewed("a.test", unknown()),
        renewed("b.test", unknown()),
        stanza("a.test", "l.test"),
    ];
    check(&place(Side::Public, Level::Dna, true), &inputs, 7);
}

#[test]
fn no_path_in_the_clear_lets_a_stanza_past_an_unproven_pair() {
    let inputs = [
        header("a.test", "l.test"),
        claim("a.test", "l.test"),
        unproven("a.test"),
        refuted("a.test"),
        answered("a.test", "l.test", Answer::Valid),
        answered("a.test", "l.test", Answer::Invalid),
        reached("a.test", "l.test"),
        stanza("a.test", "l.test"),
    ];
    check(&place(Side::Public, Level::Any, false), &inputs, 8);
}

/// Who asks for a pair without TLS, and who comes from before there was any, show too little.
#[test]
fn whoever_does_without_tls_shows_less_than_is_asked() {
    let barred = |level, inputs: &[Input]| {
        let Place { mut machine, mut table, .. } = place(Side::Public, level, false);
        let mut out = Vec::new();
        for input in inputs {
            machine.handle(input.clone(), Duration::ZERO, &mut table, &mut out);
        }
        let levels = out.into_iter().filter_map(|action| match action {
            Action::Barred(level) => Some(level),
            _ => None,
        });
        levels.collect::<Vec<_>>()
    };
    let Input::Frame(Frame::Header(now)) = header("a.test", "l.test") else {
        panic!("no header");
    };
    let of_old = Input::Frame(Frame::Header(Header { version_1: false, ..now }));
    let claims = [header("a.test", "l.test"), claim("a.test", "l.test")];
    for level in [Level::Encrypted, Level::Pkix, Level::Dna] {
        assert_eq!(barred(level, std::slice::from_ref(&of_old)), [level]);
        assert_eq!(barred(level, &claims), [level]);
    }
    assert_eq!(barred(Level::Any, std::slice::from_ref(&of_old)), []);
    assert_eq!(barred(Level::Any, &claims), []);
}

#[test]
fn no_path_through_starttls_keeps_what_was_granted_before() {
    let inputs = [
        header("a.test", "l.test"),
        claim("a.test", "l.test"),
        unproven("a.test"),
        answered("a.test", "l.test", Answer::Valid),
        reached("a.test", "l.test"),
        Input::Frame(Frame::StartTls),
        secured(),
        stanza("a.test", "l.test"),
    ];
    check(&place(Side::Public, Level::Any, false), &inputs, 9);
}

#[test]
fn no_path_confuses_two_senders_on_one_stream() {
    let mut place = place(Side::Public, Level::Dna, true);
    let mut tally = Tally::default();
    let begin = [secured(), header("a.test", "l.test"), unproven("a.test")];
    for input in begin {
        let mut out = Vec::new();
        place.machine.handle(input.clone(), Duration::ZERO, &mut place.table, &mut out);
        place.witness.see(&input, &out, &place.table);
    }
    let inputs = [
        claim("a.test", "l.test"),
        claim("b.test", "l.test"),
        proven("a.test"),
        refuted("b.test"),
        refuted("a.test"),
        reached("a.test", "l.test"),
        reached("b.test", "l.test"),
        stanza("a.test", "l.test"),
        stanza("b.test", "l.test"),
    ];
    walk(&place, &inputs, 6, &mut tally);
    assert!(0 < tally.stanzas && 0 < tally.grants, "{tally:?}");
}

#[test]
fn no_path_from_our_own_server_carries_another_sender() {
    let inputs = [
        header("l.test", "a.test"),
        claim("l.test", "a.test"),
        claim("b.test", "a.test"),
        Input::Found(domain("l.test").into(), Finding::OurServer(true)),
        Input::Found(domain("l.test").into(), Finding::OurServer(false)),
        answered("l.test", "a.test", Answer::Valid),
        reached("l.test", "a.test"),
        stanza("l.test", "a.test"),
        stanza("b.test", "a.test"),
    ];
    check(&place(Side::Backend, Level::Any, false), &inputs, 7);
}

#[test]
fn no_path_says_anything_behind_our_closing_tag() {
    let inputs = [
        secured(),
        header("a.test", "l.test"),
        proven("a.test"),
        claim("a.test", "l.test"),
        reached("a.test", "l.test"),
        stanza("a.test", "l.test"),
        Input::Drain,
        timed_out(),
        auth(),
        Input::Frame(Frame::StartTls),
        Input::Frame(Frame::Close),
    ];
    check(&place(Side::Public, Level::Encrypted, true), &inputs, 7);
}

/// What is out of turn closes the stream and panics nowhere, whatever came before.
#[test]
fn no_path_of_odd_inputs_panics() {
    let frames = [
        Frame::Features(crate::stream::Features::default()),
        Frame::Proceed,
        Frame::TlsFailure,
        Frame::Success,
        Frame::SaslFailure,
        Frame::Unknown,
        Frame::Error(None),
    ];
    let mut inputs: Vec<_> = frames.into_iter().map(Input::Frame).collect();
    inputs.extend([
        header("a.test", "l.test"),
        secured(),
        Input::NotSecured(Unsecured::Failed),
        proven("a.test"),
        claim("a.test", "l.test"),
        auth(),
        Input::Ask(pair("l.test", "a.test")),
        Input::Repeat(pair("l.test", "a.test")),
        Input::Refuse(Condition::NotWellFormed.because("a test")),
        timed_out(),
        Input::Drain,
    ]);
    for direct_tls in [false, true] {
        let mut tally = Tally::default();
        let place = place(Side::Public, Level::Any, direct_tls);
        walk(&place, &inputs, 4, &mut tally);
        assert!(0 < tally.closed && tally.stanzas == 0, "{tally:?}");
    }
}

/// Long paths, on which pairs are granted, taken back and granted again.
#[test]
fn no_long_path_lets_a_stanza_past_an_unproven_pair() {
    let mut inputs = Vec::new();
    for name in ["a.test", "b.test"] {
        inputs.extend([claim(name, "l.test"), claim(name, "l2.test")]);
        inputs.extend([stanza(name, "l.test"), stanza(name, "l2.test")]);
        inputs.extend([proven(name), proven(name), unproven(name), refuted(name)]);
        inputs.push(renewed(name, proof::proven(name)));
        for target in ["l.test", "l2.test"] {
            inputs.extend([
                answered(name, target, Answer::Valid),
                answered(name, target, Answer::Invalid),
                reached(name, target),
                reached(name, target),
                Input::Reached(pair(name, target), Err(Setback::Unreachable)),
            ]);
        }
    }
    inputs.extend([auth(), Input::TimedOut { quiet: Duration::ZERO }]);
    inputs.push(renewed("b.test", unknown()));
    let mut tally = Tally::default();
    for begins in [&[secured(), header("a.test", "l.test")][..], &[header("b.test", "l2.test")]] {
        let mut place = place(Side::Public, Level::Any, begins.len() == 2);
        for input in begins {
            let mut out = Vec::new();
            place.machine.handle(input.clone(), Duration::ZERO, &mut place.table, &mut out);
            place.witness.see(input, &out, &place.table);
        }
        stroll(&place, &inputs, 10_000, &mut tally);
    }
    let Tally { stanzas, grants, closed, .. } = tally;
    let rarest = [stanzas, grants, closed].into_iter().min();
    assert!(Some(200) < rarest, "{tally:?}");
}

#[test]
fn a_closed_stream_is_silent_however_much_is_said() {
    let mut place = place(Side::Public, Level::Encrypted, false);
    let mut out = Vec::new();
    let (machine, table) = (&mut place.machine, &mut place.table);
    machine.handle(Input::Frame(Frame::Close), Duration::ZERO, table, &mut out);
    assert!(matches!(out.last(), Some(Action::Close(None))), "{out:?}");
    out.clear();
    for _ in 0..100 {
        machine.handle(stanza("a.test", "l.test"), Duration::ZERO, table, &mut out);
    }
    assert!(out.is_empty(), "{out:?}");
}

#[test]
fn what_comes_early_is_bounded() {
    let mut place = place(Side::Public, Level::Encrypted, true);
    let mut out = Vec::new();
    let mut heard = 0;
    let (machine, table) = (&mut place.machine, &mut place.table);
    for input in [secured(), header("a.test", "l.test")] {
        machine.handle(input, Duration::ZERO, table, &mut out);
    }
    while table.row(ID).is_some() {
        machine.handle(stanza("a.test", "l.test"), Duration::ZERO, table, &mut out);
        heard += 1;
        assert!(heard < 100, "there is no end to what is kept");
    }
    // The header was the first element.
    assert_eq!(heard, crate::tests::BOUNDS.preauth_elements_max);
}

/// A stream that has come this far.
fn after(side: Side, terms: &Terms, inputs: &[Input]) -> (Receiving, Table) {
    let mut table = Table::default();
    let terms = Arc::new(terms.clone());
    let (mut machine, _) = Receiving::new(ID, terms, Ids::seeded([1; 32]), true, &mut table);
    assert_eq!(table.row(ID).unwrap().side, side);
    for input in inputs {
        say(&mut machine, &mut table, input.clone());
    }
    (machine, table)
}

fn say(machine: &mut Receiving, table: &mut Table, input: Input) -> Vec<Action> {
    let mut out = Vec::new();
    machine.handle(input, Duration::ZERO, table, &mut out);
    out
}

/// By whose word a stream was closed.
fn ended(actions: &[Action]) -> Option<&StreamError> {
    match actions.last() {
        Some(Action::Close(error)) => error.as_ref(),
        _ => None,
    }
}

/// Terms by which streams between servers are taken, too, and these domains are ours.
fn with_servers(side: Side, homes: &[(&str, &str)]) -> Terms {
    let residents = homes
        .iter()
        .map(|(name, home)| (domain(name), home.parse::<std::net::SocketAddr>().unwrap().into()));
    let mut terms = terms(side, Level::Encrypted);
    terms.hosted = Arc::new(Hosted::Only(residents.collect()));
    terms.channels.server_names = true;
    terms.channels.bidi = true;
    terms
}

/// E-18: whoever is in the midst of proving who it is when the operator changes his mind is held to
/// what the operator wants now, before anything is granted.
#[test]
fn terms_that_come_during_the_negotiation_are_heeded_at_once() {
    const ONE: &str = "192.0.2.1:5269";
    const TWO: &str = "192.0.2.2:5269";
    let server = |name: &str| {
        Input::Found(Name::Server(domain(name)), Finding::Verdict(proof::proven(name)))
    };
    let before = [("l.test", ONE), ("l2.test", ONE)];
    let judged = [secured(), header("a.test", "l.test")];
    let admitted = [secured(), header("a.test", "l.test"), proven("a.test"), auth()];
    let to_us = [secured(), header("a.test", "ligase.test")];
    let known = [secured(), header("a.test", "ligase.test"), server("a.test"), auth()];
    let ours = [secured(), header("l.test", "a.test")];
    let our_server = Finding::OurServer(true);
    let found = Input::Found(domain("l.test").into(), our_server);
    let ours_admitted = [secured(), header("l.test", "a.test"), found, auth()];
    type Homes<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Side, &[Input], Homes<'_>, bool); 18] = [
        (Side::Public, &[], &[], true),
        (Side::Public, &judged[..1], &[], true),
        (Side::Public, &judged, &before, true),
        (Side::Public, &judged, &[("l.test", TWO)], true),
        (Side::Public, &judged, &[("l2.test", ONE)], false),
        (Side::Public, &judged, &[("l.test", ONE), ("a.test", ONE)], false),
        (Side::Public, &admitted, &before, true),
        (Side::Public, &admitted, &[("l2.test", ONE)], false),
        (Side::Public, &admitted, &[("l.test", ONE), ("a.test", ONE)], false),
        (Side::Public, &to_us, &before, true),
        (Side::Public, &to_us, &[("a.test", ONE)], false),
        (Side::Public, &known, &before, true),
        (Side::Public, &known, &[("l2.test", ONE)], true),
        (Side::Backend, &ours, &before, true),
        (Side::Backend, &ours, &[("l.test", TWO), ("l2.test", ONE)], false),
        (Side::Backend, &ours_admitted, &before, true),
        (Side::Backend, &ours_admitted, &[("l.test", TWO), ("l2.test", ONE)], false),
        (Side::Backend, &ours_admitted, &[("l2.test", ONE)], false),
    ];
    for (number, (side, inputs, homes, goes_on)) in cases.into_iter().enumerate() {
        let (mut machine, mut table) = after(side, &with_servers(side, &before), inputs);
        let new = Arc::new(with_servers(side, homes));
        let out = say(&mut machine, &mut table, Input::Terms(new));
        let told = ended(&out).map(|error| error.condition);
        let expect = if goes_on { None } else { Some(Condition::Reset) };
        assert_eq!(told, expect, "{number}: {out:?}");
        assert_eq!(table.row(ID).is_some(), goes_on, "{number}");
    }

    // Servers are not taken any more.
    let (mut machine, mut table) =
        after(Side::Public, &with_servers(Side::Public, &before), &known);
    let mut new = with_servers(Side::Public, &before);
    new.channels.server_names = false;
    let out = say(&mut machine, &mut table, Input::Terms(Arc::new(new)));
    assert_eq!(ended(&out).map(|error| error.condition), Some(Condition::Reset));
}

/// M-01: who waits for a way out for one pair is not admitted because there is one for another.
#[test]
fn a_way_out_for_another_pair_admits_nobody() {
    let terms = with_servers(Side::Public, &[("l.test", "192.0.2.1:5269")]);
    let inputs = [secured(), header("a.test", "l.test"), proven("a.test"), auth()];
    let (mut machine, mut table) = after(Side::Public, &terms, &inputs);
    for other in [reached("b.test", "l.test"), reached("a.test", "l2.test")] {
        assert!(say(&mut machine, &mut table, other).is_empty());
        assert!(table.row(ID).unwrap().entrances.is_empty());
    }
    say(&mut machine, &mut table, reached("a.test", "l.test"));
    assert!(table.has_entrance(&pair("a.test", "l.test")));
}

/// L-02: both directions are agreed on before anything is asked for, or not at all: who could turn
/// the stream round later would be sent what was granted to it as a sender only.
#[test]
fn both_directions_are_agreed_on_in_time_or_not_at_all() {
    let terms = with_servers(Side::Public, &[("l.test", "192.0.2.1:5269")]);
    let mut without = terms.clone();
    without.channels.bidi = false;
    let opened = [secured(), header("a.test", "l.test"), unproven("a.test")];
    let claimed = [opened.to_vec(), vec![claim("a.test", "l.test")]].concat();
    let granted = [claimed.clone(), vec![proven("a.test"), reached("a.test", "l.test")]].concat();
    let twice = [opened.to_vec(), vec![Input::Frame(Frame::Bidi(true))]].concat();
    for (number, (terms, inputs, is_agreed)) in [
        (&terms, opened.to_vec(), true),
        (&without, opened.to_vec(), false),
        (&terms, claimed, false),
        (&terms, granted, false),
        (&terms, twice, false),
    ]
    .into_iter()
    .enumerate()
    {
        let (mut machine, mut table) = after(Side::Public, terms, &inputs);
        let before = table.row(ID).unwrap().far;
        let out = say(&mut machine, &mut table, Input::Frame(Frame::Bidi(false)));
        let far = table.row(ID).unwrap().far;
        let is_late = matches!(out[..], [Action::Count(Violation::StreamOrder)]);
        assert_eq!(is_late, !is_agreed, "{number}: {out:?}");
        let agreed = Far { errors: true, bidi: true, ..Far::default() };
        assert_eq!(far, if is_agreed { agreed } else { before }, "{number}");
    }
}

/// SASL comes first: who has asked by dialback already might be granted one pair by two proofs.
#[test]
fn who_has_asked_by_dialback_is_not_authenticated_any_more() {
    let terms = with_servers(Side::Public, &[("l.test", "192.0.2.1:5269")]);
    let inputs =
        [secured(), header("a.test", "l.test"), proven("a.test"), claim("a.test", "l.test")];
    let (mut machine, mut table) = after(Side::Public, &terms, &inputs);
    let out = say(&mut machine, &mut table, auth());
    assert_eq!(ended(&out).and_then(|error| error.violation), Some(Violation::SaslOrder));
    assert!(table.row(ID).is_none());
}

/// Where servers are not taken, a stream to our own name is one to nobody.
#[test]
fn our_own_name_is_a_server_only_where_servers_are_taken() {
    for (takes, to, judged) in [
        (true, "ligase.test", Some(Name::Server(domain("a.test")))),
        (true, "l.test", Some(Name::Service(domain("a.test")))),
        (false, "ligase.test", None),
        (false, "l.test", Some(Name::Service(domain("a.test")))),
    ] {
        let mut terms = with_servers(Side::Public, &[("l.test", "192.0.2.1:5269")]);
        terms.channels.server_names = takes;
        let (mut machine, mut table) = after(Side::Public, &terms, &[secured()]);
        let out = say(&mut machine, &mut table, header("a.test", to));
        let asked = out.iter().find_map(|it| match it {
            Action::Judge(name, _) => Some(name.clone()),
            _ => None,
        });
        assert_eq!(asked, judged, "{takes} {to}: {out:?}");
    }
}

/// P-13: nothing is negotiated any more on a stream that we are leaving.
#[test]
fn nothing_is_negotiated_behind_our_closing_tag() {
    let terms = with_servers(Side::Public, &[("l.test", "192.0.2.1:5269")]);
    let inputs = [secured(), header("a.test", "l.test"), proven("a.test"), Input::Drain];
    for frame in [Input::Frame(Frame::StartTls), auth(), Input::Frame(Frame::Bidi(true))] {
        let (mut machine, mut table) = after(Side::Public, &terms, &inputs);
        assert!(say(&mut machine, &mut table, frame).is_empty());
        assert!(!table.row(ID).unwrap().far.bidi);
    }
}

/// C-06: whose certificate is another server's, or one that the server disowns, is not heard any
/// further; one that nobody vouches for only proves nothing. For a domain there is dialback yet.
#[test]
fn a_server_that_is_another_is_not_heard_any_further() {
    let reason = |finding| Reason { prooftype: None, finding };
    let refuted = Verdict::Refuted(reason(Found::TlsaMismatch));
    let wrong = Verdict::Unproven(reason(Found::WrongName));
    let untrusted = Verdict::Unproven(reason(Found::UntrustedChain));
    let undetermined = Verdict::Undetermined(reason(Found::DnsFailure));
    let terms = with_servers(Side::Public, &[("l.test", "192.0.2.1:5269")]);
    for (is_server, verdict, is_heard, external, denial) in [
        (true, proof::proven("a.test"), true, true, None),
        (true, refuted.clone(), false, false, None),
        (true, Verdict::Refuted(reason(Found::WrongName)), false, false, None),
        (true, wrong.clone(), false, false, None),
        (true, untrusted.clone(), true, false, None),
        (true, undetermined.clone(), true, false, None),
        (false, proof::proven("a.test"), true, true, None),
        (false, refuted.clone(), true, false, Some(Found::TlsaMismatch)),
        (false, undetermined, true, false, Some(Found::DnsFailure)),
        (false, wrong, true, false, None),
        (false, untrusted, true, false, None),
    ] {
        let to = if is_server { "ligase.test" } else { "l.test" };
        let name = match is_server {
            true => Name::Server(domain("a.test")),
            false => Name::Service(domain("a.test")),
        };
        let (mut machine, mut table) =
            after(Side::Public, &terms, &[secured(), header("a.test", to)]);
        let found = Input::Found(name, Finding::Verdict(verdict.clone()));
        let out = say(&mut machine, &mut table, found);
        assert_eq!(table.row(ID).is_some(), is_heard, "{is_server} {verdict:?}: {out:?}");
        let error = ended(&out).map(|error| error.condition);
        assert_eq!(error, (!is_heard).then_some(Condition::NotAuthorized), "{verdict:?}");
        let offered = |it: &Action| matches!(it, Action::Send(text) if text.contains("EXTERNAL"));
        assert_eq!(out.iter().any(offered), external, "{is_server} {verdict:?}: {out:?}");
        let refused = out.iter().find_map(|it| match it {
            Action::Refused(_, Denial::Unproven(reason)) => Some(reason.finding),
            _ => None,
        });
        assert_eq!(refused, denial, "{is_server} {verdict:?}");
    }
}

/// What a far end may say of itself is offered where there is anything to say it for.
#[test]
fn channels_are_offered_where_there_are_any() {
    for (bidi, servers, offered) in
        [(false, false, false), (true, false, true), (false, true, true), (true, true, true)]
    {
        let mut terms = with_servers(Side::Public, &[("l.test", "192.0.2.1:5269")]);
        (terms.channels.bidi, terms.channels.server_names) = (bidi, servers);
        let (mut machine, mut table) =
            after(Side::Public, &terms, &[secured(), header("a.test", "l.test")]);
        let out = say(&mut machine, &mut table, proven("a.test"));
        let told = out.iter().any(|it| matches!(it, Action::Send(text) if text.contains("<dna ")));
        assert_eq!(told, offered, "{bidi} {servers}: {out:?}");
    }
}

#[test]
fn a_header_tells_whose_stream_it_is() {
    let terms = with_servers(Side::Public, &[("l.test", "192.0.2.1:5269")]);
    for (to, version_1, mode) in [
        (Some("ligase.test"), true, Mode::ServerName),
        (Some("l.test"), true, Mode::DomainName),
        (None, true, Mode::DomainName),
        (Some("l.test"), false, Mode::Legacy),
        (Some("ligase.test"), false, Mode::Legacy),
    ] {
        let (mut machine, mut table) = after(Side::Public, &terms, &[secured()]);
        let (from, to, id) = (Some(domain("a.test")), to.map(domain), None);
        let header = Header { from, to, id, version_1 };
        say(&mut machine, &mut table, Input::Frame(Frame::Header(header)));
        assert_eq!(table.row(ID).unwrap().mode, mode);
    }
}

/// L-04: who is authenticated, and takes both directions, is sent what goes to it; a server that
/// speaks to us has asked for no pair yet.
#[test]
fn both_directions_of_a_pair_are_granted_at_once() {
    let terms = with_servers(Side::Public, &[("l.test", "192.0.2.1:5269")]);
    let bidi = Input::Frame(Frame::Bidi(false));
    let inputs = [
        secured(),
        header("a.test", "l.test"),
        proven("a.test"),
        bidi.clone(),
        auth(),
        reached("a.test", "l.test"),
    ];
    let (mut machine, mut table) = after(Side::Public, &terms, &inputs);
    let ours = pair("l.test", "a.test");
    assert_eq!(table.exit(&ours), None);
    say(&mut machine, &mut table, header("a.test", "l.test"));
    assert_eq!(table.exit(&ours), Some(ID));

    let server =
        Input::Found(Name::Server(domain("a.test")), Finding::Verdict(proof::proven("a.test")));
    let inputs = [secured(), header("a.test", "ligase.test"), server, bidi, auth()];
    let (mut machine, mut table) = after(Side::Public, &terms, &inputs);
    // It may be known to speak for the domain of its own name, too.
    table.prove(ID, domain("a.test"), Grounds::Configured);
    say(&mut machine, &mut table, header("a.test", "ligase.test"));
    assert_eq!(table.row(ID).unwrap().server, Some(domain("a.test")));
    assert!(table.row(ID).unwrap().exits.is_empty());
}

/// A peer is told that we do not know the domain, or that it may come back: never which of our own
/// troubles it is.
#[test]
fn a_way_out_that_is_missing_is_told_by_whether_there_is_such_a_domain() {
    let terms = with_servers(Side::Public, &[("l.test", "192.0.2.1:5269")]);
    let inputs = [secured(), header("a.test", "l.test"), proven("a.test"), auth()];
    for (setback, condition) in [
        (Setback::Pointless, Condition::HostUnknown),
        (Setback::Unreachable, Condition::ResourceConstraint),
        (Setback::TimedOut, Condition::ResourceConstraint),
    ] {
        let (mut machine, mut table) = after(Side::Public, &terms, &inputs);
        let lost = Input::Reached(pair("a.test", "l.test"), Err(setback.clone()));
        let out = say(&mut machine, &mut table, lost);
        assert_eq!(ended(&out).map(|it| it.condition), Some(condition), "{setback:?}");
    }
}

/// What the operator hears of a header that names whom it must not.
#[test]
fn a_header_that_names_the_wrong_domains_is_told_with_them() {
    for (side, from, to, denial) in [
        (Side::Public, "a.test", "v.test", Denial::NotHosted),
        (Side::Public, "l.test", "l2.test", Denial::FromHosted),
        (Side::Backend, "l.test", "l2.test", Denial::ToHosted),
        (Side::Backend, "a.test", "b.test", Denial::FromStranger),
    ] {
        let homes = [("l.test", "192.0.2.1:5269"), ("l2.test", "192.0.2.1:5269")];
        let (mut machine, mut table) = after(side, &with_servers(side, &homes), &[secured()]);
        let out = say(&mut machine, &mut table, header(from, to));
        let told = out.iter().find_map(|it| match it {
            Action::Refused(pair, denial) => Some((pair.clone(), *denial)),
            _ => None,
        });
        assert_eq!(told, Some((pair(from, to), denial)), "{out:?}");
        assert!(table.row(ID).is_none());
    }
}
