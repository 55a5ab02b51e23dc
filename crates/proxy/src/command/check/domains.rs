//! Which domains are meant.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// The domains of the command line and of a file, each once, in their order.
///
/// # Errors
/// When the file cannot be read, is too long, or there is no domain at all.
pub(super) fn domains(named: &[String], file: Option<&Path>) -> Result<Vec<String>, String> {
    let mut domains: Vec<String> = named.to_vec();
    if let Some(path) = file {
        let shown = path.display();
        let lines = match path == Path::new("-") {
            true => lines(io::stdin().lock()),
            false => File::open(path).and_then(|file| lines(BufReader::new(file))),
        };
        domains.extend(lines.map_err(|error| format!("cannot read {shown}: {error}"))?);
    }
    if domains.is_empty() {
        return Err("there is no domain in the file".to_owned());
    }
    let mut seen = std::collections::HashSet::new();
    domains.retain(|it| seen.insert(it.to_ascii_lowercase()));
    Ok(domains)
}

/// One domain a line; blank lines and what follows a `#` say nothing.
fn lines(source: impl BufRead) -> io::Result<Vec<String>> {
    let mut domains = Vec::new();
    let mut source = source.take(FILE_MAX + 1);
    let mut text = String::new();
    source.read_to_string(&mut text)?;
    if FILE_MAX < text.len() as u64 {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "longer than 64 MiB"));
    }
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            domains.push(line.to_owned());
        }
    }
    Ok(domains)
}

/// A million domains with long names.
const FILE_MAX: u64 = 64 << 20;

#[cfg(test)]
mod tests;
