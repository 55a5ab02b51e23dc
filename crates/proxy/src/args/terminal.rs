use std::env;
use std::ffi::OsStr;
use std::io::{self, IsTerminal};

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;

/// How help and complaints about the command line are painted, where color is liked.
pub(super) const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default())
    .error(AnsiColor::Red.on_default().bold())
    .valid(AnsiColor::Green.on_default())
    .invalid(AnsiColor::Yellow.on_default());

/// Whether whoever reads standard error likes color.
pub fn likes_color() -> bool {
    is_colored(io::stderr().is_terminal(), |name| env::var_os(name))
}

/// Whether whoever reads standard output likes color.
pub fn likes_color_in_print() -> bool {
    is_colored(io::stdout().is_terminal(), |name| env::var_os(name))
}

/// Whether a line may be drawn there again and again, to show how something goes on: it is a
/// terminal, and one that can move its cursor.
pub fn draws(to: &impl IsTerminal) -> bool {
    to.is_terminal() && env::var_os("TERM").is_none_or(|it| it != "dumb")
}

/// What the command line's own help goes by, too: `NO_COLOR` (no-color.org) has the last word, then
/// `CLICOLOR_FORCE` and `CLICOLOR` (bixense.com/clicolors); without them, terminals are painted that
/// know how.
fn is_colored<T: AsRef<OsStr>>(terminal: bool, env: impl Fn(&str) -> Option<T>) -> bool {
    let is = |name: &str, test: fn(&OsStr) -> bool| env(name).is_some_and(|it| test(it.as_ref()));
    if is("NO_COLOR", |it| !it.is_empty()) {
        return false;
    }
    if is("CLICOLOR_FORCE", |it| !it.is_empty() && it != "0") {
        return true;
    }
    terminal && !is("CLICOLOR", |it| it == "0") && !is("TERM", |it| it == "dumb")
}

#[cfg(test)]
mod tests;
