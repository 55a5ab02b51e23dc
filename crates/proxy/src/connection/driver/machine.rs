use std::time::Duration;

use crate::binding::Table;
use crate::stream::{Action, Initiating, Input, Receiving};

/// The two ways to be in a stream.
#[derive(Debug)]
pub enum Machine {
    /// The far end opened it.
    Receiving(Box<Receiving>),
    /// We did.
    Initiating(Box<Initiating>),
}

impl Machine {
    /// Takes one step.
    pub(super) fn handle(
        &mut self,
        input: Input,
        at: Duration,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) {
        match self {
            Self::Receiving(machine) => machine.handle(input, at, table, out),
            Self::Initiating(machine) => machine.handle(input, at, table, out),
        }
    }
}
