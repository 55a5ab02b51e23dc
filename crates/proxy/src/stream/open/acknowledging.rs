//! Acknowledgments (XEP-0198): each end counts what it takes, and keeps what it sent until the other
//! has counted it.

use super::super::Management;
use super::{Action, Open, Side, Table, Violation};

/// What is agreed on with the far end.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in super::super) enum Agreed {
    /// Nothing, and nothing may be: the far end is not authenticated.
    #[default]
    Nothing,
    /// It may ask for it.
    Offered,
    /// We have asked for it.
    Asked,
    /// It is done: so many stanzas have been taken since.
    Counting(u32),
}

impl Open {
    /// Offers acknowledgments to the far end, which has authenticated itself by SASL.
    pub(in super::super) fn offer_acknowledgments(&mut self) {
        if self.wants_acknowledgments() {
            self.agreed = Agreed::Offered;
        }
    }

    /// Asks for acknowledgments, where they are `offered`. What is sent from now on is kept until it
    /// is acknowledged.
    pub(in super::super) fn ask_for_acknowledgments(
        &mut self,
        offered: bool,
        out: &mut Vec<Action>,
    ) {
        if !offered || !self.wants_acknowledgments() {
            return;
        }
        self.agreed = Agreed::Asked;
        out.push(Action::Send(Management::Enable.to_xml()));
        out.push(Action::Keep(true));
    }

    pub(super) fn on_management(
        &mut self,
        said: Management,
        table: &mut Table,
        out: &mut Vec<Action>,
    ) {
        match (said, self.agreed) {
            // Nothing follows our closing tag (RFC 6120 §4.4).
            (Management::Enable, _) if self.leaving => (),
            (Management::Enable, Agreed::Offered) => {
                self.begin_counting(table);
                out.push(Action::Send(Management::Enabled.to_xml()));
                out.push(Action::Keep(true));
            }
            (Management::Enable, _) => {
                out.push(Action::Count(Violation::StreamManagementProtocol));
                out.push(Action::Send(Management::Failed.to_xml()));
            }
            (Management::Enabled, Agreed::Asked) => self.begin_counting(table),
            (Management::Failed, Agreed::Asked) => {
                self.agreed = Agreed::Nothing;
                out.push(Action::Keep(false));
            }
            (Management::Request, Agreed::Counting(_)) => self.acknowledge(out),
            (Management::Answer(count), Agreed::Counting(_) | Agreed::Asked) => {
                out.push(Action::Acknowledged(count));
            }
            (
                Management::Enabled
                | Management::Failed
                | Management::Request
                | Management::Answer(_),
                _,
            ) => out.push(Action::Count(Violation::StreamManagementProtocol)),
        }
    }

    fn begin_counting(&mut self, table: &mut Table) {
        self.agreed = Agreed::Counting(0);
        self.far.confirms = true;
        table.set_far(self.id, self.far);
    }

    /// Counts a stanza that was taken, whatever becomes of it: its sender hears of that elsewhere.
    pub(super) fn count_stanza(&mut self) {
        if let Agreed::Counting(count) = &mut self.agreed {
            *count = count.wrapping_add(1);
        }
    }

    /// Tells how much was taken, if that was agreed on and our half of the stream still stands.
    pub(super) fn acknowledge(&self, out: &mut Vec<Action>) {
        if let Agreed::Counting(count) = self.agreed
            && !self.leaving
        {
            out.push(Action::Send(Management::Answer(count).to_xml()));
        }
    }

    /// Whether acknowledgments are worth asking for: our own server is asked in other ways.
    fn wants_acknowledgments(&self) -> bool {
        self.terms.side == Side::Public
    }
}
