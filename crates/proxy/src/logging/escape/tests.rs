use super::{Escaped, Style};

fn escaped(text: &str, style: Style, room: usize) -> String {
    let mut out = String::new();
    Escaped::new(&mut out, style, room).value(format_args!("{text}"));
    out
}

#[track_caller]
fn check(text: &str, json: &str, quoted: &str, bare: &str) {
    assert_eq!(escaped(text, Style::Json, 256), json);
    assert_eq!(escaped(text, Style::Quoted, 256), quoted);
    assert_eq!(escaped(text, Style::Bare, 256), bare);
}

#[test]
fn only_printable_ascii_gets_through() {
    check("capulet.example", "capulet.example", "capulet.example", "capulet.example");
    check("a \"b\"", "a \\\"b\\\"", "a \\\"b\\\"", "a \"b\"");
    check("\\", "\\\\", "\\\\", "\\\\");
    check("\r\n\t", "\\r\\n\\t", "\\r\\n\\t", "\\r\\n\\t");
    check("\0\x1b[2J", "\\u0000\\u001b[2J", "\\u{0}\\u{1b}[2J", "\\u{0}\\u{1b}[2J");
    check("\x7f\u{9b}", "\\u007f\\u009b", "\\u{7f}\\u{9b}", "\\u{7f}\\u{9b}");
    check("\u{202e}", "\\u202e", "\\u{202e}", "\\u{202e}");
    check("ä", "\\u00e4", "\\u{e4}", "\\u{e4}");
    check("😀", "\\ud83d\\ude00", "\\u{1f600}", "\\u{1f600}");
    check("\u{10ffff}", "\\udbff\\udfff", "\\u{10ffff}", "\\u{10ffff}");
}

#[test]
fn every_character_survives_json() {
    for character in ('\0'..='\u{3000}').chain(['\u{ffff}', '\u{10000}', '\u{10ffff}']) {
        let json = format!("\"{}\"", escaped(&character.to_string(), Style::Json, 256));
        assert!(json.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{json}");
        let read: String = serde_json::from_str(&json).unwrap();
        assert_eq!(read, character.to_string());
    }
}

#[test]
fn long_values_are_cut_between_characters() {
    assert_eq!(escaped("12345", Style::Json, 8), "12345");
    assert_eq!(escaped("123456", Style::Json, 8), "12345...");
    assert_eq!(escaped("1234\n", Style::Json, 8), "1234...");
    assert_eq!(escaped("", Style::Json, 0), "");
    assert_eq!(escaped("1", Style::Json, 0), "...");
    let long = "😀".repeat(100_000);
    assert!(escaped(&long, Style::Json, 256).len() <= 256);
}

#[test]
fn what_does_not_end_is_not_written_to_its_end() {
    struct Endless;
    impl std::fmt::Display for Endless {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            loop {
                f.write_str("on and on, ")?;
            }
        }
    }
    let mut out = String::new();
    Escaped::new(&mut out, Style::Bare, 16).value(format_args!("{Endless}"));
    assert_eq!(out, "on and on, on...");
}
