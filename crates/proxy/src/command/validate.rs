//! `ligase validate`: what is wrong with a configuration, before it is put to use.

use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use crate::args::{Exit, overrides};
use crate::config::{Config, Findings, Overrides};

/// Prints what is wrong with a configuration and everything it names.
#[must_use]
pub fn validate(path: &Path) -> Exit {
    #[expect(clippy::disallowed_methods, reason = "whether a certificate has expired is asked now")]
    let now = SystemTime::now();
    let found = examine(path, &overrides(), now);
    // Who has closed the pipe has read enough.
    let _ = report(&found, path, &mut io::stdout().lock(), &mut io::stderr().lock());
    if found.problems.is_empty() { Exit::Done } else { Exit::Config }
}

/// Everything there is to say about a configuration.
fn examine(path: &Path, overrides: &Overrides, at: SystemTime) -> Findings {
    match Config::read(path, overrides) {
        Ok(config) => config.inspect(at),
        Err(problems) => Findings { problems, warnings: Vec::new() },
    }
}

/// Problems are the answer; warnings stand aside.
fn report(
    found: &Findings,
    path: &Path,
    out: &mut impl Write,
    aside: &mut impl Write,
) -> io::Result<()> {
    for warning in &found.warnings {
        writeln!(aside, "warning: {warning}")?;
    }
    for problem in &found.problems {
        writeln!(out, "{problem}")?;
    }
    if found.problems.is_empty() {
        writeln!(out, "{}: no problem", path.display())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
