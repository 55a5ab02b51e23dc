use std::collections::HashSet;
use std::time::Duration;

use ligase::binding::{DomainPair, Finding, Grounds, Name, Row, Table};
use ligase::stream::{
    Action, Answer, Attempt, Errand, Frame, Ids, Initiating, Input, Receiving, Rung, Word,
};
use ligase_verifier::Verdict;

use crate::stage::{ID, check, inputs, met, pair, table, terms};

/// What was asked of the world, and what it said.
#[derive(Default)]
struct Witness {
    judging: HashSet<Name>,
    asking: HashSet<DomainPair>,
    reaching: HashSet<DomainPair>,
    proven: HashSet<Name>,
    confirmed: HashSet<DomainPair>,
    reached: HashSet<DomainPair>,
    /// Pairs that have come in at some time.
    brought: HashSet<DomainPair>,
}

impl Witness {
    /// Notes an answer, if somebody waits for it.
    fn hear(&mut self, input: &Input) {
        match input {
            Input::Secured(_) => {
                self.judging.clear();
                self.asking.clear();
                self.reaching.clear();
            }
            Input::Found(name, finding) if self.judging.remove(name) => {
                if proves(finding) {
                    self.proven.insert(name.clone());
                }
            }
            // It is asked for by nobody on the stream: the proof of a name has its own clock.
            Input::Renewed(name, finding) if proves(finding) => {
                self.proven.insert(name.clone());
            }
            Input::Authority(pair, Answer::Valid) if self.asking.remove(pair) => {
                self.confirmed.insert(pair.clone());
            }
            Input::Reached(pair, Ok(())) if self.reaching.remove(pair) => {
                self.reached.insert(pair.clone());
            }
            Input::Withdraw(pair) => drop(self.reached.remove(pair)),
            _ => (),
        }
    }

    fn ask(&mut self, action: &Action) {
        match action {
            Action::Judge(name, _) => drop(self.judging.insert(name.clone())),
            Action::AskAuthority(pair, ..) => drop(self.asking.insert(pair.clone())),
            Action::Reach(pair) => drop(self.reaching.insert(pair.clone())),
            _ => (),
        }
    }

    /// Whether somebody has said that the far end speaks for the sender.
    fn vouches(&self, pair: &DomainPair) -> bool {
        self.proven.contains(&Name::Service(pair.sender.clone())) || self.confirmed.contains(pair)
    }
}

fn proves(finding: &Finding) -> bool {
    matches!(finding, Finding::OurServer(true) | Finding::Verdict(Verdict::Proven(_)))
}

/// Whatever a far end that opened a stream says, in whatever order: no stanza passes whose pair was
/// not proven and reached when that was asked for, and nothing comes of a stream that is closed.
pub(super) fn receiving(bytes: &[u8]) {
    let [mode, bytes @ ..] = bytes else {
        return;
    };
    let (side, level) = met(*mode);
    let mut table = table(side);
    let ids = Ids::seeded([1; 32]);
    let terms = terms(side, level, false);
    let (mut machine, _) = Receiving::new(ID, terms, ids, mode & 4 == 0, &mut table);
    let (mut ended, mut closed) = (false, false);
    let mut witness = Witness::default();
    for (step, input) in (0_u64..).zip(inputs(bytes)) {
        witness.hear(&input);
        let mut actions = Vec::new();
        machine.handle(input, Duration::from_secs(step), &mut table, &mut actions);
        if closed {
            assert!(actions.is_empty() && table.row(ID).is_none());
            continue;
        }
        check(&actions, &table, &mut ended);
        closed = table.row(ID).is_none();
        for action in &actions {
            witness.ask(action);
            if let Action::Forward(_, stanza) | Action::Hold(stanza) = action {
                let pair = &stanza.pair;
                assert!(witness.vouches(pair), "{pair} is not vouched for");
                assert!(witness.reached.contains(pair), "{pair} was not reached");
            }
        }
    }
}

/// Whatever a far end says whose stream we opened, in whatever order: no stanza comes in, nothing
/// leaves by it that was not granted when that was asked for, and nothing comes of a stream that is
/// closed.
pub(super) fn initiating(bytes: &[u8]) {
    let [mode, bytes @ ..] = bytes else {
        return;
    };
    let (mut machine, mut table) = initiate(*mode, false);
    let (mut ended, mut closed) = (false, false);
    let (mut asked, mut granted) = (false, false);
    for (step, input) in (0_u64..).zip(inputs(bytes)) {
        granted |= asked && grants(&input);
        let mut actions = Vec::new();
        machine.handle(input, Duration::from_secs(step), &mut table, &mut actions);
        if closed {
            assert!(actions.is_empty() && table.row(ID).is_none());
            continue;
        }
        check(&actions, &table, &mut ended);
        closed = table.row(ID).is_none();
        for action in &actions {
            let comes_in = matches!(action, Action::Forward(..) | Action::Hold(_));
            assert!(!comes_in, "{action:?}");
            asked |= asks(action);
        }
        let leaves = table.row(ID).is_some_and(|row| !row.exits.is_empty());
        assert!(granted || !leaves, "something leaves that was never granted");
    }
}

/// A stream that we open, by a mode.
fn initiate(mode: u8, channels: bool) -> (Initiating, Table) {
    let (side, level) = met(mode);
    let rungs = [Rung::DomainName, Rung::Dialback, Rung::Plain];
    let rung = rungs[usize::from(mode >> 4) % rungs.len()];
    let mut table = table(side);
    let attempt = Attempt {
        errand: Errand::Carry(pair("l.test", "a.test")),
        rung,
        server: None,
        direct_tls: mode & 4 == 0,
        better: mode & 8 == 8,
    };
    let terms = terms(side, level, channels);
    let (machine, _) = Initiating::new(ID, terms, attempt, &mut table);
    (machine, table)
}

fn grants(input: &Input) -> bool {
    match input {
        Input::Frame(Frame::Success) => true,
        Input::Frame(Frame::Dialback(dialback)) => dialback.word == Word::Valid,
        _ => false,
    }
}

fn asks(action: &Action) -> bool {
    let Action::Send(text) = action else {
        return false;
    };
    text.starts_with("<auth") || text.starts_with("<db:result")
}

/// Either machine, as long as both may speak on the stream.
enum Machine {
    Receiving(Receiving),
    Initiating(Initiating),
}

/// A stream for both directions that is open, and then whatever happens to it: what comes in has an
/// entrance, entrances are of those who were vouched for, exits lead to those who granted them or
/// brought the same pair in.
pub(super) fn open(bytes: &[u8]) {
    let [mode, bytes @ ..] = bytes else {
        return;
    };
    let ours = mode & 128 == 128;
    let (mut machine, mut table) = if ours {
        let (machine, table) = initiate(mode & 0x0f, true);
        (Machine::Initiating(machine), table)
    } else {
        let (side, level) = met(*mode);
        let mut table = table(side);
        let terms = terms(side, level, true);
        let ids = Ids::seeded([1; 32]);
        let (machine, _) = Receiving::new(ID, terms, ids, true, &mut table);
        (Machine::Receiving(machine), table)
    };
    // TLS, a header; then the far end is asked about, or offers what it has, and is let in.
    let way: &[u8] = match (ours, mode & 32) {
        (true, 0) => &[18, 0, 0, 250, 23, 0, 4, 255, 6, 0, 0, 250, 4, 255],
        (true, _) => &[18, 0, 0, 250, 23, 0, 4, 127, 9, 3],
        (false, 0) => &[18, 0, 0, 250, 23, 0, 14, 0, 5, 0, 0, 250, 25, 0],
        (false, _) => &[18, 0, 0, 250, 23, 0, 14, 0, 8, 0, 25, 0],
    };
    let (mut ended, mut closed) = (false, false);
    let mut witness = Witness::default();
    let mut granted = false;
    for (step, input) in (0_u64..).zip(inputs(way).chain(inputs(bytes))) {
        witness.hear(&input);
        granted |= grants(&input);
        let before = table.row(ID).cloned();
        let mut actions = Vec::new();
        let at = Duration::from_secs(step);
        match &mut machine {
            Machine::Receiving(it) => it.handle(input, at, &mut table, &mut actions),
            Machine::Initiating(it) => it.handle(input, at, &mut table, &mut actions),
        }
        let Some(before) = before.filter(|_| !closed) else {
            assert!(actions.is_empty() && table.row(ID).is_none());
            continue;
        };
        check(&actions, &table, &mut ended);
        closed = table.row(ID).is_none();
        actions.iter().for_each(|action| witness.ask(action));
        comes_in(&actions, &before);
        if let Some(row) = table.row(ID) {
            witness.brought.extend(row.entrances.iter().cloned());
            holds(row, &table, &witness, granted);
        }
    }
}

/// What goes on has an entrance, or says that it came to nothing what we sent on the word of the very
/// same far end.
fn comes_in(actions: &[Action], before: &Row) {
    for action in actions {
        if let Action::Forward(_, stanza) | Action::Hold(stanza) = action {
            let refused = stanza.is_refusal() && before.exits.contains(&stanza.pair.reversed());
            let brings = before.entrances.contains(&stanza.pair);
            assert!(brings || refused, "{} has no entrance", stanza.pair);
        }
    }
}

/// Every right that there is has somebody who gave it.
fn holds(row: &Row, table: &Table, witness: &Witness, granted: bool) {
    for pair in &row.entrances {
        assert!(table.is_proven(ID, &pair.sender), "{pair} comes in unproven");
        let turned = granted && vouched(row, witness, pair);
        let asked = witness.vouches(pair) && witness.reached.contains(pair);
        assert!(asked || turned, "{pair} comes in, and nobody knows why");
    }
    for pair in &row.exits {
        assert!(table.is_proven(ID, &pair.target), "{pair} leaves to the unproven");
        let turned = witness.brought.contains(&pair.reversed());
        assert!(granted || turned, "{pair} leaves, and nobody granted it");
    }
}

/// Whether the sender is known by proof, or by dialback where we opened the stream to it.
fn vouched(row: &Row, witness: &Witness, pair: &DomainPair) -> bool {
    let grounds = row.speaks_for(&pair.sender);
    matches!(grounds, Some(Grounds::Dialback)) || witness.vouches(pair)
}
