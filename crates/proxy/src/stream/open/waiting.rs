//! What a stream waits for, and for how long.

use std::time::Duration;

use super::{Action, Condition, Open, Side, StreamError, Table, Violation, Way};
use crate::binding::Row;

impl Open {
    pub(super) fn on_timeout(
        &mut self,
        quiet: Duration,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) -> Result<(), StreamError> {
        let bounds = self.terms.bounds;
        let row = table.row(self.id);
        let authorized = row.is_some_and(Row::is_authorized);
        let busy = !self.claims.is_empty() || self.is_asking();
        if self.leaving {
            out.push(Action::Close(None));
        } else if !self.asks.is_empty() {
            self.give_up_overdue(out);
            self.advance_line(table, out);
            out.push(Action::SetTimer(self.patience(table)));
        } else if busy {
            // What is asked for ends by a limit of its own, and soon. Whoever is not authorized by now
            // may not ask for more (C-08).
            self.overdue = !authorized && self.way == Way::Inbound;
            out.push(Action::SetTimer(bounds.step));
        } else if !authorized && self.way == Way::Outbound {
            // What it was opened for came to nothing, and that is nobody's offense.
            out.push(Action::Close(None));
        } else if !authorized {
            return Err(Condition::ConnectionTimeout
                .because("the far end was not authorized in time")
                .blame(Violation::LimitPreauth));
        } else if self.idle(table) <= quiet {
            out.push(Action::Close(None));
        } else {
            let left = bounds.idle.saturating_sub(quiet);
            out.push(Action::SetTimer(left.min(self.glance())));
        }
        Ok(())
    }

    /// How long the stream may carry nothing (P-10).
    ///
    /// There is one to our own server for every pair that a peer has been granted, and a peer
    /// may have thousands. When it goes, they go.
    fn idle(&self, table: &Table) -> Duration {
        let row = table.row(self.id);
        let used = |row: &Row| row.exits.iter().any(|pair| table.has_entrance(pair));
        if self.leads_home() && !row.is_some_and(used) {
            self.glance()
        } else {
            self.terms.bounds.idle
        }
    }

    /// How often is looked whether the stream is still of use.
    pub(super) fn glance(&self) -> Duration {
        let idle = self.terms.bounds.idle;
        if self.leads_home() { idle.min(UNUSED) } else { idle }
    }

    /// Whether this is a way to our own server.
    fn leads_home(&self) -> bool {
        self.way == Way::Outbound && self.terms.side == Side::Backend
    }
}

/// How long a way to our own server is kept that no peer may use: what bounces may still take it.
pub(super) const UNUSED: Duration = Duration::from_secs(60);
