//! What we say about the configuration, held to what the program reads.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ligase::config::{Config, Limits, Overrides};

/// Nothing of this is ever read; only the text matters.
const LEAST: &str = "\
server_name: xmpp1.hosting.example
hosts: [montague.example]
certificates: [{chain: tls.crt, key: tls.key}]
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn parse(text: &str) -> Result<Config, Vec<String>> {
    Config::parse(text, Path::new("/"), &Overrides::default())
        .map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// The rows of all tables whose first cell is a key, below a heading.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let (_, text) = text.split_once(&format!("\n{heading}\n")).unwrap();
    let rows = text.lines().take_while(|line| !line.starts_with('#'));
    rows.filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().replace('`', "")).collect()
        })
        .collect()
}

#[test]
fn the_example_is_accepted() {
    let config = Config::read(&root().join("deploy/ligase.yaml"), &Overrides::default()).unwrap();
    assert_eq!(config.limits, Limits::default());
}

#[test]
fn every_limit_is_documented_as_it_is() {
    let documented: Vec<_> = rows("## Limits")
        .into_iter()
        .map(|cells| {
            assert!(20 < cells[4].len(), "{} has no reason", cells[0]);
            cells[..4].join(" ")
        })
        .collect();
    let real: Vec<_> = Limits::ALL
        .iter()
        .map(|it| format!("{} {} {} {}", it.key, it.default, it.min, it.max))
        .collect();
    assert_eq!(documented, real);
}

#[test]
fn every_key_is_documented() {
    let documented: BTreeSet<String> =
        rows("## Keys").into_iter().map(|row| row[0].clone()).collect();
    let mut real = BTreeSet::new();
    collect("", "", &mut real);
    assert_eq!(documented, real);
}

#[test]
fn every_default_is_documented_as_it_is() {
    let least = parse(LEAST).unwrap();
    let mut tried = 0;
    for row in rows("## Keys") {
        let (key, default) = (&row[0], row[2].split(';').next().unwrap());
        if default.starts_with("none") {
            continue;
        }
        let mut text = LEAST.to_owned();
        for (depth, key) in key.split('.').enumerate() {
            text += &format!("\n{}{key}:", "  ".repeat(depth));
        }
        assert_eq!(parse(&format!("{text} {default}")).as_ref(), Ok(&least), "{key}");
        tried += 1;
    }
    assert!(15 < tried, "only {tried} defaults were found");
}

/// Adds the full names of the keys that are known below `path`; the program tells them itself,
/// when it is given one that it does not know.
fn collect(path: &str, known_as: &str, keys: &mut BTreeSet<String>) {
    for key in known(path) {
        let (full, shown) = if path.is_empty() {
            (key.clone(), key.clone())
        } else {
            (format!("{path}.{key}"), format!("{known_as}.{key}"))
        };
        match full.as_str() {
            // Held to their own table.
            "limits" => {}
            // Their keys are the operator's.
            "policy.peers" => drop(keys.insert(shown)),
            "certificates" => {
                keys.insert(shown);
                collect("certificates", "certificates[]", keys);
            }
            "hosts" => {
                keys.insert(shown);
                collect("hosts", "hosts", keys);
            }
            _ if known(&full).is_empty() => drop(keys.insert(shown)),
            _ => collect(&full, &shown, keys),
        }
    }
}

/// The keys below `path`; none if it is no mapping.
fn known(path: &str) -> Vec<String> {
    let text = match path {
        "" => format!("{LEAST}qqqqqqqq: 1"),
        "certificates" => LEAST.replace("{chain:", "{qqqqqqqq: 1, chain:"),
        "hosts" => LEAST.replace("[montague.example]", "{qqqqqqqq: 1}"),
        path => {
            let outer = path.split('.').next().unwrap();
            let mut text: String = LEAST
                .lines()
                .filter(|it| !it.starts_with(outer))
                .fold(String::new(), |text, line| text + line + "\n");
            for (depth, key) in path.split('.').chain(["qqqqqqqq"]).enumerate() {
                text += &format!("{}{key}:\n", "  ".repeat(depth));
            }
            text.trim_end().to_owned() + " 1\n"
        }
    };
    let problems = parse(&text).err().unwrap_or_default();
    let list = problems.iter().find_map(|it| {
        it.split_once(".qqqqqqqq: unknown key; known are ")
            .or_else(|| it.split_once("qqqqqqqq: unknown key; known are "))
    });
    let Some((_, list)) = list else {
        return Vec::new();
    };
    list.split(", ").map(str::to_owned).collect()
}
