//! `Initiating` and `Receiving` talk to each other: across a virtual wire, which divides bytes as it
//! likes, and on a virtual clock. Each has a table of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what a test does not look at is none of its business"
)]

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use ligase::binding::{
    ConnectionId, DomainPair, Finding, Grounds, Home, Hosted, Level, Passage, Policy, Residents,
    Side, StreamId, Table,
};
use ligase::stream::{
    Action, Answer, Attempt, Bounds, Channels, Errand, Ids, Initiating, Input, Keys, Limits,
    Reader, Receiving, Rung, Setback, Terms, Tidings,
};
use ligase_verifier::{Domain, Finding as Found, Presented, Reason, Verdict};

#[path = "support/proof.rs"]
mod proof;

/// The connection that the two talk over, in either table.
const WIRE: ConnectionId = ConnectionId(1);

/// What the world is like that they meet in.
#[derive(Clone, Copy)]
struct World {
    /// What each must show to the other.
    level: Level,
    /// Whether TLS can be had.
    tls: bool,
    /// What is found about the certificate of the one who opened the stream.
    initiating: Known,
    /// What is found about the certificate of the other.
    receiving: Known,
    /// Whether the receiving one finds a way out.
    reached: bool,
    /// What the one who opened the stream begins with.
    rung: Rung,
    /// Whether both know channels.
    channels: bool,
    /// How many bytes pass at a time.
    chunk: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Known {
    Proven,
    Unproven,
    Refuted,
}

const GOOD: World = World {
    level: Level::Encrypted,
    tls: true,
    initiating: Known::Proven,
    receiving: Known::Proven,
    reached: true,
    rung: Rung::DomainName,
    channels: false,
    chunk: 7,
};

impl World {
    fn channels(&self) -> Channels {
        Channels { bidi: self.channels, server_names: self.channels, ..Channels::default() }
    }

    fn attempt(&self, errand: Errand) -> Attempt {
        let server = (self.rung == Rung::ServerName).then(|| domain("xmpp.capulet.example"));
        Attempt { errand, rung: self.rung, server, direct_tls: false, better: false }
    }
}

/// One end of the wire.
struct End {
    machine: Machine,
    table: Table,
    reader: Reader,
    incoming: BytesMut,
    /// What it has said that has not passed yet.
    outgoing: VecDeque<u8>,
    todo: VecDeque<Action>,
    answers: VecDeque<Input>,
    /// Everything that it said, for those who look at it afterwards.
    said: String,
    told: Vec<String>,
    /// What it keeps until it is acknowledged.
    kept: Vec<String>,
    timer: Option<Duration>,
    wants_tls: bool,
    /// Whether its half of the stream has ended.
    ended: bool,
    closed: bool,
}

enum Machine {
    Initiating(Initiating),
    Receiving(Receiving),
}

impl End {
    fn new(machine: Machine, table: Table, first: Vec<Action>) -> Self {
        Self {
            machine,
            table,
            reader: Reader::new(LIMITS),
            incoming: BytesMut::new(),
            outgoing: VecDeque::new(),
            todo: first.into(),
            answers: VecDeque::new(),
            said: String::new(),
            told: Vec::new(),
            kept: Vec::new(),
            timer: None,
            wants_tls: false,
            ended: false,
            closed: false,
        }
    }

    fn say(&mut self, text: &str) {
        self.said.push_str(text);
        self.outgoing.extend(text.bytes());
    }

    fn tell(&mut self, input: Input, at: Duration) {
        let mut out = Vec::new();
        match &mut self.machine {
            Machine::Initiating(it) => it.handle(input, at, &mut self.table, &mut out),
            Machine::Receiving(it) => it.handle(input, at, &mut self.table, &mut out),
        }
        assert!(!self.closed || out.is_empty(), "a closed stream goes on: {out:?}");
        self.todo.extend(out);
    }

    /// Hears one frame, if there is a whole one. Tells whether anything happened.
    fn hear(&mut self, at: Duration) -> bool {
        if self.wants_tls || self.closed {
            return false;
        }
        match self.reader.next(&mut self.incoming) {
            Ok(None) => return false,
            Ok(Some(frame)) => self.tell(Input::Frame(frame), at),
            Err(error) => self.tell(Input::Refuse(error), at),
        }
        true
    }
}

/// Both ends, and what is between them.
struct Meeting {
    initiating: End,
    receiving: End,
    world: World,
    at: Duration,
    /// Verdicts, which take long to reach.
    proofs: HashMap<Domain, Verdict>,
}

impl Meeting {
    fn new(world: World) -> Self {
        let mut theirs = Table::default();
        let exit = ConnectionId(2);
        theirs.open(exit, Side::Backend);
        theirs.prove(exit, domain("capulet.example"), Grounds::Configured);
        for sender in ["montague.example", "verona.example"] {
            let pair = pair(sender, "capulet.example");
            theirs.let_out(&pair, exit).unwrap();
        }
        let terms = terms(&world, "capulet.example");
        let ids = Ids::seeded([5; 32]);
        let (machine, first) = Receiving::new(WIRE, terms, ids, false, &mut theirs);
        let receiving = End::new(Machine::Receiving(machine), theirs, first);

        let mut ours = Table::default();
        let terms = self::terms(&world, "montague.example");
        let errand = Errand::Carry(way());
        let (machine, first) = Initiating::new(WIRE, terms, world.attempt(errand), &mut ours);
        let initiating = End::new(Machine::Initiating(machine), ours, first);
        Self { initiating, receiving, world, at: Duration::ZERO, proofs: HashMap::new() }
    }

    /// Has them talk until neither has any more to say.
    fn talk(&mut self) {
        for _ in 0..10_000 {
            let acted = self.act(true) | self.act(false);
            let passed = self.pass();
            let heard = self.initiating.hear(self.at) | self.receiving.hear(self.at);
            let shaken = self.shake_hands();
            if !(acted || passed || heard || shaken) {
                return;
            }
        }
        panic!("they never come to an end");
    }

    /// One of them does the next thing that its machine wants.
    fn act(&mut self, initiating: bool) -> bool {
        let at = self.at;
        let end = if initiating { &mut self.initiating } else { &mut self.receiving };
        let Some(action) = end.todo.pop_front() else {
            let answer = end.answers.pop_front();
            let acted = answer.is_some();
            if let Some(input) = answer {
                end.tell(input, at);
            }
            return acted;
        };
        match action {
            Action::Send(text) => end.say(&text),
            Action::StartTls(_) => end.wants_tls = true,
            Action::Restart => end.reader = Reader::new(LIMITS),
            Action::SetTimer(patience) => end.timer = Some(at + patience),
            Action::Tell(Tidings::Bound(pair)) => end.told.push(format!("bound {pair}")),
            Action::Tell(Tidings::Failed(_, setback)) => {
                end.told.push(format!("failed {}", setback.label()));
            }
            Action::Forward(exit, stanza) => {
                end.told.push(format!("forward {exit} {}", stanza.pair));
            }
            Action::End(error) => {
                end.say(&format!("{}</stream:stream>", error.to_xml()));
                end.ended = true;
            }
            Action::Close(error) => {
                let text = error.map(|error| error.to_xml()).unwrap_or_default();
                if !end.ended {
                    end.say(&format!("{text}</stream:stream>"));
                }
                end.closed = true;
            }
            Action::Judge(..) | Action::AskAuthority(..) | Action::Reach(_) => {
                let answer = self.find_out(initiating, &action);
                let end = if initiating { &mut self.initiating } else { &mut self.receiving };
                end.answers.push_back(answer);
            }
            Action::Keep(keep) => end.kept.push(format!("keep {keep}")),
            Action::Acknowledged(count) => end.kept.push(format!("acknowledged {count}")),
            Action::Hold(stanza) => panic!("{} has a way out, but waits", stanza.pair),
            // What is counted, and what is for others, is no part of the conversation.
            _ => (),
        }
        true
    }

    /// What the world answers to a question.
    fn find_out(&mut self, initiating: bool, question: &Action) -> Input {
        match question {
            Action::Judge(name, presented) => {
                // Whoever asks is told about the other.
                let known = if initiating { self.world.receiving } else { self.world.initiating };
                let because = |finding| Reason { prooftype: None, finding };
                let verdict = match (known, presented) {
                    (_, None) => Verdict::Unproven(because(Found::NoCertificate)),
                    (Known::Proven, Some(_)) => self
                        .proofs
                        .entry(name.domain().clone())
                        .or_insert_with(|| proof::proven(name.domain().as_str()))
                        .clone(),
                    (Known::Unproven, Some(_)) => Verdict::Unproven(because(Found::WrongName)),
                    (Known::Refuted, Some(_)) => Verdict::Refuted(because(Found::TlsaMismatch)),
                };
                Input::Found(name.clone(), Finding::Verdict(verdict))
            }
            Action::AskAuthority(pair, id, key) => {
                let answer = self.authority(pair, id, key);
                Input::Authority(pair.clone(), answer)
            }
            Action::Reach(pair) => {
                let result = if self.world.reached { Ok(()) } else { Err(Setback::Unreachable) };
                Input::Reached(pair.clone(), result)
            }
            other => panic!("{other:?} is no question"),
        }
    }

    /// What the authoritative server says: a machine of the very side that made the key, met on
    /// another connection.
    fn authority(&mut self, pair: &DomainPair, id: &StreamId, key: &str) -> Answer {
        let table = &mut self.initiating.table;
        let wire = ConnectionId(3);
        let world = World { level: Level::Any, ..self.world };
        let terms = terms(&world, "montague.example");
        let ids = Ids::seeded([6; 32]);
        let (mut theirs, _) = Receiving::new(wire, terms, ids, false, table);

        let mut ours = Table::default();
        let terms = self::terms(&World { tls: false, ..world }, "capulet.example");
        let errand = Errand::Verify(pair.clone(), id.clone(), key.to_owned());
        let (mut machine, mut actions) = Initiating::new(
            wire,
            terms,
            World { rung: Rung::Plain, ..world }.attempt(errand),
            &mut ours,
        );

        let (mut there, mut back) = (Reader::new(LIMITS), Reader::new(LIMITS));
        let (mut asked, mut answered) = (BytesMut::new(), BytesMut::new());
        for _ in 0..10 {
            for action in std::mem::take(&mut actions) {
                match action {
                    Action::Send(text) => asked.extend_from_slice(text.as_bytes()),
                    Action::Tell(Tidings::Verified(answer)) => {
                        table.close(wire);
                        return answer;
                    }
                    _ => (),
                }
            }
            while let Some(frame) = there.next(&mut asked).unwrap() {
                let mut out = Vec::new();
                theirs.handle(Input::Frame(frame), self.at, table, &mut out);
                for action in out {
                    if let Action::Send(text) = action {
                        answered.extend_from_slice(text.as_bytes());
                    }
                }
            }
            while let Some(frame) = back.next(&mut answered).unwrap() {
                machine.handle(Input::Frame(frame), self.at, &mut ours, &mut actions);
            }
        }
        panic!("the authority does not answer");
    }

    /// Lets some bytes pass, either way.
    fn pass(&mut self) -> bool {
        let (chunk, one, other) = (self.world.chunk, &mut self.initiating, &mut self.receiving);
        let pass = |from: &mut End, to: &mut End| {
            let count = chunk.min(from.outgoing.len());
            let bytes: Vec<_> = from.outgoing.drain(..count).collect();
            to.incoming.extend_from_slice(&bytes);
            0 < count
        };
        pass(one, other) | pass(other, one)
    }

    /// Both shake hands, as soon as both want to and everything before it has been heard.
    fn shake_hands(&mut self) -> bool {
        let (one, other) = (&mut self.initiating, &mut self.receiving);
        if !(one.wants_tls && other.wants_tls) {
            return false;
        }
        assert!(one.incoming.is_empty() && other.incoming.is_empty(), "plaintext behind STARTTLS");
        assert!(one.outgoing.is_empty() && other.outgoing.is_empty());
        (one.wants_tls, other.wants_tls) = (false, false);
        one.tell(Input::Secured(shown("capulet.example")), self.at);
        other.tell(Input::Secured(shown("montague.example")), self.at);
        true
    }

    /// Lets time pass until somebody's patience ends.
    fn wait(&mut self) {
        let ends = [&self.initiating, &self.receiving];
        let open = ends.into_iter().filter(|end| !end.closed);
        self.at = open.filter_map(|end| end.timer).min().unwrap();
        for end in [&mut self.initiating, &mut self.receiving] {
            if !end.closed && end.timer == Some(self.at) {
                end.timer = None;
                let quiet = self.at;
                end.tell(Input::TimedOut { quiet }, self.at);
            }
        }
        self.talk();
    }

    /// The pair passes at both ends, and a stanza with it.
    #[track_caller]
    fn assert_bound(&mut self) {
        assert_eq!(self.initiating.told, [format!("bound {}", way())]);
        assert_eq!(self.receiving.told, [format!("bound {}", way())]);
        assert_eq!(self.initiating.table.exit(&way()), Some(WIRE));
        let passage = self.receiving.table.passage(&way(), WIRE);
        assert_eq!(passage, Passage::Exit(ConnectionId(2)));
        self.initiating.say(
            "<message from='romeo@montague.example' to='juliet@capulet.example'/>\
             <message from='romeo@verona.example' to='juliet@capulet.example'/>",
        );
        self.talk();
        assert_eq!(self.receiving.told.len(), 2, "one stanza passes, the other does not");
        assert_eq!(self.receiving.told[1], format!("forward 2 {}", way()));
    }

    /// What either end keeps or lets go of, since this was asked last.
    fn kept(&mut self) -> Vec<String> {
        [&mut self.initiating, &mut self.receiving]
            .into_iter()
            .flat_map(|end| std::mem::take(&mut end.kept))
            .collect()
    }

    /// Nothing passes, and both have heard so.
    #[track_caller]
    fn assert_failed(&self, why: &str) {
        assert_eq!(self.initiating.told, [format!("failed {why}")]);
        assert_eq!(self.receiving.told, [""; 0]);
        assert_eq!(self.initiating.table.exit(&way()), None);
        assert_eq!(self.receiving.table.passage(&way(), WIRE), Passage::Forbidden);
    }
}

/// Who meets in this world, when they have said all that they have to say.
fn meet(world: World) -> Meeting {
    let mut meeting = Meeting::new(world);
    meeting.talk();
    meeting
}

#[test]
fn certificates_suffice() {
    let mut meeting = meet(GOOD);
    assert!(meeting.initiating.said.contains("mechanism='EXTERNAL'"));
    assert!(!meeting.initiating.said.contains("<db:"));
    assert!(meeting.receiving.said.contains("<success"));
    meeting.assert_bound();
}

#[test]
fn it_does_not_matter_how_the_wire_divides_bytes() {
    let said = |chunk| {
        let mut meeting = meet(World { chunk, ..GOOD });
        meeting.assert_bound();
        (meeting.initiating.said, meeting.receiving.said)
    };
    let expect = said(usize::MAX);
    for chunk in [1, 2, 3, 5, 64, 1000] {
        assert_eq!(said(chunk), expect, "{chunk} at a time");
    }
}

#[test]
fn without_a_certificate_that_proves_anything_the_authority_is_asked() {
    let mut meeting = meet(World { initiating: Known::Unproven, ..GOOD });
    assert!(!meeting.receiving.said.contains("EXTERNAL"));
    assert!(meeting.initiating.said.contains("<db:result"));
    meeting.assert_bound();
}

#[test]
fn neither_of_two_servers_without_certificates_is_left_waiting() {
    let mut meeting =
        meet(World { initiating: Known::Unproven, receiving: Known::Unproven, ..GOOD });
    meeting.assert_bound();
}

#[test]
fn dialback_in_the_clear_suffices_where_policy_says_so() {
    let mut meeting = meet(World { level: Level::Any, tls: false, ..GOOD });
    assert!(!meeting.initiating.said.contains("starttls"));
    meeting.assert_bound();
}

#[test]
fn nothing_is_said_in_the_clear_where_policy_does_not() {
    let meeting = meet(World { tls: false, ..GOOD });
    assert!(!meeting.initiating.said.contains("<db:"));
    meeting.assert_failed("stream.tls_required");
    assert!(meeting.initiating.closed && meeting.receiving.closed);
}

#[test]
fn the_lower_rung_asks_by_dialback_what_the_certificate_then_proves() {
    let mut meeting = meet(World { rung: Rung::Dialback, ..GOOD });
    assert!(meeting.receiving.said.contains("EXTERNAL"));
    assert!(!meeting.initiating.said.contains("EXTERNAL"));
    meeting.assert_bound();
}

#[test]
fn who_is_refuted_gets_nowhere() {
    let meeting = meet(World { receiving: Known::Refuted, ..GOOD });
    meeting.assert_failed("dane.mismatch");
    assert!(meeting.initiating.closed && meeting.receiving.closed);
    // Before TLS there is a header and a wish; nothing more was said.
    assert_eq!(meeting.initiating.said.matches("<stream:stream").count(), 1);

    let meeting = meet(World { initiating: Known::Refuted, ..GOOD });
    meeting.assert_failed("dialback.refused");
}

#[test]
fn where_proof_is_wanted_a_key_is_none() {
    let meeting = meet(World { level: Level::Dna, initiating: Known::Unproven, ..GOOD });
    meeting.assert_failed("dialback.refused");
}

#[test]
fn without_a_way_out_behind_them_nothing_is_granted() {
    let meeting = meet(World { reached: false, ..GOOD });
    meeting.assert_failed("sasl");
    let meeting = meet(World { reached: false, initiating: Known::Unproven, ..GOOD });
    meeting.assert_failed("dialback.refused");
}

#[test]
fn a_second_pair_shares_the_stream_after_its_own_proof() {
    let mut meeting = meet(GOOD);
    let second = pair("verona.example", "capulet.example");
    let at = meeting.at;
    meeting.initiating.told.clear();
    meeting.initiating.tell(Input::Ask(second.clone()), at);
    meeting.talk();
    assert_eq!(meeting.initiating.told, [format!("bound {second}")]);
    assert_eq!(meeting.receiving.told[1], format!("bound {second}"));
    let passage = meeting.receiving.table.passage(&second, WIRE);
    assert_eq!(passage, Passage::Exit(ConnectionId(2)));
}

#[test]
fn a_pair_that_is_refused_harms_no_other() {
    let mut meeting = meet(GOOD);
    meeting.world.initiating = Known::Refuted;
    let second = pair("verona.example", "capulet.example");
    let at = meeting.at;
    meeting.initiating.told.clear();
    meeting.initiating.tell(Input::Ask(second), at);
    meeting.talk();
    assert_eq!(meeting.initiating.told, ["failed dialback.refused"]);
    meeting.initiating.told = vec![format!("bound {}", way())];
    meeting.assert_bound();
}

#[test]
fn a_stream_without_use_ends_and_takes_its_rows_along() {
    let mut meeting = meet(GOOD);
    for _ in 0..4 {
        if !(meeting.initiating.closed && meeting.receiving.closed) {
            meeting.wait();
        }
    }
    assert!(meeting.initiating.closed && meeting.receiving.closed);
    assert!(BOUNDS.idle <= meeting.at);
    assert_eq!(meeting.initiating.table.exit(&way()), None);
    assert!(!meeting.receiving.table.has_entrance(&way()));
}

#[test]
fn whoever_is_refused_does_not_stay() {
    let mut meeting = meet(World { initiating: Known::Refuted, ..GOOD });
    for _ in 0..4 {
        if !(meeting.initiating.closed && meeting.receiving.closed) {
            meeting.wait();
        }
    }
    assert!(meeting.initiating.closed && meeting.receiving.closed);
    assert!(meeting.at <= BOUNDS.preauth + BOUNDS.step);
}

#[test]
fn whoever_drains_is_heard_out() {
    let mut meeting = meet(GOOD);
    let at = meeting.at;
    // What was on its way when the drain began still arrives.
    meeting.initiating.say("<message from='romeo@montague.example' to='juliet@capulet.example'/>");
    meeting.receiving.tell(Input::Drain, at);
    meeting.talk();
    assert_eq!(meeting.receiving.told.len(), 2);
    assert!(meeting.initiating.closed && meeting.receiving.closed);
    assert_eq!(meeting.initiating.table.exit(&way()), None);
    let ends = meeting.receiving.said.matches("</stream:stream>").count();
    assert_eq!(ends, 1, "nothing follows a closing tag");
}

fn way() -> DomainPair {
    pair("montague.example", "capulet.example")
}

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

fn pair(sender: &str, target: &str) -> DomainPair {
    DomainPair::new(domain(sender), domain(target))
}

fn shown(name: &str) -> Option<Presented> {
    Some(proof::presented(name))
}

fn terms(world: &World, hosted: &str) -> Arc<Terms> {
    let mut domains = HashSet::from([domain(hosted)]);
    if hosted == "montague.example" {
        domains.insert(domain("verona.example"));
    }
    let policy = Policy { default: world.level, ..Policy::default() };
    Arc::new(Terms {
        side: Side::Public,
        hosted: Arc::new(Hosted::Only(Residents::of(domains, &home()))),
        policy: Arc::new(policy),
        tls: world.tls,
        server_name: domain(&format!("xmpp.{hosted}")),
        keys: Arc::new(Keys::new(&[hosted.as_bytes().to_vec()])),
        channels: world.channels(),
        bounds: BOUNDS,
    })
}

const LIMITS: Limits = Limits { element: 8192, depth: 128, attributes: 256 };

const BOUNDS: Bounds = Bounds {
    preauth: Duration::from_secs(30),
    preauth_elements_max: 32,
    step: Duration::from_secs(8),
    answer: Duration::from_secs(31),
    idle: Duration::from_secs(900),
    claims_max: 16,
    pairs_max: 100,
};

/// Both know channels, and meet by the names of their servers.
const SERVERS: World = World { rung: Rung::ServerName, channels: true, ..GOOD };

#[test]
fn servers_meet_by_their_own_names_and_carry_both_directions() {
    let mut meeting = meet(SERVERS);
    assert!(
        meeting.initiating.said.contains("from='xmpp.montague.example' to='xmpp.capulet.example'")
    );
    assert!(meeting.initiating.said.contains("<bidi xmlns='urn:xmpp:bidi'><dna"));
    assert_eq!(meeting.initiating.said.matches("<db:result").count(), 1);
    let inverse = way().reversed();
    let bound = [format!("bound {}", way()), format!("bound {inverse}")];
    assert_eq!(meeting.initiating.told, bound);
    // The one who granted it asks for the opposite pair when it is wanted.
    assert_eq!(meeting.receiving.told, bound[..1]);
    meeting.receiving.tell(Input::Ask(inverse.clone()), meeting.at);
    meeting.talk();
    assert_eq!(meeting.receiving.told, bound);
    assert_eq!(meeting.receiving.table.exit(&inverse), Some(WIRE));
    assert_ne!(meeting.initiating.table.passage(&inverse, WIRE), Passage::Forbidden);
}

/// XEP-0198 §4: each end tells how much it has taken, and the other lets go of that.
#[test]
fn servers_confirm_what_they_take() {
    let mut meeting = meet(SERVERS);
    let sm = "xmlns='urn:xmpp:sm:3'";
    assert!(meeting.initiating.said.contains(&format!("<enable {sm}/>")));
    assert!(meeting.receiving.said.contains(&format!("<enabled {sm}/>")));
    assert_eq!(meeting.kept(), ["keep true", "keep true"]);
    let stanza = "<message from='romeo@montague.example' to='juliet@capulet.example'/>";
    // What may not pass has been taken, too: it does not come again.
    let stray = "<message from='romeo@verona.example' to='juliet@capulet.example'/>";
    meeting.initiating.say(&format!("{stanza}{stray}{stanza}<r {sm}/>"));
    meeting.talk();
    assert!(meeting.receiving.said.ends_with(&format!("<a {sm} h='3'/>")));
    assert_eq!(meeting.kept(), ["acknowledged 3"]);
    // Before it ends, whatever it has taken is confirmed.
    meeting.initiating.say(&format!("{stanza}</stream:stream>"));
    meeting.talk();
    assert!(meeting.receiving.said.contains(&format!("<a {sm} h='4'/></stream:stream>")));
}

#[test]
fn nobody_confirms_before_it_is_agreed_on() {
    let mut meeting = meet(World { rung: Rung::Dialback, ..SERVERS });
    assert!(!meeting.initiating.said.contains("<enable"));
    let sm = "xmlns='urn:xmpp:sm:3'";
    meeting.initiating.say(&format!("<r {sm}/><a {sm} h='1'/><enable {sm}/>"));
    meeting.talk();
    assert!(!meeting.receiving.said.contains("<a "));
    assert!(meeting.receiving.said.ends_with("</failed>"), "{}", meeting.receiving.said);
    assert_eq!(meeting.kept(), [""; 0]);
}

fn home() -> Home {
    std::net::SocketAddr::from(([127, 0, 0, 1], 5269)).into()
}
