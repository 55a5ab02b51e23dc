//! `ligase man`: the manual, made of what `--help` says.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man as Page;

use crate::args::{self, Args, Exit, VERSION};

/// Prints the first page, or writes all of them to a folder. What is wrong goes to stderr.
#[must_use]
pub fn man(args: &args::Man) -> Exit {
    let result = match &args.out {
        // Who has closed the pipe has read enough.
        None => page(Args::command()).map(|(_, text)| drop(io::stdout().lock().write_all(&text))),
        Some(folder) => write(folder),
    };
    match result {
        Ok(()) => Exit::Done,
        Err(error) => {
            let folder = args.out.as_deref().unwrap_or_else(|| Path::new("-")).display();
            eprintln!("ligase man: {folder}: {error}");
            Exit::Unavailable
        }
    }
}

fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, text) in pages()? {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}

/// Every page by its file's name: that of the program, and one for each of its commands.
fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut program = Args::command();
    // Only then do the commands know by which name they are called.
    program.build();
    let mut pages = Vec::new();
    let mut left = vec![program];
    while let Some(command) = left.pop() {
        left.extend(command.get_subcommands().cloned());
        pages.push(page(command)?);
    }
    Ok(pages)
}

fn page(command: clap::Command) -> io::Result<(String, Vec<u8>)> {
    let page = Page::new(command).source(format!("ligase {VERSION}")).manual("ligase");
    let mut text = Vec::new();
    page.render(&mut text)?;
    // What stands below the options: exit codes and examples.
    let text = String::from_utf8_lossy(&text).replace("\n.SH EXTRA\n", "\n.SH NOTES\n");
    Ok((page.get_filename(), text.into_bytes()))
}

#[cfg(test)]
mod tests;
