//! What we tell people, held to the program: nothing is left out, every link leads somewhere, every
//! configuration is one, and every command line is understood.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "documentation/log.rs"]
mod log;
#[path = "documentation/pages.rs"]
mod pages;

use std::collections::BTreeSet;
use std::path::Path;

use clap::Parser as _;
use clap::error::ErrorKind;
use ligase::args::Args;
use ligase::config::{Config, Overrides};
use ligase::logging::TARGETS;
use ligase::stream::{Denial, Setback, Violation};
use ligase_metrics::{AuthReason, Metrics, ViolationReason};

use pages::{Page, page, pages, root};

/// Where every reason and every line of the log is explained.
const TROUBLE: &str = "docs/troubleshooting.md";
const PROOFS: &str = "Why a peer is not believed";
const WAYS: &str = "Why there is no way out";
const RULES: &str = "Which rule was broken";

#[test]
fn every_rule_that_can_be_broken_is_explained() {
    let listed: BTreeSet<_> = ViolationReason::ALL.iter().map(|it| it.as_str()).collect();
    let real: BTreeSet<_> = Violation::ALL.iter().map(|it| it.as_str()).collect();
    assert_eq!(listed, real, "what is counted is what is said");
    let page = page(TROUBLE);
    let (rules, proofs) = (page.keys(RULES), page.keys(PROOFS));
    for rule in &real {
        assert!(rules.contains(*rule) || proofs.contains(*rule), "{rule} is not explained");
    }
    for rule in rules {
        assert!(real.contains(rule.as_str()), "{rule} is a rule that nobody can break");
    }
}

#[test]
fn every_reason_not_to_believe_a_peer_is_explained() {
    let documented = page(TROUBLE).keys(PROOFS);
    let real: BTreeSet<String> = AuthReason::ALL
        .iter()
        .filter(|it| !matches!(it, AuthReason::None | AuthReason::Other))
        .map(|it| it.as_str().to_owned())
        .collect();
    assert_eq!(documented, real);
}

#[test]
fn every_reason_why_there_is_no_way_out_is_explained() {
    let page = page(TROUBLE);
    let (ways, proofs) = (page.keys(WAYS), page.keys(PROOFS));
    let real: BTreeSet<&str> = setbacks().iter().map(Setback::label).collect();
    for label in &real {
        assert!(ways.contains(*label) || proofs.contains(*label), "{label} is not explained");
    }
    for label in ways {
        assert!(real.contains(label.as_str()), "nobody is ever told {label}");
    }
}

/// What somebody is told who asked for a pair and does not get it has its place on the page, too.
#[test]
fn every_reason_to_refuse_a_request_is_explained() {
    let page = page(TROUBLE);
    let (rules, proofs) = (page.keys(RULES), page.keys(PROOFS));
    for denial in Denial::each() {
        // A new one does not compile until it has been added to `Denial::each`.
        match denial {
            Denial::NotHosted
            | Denial::FromHosted
            | Denial::ToHosted
            | Denial::FromStranger
            | Denial::Plaintext
            | Denial::TooMany
            | Denial::Unproven(_)
            | Denial::Undetermined(_)
            | Denial::Policy
            | Denial::Forged
            | Denial::Unasked(_) => (),
        }
        let label = denial.label();
        assert!(rules.contains(label) || proofs.contains(label), "{label} is not explained");
    }
}

/// One of each.
fn setbacks() -> Vec<Setback> {
    let setbacks = Setback::each();
    for setback in &setbacks {
        // A new one does not compile until it has been added to `Setback::each`.
        match setback {
            Setback::Unresolved(_)
            | Setback::Unreachable
            | Setback::NotListening
            | Setback::Unanswered
            | Setback::Exhausted
            | Setback::Handshake
            | Setback::Unrecognized
            | Setback::Plaintext
            | Setback::Unproven(_)
            | Setback::Sasl
            | Setback::Usage
            | Setback::Invalid
            | Setback::Refused(_)
            | Setback::Stream(_)
            | Setback::Broken(_)
            | Setback::TimedOut
            | Setback::Pointless
            | Setback::Draining => (),
        }
    }
    setbacks
}

/// Every line that may be logged, by its level and its message.
#[test]
fn every_line_of_the_log_is_explained() {
    let rows = page(TROUBLE).rows("What the log says");
    let documented: BTreeSet<_> =
        rows.iter().map(|row| format!("{} {}", row[1], row[0].trim_matches('`'))).collect();
    let real = log::lines();
    assert!(20 < real.len(), "only {} lines were found", real.len());
    assert_eq!(documented, real);
}

/// What more can be logged of is what logs something, and whatever logs something can be asked to
/// log more.
#[test]
fn every_part_that_logs_can_be_asked_to_log_more() {
    let parts = TARGETS.iter().filter(|it| it.starts_with("ligase::"));
    let used = log::targets();
    for part in parts.clone() {
        assert!(used.iter().any(|it| it.starts_with(part)), "nothing is logged as {part}");
    }
    for target in used {
        // Who changes the level is heard whatever it is.
        let is_known =
            target == "ligase::logging" || parts.clone().any(|it| target.starts_with(it));
        assert!(is_known, "{target} is none of logging::TARGETS");
    }
    let page = pages::text("docs/operations.md");
    for target in TARGETS {
        assert!(page.contains(&format!("`{target}`")), "{target} is not documented");
    }
}

#[test]
fn every_endpoint_of_the_admin_port_is_documented() {
    let page = page("docs/operations.md");
    let keys = page.keys("The admin port");
    // What an answer may hold has tables of its own.
    let requests = keys.iter().filter(|it| it.starts_with("GET ") || it.starts_with("POST "));
    let documented: BTreeSet<String> =
        requests.map(|it| it.split(['?', '[']).next().unwrap().to_owned()).collect();
    let real: BTreeSet<String> =
        ligase::admin::endpoints().map(|(method, path)| format!("{method} {path}")).collect();
    assert_eq!(documented, real);
}

#[test]
fn every_page_is_in_the_index() {
    let index = page("docs/README.md");
    let linked: BTreeSet<_> = index.links().into_iter().map(|(path, _)| path).collect();
    for page in pages() {
        let is_listed = linked.contains(&page.path)
            // Folders have a page of their own, or are listed as a whole.
            || linked.iter().any(|it| it.ends_with('/') && page.path.starts_with(it));
        let is_index = page.path == "docs/README.md" || page.path == "README.md";
        assert!(is_listed || is_index, "{} is not in docs/README.md", page.path);
    }
}

#[test]
fn every_link_leads_somewhere() {
    let all = pages();
    let mut followed = 0;
    let mut faults = Vec::new();
    for page in &all {
        for (path, anchor) in page.links() {
            followed += 1;
            if !root().join(&path).exists() {
                faults.push(format!("{} leads to {path}, which is not there", page.path));
                continue;
            }
            let Some(anchor) = anchor else {
                continue;
            };
            let there = all.iter().find(|it| it.path == path);
            if !there.is_some_and(|it| it.anchors().contains(&anchor)) {
                faults
                    .push(format!("{} leads to {path}#{anchor}, a heading of no page", page.path));
            }
        }
    }
    assert!(50 < followed, "only {followed} links were found");
    assert_eq!(faults, [""; 0]);
}

/// A page that says how something is tested names the test, and a page that says where something is
/// names the file.
#[test]
fn every_test_and_every_file_that_is_named_is_there() {
    let mut named = 0;
    let mut faults = Vec::new();
    for page in pages() {
        for (line, span) in page.spans() {
            let is_there = match span.split_once("::") {
                Some((room, test)) if root().join(format!("tests/e2e/{room}.rs")).exists() => {
                    pages::text(&format!("tests/e2e/{room}.rs")).contains(&format!("fn {test}()"))
                }
                None if ["crates/", "tests/", "docs/", "deploy/"]
                    .iter()
                    .any(|it| span.starts_with(it))
                    && !span.contains([' ', '*', '{', '<', '…']) =>
                {
                    root().join(span).exists()
                }
                Some(_) | None => continue,
            };
            named += 1;
            if !is_there {
                faults.push(format!("{}, line {line}: {span}", page.path));
            }
        }
    }
    assert!(30 < named, "only {named} tests and files are named");
    assert_eq!(faults, [""; 0]);
}

/// A page speaks of no family that is not counted.
#[test]
fn every_metric_that_is_named_is_counted() {
    let text = Metrics::new("1", "2").render();
    let families: BTreeSet<_> = text.lines().filter_map(|it| it.strip_prefix("# TYPE ")).collect();
    let families: BTreeSet<_> = families.iter().filter_map(|it| it.split(' ').next()).collect();
    let mut named = 0;
    let mut faults = Vec::new();
    for page in pages() {
        for (line, span) in page.spans() {
            let words = span.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
            for word in words.filter(|it| it.starts_with("ligase_")) {
                let parts = ["_bucket", "_sum", "_count"];
                let stem = parts.iter().find_map(|it| word.strip_suffix(it)).unwrap_or(word);
                named += 1;
                if !families.contains(word) && !families.contains(stem) {
                    faults.push(format!("{}, line {line}: {word}", page.path));
                }
            }
        }
    }
    assert!(60 < named, "only {named} were found");
    assert_eq!(faults, [""; 0]);
}

/// What other programs read is theirs to judge.
const OTHERS: [&str; 5] = ["apiVersion:", "scrape_configs:", "groups:", "prometheus:", "modules:"];

#[test]
fn every_configuration_that_is_shown_is_one() {
    let mut shown = 0;
    for page in pages() {
        for block in page.blocks(&["yaml"]) {
            if block.text.lines().any(|line| OTHERS.iter().any(|it| line.starts_with(it))) {
                continue;
            }
            shown += 1;
            let text = completed(&block.text);
            let read = Config::parse(&text, Path::new("/nowhere"), &Overrides::default());
            let problems = read.err().unwrap_or_default().into_iter();
            // The files that an example names are nobody's.
            let problems =
                problems.map(|it| it.to_string()).filter(|it| !it.contains("No such file"));
            let problems: Vec<_> = problems.collect();
            assert_eq!(problems, [""; 0], "{}, line {}", page.path, block.line);
        }
    }
    assert!(5 < shown, "only {shown} configurations were found");
}

/// An example with what it leaves out because every configuration has it.
fn completed(text: &str) -> String {
    let mut text = text.to_owned();
    for line in [
        "server_name: xmpp1.hosting.example",
        "hosts: [montague.example]",
        "certificates: [{chain: tls.crt, key: tls.key}]",
    ] {
        let key = line.split(':').next().unwrap();
        if !text.lines().any(|it| it.starts_with(key)) {
            text += &format!("{line}\n");
        }
    }
    text
}

#[test]
fn every_command_line_is_understood() {
    let mut read = 0;
    let mut faults = Vec::new();
    for page in pages() {
        for (line, text, whole) in command_lines(&page) {
            read += 1;
            let Err(error) = Args::try_parse_from(text.split_whitespace().map(stand_in)) else {
                continue;
            };
            let is_only_named = !whole
                && matches!(
                    error.kind(),
                    ErrorKind::MissingRequiredArgument
                        | ErrorKind::MissingSubcommand
                        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                );
            let is_asked_for =
                matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            if !is_only_named && !is_asked_for {
                faults.push(format!("{}, line {line}: {text}: {:?}", page.path, error.kind()));
            }
        }
    }
    assert!(40 < read, "only {read} command lines were found");
    assert_eq!(faults, [""; 0]);
}

/// What calls us on a page: the line, the words, and whether these are all.
fn command_lines(page: &Page) -> Vec<(usize, String, bool)> {
    let mut lines = Vec::new();
    for block in page.blocks(&["sh", "text", "ini", "console", ""]) {
        let text = block.text.replace("\\\n", "  ");
        for (number, line) in text.lines().enumerate() {
            let line = match block.info.as_str() {
                // What is typed stands behind a prompt there; the rest is what is said.
                "text" | "console" | "" => line.trim_start().strip_prefix("$ ").unwrap_or_default(),
                _ => line,
            };
            for part in line.split(['|', ';', '&', '>', '<', '#', '"', '\'']) {
                let called = part.split_once("/bin/ligase ").map(|(_, rest)| rest);
                let part = part.trim().trim_start_matches("sudo ");
                if let Some(rest) = called.or_else(|| part.strip_prefix("ligase ")) {
                    lines.push((block.line + number, format!("ligase {}", rest.trim()), true));
                }
            }
        }
    }
    for (line, span) in page.spans() {
        let command = span.split(['|', '<', '>', '…', '[']).next().unwrap().trim();
        if command.starts_with("ligase ") && !command.contains(['(', '{', '=']) {
            lines.push((line, command.to_owned(), false));
        }
    }
    lines
}

/// A word of a command line, or a value where a page has only a word for one.
fn stand_in(word: &str) -> &str {
    match word {
        "COMMAND" => "run",
        "IP:PORT" => "192.0.2.53:53",
        "N" => "8443",
        "LEVEL" => "debug",
        "SECONDS" => "600",
        word => word,
    }
}
