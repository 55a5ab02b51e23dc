use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::args::draws;

/// A bar on standard error, if that is a terminal.
#[derive(Debug)]
pub(super) struct Progress {
    total: usize,
    began: Instant,
    /// What stands there now.
    shown: Option<String>,
    visible: bool,
}

impl Progress {
    /// A bar for so many domains. One domain is not worth one.
    #[expect(clippy::disallowed_methods, reason = "the bar tells how fast it goes")]
    pub(super) fn new(total: usize) -> Self {
        let visible = 1 < total && draws(&io::stderr());
        Self { total, began: Instant::now(), shown: None, visible }
    }

    /// Shows how many are done, and how many of them are not well.
    pub(super) fn show(&mut self, done: usize, troubled: usize) {
        if !self.visible {
            return;
        }
        let line = bar(done, troubled, self.total, self.began.elapsed());
        if self.shown.as_ref() != Some(&line) {
            // Whoever has closed it does not want to see it. What is longer than the terminal is
            // wide is cut there, since only one line can be taken away again.
            let _ = write!(io::stderr(), "\r\x1b[K\x1b[?7l{line}\x1b[?7h");
            let _ = io::stderr().flush();
            self.shown = Some(line);
        }
    }

    /// Waits for something, and shows meanwhile how time goes by.
    pub(super) async fn during<T>(
        &mut self,
        wait: impl Future<Output = T>,
        done: usize,
        troubled: usize,
    ) -> T {
        tokio::pin!(wait);
        loop {
            tokio::select! {
                outcome = &mut wait => return outcome,
                () = sleep(TICK), if self.visible => self.show(done, troubled),
            }
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

/// However the check ends, the bar does not stay.
impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// `[######----] 600/1000, 3 not proven, 12.5/s, 32 s left`.
fn bar(done: usize, troubled: usize, total: usize, elapsed: Duration) -> String {
    let full = done.min(total) * WIDTH / total.max(1);
    let (full, empty) = ("#".repeat(full), "-".repeat(WIDTH - full));
    let pace = pace(done, total, elapsed);
    format!("[{full}{empty}] {done}/{total}, {troubled} not proven{pace}")
}

/// How fast it goes, and for how long it will: nothing, as long as that is anybody's guess.
fn pace(done: usize, total: usize, elapsed: Duration) -> String {
    // A million domains and a day in milliseconds are well within 64 bits, multiplied.
    let (done, left) = (done as u64, total.saturating_sub(done) as u64);
    let elapsed = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    if done == 0 || elapsed < GUESS_MILLISECONDS_MIN {
        return String::new();
    }
    let tenths = done.saturating_mul(10_000) / elapsed;
    let seconds = left.saturating_mul(elapsed).div_ceil(done.saturating_mul(1_000));
    let left = match seconds {
        0 => String::new(),
        1..120 => format!(", {seconds} s left"),
        120..7_200 => format!(", {} min left", seconds.div_ceil(60)),
        _ => format!(", {} h left", seconds.div_ceil(3_600)),
    };
    format!(", {}.{}/s{left}", tenths / 10, tenths % 10)
}

const WIDTH: usize = 30;

/// How often the bar is drawn again while nothing comes in.
const TICK: Duration = Duration::from_millis(500);

/// Before that, one fast domain would promise too much.
const GUESS_MILLISECONDS_MIN: u64 = 1_000;

#[cfg(test)]
mod tests;
