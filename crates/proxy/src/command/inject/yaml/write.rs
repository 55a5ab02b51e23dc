//! How values are written: in block style, as Kubernetes' own tools do it.

use std::fmt::Write as _;

use super::value::{Map, Node, Scalar, Style};

impl Map {
    /// As a document, without the line that begins it.
    pub(in super::super) fn write(&self) -> String {
        let mut out = String::new();
        if self.is_empty() {
            out.push_str("{}\n");
        }
        write_map(self, 0, false, &mut out);
        out
    }
}

/// Writes a map, its first key on the line that has been begun if there is one.
fn write_map(map: &Map, indent: usize, mut begun: bool, out: &mut String) {
    for (key, node) in &map.0 {
        begin_line(indent, &mut begun, out);
        write_key(key, out);
        out.push(':');
        match node {
            Node::Map(map) if !map.is_empty() => {
                out.push('\n');
                write_map(map, indent + STEP, false, out);
            }
            Node::List(items) if !items.is_empty() => {
                out.push('\n');
                write_list(items, indent, false, out);
            }
            Node::Map(_) | Node::List(_) | Node::Scalar(_) => {
                out.push(' ');
                write_leaf(node, indent, out);
            }
        }
    }
}

fn write_list(items: &[Node], indent: usize, mut begun: bool, out: &mut String) {
    for item in items {
        begin_line(indent, &mut begun, out);
        out.push_str("- ");
        match item {
            Node::Map(map) if !map.is_empty() => write_map(map, indent + STEP, true, out),
            Node::List(items) if !items.is_empty() => write_list(items, indent + STEP, true, out),
            Node::Map(_) | Node::List(_) | Node::Scalar(_) => write_leaf(item, indent, out),
        }
    }
}

fn begin_line(indent: usize, begun: &mut bool, out: &mut String) {
    if !std::mem::take(begun) {
        out.extend(std::iter::repeat_n(' ', indent));
    }
}

/// Writes what has nothing in it, to the end of its line or lines.
fn write_leaf(node: &Node, indent: usize, out: &mut String) {
    match node {
        Node::Map(_) => out.push_str("{}"),
        Node::List(_) => out.push_str("[]"),
        Node::Scalar(scalar) => {
            write_tag(scalar, out);
            match scalar.style {
                Style::Block if fits_block(&scalar.text) => {
                    return write_block(&scalar.text, indent + STEP, out);
                }
                Style::Block => write_double(&scalar.text, out),
                Style::Plain | Style::Single | Style::Double => write_inline(scalar, out),
            }
        }
    }
    out.push('\n');
}

fn write_key(key: &Scalar, out: &mut String) {
    write_tag(key, out);
    match key.style {
        Style::Block => write_double(&key.text, out),
        Style::Plain | Style::Single | Style::Double => write_inline(key, out),
    }
}

fn write_tag(scalar: &Scalar, out: &mut String) {
    if let Some(tag) = &scalar.tag {
        out.push_str("!!");
        out.push_str(tag);
        out.push(' ');
    }
}

/// Writes a scalar on one line.
fn write_inline(scalar: &Scalar, out: &mut String) {
    let text = &scalar.text;
    match scalar.style {
        // An empty value is written out, so that nobody overlooks it.
        Style::Plain if text.is_empty() && scalar.tag.is_none() => out.push_str("null"),
        Style::Plain if !text.is_empty() && text.chars().all(is_printable) => out.push_str(text),
        Style::Single if text.chars().all(is_printable) => {
            out.push('\'');
            out.push_str(&text.replace('\'', "''"));
            out.push('\'');
        }
        // A bare scalar of several lines is a text, whatever it says.
        Style::Plain | Style::Single | Style::Double | Style::Block => write_double(text, out),
    }
}

/// Writes what everybody reads as this text.
fn write_double(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            it if is_printable(it) => out.push(it),
            it => {
                // Writing into a String cannot fail.
                let _ = write!(out, "\\U{:08X}", u32::from(it));
            }
        }
    }
    out.push('"');
}

/// Writes a text line by line, with as many ends of lines as it has.
fn write_block(text: &str, indent: usize, out: &mut String) {
    let ends = text.len() - text.trim_end_matches('\n').len();
    out.push_str(match ends {
        0 => "|-\n",
        1 => "|\n",
        _ => "|+\n",
    });
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
        out.push('\n');
    }
}

/// Whether a text is the same when it is written line by line. Its first line shows how far all are
/// moved in, so it may neither be empty nor begin with a space.
fn fits_block(text: &str) -> bool {
    !text.starts_with([' ', '\t', '\n'])
        && !text.is_empty()
        && text.chars().all(|it| it == '\n' || it == '\t' || is_printable(it))
}

/// What may stand in a line as it is. What YAML 1.1 takes for the end of a line, and 1.2 does not, may
/// not, nor what cannot be seen.
pub(super) fn is_printable(character: char) -> bool {
    !character.is_control() && !['\u{2028}', '\u{2029}', '\u{feff}'].contains(&character)
}

/// How far each level is moved in.
const STEP: usize = 2;
