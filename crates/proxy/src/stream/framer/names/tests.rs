use super::*;

/// What the name at the front of `text` divides into.
fn divide(text: &str) -> Option<(&str, &str)> {
    let name = qualified(text.as_bytes(), 1).ok()?;
    let prefix = name.prefix(text.as_bytes()).unwrap_or_default();
    let local = name.local(text.as_bytes());
    Some((std::str::from_utf8(prefix).unwrap(), std::str::from_utf8(local).unwrap()))
}

#[test]
fn a_name_divides_at_its_colon() {
    assert_eq!(divide("<a>"), Some(("", "a")));
    assert_eq!(divide("<a.b-1_:c2 d"), Some(("a.b-1_", "c2")));
    assert_eq!(divide("<é:ü="), Some(("é", "ü")));
    for text in ["<", "<>", "<1", "<:a", "<a:", "<a::b", "<a:b:c", "<a:1", "<×"] {
        assert_eq!(divide(text), None, "{text}");
    }
}

#[test]
fn whatever_both_tables_allow_the_fifth_edition_allows() {
    let starts = |c: char| {
        matches!(c, '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
            | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}'
            | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}'
            | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
    };
    let continues = |c: char| {
        starts(c) || matches!(c, '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
    };
    let (mut first, mut later) = (0, 0);
    for c in '\u{80}'..=char::MAX {
        if divide(&format!("<{c}")).is_some() {
            assert!(starts(c), "{c:?} begins a name");
            first += 1;
        }
        if divide(&format!("<a{c}")) != Some(("", "a")) && divide(&format!("<a{c}")).is_some() {
            assert!(continues(c), "{c:?} is in a name");
            later += 1;
        }
    }
    // So many do appendix B of the fourth edition and the fifth have in common.
    assert_eq!((first, later), (34_462, 34_462 + 594));
}
