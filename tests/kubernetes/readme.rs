//! The table of values in the chart's README, made from the comments of values.yaml.

use ligase_tests::OrFail;
use serde_yaml::Value;

use crate::golden;
use crate::helm::yaml;
use crate::manifest::file;

#[test]
fn the_readme_has_every_value_as_it_is() {
    let readme = file(README);
    let (before, rest) = readme.split_once(BEGIN).or_fail("find where the table begins");
    let (_, after) = rest.split_once(END).or_fail("find where the table ends");
    let table = table();
    assert!(60 < table.lines().count(), "the values have got lost");
    golden::hold(README, &format!("{before}{BEGIN}{table}{END}{after}"));
}

/// The paths of the values that have a comment of their own; one that has none is but a place for
/// others.
pub(crate) fn values() -> Vec<Vec<String>> {
    rows().into_iter().map(|row| row.path).collect()
}

fn table() -> String {
    let values = yaml("helm/ligase/values.yaml");
    let mut table = "| value | default | what it is |\n| --- | --- | --- |\n".to_owned();
    for Row { path, default, comment } in rows() {
        let value = path.iter().try_fold(&values, |at, key| at.get(key));
        let value = value.or_fail(&format!("find {path:?} among the values"));
        let default = default.unwrap_or_else(|| format!("`{}`", flow(value)));
        table += &format!("| `{}` | {default} | {comment} |\n", path.join("."));
    }
    table
}

/// A value that has a comment of its own.
#[derive(Clone, Debug)]
struct Row {
    path: Vec<String>,
    /// What stands in the table for its default, if that is not the default itself.
    default: Option<String>,
    comment: String,
}

/// All of them, as values.yaml has them.
fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut place: Vec<(usize, String)> = Vec::new();
    let (mut comment, mut default) = (None, None);
    for line in file("helm/ligase/values.yaml").lines() {
        let text = line.trim_start();
        let depth = line.len() - text.len();
        if let Some(text) = text.strip_prefix("# -- ") {
            comment = Some(text.to_owned());
        } else if let Some(text) = text.strip_prefix("# @default: ") {
            default = Some(text.to_owned());
        } else if let Some((key, _)) = text.split_once(':').filter(|_| is_key(text)) {
            place.retain(|(other, _)| *other < depth);
            place.push((depth, key.to_owned()));
            if let Some(comment) = comment.take() {
                let path = place.iter().map(|(_, key)| key.clone()).collect();
                rows.push(Row { path, default: default.take(), comment });
            }
        }
    }
    rows
}

/// Whether a line begins with a key, and not with a comment or an item of a list.
fn is_key(text: &str) -> bool {
    text.starts_with(|it: char| it.is_ascii_lowercase())
}

/// A value in one line, as JSON.
fn flow(value: &Value) -> String {
    serde_json::to_string(value).or_fail("write a value as JSON")
}

const README: &str = "helm/ligase/README.md";
const BEGIN: &str = "<!-- values: made from values.yaml -->\n\n";
const END: &str = "\n<!-- end of values -->\n";
