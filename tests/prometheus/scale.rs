//! The rules as they are shipped, in a hurry: minutes become seconds, and nothing else changes.

use ligase_tests::OrFail;
use serde_yaml::Value as Yaml;

/// Makes the times of a file of rules short. Whatever is counted, and how much of it is too much,
/// stays as it is.
pub(crate) fn hurried(rules: &str) -> String {
    let mut file: Yaml = serde_yaml::from_str(rules).or_fail("read the rules");
    let groups = file["groups"].as_sequence_mut().into_iter().flatten();
    for rule in groups.flat_map(|group| group["rules"].as_sequence_mut().into_iter().flatten()) {
        if let Some(wait) = rule.get_mut("for") {
            *wait = WAIT.into();
        }
        let expr = rule["expr"].as_str().or_fail("read what a rule asks");
        rule["expr"] = hurry(expr).into();
    }
    serde_yaml::to_string(&file).or_fail("write the rules")
}

fn hurry(expr: &str) -> String {
    let mut hurried = expr.to_owned();
    for window in ["5m", "15m", "1h"] {
        hurried = hurried.replace(&format!("[{window}]"), &format!("[{WINDOW}]"));
    }
    hurried = hurried.replace(A_DAY_AND_AN_HOUR, A_WHILE);
    // A window that is not known here would make the test wait for ever.
    let left = hurried.replace(&format!("[{WINDOW}]"), "");
    assert!(!left.contains("m]") && !left.contains("h]"), "how long is the window of {expr}?");
    hurried
}

/// In the place of every `for`.
const WAIT: &str = "2s";

/// In the place of every window: as many scrapes as the shortest of the real ones has at the
/// interval that is recommended, twice.
const WINDOW: &str = "20s";

/// How old a self-check may be, in seconds, and what a test takes for that.
const A_DAY_AND_AN_HOUR: &str = "25 * 3600";
const A_WHILE: &str = "15";

#[test]
fn only_times_are_made_short() {
    let rules = "groups: [{name: a, rules: [\
                 {alert: A, expr: 'increase(b{c=\"15m\"}[15m]) > 20', for: 1h, labels: {d: e}},\
                 {record: f, expr: 'rate(g[5m])'}]}]";
    let expect = "groups: [{name: a, rules: [\
                  {alert: A, expr: 'increase(b{c=\"15m\"}[20s]) > 20', for: 2s, labels: {d: e}},\
                  {record: f, expr: 'rate(g[20s])'}]}]";
    let read = |text: &str| serde_yaml::from_str::<Yaml>(text).or_fail("read rules");
    assert_eq!(read(&hurried(rules)), read(expect));
}
