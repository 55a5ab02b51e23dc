//! `ligase validate`: what is wrong with a configuration, before it is put to use.

use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use crate::args::{Exit, likes_color, likes_color_in_print, overrides};
use crate::capture::user;
use crate::command::paint::{Color, paint};
use crate::config::{Config, Error, Findings, Overrides};

/// Prints what is wrong with a configuration and everything it names.
#[must_use]
pub fn validate(path: &Path) -> Exit {
    #[expect(clippy::disallowed_methods, reason = "whether a certificate has expired is asked now")]
    let now = SystemTime::now();
    let found = examine(path, &overrides(), now);
    // Who has closed the pipe has read enough.
    let _ = report(
        &found,
        path,
        (&mut io::stdout().lock(), likes_color_in_print()),
        (&mut io::stderr().lock(), likes_color()),
    );
    if found.problems.is_empty() { Exit::Done } else { Exit::Config }
}

/// Everything there is to say about a configuration.
fn examine(path: &Path, overrides: &Overrides, at: SystemTime) -> Findings {
    match Config::read(path, overrides) {
        Ok(config) => {
            let mut findings = config.inspect(at);
            // Whoever asks need not be the user that runs it.
            findings.warnings.extend(config.foreign_user(user::ours()));
            findings
        }
        Err(problems) => Findings { problems, warnings: Vec::new() },
    }
}

/// Problems are the answer; warnings stand aside, and so does the sum. Each of the two is written
/// to, in color if that is liked there.
fn report(
    found: &Findings,
    path: &Path,
    (out, out_colored): (&mut impl Write, bool),
    (aside, aside_colored): (&mut impl Write, bool),
) -> io::Result<()> {
    for Error { key, problem } in &found.warnings {
        let warning = paint(Color::Yellow, "warning:", aside_colored);
        let key = paint(Color::Bold, key, aside_colored);
        writeln!(aside, "{warning} {key}: {problem}")?;
    }
    for Error { key, problem } in &found.problems {
        writeln!(out, "{}: {problem}", paint(Color::Red, key, out_colored))?;
    }
    if found.problems.is_empty() {
        let fine = paint(Color::Green, "no problem", out_colored);
        writeln!(out, "{}: {fine}", path.display())?;
    }
    out.flush()?;
    if let Some(sum) = sum(found) {
        writeln!(aside, "{}", paint(Color::Dim, &sum, aside_colored))?;
    }
    Ok(())
}

/// How much was found, if anything was, and where to read on.
fn sum(found: &Findings) -> Option<String> {
    let count = |number, what| match number {
        0 => None,
        1 => Some(format!("1 {what}")),
        _ => Some(format!("{number} {what}s")),
    };
    let all = [count(found.problems.len(), "problem"), count(found.warnings.len(), "warning")];
    let all: Vec<_> = all.into_iter().flatten().collect();
    (!all.is_empty()).then(|| format!("{}; {REFERENCE}", all.join(", ")))
}

/// Where every key is described.
const REFERENCE: &str = "docs/configuration.md says what every key may be";

#[cfg(test)]
mod tests;
