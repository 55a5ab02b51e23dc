use std::time::Duration;

use super::*;

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

fn check(kind: Kind, outcome: Outcome) -> Check {
    Check { kind, outcome, text: "It is so.".to_owned(), fix: None }
}

/// What was found about `a.example`.
fn found(outcomes: &[Outcome]) -> BTreeMap<Domain, Vec<Check>> {
    let checks = [Kind::Srv, Kind::Tlsa, Kind::Posh].into_iter().zip(outcomes);
    let checks = checks.map(|(kind, outcome)| check(kind, *outcome)).collect();
    BTreeMap::from([(domain("a.example"), checks)])
}

#[test]
fn each_change_is_told_once() {
    let mut record = Record::default();
    let mut note = |outcomes: &[Outcome]| {
        let changes = record.note(found(outcomes)).into_iter();
        let told = changes.map(|change| match change {
            Change::Broken(_, checks) => format!("broken {}", checks.len()),
            Change::Mended(_) => "mended".to_owned(),
        });
        told.collect::<Vec<_>>().join(" ")
    };
    for (outcomes, expect) in [
        (&[Outcome::Ok, Outcome::Ok][..], ""),
        (&[Outcome::Ok, Outcome::Mismatch], "broken 1"),
        (&[Outcome::Ok, Outcome::Mismatch], ""),
        (&[Outcome::Missing, Outcome::Mismatch], "broken 2"),
        (&[Outcome::Missing, Outcome::Ok], ""),
        // What could not be looked up is neither broken nor mended.
        (&[Outcome::Unknown, Outcome::Ok], ""),
        (&[Outcome::Missing, Outcome::Ok], ""),
        (&[Outcome::Unknown], ""),
        (&[Outcome::Ok, Outcome::NotNeeded, Outcome::Insecure], "mended"),
        (&[Outcome::Ok], ""),
        (&[Outcome::Unknown], ""),
    ] {
        assert_eq!(note(outcomes), expect, "{outcomes:?}");
    }
}

#[test]
fn the_failing_are_told_first_and_the_list_ends() {
    let mut record = Record::default();
    assert_eq!(record.show()["result"], "not-run");
    let outcome = |number| match number {
        250 => Outcome::Mismatch,
        249 => Outcome::Unknown,
        _ => Outcome::Ok,
    };
    let each = (0..300).map(|number| {
        let domain = domain(&format!("d{number:03}.example"));
        (domain, vec![check(Kind::Tlsa, outcome(number))])
    });
    record.note(each.collect());
    record.at = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(60));
    let told = record.show();
    assert_eq!([&told["result"], &told["at"]], ["failing", "1970-01-01T00:01:00Z"]);
    assert_eq!([&told["next_at"], &told["version"]], [&Value::Null, &json!(1)]);
    assert_eq!(told["left_out"], 100);
    let domains = told["domains"].as_array().unwrap();
    assert_eq!(domains.len(), 200);
    let named = |place: usize| (&domains[place]["domain"], &domains[place]["result"]);
    assert_eq!(named(0), (&json!("d250.example"), &json!("failing")));
    assert_eq!(named(1), (&json!("d249.example"), &json!("unknown")));
    assert_eq!(named(2), (&json!("d000.example"), &json!("ok")));
    let expect = json!([
        {"check": "tlsa", "result": "mismatch", "text": "It is so.", "fix": null},
    ]);
    assert_eq!(domains[0]["checks"], expect);
    let counts = [Kind::Srv, Kind::Tlsa, Kind::Posh].map(|kind| record.failures(kind));
    assert_eq!(counts, [0, 1, 0]);
}
