/// What a command paints with. The terminal decides what each looks like.
#[derive(Clone, Copy, Debug)]
pub(super) enum Color {
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Cyan,
}

/// Paints text for those who like color, and leaves it as it is for all others.
pub(super) fn paint(color: Color, text: &str, colored: bool) -> String {
    if !colored {
        return text.to_owned();
    }
    // Select Graphic Rendition (ECMA-48 §8.3.117).
    let code = match color {
        Color::Bold => 1,
        Color::Dim => 2,
        Color::Red => 31,
        Color::Green => 32,
        Color::Yellow => 33,
        Color::Cyan => 36,
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

#[cfg(test)]
mod tests;
