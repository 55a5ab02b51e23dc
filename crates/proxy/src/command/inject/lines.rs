//! What is said of manifests, a line for each thing.

/// Lines for somebody to read, and no more of them than anybody does.
#[derive(Debug, Default)]
pub(super) struct Lines {
    first: Vec<String>,
    /// How many came after these.
    more: usize,
}

impl Lines {
    pub(super) fn push(&mut self, line: String) {
        if self.first.len() < LINES_MAX {
            self.first.push(line);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// All of them; the last one says how many were left out, if any were.
    pub(super) fn all(mut self) -> Vec<String> {
        if 0 < self.more {
            self.first.push(format!("and {} more like these", self.more));
        }
        self.first
    }
}

/// More than the workloads of a large fleet, while a stream of nothing but ends of documents has
/// millions that are each too much.
const LINES_MAX: usize = 1000;
