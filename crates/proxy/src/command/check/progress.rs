//! How far we are, for whoever waits.

use std::io::{self, IsTerminal as _, Write as _};

/// A bar on standard error, if that is a terminal.
#[derive(Debug)]
pub(super) struct Progress {
    total: usize,
    /// What stands there now.
    shown: Option<String>,
    visible: bool,
}

impl Progress {
    /// A bar for so many domains. One domain is not worth one.
    pub(super) fn new(total: usize) -> Self {
        let visible = 1 < total && io::stderr().is_terminal();
        Self { total, shown: None, visible }
    }

    /// Shows how many are done, and how many of them are not well.
    pub(super) fn show(&mut self, done: usize, troubled: usize) {
        if !self.visible {
            return;
        }
        let line = bar(done, troubled, self.total);
        if self.shown.as_ref() != Some(&line) {
            // Whoever has closed it does not want to see it.
            let _ = write!(io::stderr(), "\r\x1b[K{line}");
            let _ = io::stderr().flush();
            self.shown = Some(line);
        }
    }

    /// Takes the bar away, so that something else may be written.
    pub(super) fn clear(&mut self) {
        if self.shown.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
            let _ = io::stderr().flush();
        }
    }
}

/// `[######----] 600/1000, 3 not proven`.
fn bar(done: usize, troubled: usize, total: usize) -> String {
    let full = done.min(total) * WIDTH / total.max(1);
    let (full, empty) = ("#".repeat(full), "-".repeat(WIDTH - full));
    format!("[{full}{empty}] {done}/{total}, {troubled} not proven")
}

const WIDTH: usize = 30;

#[cfg(test)]
mod tests;
