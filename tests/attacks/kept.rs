//! Kept: what the deeds of a run leave for those that come after them.

use std::time::{Duration, Instant};

use ligase_tests::xml::{attribute, content};
use ligase_tests::{Process, Stranger};

use crate::watch::Violations;

/// Nothing, at first.
pub(crate) struct Kept {
    /// How things stood when figures began to be taken.
    pub(crate) mark: Option<Mark>,
    /// Those who have come by the hundred.
    pub(crate) throngs: Vec<Throng>,
    /// Another server of ours, beside the first.
    pub(crate) beside: Option<Stranger>,
    /// The attacker's server of `z0.lab` and so on.
    pub(crate) awake: Option<Stranger>,
    /// How many series the metrics had.
    pub(crate) series: Option<usize>,
    /// Lines of the log when the run began.
    pub(crate) log: usize,
}

/// How things stood.
pub(crate) struct Mark {
    pub(crate) since: Instant,
    /// Bytes that the proxy held.
    pub(crate) memory: u64,
    /// Seconds of a processor that it had used.
    pub(crate) cpu: f64,
    /// Songs of the canary.
    pub(crate) songs: usize,
    /// How often each rule had been broken.
    pub(crate) violations: Violations,
    /// What had become of stanzas, inbound and outbound.
    pub(crate) stanzas: [u64; 2],
}

/// Some who came together.
pub(crate) struct Throng {
    pub(crate) program: Process,
    pub(crate) manner: String,
    pub(crate) count: u32,
}

impl Kept {
    /// Nothing yet, when the log has so many lines.
    pub(crate) fn at(log: usize) -> Self {
        let (mark, throngs) = (None, Vec::new());
        Self { mark, throngs, beside: None, awake: None, series: None, log }
    }

    /// The id of the stream that the proxy has opened to our other server, and the key that it has
    /// shown there.
    pub(crate) fn shown(&self, patience: Duration) -> Option<(String, String)> {
        let server = self.beside.as_ref()?;
        server.hears(0, "<db:result", patience);
        let heard = server.heard();
        let shown = heard.iter().rfind(|it| it.starts_with("<db:result"))?;
        let id = server.id_for(attribute(shown, "from")?)?;
        Some((id, content(shown).to_owned()))
    }

    /// Has all of them go.
    pub(crate) fn end(&mut self) {
        self.throngs.clear();
        let servers = [self.beside.take(), self.awake.take()];
        servers.into_iter().flatten().for_each(|it| it.signal("KILL"));
    }

    /// How things stood.
    pub(crate) fn mark(&self) -> Result<&Mark, String> {
        self.mark.as_ref().ok_or_else(|| "since when? there is no `mark`".to_owned())
    }
}
