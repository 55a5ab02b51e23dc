//! Guide: what a page asks its reader to type, and what it says that he will see.

use ligase_tests::OrFail;

/// One block of commands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Step {
    /// The line of the page on which it begins.
    pub(crate) line: usize,
    /// Where it is to be typed, as its first line says.
    pub(crate) place: String,
    /// Whether a terminal has to be opened for it first.
    pub(crate) is_new: bool,
    /// The commands, without that line.
    pub(crate) commands: String,
    /// What is to be seen, if the page shows it.
    pub(crate) shown: Option<String>,
}

/// Reads all blocks of commands from a page, in order, each with what is shown right below it.
pub(crate) fn read(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = page.lines().enumerate();
    // Whether nothing but empty lines came since the last block of commands.
    let mut below = false;
    while let Some((number, line)) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            below &= line.is_empty();
            continue;
        };
        let block: Vec<_> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        let line = number + 1;
        match language {
            "sh" => steps.push(step(line, &block)),
            "text" if below => {
                let step = steps.last_mut().or_fail("find the commands above a block");
                step.shown = Some(block.join("\n"));
            }
            _ => panic!("line {line}: a block of {language:?} that belongs to no command"),
        }
        below = language == "sh";
    }
    steps
}

fn step(line: usize, block: &[&str]) -> Step {
    let doing = format!("read where the block on line {line} is to be typed");
    let (first, commands) = block.split_first().or_fail(&doing);
    let (place, is_new) = match first.strip_prefix("# a new terminal: ") {
        Some(place) => (place, true),
        None => (first.strip_prefix("# at ").or_fail(&doing), false),
    };
    let place = place.to_owned();
    Step { line, place, is_new, commands: commands.join("\n"), shown: None }
}

/// Whether what was seen is what a page shows: `...` alone on a line stands for any lines, `…`
/// within one for anything.
pub(crate) fn is_as_shown(shown: &str, seen: &[String]) -> bool {
    let shown: Vec<_> = shown.lines().map(str::trim_end).collect();
    let seen: Vec<_> = seen.iter().map(|line| line.trim_end()).collect();
    fits(&shown, &seen, &|shown| *shown == "...", &|shown, seen| {
        let [shown, seen] = [shown, seen].map(|line| line.chars().collect::<Vec<_>>());
        fits(&shown, &seen, &|shown| *shown == '…', &|shown, seen| shown == seen)
    })
}

/// Whether each item of a pattern fits one of the items, in order, and those that are wild fit any
/// number of them.
fn fits<T>(
    pattern: &[T],
    items: &[T],
    is_wild: &dyn Fn(&T) -> bool,
    fit: &dyn Fn(&T, &T) -> bool,
) -> bool {
    // How much of the pattern may be behind us, for each length, after the items so far.
    let mut reached = vec![false; pattern.len() + 1];
    let skip = |reached: &mut [bool]| {
        for (at, part) in pattern.iter().enumerate() {
            reached[at + 1] |= reached[at] && is_wild(part);
        }
    };
    reached[0] = true;
    skip(&mut reached);
    for item in items {
        let mut next = vec![false; pattern.len() + 1];
        for (at, part) in pattern.iter().enumerate().filter(|(at, _)| reached[*at]) {
            if is_wild(part) {
                next[at] = true;
            } else if fit(part, item) {
                next[at + 1] = true;
            }
        }
        skip(&mut next);
        reached = next;
    }
    reached[pattern.len()]
}

#[cfg(test)]
mod tests;
