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

/// The rows of all tables whose first cell is a key, below a heading and those under it.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let (_, text) = text.split_once(&format!("\n{heading}\n")).unwrap();
    let rows = text.lines().take_while(|line| !line.starts_with("## "));
    rows.filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().replace('`', "")).collect()
        })
        .filter(|row: &Vec<String>| row.len() == 5)
        .collect()
}

#[test]
fn the_example_is_accepted() {
    let config = Config::read(&root().join("deploy/ligase.yaml"), &Overrides::default()).unwrap();
    assert_eq!(config.limits, Limits::default());
}

#[test]
fn the_example_has_every_key() {
    let text = fs::read_to_string(root().join("deploy/ligase.yaml")).unwrap();
    let example: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
    // These stand in place of what the example says of the same.
    let others = [
        "hosts.file",
        "dialback_secret.file",
        "backends",
        "backends[].name",
        "backends[].address",
        "backends[].hosts",
    ];
    for key in rows("## Keys").into_iter().map(|row| row[0].clone()) {
        let found = key.split('.').try_fold(&example, |at, name| match name.strip_suffix("[]") {
            Some(list) => at.get(list)?.get(0),
            None => at.get(name),
        });
        assert!(found.is_some() || others.contains(&key.as_str()), "{key} is missing");
    }
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
        assert_eq!(parse(&written(key, default)).as_ref(), Ok(&least), "{key}");
        tried += 1;
    }
    assert!(15 < tried, "only {tried} defaults were found");
}

#[test]
fn every_key_takes_what_its_type_and_its_bounds_say_and_nothing_else() {
    for row in rows("## Keys") {
        let (key, kind, bounds) = (row[0].as_str(), row[1].as_str(), row[3].as_str());
        assert!(20 < row[4].len(), "{key} is not explained");
        let (good, bad) = match kind {
            "domain" => (vec!["a.example".to_owned()], vec!["a..b"]),
            "path" if key.ends_with(".file") => (vec![], vec!["''", "/nowhere/at/all"]),
            "path" => (vec!["some.pem".to_owned()], vec!["''", "[]"]),
            "IP:PORT" => (vec!["192.0.2.1:5269".to_owned()], vec!["a.example:5269"]),
            "HOST:PORT" => {
                let good = ["192.0.2.1:5269", "a.example:5269"];
                (good.map(str::to_owned).to_vec(), vec!["a.example", "a.example:0", "a..b:5269"])
            }
            "text" => (vec!["some words".to_owned()], vec!["''", "[]"]),
            "true or false" => (vec!["true".to_owned(), "false".to_owned()], vec!["maybe", "1"]),
            "word" => (words(key, bounds, "qqqq"), vec!["qqqq"]),
            "list of words" => {
                let words = words(key, bounds, "[qqqq]");
                let all = format!("[{}]", words.join(", "));
                ([words, vec![all]].concat(), vec!["[qqqq]", "{a: b}"])
            }
            "list of IP:PORT" => {
                let good = ["192.0.2.1:1053", "['192.0.2.1:1053', '[2001:db8::1]:1053']"];
                (good.map(str::to_owned).to_vec(), vec!["a.example:5269", "{a: b}"])
            }
            "list of domains" => {
                let (good, bad) =
                    (vec!["a.example", "[a.example, b.example]"], vec!["[a..b]", "[]", "{a: b}"]);
                // One server alone may be asked what it serves.
                let (good, bad) = match bounds.contains("auto") {
                    true => ([good, vec!["auto"]].concat(), bad),
                    false => (good, [bad, vec!["auto"]].concat()),
                };
                (good.into_iter().map(str::to_owned).collect(), bad)
            }
            "list of networks" => {
                let good = ["10.0.0.0/8", "['192.0.2.1', '2001:db8::/32']"];
                (good.map(str::to_owned).to_vec(), vec!["10.0.0.0/33", "a.example", "{a: b}"])
            }
            "list of servers" => (vec![], vec!["[]", "one", "[{name: one}]"]),
            "list of files" => (vec![], vec!["[]", "a.pem", "[{chain: a.pem}]"]),
            "levels by domain" => {
                let good = "{old.example: any, '*.gov.example': dna, a.example: pkix}";
                (vec![good.to_owned()], vec!["{a..b: any}", "{a.example: qqqq}"])
            }
            "whole number" => {
                check_number(key, bounds);
                (vec![], vec!["-1", "1.5", "many"])
            }
            kind => panic!("{key}: what is a {kind}?"),
        };
        for value in good {
            let read = parse(&written(key, &value));
            assert!(read.is_ok(), "{key}: {value} is refused: {read:?}");
        }
        for value in bad {
            let problems = parse(&written(key, value)).err().unwrap_or_default();
            let stem = key.split("[]").next().unwrap();
            let named = problems.iter().any(|it| it.starts_with(stem));
            assert!(named, "{key}: {value} is not refused by its key: {problems:?}");
        }
    }
}

/// Every type that a key has is explained, and no other.
#[test]
fn every_type_is_explained() {
    let text = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let types: BTreeSet<_> = rows("## Keys").into_iter().map(|row| row[1].clone()).collect();
    for kind in types {
        let is_list = kind.starts_with("list of ") || kind == "levels by domain";
        let explained = text.contains(&format!("\n| {kind} | "));
        assert!(explained || is_list, "{kind} is not explained");
    }
}

/// The words under bounds, which must be all that the program knows.
fn words(key: &str, bounds: &str, wrong: &str) -> Vec<String> {
    let words: Vec<String> = bounds.split(' ').map(str::to_owned).collect();
    let problems = parse(&written(key, wrong)).unwrap_err();
    let told = problems.iter().find_map(|it| it.split_once(" is not one of ")).unwrap().1;
    let told = told.split(['.', ';', ':']).next().unwrap();
    assert_eq!(told.split(", ").collect::<BTreeSet<_>>(), words.iter().map(|it| &**it).collect());
    words
}

/// The bounds are taken, and what is just outside of them is not.
fn check_number(key: &str, bounds: &str) {
    let (zero, bounds) = match bounds.strip_prefix("0, or ") {
        Some(bounds) => (true, bounds),
        None => (false, bounds),
    };
    let (least, most) = bounds.split_once(" to ").unwrap();
    let [least, most] = [least, most].map(|it| it.parse::<u64>().unwrap());
    let takes = |number: u64| parse(&written(key, &number.to_string())).is_ok();
    assert!(takes(least) && takes(most), "{key}: {least} or {most} is refused");
    assert!(!takes(most + 1), "{key}: {} is taken", most + 1);
    assert!(least == 0 || !takes(least - 1), "{key}: {} is taken", least - 1);
    assert_eq!(zero || least == 0, takes(0), "{key}: 0");
}

/// A configuration in which a key has this value, and the others what is needed beside it.
fn written(key: &str, value: &str) -> String {
    if let Some(key) = key.strip_prefix("certificates[].") {
        let rest = [("chain", "tls.crt"), ("key", "tls.key")].into_iter();
        let rest = rest.filter(|(it, _)| *it != key).map(|(it, path)| format!(", {it}: {path}"));
        let files = format!("{key}: {value}{}", rest.collect::<String>());
        return LEAST.replace("chain: tls.crt, key: tls.key", &files);
    }
    if let Some(key) = key.strip_prefix("backends[].") {
        let rest = [("name", "one"), ("address", "a.example:5269"), ("hosts", "[a.example]")];
        let rest = rest.iter().filter(|(it, _)| *it != key);
        let rest = rest.map(|(it, value)| format!(", {it}: {value}"));
        return several(&format!("{{{key}: {value}{}}}", rest.collect::<String>()));
    }
    if key == "backends" {
        return LEAST.replace("hosts: [montague.example]", &format!("backends: {value}"));
    }
    let outer = key.split('.').next().unwrap();
    let mut text: String = LEAST
        .lines()
        .filter(|it| !it.starts_with(outer))
        .fold(String::new(), |text, line| text + line + "\n");
    for (depth, key) in key.split('.').enumerate() {
        text += &format!("\n{}{key}:", "  ".repeat(depth));
    }
    // One way of capturing needs to know as whom we run.
    let beside = if key == "capture" { "redirect: {uid: 7269}\n" } else { "" };
    format!("{text} {value}\n{beside}")
}

/// A configuration with a list of servers, of which this is one.
fn several(server: &str) -> String {
    LEAST.replace("hosts: [montague.example]", &format!("backends: [{server}]"))
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
            "backends" => {
                keys.insert(shown);
                collect("backends", "backends[]", keys);
            }
            // It has the same of its own as the hosts of one server.
            "backends.hosts" => drop(keys.insert(shown)),
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
        "backends" => several("{qqqqqqqq: 1}"),
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
