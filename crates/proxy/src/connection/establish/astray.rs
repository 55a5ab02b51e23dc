//! Where DNS leads nobody is to go: it is forged, or kept from us.

use ligase_verifier::Unresolved;

use super::unresolved;
use crate::binding::Side;
use crate::connection::event::Event;
use crate::connection::rooms::Rooms;
use crate::stream::{Setback, Violation};

impl Rooms {
    /// What it means that a peer, or its host, could not be looked up. That it does not exist, or
    /// does not want to be found, breaks no rule; all else does.
    pub(in crate::connection) fn gone_astray(&self, error: Unresolved) -> Setback {
        if let Some(violation) = Violation::read(error.label()) {
            let side = Side::Public;
            (self.tell)(Event::Broke { violation, side, connection: None, peer: None });
        }
        unresolved(error)
    }
}
