use serde_json::json;

use super::*;

#[test]
fn what_does_not_stand_is_told_with_its_cause() {
    for (told, exit, text) in [
        (json!({"ready": true, "components": {}}), Exit::Done, "ready\n"),
        (
            json!({"ready": false, "components": {
                "config": {"ready": true, "cause": null},
                "listeners": {"ready": false, "cause": "draining\u{1b}"},
                "resolver": {"ready": false, "cause": null},
            }}),
            Exit::Unavailable,
            "listeners: draining\\u{1b}\nresolver: does not stand\n",
        ),
        (json!({"ready": "true"}), Exit::Unavailable, "not ready\n"),
        (json!([]), Exit::Unavailable, "not ready\n"),
    ] {
        assert_eq!(judge(&told), (exit, text.to_owned()), "{told}");
    }
}
