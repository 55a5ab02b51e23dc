//! XML, as much of it as a scripted peer needs of streams that are known to be well formed.

/// Takes the first whole thing off a stream's text: the declaration, a header, an element with all
/// in it, or the end. White space before it is dropped.
pub fn split_first(text: &mut String) -> Option<String> {
    let start = text.len() - text.trim_start().len();
    text.drain(..start);
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        at += text.get(at..)?.find('<')?;
        let end = at + end_of_tag(text.get(at..)?)?;
        let tag = text.get(at..=end)?;
        let alone = tag.starts_with("<?")
            || tag.starts_with("<stream:stream")
            || tag.starts_with("</stream:stream");
        if tag.starts_with("</") {
            depth = depth.saturating_sub(1);
        } else if !tag.ends_with("/>") && !alone {
            depth += 1;
        }
        at = end + 1;
        if depth == 0 {
            return Some(text.drain(..at).collect());
        }
    }
}

/// Where a tag ends, with regard to the quotes in it.
fn end_of_tag(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, letter) in tag.char_indices() {
        match (quote, letter) {
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None, '>') => return Some(at),
            _ => (),
        }
    }
    None
}

/// The value of the first attribute of that name.
pub fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let tag = element.get(..=end_of_tag(element)?)?;
    let at = tag.find(&format!(" {name}="))? + name.len() + 2;
    let quote = tag.get(at..)?.chars().next()?;
    tag.get(at + 1..)?.split(quote).next()
}

/// The text between an element's first tag and its last, if it has no others.
pub fn content(element: &str) -> &str {
    let inner = element.find('>').and_then(|at| element.get(at + 1..)).unwrap_or_default();
    inner.rfind("</").and_then(|at| inner.get(..at)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
