use std::fs;
use std::path::Path;

use super::{Finding, Id, Severity};

#[test]
fn every_check_has_a_name_of_its_own_and_is_explained() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/check.md");
    let document = fs::read_to_string(document).unwrap();
    let mut names: Vec<_> = Id::ALL.iter().map(|it| it.as_str()).collect();
    for id in Id::ALL {
        let (name, group) = (id.as_str(), id.group());
        let anchor = name.trim_start_matches("LG-").to_lowercase();
        let row = format!("| <a id=\"lg-{anchor}\"></a>{name} | {group} | ");
        assert!(document.contains(&row), "no row {row}");
    }
    assert_eq!(document.matches("<a id=\"lg-").count(), names.len(), "a row of no check");
    names.dedup();
    assert_eq!(names.len(), Id::ALL.len());
}

#[test]
fn nothing_that_a_stranger_wrote_is_printed_as_it_is() {
    let finding =
        Finding::new(Id::D01, Severity::Ok, "a\x1b[2J\nb").fix("c\u{202e}\nd\x07".to_owned());
    assert_eq!(finding.text, "a\\u{1b}[2J\\u{a}b");
    assert_eq!(finding.fix.unwrap(), "c\\u{202e}\nd\\u{7}");
}
