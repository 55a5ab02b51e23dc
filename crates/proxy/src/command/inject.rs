//! `ligase inject`: puts ligase beside the servers of a Kubernetes manifest.

mod conflicts;
mod documents;
mod lines;
mod pod;
mod sidecar;
mod workload;
mod yaml;

use std::io::{self, Read, Write as _};

use crate::args::{Exit, Inject, InjectCapture, label};
use crate::command::printable::printable;

use documents::Piece;
use lines::Lines;
use sidecar::Sidecar;
use workload::Workload;
use yaml::{Budget, Map, Node};

/// Reads manifests and prints them with what was asked for; what was done goes to stderr. Nothing is
/// printed if there is a problem.
#[must_use]
pub fn run(args: &Inject) -> Exit {
    let stream = match read(io::stdin().lock()) {
        Ok(stream) => stream,
        Err(error) => {
            eprintln!("ligase inject: the manifests cannot be read: {error}");
            return if error.kind() == io::ErrorKind::InvalidData {
                Exit::Data
            } else {
                Exit::Unavailable
            };
        }
    };
    let mut aside = io::stderr().lock();
    let (written, told) = match work(args, &stream) {
        Ok(done) => done,
        Err(problems) => {
            // Who has closed the pipe does not want to know.
            let _ = writeln!(aside, "{}", problems.join("\n"));
            return Exit::Data;
        }
    };
    let _ = writeln!(aside, "{}", told.join("\n"));
    match io::stdout().lock().write_all(written.as_bytes()) {
        Ok(()) => Exit::Done,
        // Whoever was to read it would take a part for the whole.
        Err(error) => {
            let _ = writeln!(aside, "ligase inject: the manifests cannot be written: {error}");
            Exit::Unavailable
        }
    }
}

/// The stream as it is to be, and what was done; or everything that keeps it from being so.
fn work(args: &Inject, stream: &str) -> Result<(String, Vec<String>), Vec<String>> {
    let (told, problems) = (Lines::default(), Lines::default());
    let mut job = Job { args, told, problems, met: Vec::new() };
    let written = job.stream(stream);
    match job.problems.is_empty() {
        true => Ok((written, job.told.all())),
        false => Err(job.problems.all()),
    }
}

fn read(source: impl Read) -> io::Result<String> {
    let mut stream = Vec::new();
    source.take(INPUT_MAX + 1).read_to_end(&mut stream)?;
    let invalid = |problem: String| io::Error::new(io::ErrorKind::InvalidData, problem);
    if INPUT_MAX < u64::try_from(stream.len()).unwrap_or(u64::MAX) {
        return Err(invalid(format!("they are longer than {} MiB", INPUT_MAX >> 20)));
    }
    String::from_utf8(stream).map_err(|_| invalid("they are not UTF-8".to_owned()))
}

/// What is being done, and what is to be said about it.
struct Job<'a> {
    args: &'a Inject,
    told: Lines,
    problems: Lines,
    /// The workloads that were met, of those that were asked for.
    met: Vec<(String, String)>,
}

impl Job<'_> {
    /// The whole stream as it is to be.
    fn stream(&mut self, stream: &str) -> String {
        let mut budget = Budget::new(MEMORY_MAX);
        let mut written = String::with_capacity(stream.len());
        for piece in documents::split(stream) {
            match self.piece(&piece, &mut budget) {
                Ok(Some(changed)) => written.push_str(&changed),
                Ok(None) => written.push_str(piece.text),
                Err(problem) => self.problems.push(problem),
            }
        }
        for (kind, name) in self.args.only.iter().filter(|it| !self.met.contains(it)) {
            self.problems.push(format!("{kind}/{name}: it is not in the manifests"));
        }
        if self.told.is_empty() {
            self.told.push("there is no workload in the manifests: nothing has changed".to_owned());
        }
        written
    }

    /// A piece of it, if it changes.
    fn piece(&mut self, piece: &Piece<'_>, budget: &mut Budget) -> Result<Option<String>, String> {
        let parsed = yaml::parse(piece.text.trim_start_matches('\u{feff}'), budget);
        let parsed = parsed.map_err(|mut error| {
            error.line += piece.lines_before;
            error.problem = printable(&error.problem, SAID_MAX);
            error.to_string()
        })?;
        let Some(before @ Node::Map(_)) = parsed else {
            return Ok(None);
        };
        let mut after = before.clone();
        if let Some(document) = after.map_mut() {
            workload::each(document, &mut |it| self.workload(it))?;
        }
        if after.means(&before) {
            return Ok(None);
        }
        // Who goes by YAML 1.1 would see more lines than we did.
        if piece.text.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
            let line = piece.lines_before + 1;
            return Err(format!(
                "line {line}: some take a character in here for the end of a line"
            ));
        }
        let document = after.map().map(Map::write).unwrap_or_default();
        // What was written is what was meant, or it is not printed.
        let again = yaml::parse(&document, &mut Budget::new(MEMORY_MAX));
        if again.is_ok_and(|it| it.is_some_and(|it| it.means(&after))) {
            Ok(Some(piece.with(&document)))
        } else {
            let line = piece.lines_before + 1;
            Err(format!("line {line}: this manifest cannot be written so that it means the same"))
        }
    }

    fn workload(&mut self, mut workload: Workload<'_>) {
        let title = workload.title();
        let called = (workload.kind.to_ascii_lowercase(), workload.name.clone());
        if !self.args.only.is_empty() && !self.args.only.contains(&called) {
            self.told.push(format!("{title}: left alone: it was not asked for"));
            return;
        }
        self.met.push(called);
        match self.change(&mut workload) {
            Ok(done) => self.told.push(format!("{title}: {done}")),
            Err(problems) => {
                problems.iter().for_each(|it| self.problems.push(format!("{title}: {it}")));
            }
        }
    }

    /// Changes a workload, and tells how.
    fn change(&self, workload: &mut Workload<'_>) -> Result<String, Vec<String>> {
        let template = &mut *workload.template;
        let was_injected = pod::is_injected(template);
        if self.args.uninject {
            if !was_injected {
                return Ok("left alone: nothing was injected".to_owned());
            }
            pod::uninject(template).map_err(|it| vec![it])?;
            return Ok("uninjected".to_owned());
        }
        if let Some(reason) = workload.exempt {
            return Ok(format!("left alone: {reason}"));
        }
        if was_injected {
            pod::uninject(template).map_err(|it| vec![it])?;
        }
        let missing = || vec!["it has no spec".to_owned()];
        let spec = template.get("spec").and_then(Node::map).ok_or_else(missing)?;
        let conflicts = conflicts::conflicts(workload.kind, spec, self.args);
        if !conflicts.is_empty() {
            return Err(conflicts);
        }
        let theirs = spec.get(sidecar::INIT_CONTAINERS).is_some_and(|it| !it.items().is_empty());
        let namespace = workload.namespace.as_deref().or(self.args.namespace.as_deref());
        // It becomes a part of what the pod searches for.
        if let Some(none) = namespace.filter(|it| label(it).is_err()) {
            let none = printable(none, SAID_MAX);
            return Err(vec![format!("metadata.namespace: {none} is no name of a namespace")]);
        }
        let sidecar = Sidecar::new(self.args, namespace).map_err(|it| vec![it])?;
        pod::inject(template, sidecar).map_err(|it| vec![it])?;
        let is_late =
            theirs && self.args.plain_sidecar && self.args.capture != InjectCapture::Explicit;
        Ok(if is_late {
            "injected; its initContainers run before ligase does, so they have no DNS".to_owned()
        } else {
            "injected".to_owned()
        })
    }
}

/// Far more than all the manifests of a server, and little enough for any machine.
const INPUT_MAX: u64 = 8 << 20;

/// What all values may take in memory, roughly, aliases resolved.
const MEMORY_MAX: usize = 128 << 20;

/// A sentence or two.
const SAID_MAX: usize = 400;

#[cfg(test)]
mod tests;
