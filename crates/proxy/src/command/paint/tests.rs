use super::*;

#[test]
fn color_begins_before_the_text_and_ends_behind_it() {
    let codes = [
        (Color::Bold, "1"),
        (Color::Dim, "2"),
        (Color::Red, "31"),
        (Color::Green, "32"),
        (Color::Yellow, "33"),
        (Color::Cyan, "36"),
    ];
    for (color, code) in codes {
        assert_eq!(paint(color, "a word", true), format!("\x1b[{code}ma word\x1b[0m"));
        assert_eq!(paint(color, "a word", false), "a word");
    }
}
