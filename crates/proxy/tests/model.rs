//! Two ligases share one connection for both directions, and everything that may happen to them
//! happens in every order: breadth first, each state once, with the machines as they are.
//!
//! What the verifier, the authorities and the other side answer is anything that they may answer. An
//! attacker who has one end of the connection says anything of what counts there. A witness at
//! each end notes what was asked and what was answered, and knows from that alone which rights there
//! may be.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what a test does not look at is none of its business"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::{self, Debug, Write as _};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use ligase::binding::{
    ConnectionId, DomainPair, Finding, Grounds, Home, Hosted, Level, Name, Passage, Policy,
    Residents, Side, StreamId, Table,
};
use ligase::stream::{
    Action, Answer, Attempt, Authorization, Bounds, Channels, Dialback, DialbackError, Errand,
    Frame, Ids, Initiating, Input, Keys, Limits, Part, Reader, Receiving, Rung, Setback, Terms,
    Tidings, Word,
};
use ligase_verifier::{Domain, Finding as Found, Reason, Verdict};

#[path = "support/proof.rs"]
mod proof;

/// The connection between the two, in either table.
const WIRE: ConnectionId = ConnectionId(1);

/// The way to our own server, in either table.
const HOME: ConnectionId = ConnectionId(2);

/// Who opened the stream, and who took it.
const ENDS: [usize; 2] = [0, 1];

/// Whom each end serves, and by what name it goes itself.
const SERVED: [&str; 2] = ["montague.example", "capulet.example"];
const SERVERS: [&str; 2] = ["xmpp.montague.example", "xmpp.capulet.example"];

/// Who has nothing to do with it.
const OTHER: &str = "verona.example";

#[derive(Clone, Debug)]
enum Machine {
    Initiating(Initiating),
    Receiving(Receiving),
}

/// What was asked of the world, and is not answered yet.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Question {
    Judge(Name),
    Authority(DomainPair),
    Reach(DomainPair),
}

/// One end of the connection.
#[derive(Clone, Debug)]
struct End {
    machine: Machine,
    table: Table,
    questions: Vec<Question>,
    witness: Witness,
    wants_tls: bool,
    closed: bool,
}

/// What there is a reason for.
#[derive(Clone, Debug, Default)]
struct Witness {
    /// Names that the verifier said are the far end's, being asked, and has not taken back.
    proven: BTreeSet<Name>,
    /// Domains that it found no proof for, where the stream was opened to them and dialback will do.
    weak: BTreeSet<Domain>,
    /// Pairs that the far end asked for.
    claimed: BTreeSet<DomainPair>,
    /// Those whose key the sender's authority confirmed, being asked.
    confirmed: BTreeSet<DomainPair>,
    /// Those that our own server took.
    reached: BTreeSet<DomainPair>,
    /// Pairs that the far end may have brought in since it was proven for the sender.
    brought: BTreeSet<DomainPair>,
    /// Pairs that we asked for, and how many answers are due.
    due: BTreeMap<DomainPair, u32>,
    /// Those that were granted and not taken back.
    granted: BTreeSet<DomainPair>,
    /// Those that were granted since the far end was proven for the target.
    was_granted: BTreeSet<DomainPair>,
    /// Whether SASL may still grant the pair that the stream was opened for.
    by_sasl: bool,
    /// Whether the domain that we serve is ours no more.
    bereft: bool,
}

impl Witness {
    /// The far end is not proven for this name any more.
    fn unprove(&mut self, name: &Name) {
        self.proven.remove(name);
        let Name::Service(domain) = name else {
            return;
        };
        self.weak.remove(domain);
        for pairs in [&mut self.confirmed, &mut self.reached, &mut self.brought] {
            pairs.retain(|pair| pair.sender != *domain);
        }
        for pairs in [&mut self.granted, &mut self.was_granted] {
            pairs.retain(|pair| pair.target != *domain);
        }
    }

    fn hear(&mut self, input: &Input) {
        match input {
            Input::Found(name, Finding::Verdict(Verdict::Proven(_))) => {
                self.proven.insert(name.clone());
            }
            Input::Found(name @ Name::Service(_), Finding::Verdict(Verdict::Refuted(_)))
            | Input::Renewed(name, _) => self.unprove(name),
            Input::Authority(pair, Answer::Valid) => {
                self.confirmed.insert(pair.clone());
            }
            Input::Reached(pair, Ok(())) => {
                self.reached.insert(pair.clone());
            }
            Input::Terms(_) => self.bereft = true,
            Input::Frame(Frame::Auth(_)) if self.by_sasl => {
                self.claimed.insert(pair(SERVED[0], SERVED[1]));
            }
            Input::Frame(Frame::Success) if self.by_sasl => {
                self.granted.insert(pair(SERVED[0], SERVED[1]));
                self.was_granted.insert(pair(SERVED[0], SERVED[1]));
            }
            Input::Frame(Frame::Dialback(Dialback { part: Part::Result, pair, word })) => {
                self.hear_dialback(pair, word);
            }
            _ => (),
        }
    }

    fn hear_dialback(&mut self, pair: &DomainPair, word: &Word) {
        if matches!(word, Word::Request(_)) {
            self.claimed.insert(pair.clone());
            return;
        }
        let asked = pair.reversed();
        let due = self.due.get_mut(&asked).filter(|due| 0 < **due);
        let is_due = due.map(|due| *due -= 1).is_some();
        match word {
            Word::Valid if is_due => {
                self.granted.insert(asked.clone());
                self.was_granted.insert(asked);
            }
            Word::Valid => (),
            _ => drop(self.granted.remove(&asked)),
        }
    }

    /// Whether the far end may go by this name, on these grounds.
    fn allows_name(&self, name: &Name, grounds: &Grounds) -> bool {
        match grounds {
            Grounds::Proven(_) => self.proven.contains(name),
            Grounds::Dialback => {
                let domain = name.domain();
                let confirmed = self.confirmed.iter().any(|pair| pair.sender == *domain);
                !name.is_server() && (confirmed || self.weak.contains(domain))
            }
            Grounds::Configured => false,
        }
    }

    fn allows_entrance(&self, pair: &DomainPair, bidi: bool) -> bool {
        let proven = self.proven.contains(&Name::Service(pair.sender.clone()));
        let asked = self.claimed.contains(pair) && (proven || self.confirmed.contains(pair));
        let taken = asked && self.reached.contains(pair);
        !self.bereft && (taken || bidi && self.was_granted.contains(&pair.reversed()))
    }

    fn allows_exit(&self, pair: &DomainPair, bidi: bool) -> bool {
        let granted = self.granted.contains(pair);
        !self.bereft && (granted || bidi && self.brought.contains(&pair.reversed()))
    }
}

/// What may still happen.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
struct Left {
    /// How often the attacker may speak to either end.
    attacks: [u8; 2],
    asks: u8,
    /// Proofs that end, and are not renewed.
    ends: u8,
    stanzas: u8,
    /// Domains that are not ours any more.
    removals: u8,
}

impl Left {
    /// What is left after one more of these.
    fn after(mut self, kind: Kind, at: usize) -> Option<Self> {
        let count = match kind {
            Kind::Answer => return Some(self),
            Kind::Attack => &mut self.attacks[at],
            Kind::Ask => &mut self.asks,
            Kind::End => &mut self.ends,
            Kind::Stanza => &mut self.stanzas,
            Kind::Removal => &mut self.removals,
        };
        *count = count.checked_sub(1)?;
        Some(self)
    }
}

/// Both ends, and what is on its way to either: all by number.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct World {
    ends: [usize; 2],
    wires: [VecDeque<usize>; 2],
    left: Left,
}

/// What may happen to an end besides that it hears what was said to it.
#[derive(Clone, Debug)]
struct Choice {
    kind: Kind,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Answer,
    Attack,
    Ask,
    End,
    Stanza,
    Removal,
}

#[derive(Clone, Debug)]
enum What {
    /// It is told this, which answers that question if it is an answer.
    Tell(Option<usize>, Input),
    /// One of its users has something to say.
    Say(Frame),
}

/// An end as it was met, and what has become of it since, from there.
struct Node {
    at: usize,
    end: End,
    /// From what it came, and by what.
    before: Option<(usize, Input)>,
    choices: Option<Arc<[Choice]>>,
    after: HashMap<Next, (usize, Vec<usize>)>,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Next {
    Hear(usize),
    Choose(usize),
}

/// What can be known of the two by trying. Each end in each state is asked each thing but once, in
/// however many orders it meets what happens at the other.
struct Model {
    /// How the stream was opened.
    rung: Rung,
    /// Whether certificates prove anything.
    certified: bool,
    /// An end that the attacker has got.
    gone: Option<usize>,
    /// The terms without the domain that is served.
    bereft: [Arc<Terms>; 2],
    verdicts: HashMap<Domain, Verdict>,
    alphabets: [Vec<Frame>; 2],
    nodes: Vec<Node>,
    known: HashMap<u64, usize>,
    frames: Vec<Frame>,
    said: HashMap<u64, usize>,
}

impl Model {
    fn new(rung: Rung, certified: bool) -> Self {
        let names = SERVED.iter().chain(&SERVERS).chain([&OTHER]);
        let verdicts = names.map(|name| (domain(name), proof::proven(name))).collect();
        Self {
            rung,
            certified,
            gone: None,
            bereft: ENDS.map(|at| terms(at, &["moon.example"])),
            verdicts,
            alphabets: ENDS.map(alphabet),
            nodes: Vec::new(),
            known: HashMap::new(),
            frames: Vec::new(),
            said: HashMap::new(),
        }
    }

    fn proven(&self, name: &Name) -> Finding {
        Finding::Verdict(self.verdicts[name.domain()].clone())
    }

    /// Everything that may be answered.
    fn answers(&self, question: &Question) -> Vec<Input> {
        match question {
            Question::Judge(name) => [self.proven(name), unproven(), refuted(), undetermined()]
                .map(|finding| Input::Found(name.clone(), finding))
                .into(),
            Question::Authority(pair) => {
                let unknown = Answer::Unknown(DialbackError::RemoteServerTimeout);
                [Answer::Valid, Answer::Invalid, unknown]
                    .map(|answer| Input::Authority(pair.clone(), answer))
                    .into()
            }
            Question::Reach(pair) => [Ok(()), Err(Setback::Unreachable)]
                .map(|result| Input::Reached(pair.clone(), result))
                .into(),
        }
    }

    /// What is answered where all goes well.
    fn answer(&self, question: &Question) -> Input {
        match question {
            Question::Judge(name) if !self.certified => Input::Found(name.clone(), unproven()),
            question => self.answers(question).swap_remove(0),
        }
    }
}

/// Everything of account that may be said to an end of an open stream.
fn alphabet(at: usize) -> Vec<Frame> {
    let (us, them) = (SERVED[at], SERVED[1 - at]);
    let mut frames = Vec::new();
    for (sender, target) in [(them, us), (us, them), (OTHER, us), (us, OTHER)] {
        let words = [
            Word::Request("a key".to_owned()),
            Word::Valid,
            Word::Invalid,
            Word::Error(Some(DialbackError::NotAuthorized)),
        ];
        frames.extend(words.map(|word| {
            let pair = pair(sender, target);
            Frame::Dialback(Dialback { part: Part::Result, pair, word })
        }));
        frames.push(stanza(&pair(sender, target)));
    }
    for sender in [them, OTHER] {
        frames.push(understand(&format!(
            "<message from='{sender}' to='{us}' type='error'><error type='auth'>\
             <not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
             <invalid-connection xmlns='urn:x-ligase:dna:0'/></error></message>"
        )));
    }
    let part = Part::Verify(StreamId("an id".into()));
    let pair = pair(them, us);
    frames.push(Frame::Dialback(Dialback { part, pair, word: Word::Valid }));
    let auth = Authorization { mechanism: "EXTERNAL".to_owned(), response: "=".to_owned() };
    frames.extend([Frame::Bidi(true), Frame::Auth(auth), Frame::Success, Frame::Close]);
    frames
}

impl Model {
    /// A stream on which nothing was asked for yet, or the request is on its way.
    fn start(&mut self, left: Left) -> World {
        let (mut ends, mut wires) = self.open();
        if !self.certified {
            ends[0].witness.weak.insert(domain(SERVED[1]));
        }
        let by_sasl = self.rung == Rung::DomainName;
        ends.iter_mut().for_each(|end| end.witness.by_sasl = by_sasl);
        for _ in 0..100 {
            if ends.iter().all(|end| end.wants_tls) {
                for at in ENDS {
                    ends[at].wants_tls = false;
                    let shown = proof::presented(SERVERS[1 - at]);
                    wires[1 - at].extend(ends[at].tell(Input::Secured(Some(shown))));
                }
            }
            for at in ENDS {
                let asks = matches!(wires[at].front(), Some(Frame::Dialback(_)));
                if let Some(frame) = wires[at].pop_front_if(|_| !asks) {
                    wires[1 - at].extend(ends[at].tell(Input::Frame(frame)));
                }
                if let Some(question) = ends[at].questions.pop() {
                    wires[1 - at].extend(ends[at].tell(self.answer(&question)));
                }
            }
        }
        ends.iter_mut().for_each(|end| end.witness.by_sasl = false);
        if let Some(gone) = self.gone {
            wires[gone].clear();
        }
        let [one, other] = ends;
        let ends = [self.meet(0, one, None), self.meet(1, other, None)];
        let wires = wires.map(|wire| wire.into_iter().map(|frame| self.spell(frame)).collect());
        World { ends, wires, left }
    }

    fn open(&self) -> ([End; 2], [VecDeque<Frame>; 2]) {
        let [mut ours, mut theirs] = ENDS.map(|at| {
            let mut table = Table::default();
            table.open(HOME, Side::Backend);
            table.prove(HOME, domain(SERVED[at]), Grounds::Configured);
            for sender in [SERVED[1 - at], OTHER] {
                table.let_out(&pair(sender, SERVED[at]), HOME).unwrap();
            }
            table
        });
        let [our_terms, their_terms] = ENDS.map(|at| terms(at, &[SERVED[at], "moon.example"]));
        let rung = self.rung;
        let server = (rung == Rung::ServerName).then(|| domain(SERVERS[1]));
        let errand = Errand::Carry(pair(SERVED[0], SERVED[1]));
        let attempt = Attempt { errand, rung, server, direct_tls: true, better: false };
        let (machine, first) = Initiating::new(WIRE, our_terms, attempt, &mut ours);
        let mut initiating = End::new(Machine::Initiating(machine), ours);
        let ids = Ids::seeded([7; 32]);
        let (machine, second) = Receiving::new(WIRE, their_terms, ids, true, &mut theirs);
        let mut receiving = End::new(Machine::Receiving(machine), theirs);
        let wires = [receiving.obey(second).into(), initiating.obey(first).into()];
        ([initiating, receiving], wires)
    }

    /// The number of an end that is as this one is.
    fn meet(&mut self, at: usize, end: End, before: Option<(usize, Input)>) -> usize {
        // Nothing happens any more to one that is closed.
        let print = if end.closed { at as u64 } else { Print::of(&(at, &end)) };
        let number = *self.known.entry(print).or_insert(self.nodes.len());
        if number == self.nodes.len() {
            self.nodes.push(Node { at, end, before, choices: None, after: HashMap::new() });
        }
        number
    }

    /// The number of what was said.
    fn spell(&mut self, frame: Frame) -> usize {
        let number = *self.said.entry(Print::of(&frame)).or_insert(self.frames.len());
        if number == self.frames.len() {
            self.frames.push(frame);
        }
        number
    }

    /// What may happen to an end.
    fn choices(&mut self, number: usize) -> Arc<[Choice]> {
        if let Some(choices) = &self.nodes[number].choices {
            return Arc::clone(choices);
        }
        let Node { at, end, .. } = &self.nodes[number];
        let choices: Arc<[Choice]> = match end.table.row(WIRE) {
            Some(_) if self.gone != Some(*at) => self.list(*at, end).into(),
            _ => [].into(),
        };
        self.nodes[number].choices = Some(Arc::clone(&choices));
        choices
    }

    fn list(&self, at: usize, end: &End) -> Vec<Choice> {
        let mut choices = Vec::new();
        let mut tell = |kind, question, input| {
            choices.push(Choice { kind, what: What::Tell(question, input) });
        };
        for (number, question) in end.questions.iter().enumerate() {
            for answer in self.answers(question) {
                tell(Kind::Answer, Some(number), answer);
            }
        }
        for frame in &self.alphabets[at] {
            tell(Kind::Attack, None, Input::Frame(frame.clone()));
        }
        let names = &end.table.row(WIRE).unwrap().names;
        for (name, _) in names.iter().filter(|(_, grounds)| grounds.ends().is_some()) {
            for finding in [undetermined(), refuted()] {
                tell(Kind::End, None, Input::Renewed(name.clone(), finding));
            }
        }
        let out = [SERVED[1 - at], OTHER].map(|target| pair(SERVED[at], target));
        for pair in &out {
            tell(Kind::Ask, None, Input::Ask(pair.clone()));
        }
        if !end.witness.bereft {
            tell(Kind::Removal, None, Input::Terms(Arc::clone(&self.bereft[at])));
        }
        let open = out.iter().filter(|pair| end.table.exit(pair) == Some(WIRE));
        let say = |pair| Choice { kind: Kind::Stanza, what: What::Say(stanza(pair)) };
        choices.extend(open.map(say));
        choices
    }

    /// What becomes of an end, and what it says to the other.
    fn after(&mut self, number: usize, next: Next) -> (usize, Vec<usize>) {
        if let Some(after) = self.nodes[number].after.get(&next) {
            return after.clone();
        }
        let what = match next {
            Next::Hear(frame) => What::Tell(None, Input::Frame(self.frames[frame].clone())),
            Next::Choose(choice) => self.choices(number)[choice].what.clone(),
        };
        let after = match what {
            What::Say(frame) => (number, vec![self.spell(frame)]),
            What::Tell(question, input) => {
                let Node { at, end, .. } = &self.nodes[number];
                let (at, mut end, before) = (*at, end.clone(), input.clone());
                let way = Way { nodes: &self.nodes, number, input: &before };
                if let Some(question) = question {
                    end.questions.remove(question);
                }
                let said = end.tell(input);
                drop(way);
                let said = said.into_iter().map(|frame| self.spell(frame)).collect();
                (self.meet(at, end, Some((number, before))), said)
            }
        };
        self.nodes[number].after.insert(next, after.clone());
        after
    }

    /// All worlds that may follow this one.
    fn follow(&mut self, world: &World) -> Vec<World> {
        let mut worlds = Vec::new();
        for at in ENDS {
            let number = world.ends[at];
            if let Some(frame) = world.wires[at].front() {
                let mut next = world.clone();
                next.wires[at].pop_front();
                self.advance(&mut next, at, Next::Hear(*frame));
                worlds.push(next);
            }
            for (choice, Choice { kind, .. }) in self.choices(number).iter().enumerate() {
                if let Some(left) = world.left.after(*kind, at) {
                    let mut next = World { left, ..world.clone() };
                    self.advance(&mut next, at, Next::Choose(choice));
                    worlds.push(next);
                }
            }
        }
        worlds
    }

    fn advance(&mut self, world: &mut World, at: usize, next: Next) {
        let (number, said) = self.after(world.ends[at], next);
        world.ends[at] = number;
        world.wires[1 - at].extend(said);
        for at in ENDS {
            if self.gone == Some(at) || self.nodes[world.ends[at]].end.closed {
                world.wires[at].clear();
            }
        }
    }
}

/// Tells by what an end came to where something is wrong.
struct Way<'a> {
    nodes: &'a [Node],
    number: usize,
    input: &'a Input,
}

impl Drop for Way<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let mut way = vec![self.input];
        let mut node = &self.nodes[self.number];
        while let Some((number, input)) = &node.before {
            way.push(input);
            node = &self.nodes[*number];
        }
        way.iter().rev().for_each(|input| eprintln!("then {input:?}"));
    }
}

impl End {
    fn new(machine: Machine, table: Table) -> Self {
        let (questions, witness) = (Vec::new(), Witness::default());
        Self { machine, table, questions, witness, wants_tls: false, closed: false }
    }

    /// Hears something, does what it then wants, and is looked at whether it may. Returns what it
    /// says to the other.
    fn tell(&mut self, input: Input) -> Vec<Frame> {
        self.witness.hear(&input);
        let before = self.table.row(WIRE).unwrap().clone();
        let (mut out, told) = (Vec::new(), input.clone());
        match &mut self.machine {
            Machine::Initiating(it) => it.handle(told, Duration::ZERO, &mut self.table, &mut out),
            Machine::Receiving(it) => it.handle(told, Duration::ZERO, &mut self.table, &mut out),
        }
        for action in &out {
            match action {
                // What goes on has an entrance, or says that it came to nothing what we sent on the
                // word of the very same far end.
                Action::Forward(_, stanza) | Action::Hold(stanza) => {
                    let ours = stanza.pair.reversed();
                    let refused = stanza.is_refusal()
                        && before.exits.contains(&ours)
                        && before.speaks_for(&stanza.pair.sender).is_some();
                    let brings = before.entrances.contains(&stanza.pair);
                    assert!(brings || refused, "{} passed after {input:?}", stanza.pair);
                }
                Action::Close(_) => self.closed = true,
                _ => (),
            }
        }
        let said = self.obey(out);
        self.look(&input);
        said
    }

    fn obey(&mut self, actions: Vec<Action>) -> Vec<Frame> {
        let mut said = Vec::new();
        for action in actions {
            match action {
                Action::Send(text) => {
                    let frame = understand(&text);
                    self.sent(&frame);
                    said.push(frame);
                }
                Action::StartTls(_) => self.wants_tls = true,
                Action::Restart => self.questions.clear(),
                Action::Judge(name, _) => self.questions.push(Question::Judge(name)),
                Action::AskAuthority(pair, ..) => self.questions.push(Question::Authority(pair)),
                Action::Reach(pair) => self.questions.push(Question::Reach(pair)),
                Action::Close(error) => {
                    said.extend(error.map(|error| Frame::Error(Some(error.condition))));
                    said.push(Frame::Close);
                }
                Action::Tell(Tidings::Bound(pair)) if !self.closed => {
                    let row = self.table.row(WIRE).unwrap();
                    let carries = row.entrances.contains(&pair) || row.exits.contains(&pair);
                    assert!(carries, "{pair} is said to be bound");
                }
                _ => (),
            }
        }
        self.questions.sort();
        said
    }

    /// A request is a question to the far end, and a grant has to be true by then (E-12).
    fn sent(&mut self, frame: &Frame) {
        let Frame::Dialback(Dialback { part: Part::Result, pair, word }) = frame else {
            return;
        };
        match word {
            Word::Request(_) => *self.witness.due.entry(pair.clone()).or_default() += 1,
            Word::Valid => {
                let row = self.table.row(WIRE).unwrap();
                assert!(row.entrances.contains(&pair.reversed()), "granted, but not bound: {pair}");
            }
            _ => (),
        }
    }

    /// There is no right but those that there is a reason for.
    fn look(&mut self, input: &Input) {
        let Self { table, witness, .. } = self;
        let Some(row) = table.row(WIRE) else {
            assert!(self.closed, "an open stream without a row");
            for (sender, target) in everybody() {
                let pair = pair(sender, target);
                assert_ne!(table.exit(&pair), Some(WIRE), "{pair}");
                assert_eq!(table.passage(&pair, WIRE), Passage::Forbidden, "{pair}");
            }
            return;
        };
        assert!(!self.closed, "a closed stream with a row");
        for (name, grounds) in &row.names {
            assert!(witness.allows_name(name, grounds), "{name:?} after {input:?}");
        }
        if let Some(server) = &row.server {
            assert!(witness.proven.contains(&Name::Server(server.clone())), "{server}");
        }
        let bidi = row.far.bidi;
        for pair in &row.entrances {
            assert!(row.speaks_for(&pair.sender).is_some(), "{pair} after {input:?}");
            assert!(witness.allows_entrance(pair, bidi), "{pair} comes in after {input:?}");
            witness.brought.insert(pair.clone());
        }
        for pair in &row.exits {
            assert!(row.speaks_for(&pair.target).is_some(), "{pair} after {input:?}");
            assert!(witness.allows_exit(pair, bidi), "{pair} goes out after {input:?}");
        }
        if let Input::Frame(Frame::Dialback(Dialback { part: Part::Result, pair, word })) = input
            && matches!(word, Word::Invalid | Word::Error(_))
        {
            assert!(!row.exits.contains(&pair.reversed()), "{pair} was taken back");
        }
    }
}

/// What was seen on all ways together, so that nothing holds because nothing happens.
#[derive(Debug, Default)]
struct Tally {
    states: usize,
    steps: usize,
    /// Rights of either end, in all states.
    rights: usize,
    closed: usize,
    /// How many events lead to the farthest state.
    depth: usize,
}

/// Visits every state that up to so many events can lead to.
fn explore(model: &mut Model, start: World, depth: usize) -> Tally {
    let mut tally = Tally::default();
    let mut seen = HashSet::from([print(&start)]);
    let mut here = vec![start];
    while !here.is_empty() && tally.depth < depth {
        tally.depth += 1;
        let mut next = Vec::new();
        for world in here {
            for world in model.follow(&world) {
                tally.steps += 1;
                if seen.insert(print(&world)) {
                    tally.note(&world, model);
                    next.push(world);
                }
            }
        }
        here = next;
    }
    tally.states = seen.len();
    tally
}

fn print(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}

impl Tally {
    /// Much has happened, and all that so many events can lead to.
    #[track_caller]
    fn check(&self, depth: usize) {
        println!("{self:?}");
        assert!(self.depth == depth || depth == usize::MAX, "{self:?}");
        let rarest = [self.states, self.rights, self.closed].into_iter().min();
        assert!(Some(20) < rarest, "something hardly ever happens: {self:?}");
    }

    fn note(&mut self, world: &World, model: &Model) {
        for end in world.ends {
            let end = &model.nodes[end].end;
            self.rights +=
                end.table.row(WIRE).map_or(0, |row| row.entrances.len() + row.exits.len());
            self.closed += usize::from(end.closed);
        }
    }
}

/// The same number for the same facts, as `Debug` tells them: what stands between braces has no order.
struct Print {
    /// Brackets that are open, the sum or sequence of what stood in each so far, and the item that
    /// is being read.
    open: Vec<(u8, u64, u64)>,
    in_string: bool,
    escaped: bool,
}

impl Print {
    fn of(facts: &dyn Debug) -> u64 {
        let mut print = Self { open: vec![(b'(', SEED, SEED)], in_string: false, escaped: false };
        write!(print, "{facts:?}").unwrap();
        print.end_item();
        print.open[0].1
    }

    fn end_item(&mut self) {
        let (bracket, whole, item) = self.open.last_mut().unwrap();
        *whole = match bracket {
            b'{' => whole.wrapping_add(mix(*item, 1)),
            _ => mix(*whole, *item),
        };
        *item = SEED;
    }

    /// Takes text that has no mark in it.
    fn take(&mut self, text: &[u8]) {
        let item = &mut self.open.last_mut().unwrap().2;
        for bytes in text.chunks(8) {
            let mut eight = [0; 8];
            eight[..bytes.len()].copy_from_slice(bytes);
            *item = mix(*item, u64::from_le_bytes(eight));
        }
    }

    fn take_mark(&mut self, byte: u8) {
        match byte {
            b'"' => self.in_string = true,
            b' ' => (),
            b',' => self.end_item(),
            b'{' | b'[' | b'(' => self.open.push((byte, SEED, SEED)),
            _ => {
                self.end_item();
                let (bracket, whole, _) = self.open.pop().unwrap();
                let item = &mut self.open.last_mut().unwrap().2;
                *item = mix(*item, mix(whole, bracket.into()));
            }
        }
    }
}

impl fmt::Write for Print {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let (text, mut taken) = (text.as_bytes(), 0);
        for (at, byte) in text.iter().enumerate() {
            if self.in_string {
                self.in_string = self.escaped || *byte != b'"';
                self.escaped = !self.escaped && *byte == b'\\';
            } else if MARKS[usize::from(*byte)] {
                self.take(&text[taken..at]);
                self.take_mark(*byte);
                taken = at + 1;
            }
        }
        self.take(&text[taken..]);
        Ok(())
    }
}

/// What separates, and what does not matter.
const MARKS: [bool; 256] = {
    let (mut marks, text) = ([false; 256], b"\" ,{[(}])");
    let mut at = 0;
    while at < text.len() {
        marks[text[at] as usize] = true;
        at += 1;
    }
    marks
};

/// Multiplies and folds; every bit of either matters to every bit of what comes out.
fn mix(one: u64, other: u64) -> u64 {
    let product = u128::from(one ^ other.rotate_left(32)) * 0x9E37_79B9_7F4A_7C15;
    (product >> 64) as u64 ^ product as u64
}

const SEED: u64 = 0x2545_F491_4F6C_DD1D;

fn unproven() -> Finding {
    because(Verdict::Unproven, Found::WrongName)
}

fn refuted() -> Finding {
    because(Verdict::Refuted, Found::TlsaMismatch)
}

fn undetermined() -> Finding {
    because(Verdict::Undetermined, Found::DnsLimit)
}

fn because(verdict: fn(Reason) -> Verdict, finding: Found) -> Finding {
    Finding::Verdict(verdict(Reason { prooftype: None, finding }))
}

fn everybody() -> impl Iterator<Item = (&'static str, &'static str)> {
    let names = [SERVED[0], SERVED[1], OTHER];
    names.into_iter().flat_map(move |sender| names.map(move |target| (sender, target)))
}

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

fn pair(sender: &str, target: &str) -> DomainPair {
    DomainPair::new(domain(sender), domain(target))
}

fn stanza(pair: &DomainPair) -> Frame {
    understand(&format!("<message from='{}' to='{}'/>", pair.sender, pair.target))
}

/// What the one who reads this makes of it.
fn understand(text: &str) -> Frame {
    let mut reader = Reader::new(LIMITS);
    if text.contains("<stream:stream ") {
        return reader.next(&mut BytesMut::from(text)).unwrap().unwrap();
    }
    let mut buffer = BytesMut::from(format!("{HEADER}{text}").as_str());
    reader.next(&mut buffer).unwrap().unwrap();
    reader.next(&mut buffer).unwrap().unwrap()
}

const HEADER: &str = "<stream:stream xmlns='jabber:server' \
    xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams'>";

const LIMITS: Limits = Limits { element: 8192, depth: 128, attributes: 256 };

fn terms(at: usize, hosted: &[&str]) -> Arc<Terms> {
    let hosted = hosted.iter().map(|name| domain(name));
    let patience = Duration::from_secs(30);
    Arc::new(Terms {
        side: Side::Public,
        hosted: Arc::new(Hosted::Only(Residents::of(hosted, &home()))),
        policy: Arc::new(Policy { default: Level::Encrypted, ..Policy::default() }),
        tls: true,
        server_name: domain(SERVERS[at]),
        keys: Arc::new(Keys::new(&[SERVED[at].as_bytes().to_vec()])),
        channels: Channels { bidi: true, server_names: true, ..Channels::default() },
        bounds: Bounds {
            preauth: patience,
            preauth_elements_max: 32,
            step: patience,
            answer: patience,
            idle: patience,
            claims_max: 16,
            pairs_max: 100,
        },
    })
}

/// How a stream may have been opened: between servers, or between domains, with certificates that
/// prove something or without.
fn models() -> [Model; 3] {
    [(Rung::ServerName, true), (Rung::DomainName, true), (Rung::DomainName, false)]
        .map(|(rung, certified)| Model::new(rung, certified))
}

/// Both are ligases. All there is to their conversation is seen to its end.
#[test]
fn two_who_keep_the_rules_grant_what_they_may() {
    let asking = Left { asks: 2, ends: 1, ..Left::default() };
    let losing = Left { asks: 1, ends: 1, stanzas: 2, removals: 1, ..Left::default() };
    for mut model in models() {
        for left in [asking, losing] {
            let start = model.start(left);
            let tally = explore(&mut model, start, usize::MAX);
            tally.check(usize::MAX);
        }
    }
}

/// The attacker opened the stream, and says three things of the alphabet among all else that happens.
#[test]
fn whoever_opened_the_stream_gets_no_right_by_anything_they_say() {
    check_attacked(1);
}

/// The same of the one who took it.
#[test]
fn whoever_took_the_stream_gets_no_right_by_anything_they_say() {
    check_attacked(0);
}

fn check_attacked(at: usize) {
    for mut model in models() {
        model.gone = Some(1 - at);
        let mut left = Left { asks: 1, ends: 1, removals: 1, ..Left::default() };
        left.attacks[at] = 3;
        let start = model.start(left);
        explore(&mut model, start, 6).check(6);
    }
}

/// Both are ligases, and the attacker speaks to either in the other's place.
#[test]
fn whoever_speaks_for_either_gets_no_right_by_it() {
    for mut model in models() {
        let left = Left { attacks: [1, 1], asks: 1, ends: 1, ..Left::default() };
        let start = model.start(left);
        explore(&mut model, start, 7).check(7);
    }
}

fn home() -> Home {
    std::net::SocketAddr::from(([127, 0, 0, 1], 5269)).into()
}
