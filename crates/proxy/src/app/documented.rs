//! What the documentation shows of the admin port.

use serde_json::Value;

/// The sample of this name in docs/operations.md.
pub(super) fn documented(name: &str) -> Value {
    let (_, rest) = OPERATIONS.split_once(&format!("```json {name}\n")).unwrap();
    serde_json::from_str(rest.split_once("```").unwrap().0).unwrap()
}

const OPERATIONS: &str = include_str!("../../../../docs/operations.md");
