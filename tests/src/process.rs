//! Process: a program of the world, heard line by line.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::OrFail;

/// A running program and all that it has said.
///
/// It is killed when dropped; if the test is failing just then, the end of what it said is shown.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    said: Arc<Said>,
}

#[derive(Debug, Default)]
struct Said {
    log: Mutex<Log>,
    grown: Condvar,
}

#[derive(Debug, Default)]
struct Log {
    lines: Vec<String>,
    /// How long all of them are together.
    size: usize,
    /// How many of its two pipes are still open.
    open: u8,
}

/// Has the end of a program say nothing of what it said, whatever fails.
pub fn keep_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

static QUIET: AtomicBool = AtomicBool::new(false);

impl Process {
    /// Starts `command`, calling it `name` from now on.
    pub fn start(name: &str, mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().or_fail(&format!("start {name}"));
        let said = Arc::<Said>::default();
        said.lock().open = 2;
        let stdout = child.stdout.take().or_fail("take its standard output");
        let stderr = child.stderr.take().or_fail("take its standard error");
        listen(stdout, said.clone());
        listen(stderr, said.clone());
        let stdin = child.stdin.take();
        Self { name: name.to_owned(), child, stdin, said }
    }

    /// Reads a log file as it grows, from its first line on, whenever it comes into being.
    pub fn follow(file: &Path) -> Self {
        let mut tail = Command::new("tail");
        tail.args(["--lines=+1", "--silent", "--follow=name", "--retry"]).arg(file);
        Self::start(&file.display().to_string(), tail)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes one line to its standard input.
    pub fn tell(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().or_fail("speak to a program whose input is closed");
        writeln!(stdin, "{line}").or_fail(&format!("speak to {}", self.name));
    }

    /// Closes its standard input.
    pub fn hush(&mut self) {
        self.stdin = None;
    }

    /// What it has said so far.
    pub fn lines(&self) -> Vec<String> {
        self.said.lock().lines.clone()
    }

    /// What it has said after so many lines.
    pub fn lines_after(&self, start: usize) -> Vec<String> {
        self.said.lock().lines.get(start..).unwrap_or_default().to_vec()
    }

    /// What it has said from the `start`th line on, as soon as that is so many lines; or what it is
    /// when patience is at its end.
    pub fn grown(&self, start: usize, least: usize, patience: Duration) -> Vec<String> {
        let log = self.said.lock();
        let few = |log: &mut Log| log.lines.len() < start + least && 0 < log.open;
        let waited = self.said.grown.wait_timeout_while(log, patience, few);
        let (log, _) = waited.unwrap_or_else(PoisonError::into_inner);
        log.lines.get(start..).unwrap_or_default().to_vec()
    }

    /// How many lines it has said so far.
    pub fn count(&self) -> usize {
        self.said.lock().lines.len()
    }

    /// The first line, said already or to come, that holds `text`.
    pub fn hear(&self, text: &str, patience: Duration) -> String {
        self.hear_after(0, text, patience).1
    }

    /// The first line from the `start`th on that holds `text`, and the number of the line after.
    pub fn hear_after(&self, start: usize, text: &str, patience: Duration) -> (usize, String) {
        let log = self.said.lock();
        let found = |log: &Log| {
            let at = log.lines.iter().skip(start).position(|line| line.contains(text))?;
            Some((start + at + 1, log.lines.get(start + at)?.clone()))
        };
        let (log, _) = self
            .said
            .grown
            .wait_timeout_while(log, patience, |log| found(log).is_none() && 0 < log.open)
            .unwrap_or_else(PoisonError::into_inner);
        match found(&log) {
            Some(found) => found,
            None => {
                let name = &self.name;
                panic!("{name} never said {text:?}, but:\n{}", tail(&log.lines, start))
            }
        }
    }

    /// Every line, said already or to come, until it ends.
    pub fn hearing(&self) -> impl Iterator<Item = String> + Send + use<> {
        let said = self.said.clone();
        (0..).map_while(move |number| {
            let log = said.lock();
            let waiting = |log: &mut Log| log.lines.len() <= number && 0 < log.open;
            let log = said.grown.wait_while(log, waiting).unwrap_or_else(PoisonError::into_inner);
            log.lines.get(number).cloned()
        })
    }

    /// Sends it a signal: `"TERM"`, `"HUP"`.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args(["-s", signal, &self.id().to_string()]).status();
        assert!(sent.or_fail("run kill").success(), "cannot send {signal} to {}", self.name);
    }

    /// Whether it has ended, and all that it said is here.
    pub fn has_ended(&self) -> bool {
        self.said.lock().open == 0
    }

    /// Waits for its end.
    pub fn end(&mut self, patience: Duration) -> ExitStatus {
        let log = self.said.lock();
        let (log, waited) = self
            .said
            .grown
            .wait_timeout_while(log, patience, |log| 0 < log.open)
            .unwrap_or_else(PoisonError::into_inner);
        let name = &self.name;
        assert!(!waited.timed_out(), "{name} did not end, but said:\n{}", tail(&log.lines, 0));
        drop(log);
        self.child.wait().or_fail(&format!("await the end of {name}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What it started dies with it, a moment later; then nobody holds its pipes any more.
        let log = self.said.lock();
        let _ = self.said.grown.wait_timeout_while(log, LAST_MOMENT, |log| 0 < log.open);
        if thread::panicking() && !QUIET.load(Ordering::Relaxed) {
            eprintln!("--- {} said:\n{}", self.name, tail(&self.said.lock().lines, 0));
        }
    }
}

impl Log {
    fn keep(&mut self, line: String) {
        self.size += line.len();
        if self.size <= KEPT_MAX {
            self.lines.push(line);
        }
    }
}

impl Said {
    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn listen(pipe: impl Read + Send + 'static, said: Arc<Said>) {
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|read| 0 < read) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            said.lock().keep(text);
            said.grown.notify_all();
            line.clear();
        }
        said.lock().open -= 1;
        said.grown.notify_all();
    });
}

fn tail(lines: &[String], start: usize) -> String {
    let start = start.max(lines.len().saturating_sub(SHOWN_MAX));
    let lines = lines.get(start..).unwrap_or_default();
    let shown: Vec<_> = lines.iter().map(|line| format!("{line:.LINE_SHOWN_MAX$}")).collect();
    shown.join("\n")
}

/// How much of one line is shown.
const LINE_SHOWN_MAX: usize = 2000;

/// How much is kept of what a program says: no test says nearly as much, unless something runs in
/// circles.
const KEPT_MAX: usize = 256 << 20;

/// How long the children of a process that was killed may take to follow.
const LAST_MOMENT: Duration = Duration::from_secs(5);

/// Lines shown of a log when a test fails: enough for a negotiation, little enough to read.
const SHOWN_MAX: usize = 120;

#[cfg(test)]
mod tests;
