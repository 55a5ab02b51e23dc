use super::{ascii, printable};

#[test]
fn nothing_that_steers_a_terminal_or_an_eye_gets_through() {
    let check = |text: &str, expect: &str| assert_eq!(printable(text, 80), expect);
    check("xmpp.capulet.example -> 'a' \"b\" \\", "xmpp.capulet.example -> 'a' \"b\" \\");
    check("\x1b[2J\r\n\tx\x7f", "\\u{1b}[2J\\u{d}\\u{a}\\u{9}x\\u{7f}");
    check("\u{202e}elpmaxe", "\\u{202e}elpmaxe");
    check("\u{9b}31m", "\\u{9b}31m");
    check("c\u{430}pulet", "c\\u{430}pulet");
}

#[test]
fn nobody_writes_more_than_there_is_room_for() {
    let long = printable(&"\u{10ffff}".repeat(1000), 60);
    assert!(long.len() <= 63 && long.ends_with("..."), "{long}");
    assert_eq!(printable(&"a".repeat(51), 60), "a".repeat(51));
}

#[test]
fn json_stays_what_it_was() {
    let value = serde_json::json!({"a": "\u{202e}\u{1b}[2J\u{1f600}\u{7f}\"\\"});
    let safe = ascii(&value.to_string());
    assert!(safe.bytes().all(|it| (0x20..0x7f).contains(&it)), "{safe}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
}
