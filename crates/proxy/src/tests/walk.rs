//! Every path of a few inputs through a machine: pure things can be cloned at each fork.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what a test does not look at is none of its business"
)]

use std::fmt::Debug;
use std::time::Duration;

use crate::binding::{ConnectionId, Table};
use crate::stream::{Action, BUG, Initiating, Input, Receiving};

/// The connection whose stream is walked through.
pub(crate) const ID: ConnectionId = ConnectionId(1);

/// What the machines have in common.
pub(crate) trait Machine: Clone + Debug {
    fn advance(&mut self, input: Input, at: Duration, table: &mut Table, out: &mut Vec<Action>);
}

impl Machine for Receiving {
    fn advance(&mut self, input: Input, at: Duration, table: &mut Table, out: &mut Vec<Action>) {
        self.handle(input, at, table, out);
    }
}

impl Machine for Initiating {
    fn advance(&mut self, input: Input, at: Duration, table: &mut Table, out: &mut Vec<Action>) {
        self.handle(input, at, table, out);
    }
}

/// Sees everything that happens on a path, and knows what may.
pub(crate) trait Witness: Clone {
    fn see(&mut self, input: &Input, actions: &[Action], table: &Table);
}

/// Where a path has led to.
#[derive(Clone)]
pub(crate) struct Place<M, W> {
    pub(crate) machine: M,
    pub(crate) table: Table,
    pub(crate) witness: W,
    /// Whether our half of the stream has ended.
    pub(crate) ended: bool,
}

/// How often what happened, so that a walk cannot pass by leading nowhere.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) steps: u32,
    pub(crate) stanzas: u32,
    pub(crate) grants: u32,
    pub(crate) bound: u32,
    pub(crate) closed: u32,
}

/// Walks every path of up to `depth` of these inputs from here.
pub(crate) fn walk<M: Machine, W: Witness>(
    from: &Place<M, W>,
    inputs: &[Input],
    depth: u32,
    tally: &mut Tally,
) {
    for input in inputs {
        let mut place = from.clone();
        let at = Duration::from_secs(100 - u64::from(depth));
        let actions = place.step(input, at, tally);
        if place.table.row(ID).is_none() {
            place.check_silent(inputs);
        } else if 1 < depth && !is_same(&from.machine, &place.machine, &actions) {
            walk(&place, inputs, depth - 1, tally);
        }
    }
}

/// Strolls along long paths that chance chooses, the same every time.
pub(crate) fn stroll<M: Machine, W: Witness>(
    from: &Place<M, W>,
    inputs: &[Input],
    paths: u64,
    tally: &mut Tally,
) {
    const STEPS: u64 = 80;
    for path in 1..=paths {
        let (mut place, mut chance) = (from.clone(), path);
        for step in 0..STEPS {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            let sides = u64::try_from(inputs.len()).unwrap();
            let choice = usize::try_from(chance.wrapping_mul(0x2545_F491_4F6C_DD1D) % sides);
            place.step(&inputs[choice.unwrap()], Duration::from_secs(step), tally);
            if place.table.row(ID).is_none() {
                break;
            }
        }
    }
}

/// Whether nothing came of an input, so that all that may follow has been walked through before.
fn is_same<M: Debug>(before: &M, after: &M, actions: &[Action]) -> bool {
    // The time of the last input differs, and matters only together with what happens at it.
    let show = |machine: &M| {
        let text = format!("{machine:?}");
        let parts: Vec<_> = text.split(" at: ").map(str::to_owned).collect();
        let rest = |part: &String| part.split_once([',', ' ']).map(|it| it.1.to_owned());
        let rests: Vec<_> = parts.iter().skip(1).map(rest).collect();
        (parts.first().cloned(), rests)
    };
    actions.is_empty() && show(before) == show(after)
}

impl<M: Machine, W: Witness> Place<M, W> {
    /// Takes one step, and looks at it from all sides.
    fn step(&mut self, input: &Input, at: Duration, tally: &mut Tally) -> Vec<Action> {
        let mut actions = Vec::new();
        self.machine.advance(input.clone(), at, &mut self.table, &mut actions);
        tally.count(&actions);
        self.check(input, &actions);
        self.witness.see(input, &actions, &self.table);
        actions
    }

    /// What holds for every machine, whatever it is told.
    fn check(&mut self, input: &Input, actions: &[Action]) {
        let closes = |action: &&Action| matches!(action, Action::Close(_));
        let closed = actions.iter().filter(closes).count();
        let is_open = self.table.row(ID).is_some();
        assert!(closed < 2, "closed twice by {input:?}");
        assert_eq!(closed == 0, is_open, "a row for each open stream; {input:?}");
        if closed == 1 {
            let last = actions.last();
            assert!(matches!(last, Some(Action::Close(_))), "something behind the end: {last:?}");
        }
        for action in actions {
            if let Action::Close(Some(error)) = action {
                assert_ne!(error.because, BUG, "by {input:?}");
            }
            let speaks = matches!(action, Action::Send(_) | Action::End(_) | Action::StartTls(_));
            assert!(!(self.ended && speaks), "{action:?} behind our closing tag");
            self.ended |= matches!(action, Action::End(_));
        }
    }

    /// Nothing comes of a stream that is closed, whatever it is told.
    fn check_silent(&self, inputs: &[Input]) {
        for input in inputs {
            let mut place = self.clone();
            let mut actions = Vec::new();
            let at = Duration::from_secs(100);
            place.machine.advance(input.clone(), at, &mut place.table, &mut actions);
            assert!(actions.is_empty(), "{input:?} woke a closed stream: {actions:?}");
            assert!(place.table.row(ID).is_none(), "{input:?} brought a row back");
        }
    }
}

impl Tally {
    fn count(&mut self, actions: &[Action]) {
        self.steps += 1;
        for action in actions {
            match action {
                Action::Forward(..) | Action::Hold(_) => self.stanzas += 1,
                Action::Send(text) if grants(text) => self.grants += 1,
                Action::Tell(crate::stream::Tidings::Bound(_)) => self.bound += 1,
                Action::Close(_) => self.closed += 1,
                _ => (),
            }
        }
    }
}

/// Whether this tells the far end that it may send.
pub(crate) fn grants(text: &str) -> bool {
    text.starts_with("<success") || text.starts_with("<db:result") && text.contains("type='valid'")
}
