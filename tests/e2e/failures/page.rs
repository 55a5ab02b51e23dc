//! The document shows what was said, in all but times, addresses and ports.

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use ligase_tests::OrFail;

use super::told::Told;

/// What a run said and what the document shows must be the same.
pub(super) fn compare(told: &[Option<Told>]) {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/failures.md");
    let document = fs::read_to_string(document).or_fail("read the document");
    let (_, shown) = document.split_once(MARK).or_fail("find where the document begins to show");
    let said = page(told);
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("failures.md");
    fs::write(&copy, &said).or_fail("write what was said");
    let copy = copy.display();
    let (shown, said) = (normal(shown), normal(&said));
    let other = shown.lines().zip(said.lines()).find(|(shown, said)| shown != said);
    assert_eq!(other, None, "the document differs from {copy}");
    assert_eq!(shown.lines().count(), said.lines().count(), "the document differs from {copy}");
}

/// What was said, as the document has it.
fn page(told: &[Option<Told>]) -> String {
    let mut page = String::new();
    // Writing into a String cannot fail.
    let _ = writeln!(page, "\n| what is wrong | `reason` | what to do |\n| --- | --- | --- |");
    for it in told.iter().flatten() {
        let anchor = it.name.to_lowercase().replace(' ', "-").replace(['\'', ','], "");
        let (name, label) = (it.name, it.label);
        let _ = writeln!(page, "| [{name}](#{anchor}) | `{label}` | {} |", it.advice());
    }
    for it in told.iter().flatten() {
        let (name, heard, log, text) = (it.name, &it.heard, &it.log, it.text.trim_end());
        let cure = &it.cure;
        let (local, remote) = (&it.local, &it.remote);
        let _ = writeln!(
            page,
            "\n## {name}\n\nThe sender's client shows, and the log has:\n\n\
             ```text\n{heard}\n\n{log}\n{cure}\n```\n\n\
             ```text\n$ ligase explain {local} {remote}\n{text}\n```\n\n{}",
            it.done
        );
    }
    page
}

/// The text without what no two runs have in common.
fn normal(text: &str) -> String {
    let between = [' ', '\n', ',', ')'];
    let words = text.split_inclusive(between);
    let normal = words.map(|word| {
        let bare = word.trim_end_matches(between);
        let address = bare.trim_end_matches(':').trim_start_matches("peer=");
        let is_address = address.parse::<SocketAddr>().is_ok() || address.parse::<IpAddr>().is_ok();
        let is_time = bare.len() <= 30
            && bare.starts_with(|it: char| it.is_ascii_digit())
            && bare.contains('T')
            && bare.trim_end_matches(':').ends_with('Z');
        let shown = match (is_address, is_time) {
            (true, _) => "ADDRESS",
            (_, true) => "TIME",
            _ => bare,
        };
        format!("{shown}{}", &word[bare.len()..])
    });
    normal.collect()
}

/// What stands before this is for people alone.
const MARK: &str = "<!-- What follows is what a run says. -->\n";
