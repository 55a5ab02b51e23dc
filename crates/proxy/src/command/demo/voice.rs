//! Lines that a person enjoys reading, and the account of what held.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};

use super::pulse::Pulse;
use crate::args::Exit;
use crate::command::paint::{Color, paint};

/// Tells the story on standard output, and remembers whether all of it was true.
#[derive(Debug)]
pub(super) struct Voice {
    colored: bool,
    pulse: Pulse,
    account: Vec<(String, bool)>,
}

impl Voice {
    /// A voice, in color if that is liked and standard output is a terminal.
    pub(super) fn new(likes_color: bool) -> Self {
        let colored = likes_color && io::stdout().is_terminal();
        Self { colored, pulse: Pulse::new(colored), account: Vec::new() }
    }

    /// Shows on a terminal what is waited for, until something is told.
    pub(super) fn wait(&self, what: &str) {
        self.pulse.wait(what);
    }

    /// Opens an act.
    pub(super) fn act(&self, title: &str, what: &str) {
        let title = self.paint(Color::Bold, title);
        self.tell(&format!("\n{title}  {what}\n"));
    }

    /// Tells of something, and what there is to say about it.
    pub(super) fn fact(&self, name: &str, what: &str) {
        // Padded before it is painted: colors have no width.
        let name = self.paint(Color::Cyan, &format!("{name:<18}"));
        self.tell(&format!("  {name} {what}"));
    }

    /// Just says something.
    pub(super) fn say(&self, text: &str) {
        self.tell(&format!("  {text}"));
    }

    /// Somebody speaks.
    pub(super) fn speech(&self, from: &str, to: &str, body: &str) {
        let (from, to) = (self.paint(Color::Cyan, from), self.paint(Color::Cyan, to));
        self.tell(&format!("  {from} → {to}"));
        let body = self.paint(Color::Bold, &format!("“{body}”"));
        self.tell(&format!("      {body}"));
    }

    /// Shows what was overheard or answered, as it was.
    pub(super) fn quote(&self, text: &str) {
        let text = self.paint(Color::Dim, &plain(text));
        self.tell(&format!("      {text}"));
    }

    /// Something that is good news, if it holds.
    pub(super) fn check(&mut self, what: &str, holds: bool) {
        self.mark(what, holds, Color::Green, "✓");
    }

    /// Something that is bad news and part of the story, if it holds.
    pub(super) fn beware(&mut self, what: &str, holds: bool) {
        self.mark(what, holds, Color::Yellow, "!");
    }

    fn mark(&mut self, what: &str, holds: bool, color: Color, sign: &str) {
        self.account.push((what.to_owned(), holds));
        let (sign, what) = match holds {
            true => (self.paint(color, sign), what.to_owned()),
            false => (
                self.paint(Color::Red, "✗"),
                self.paint(Color::Red, &format!("it does not hold that {what}")),
            ),
        };
        self.tell(&format!("  {sign} {what}"));
    }

    /// Closes with the account: `Exit::Done` only if everything held.
    pub(super) fn close(&self, seconds: f64) -> Exit {
        let failed = self.account.iter().filter(|(_, holds)| !holds).count();
        let (all, holds) = (self.account.len(), self.holds());
        let sum = match holds {
            true => self.paint(Color::Green, &format!("✓ all {all} checks held")),
            false => self.paint(Color::Red, &format!("✗ {failed} of {all} checks failed")),
        };
        self.tell(&format!("\n{sum}, in {seconds:.1} s"));
        if holds { Exit::Done } else { Exit::Failed }
    }

    /// Whether everything held so far, and there was something.
    fn holds(&self) -> bool {
        !self.account.is_empty() && self.account.iter().all(|(_, holds)| *holds)
    }

    fn tell(&self, line: &str) {
        self.pulse.tell(line);
    }

    fn paint(&self, color: Color, text: &str) -> String {
        paint(color, text, self.colored)
    }
}

/// Bytes in hexadecimal, as whoever looks at a wire sees them.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let gap = if text.is_empty() { "" } else { " " };
        let _ = write!(text, "{gap}{byte:02x}");
        text
    })
}

/// Text that does nothing to a terminal: what crossed a wire may be anything.
fn plain(text: &str) -> String {
    let plain = |c: char| if c.is_control() { '·' } else { c };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests;
