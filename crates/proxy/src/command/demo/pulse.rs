use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::args::draws;
use crate::command::paint::{Color, paint};

/// Standard output, with a last line on a terminal that tells what is waited for while nothing is
/// told. Whoever reads a pipe gets what is told and nothing else.
#[derive(Debug)]
pub(super) struct Pulse {
    line: Arc<Mutex<Line>>,
    /// Dropped, it beats no more.
    _beats: JoinSet<()>,
}

/// What stands on the last line.
#[derive(Debug)]
struct Line {
    waiting: Option<(String, Instant)>,
    drawn: bool,
    colored: bool,
}

impl Pulse {
    /// One that beats, if standard output is a terminal; that takes a runtime.
    pub(super) fn new(colored: bool) -> Self {
        let line = Line { waiting: None, drawn: false, colored };
        let line = Arc::new(Mutex::new(line));
        let mut beats = JoinSet::new();
        if draws(&io::stdout()) {
            let line = Arc::clone(&line);
            beats.spawn(async move {
                loop {
                    sleep(BEAT).await;
                    lock(&line).draw();
                }
            });
        }
        Self { line, _beats: beats }
    }

    /// Tells a line; what was waited for has come.
    pub(super) fn tell(&self, text: &str) {
        let mut line = lock(&self.line);
        line.clear();
        line.waiting = None;
        // Whoever closes our standard output does not want to know; the exit code is still true.
        let _ = writeln!(io::stdout(), "{text}");
    }

    /// From now on this is waited for, until the next line is told.
    #[expect(clippy::disallowed_methods, reason = "it is told for how long")]
    pub(super) fn wait(&self, what: &str) {
        lock(&self.line).waiting = Some((what.to_owned(), Instant::now()));
    }
}

/// However the story ends, nothing of it is left on the last line.
impl Drop for Pulse {
    fn drop(&mut self) {
        let mut line = lock(&self.line);
        line.waiting = None;
        line.clear();
    }
}

impl Line {
    fn draw(&mut self) {
        let Some(shown) = self.waiting.as_ref().and_then(|(what, since)| {
            let elapsed = since.elapsed();
            (PAUSE <= elapsed).then(|| beat(what, elapsed))
        }) else {
            return;
        };
        let shown = paint(Color::Dim, &shown, self.colored);
        // What is longer than the terminal is wide is cut there: one line can be taken away again.
        let _ = write!(io::stdout(), "\r\x1b[K\x1b[?7l  {shown}\x1b[?7h");
        let _ = io::stdout().flush();
        self.drawn = true;
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(io::stdout(), "\r\x1b[K");
            let _ = io::stdout().flush();
        }
    }
}

/// `⠙ both proxies get ready, 2 s`.
fn beat(what: &str, elapsed: Duration) -> String {
    let beats = elapsed.as_millis() / BEAT.as_millis();
    let frame = usize::try_from(beats).unwrap_or_default() % FRAMES.len();
    let frame = FRAMES.get(frame).copied().unwrap_or_default();
    match elapsed.as_secs() {
        0 => format!("{frame} {what}"),
        seconds => format!("{frame} {what}, {seconds} s"),
    }
}

fn lock(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

const FRAMES: [char; 8] = ['⠋', '⠙', '⠸', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// How often the sign turns.
const BEAT: Duration = Duration::from_millis(100);

/// What takes no longer is not worth a line.
const PAUSE: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests;
