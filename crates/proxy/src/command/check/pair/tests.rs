use super::{Column, Pair, Word};

fn column(word: Word) -> Column {
    Column { word, reason: None, because: "" }
}

#[test]
fn a_pair_works_if_both_are_believed_one_way_or_another() {
    use Word::{Absent, Proven, Refuted, Undetermined, Unproven};
    for (target, sender, dialback, expect) in [
        (Proven, Proven, None, Some(true)),
        (Proven, Unproven, Some(true), Some(true)),
        (Proven, Unproven, Some(false), Some(false)),
        (Proven, Unproven, None, None),
        // Whoever contradicts what it publishes is refused, dialback or not.
        (Proven, Refuted, Some(true), Some(false)),
        (Proven, Undetermined, Some(true), None),
        (Undetermined, Proven, Some(true), None),
        (Unproven, Proven, Some(true), Some(false)),
        (Refuted, Proven, Some(true), Some(false)),
        (Absent, Proven, Some(true), Some(false)),
    ] {
        let pair = Pair {
            from: "a.example".parse().unwrap(),
            to: "b.example".parse().unwrap(),
            target: column(target),
            target_prooftype: None,
            sender: column(sender),
            sender_prooftype: None,
            is_foreign: false,
            dialback,
            findings: Vec::new(),
        };
        assert_eq!(pair.works(), expect, "{target:?} {sender:?} {dialback:?}");
        // Nobody gets through to a domain that its own server does not know.
        assert_eq!(Pair { is_foreign: true, ..pair }.works(), Some(false));
    }
}
