use std::sync::Arc;

use ligase_verifier::{Facts, Service, Settings, Verifier};

use super::Look;
use crate::command::check::findings::Severity;
use crate::command::check::report::Report;
use crate::command::check::survey::Surveyor;

async fn report(domain: &str) -> Report {
    let verifier = Verifier::knowing(&Settings::default(), Arc::new(Facts::new())).unwrap();
    let surveyor = Surveyor::new(Arc::new(verifier), Service::Server, None);
    Report::of(surveyor.survey(domain).await, &[])
}

#[tokio::test]
async fn color_is_for_those_who_like_it_and_changes_no_word() {
    let report = report("a.example").await;
    let look = |colored| Look { colored, servers: "192.0.2.1:53".to_owned() };
    let plain = look(false).report(&report);
    let colored = look(true).report(&report);
    assert!(!plain.contains('\x1b') && colored.contains("\x1b[33mwarn\x1b[0m"), "{colored}");
    let mut stripped = colored;
    for code in ["0", "1", "2", "31", "32", "33", "36"] {
        stripped = stripped.replace(&format!("\x1b[{code}m"), "");
    }
    assert_eq!(stripped, plain);
}

#[tokio::test]
async fn what_is_no_domain_is_escaped() {
    let report = report("\x1b[2J\u{202e}").await;
    let look = Look { colored: false, servers: String::new() };
    let text = look.report(&report);
    assert!(text.starts_with("\\u{1b}[2J\\u{202e}  (ligase "), "{text}");
    let short = look.short(&report, Severity::Fail);
    assert!(short.starts_with("\\u{1b}[2J\\u{202e} unproven (domain.malformed)\n"), "{short}");
}
