//! Wrong: what must be refused before anything is played, or somebody takes for played what was not.
//!
//! `wrong.txt` beside this file has a line for each; what begins with `$ ` is a command line, and
//! anything else a line of a case.

use crate::asked::Asked;
use crate::case::cases;

/// Looks that all of it is refused, in the words that are written beside it.
pub(crate) fn check() -> Result<(), String> {
    for line in include_str!("wrong.txt").lines() {
        let (wrong, expect) = line.split_once(" => ").ok_or("wrong.txt: what is said?")?;
        let told = match wrong.strip_prefix("$ ") {
            Some(arguments) => {
                Asked::read(arguments.split(' ').map(str::to_owned)).map(|it| it.cases.len())
            }
            None => cases("it", &format!("case Z01 wrong\n{wrong}\n"), false).map(|it| it.len()),
        };
        match told {
            Err(why) if why.contains(expect) => (),
            other => return Err(format!("{wrong:?} comes to {other:?}, not to {expect:?}")),
        }
    }
    Ok(())
}
