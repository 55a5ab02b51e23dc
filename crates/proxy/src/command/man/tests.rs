use std::collections::BTreeMap;

use super::pages;

fn texts() -> BTreeMap<String, String> {
    let pages = pages().unwrap().into_iter();
    pages.map(|(name, text)| (name, String::from_utf8(text).unwrap())).collect()
}

#[test]
fn every_command_has_a_page() {
    let pages = texts();
    for name in ["ligase.1", "ligase-run.1", "ligase-capture.1", "ligase-capture-apply.1"] {
        assert!(pages.contains_key(name), "{:?}", pages.keys());
    }
    for (name, text) in pages {
        let title = name.trim_end_matches(".1");
        assert!(text.contains(&format!(".TH {title} 1")), "{name}: {text}");
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "NOTES"] {
            assert!(text.contains(&format!("\n.SH {section}\n")), "{name} has no {section}");
        }
        // With its dashes as they are typed.
        let example = format!("\n  {}", title.replace('-', " "));
        assert!(text.replace("\\-", "-").contains(&example), "{name} has no example: {text}");
    }
}
