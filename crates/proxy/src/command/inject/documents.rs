//! The documents of a stream, apart from each other and as they are.

/// A part of a stream that holds one document at most; all of them together are the stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    /// How many lines stand before it.
    pub(super) lines_before: usize,
}

/// Takes a stream apart.
///
/// A line that begins with `---` or `...` ends a document wherever it stands (YAML 1.2.2 §9.1.2), so
/// nothing has to be understood to find them.
pub(super) fn split(stream: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut start, mut end) = (0, 0);
    let (mut first, mut lines) = (0, 0);
    let mut begun = false;
    let mut cut = |start: &mut usize, end: usize, first: &mut usize, lines: usize| {
        if *start < end {
            let text = stream.get(*start..end).unwrap_or_default();
            pieces.push(Piece { text, lines_before: *first });
        }
        (*start, *first) = (end, lines);
    };
    for line in stream.split_inclusive('\n') {
        if is_marker(line, BEGIN) {
            // What stands above the first line of a document belongs to it, if it is no document.
            if begun {
                cut(&mut start, end, &mut first, lines);
            }
            begun = true;
        }
        begun |= !is_aside(line);
        end += line.len();
        lines += 1;
        if is_marker(line, END) {
            cut(&mut start, end, &mut first, lines);
            begun = false;
        }
    }
    cut(&mut start, end, &mut first, lines);
    pieces
}

impl Piece<'_> {
    /// The piece with another document in it; what is said above the document stays there.
    pub(super) fn with(&self, document: &str) -> String {
        let mut text = String::new();
        for line in self.text.split_inclusive('\n') {
            let is_marker = is_marker(line, BEGIN);
            let rest =
                without_mark(line).get(BEGIN.len()..).filter(|_| is_marker).unwrap_or_default();
            if is_marker && !is_aside(rest.trim_start()) {
                text.push_str("---\n");
                break;
            }
            if !is_marker && !is_aside(line) {
                break;
            }
            // What a directive says has been heeded.
            if !is_directive(line) {
                text.push_str(line);
            }
        }
        text.push_str(document);
        let last = self.text.split_inclusive('\n').next_back();
        text.extend(last.filter(|line| is_marker(line, END)));
        text
    }
}

/// Whether a line is no part of a document's content: empty, a comment or a directive.
fn is_aside(line: &str) -> bool {
    let text = without_mark(line).trim();
    text.is_empty() || text.starts_with('#') || is_directive(line)
}

fn is_directive(line: &str) -> bool {
    without_mark(line).starts_with('%')
}

/// A line without the mark that tells the order of bytes, which may stand before the first.
fn without_mark(line: &str) -> &str {
    line.strip_prefix('\u{feff}').unwrap_or(line)
}

fn is_marker(line: &str, marker: &str) -> bool {
    let rest = without_mark(line).strip_prefix(marker);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

const BEGIN: &str = "---";
const END: &str = "...";

#[cfg(test)]
mod tests;
