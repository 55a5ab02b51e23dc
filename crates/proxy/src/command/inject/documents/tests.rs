use super::*;

#[test]
fn documents_begin_and_end_where_lines_say_so() {
    for (stream, expect) in [
        ("", &[][..]),
        ("a\n", &["a\n"]),
        ("a\n---\nb", &["a\n", "---\nb"]),
        ("---\na\n---\nb\n", &["---\na\n", "---\nb\n"]),
        ("# x\n%YAML 1.1\n---\na\n", &["# x\n%YAML 1.1\n---\na\n"]),
        ("a\n...\n# x\nb\n...\n", &["a\n...\n", "# x\nb\n...\n"]),
        ("---\n---\n", &["---\n", "---\n"]),
        ("--- a\n--- {b: c} # d\n", &["--- a\n", "--- {b: c} # d\n"]),
        ("a: |\n  ---\n  b\n----\n---x\n", &["a: |\n  ---\n  b\n----\n---x\n"]),
        ("a\r\n---\r\nb\r\n", &["a\r\n", "---\r\nb\r\n"]),
        ("\u{feff}%YAML 1.1\n---\na\n", &["\u{feff}%YAML 1.1\n---\na\n"]),
        ("\u{feff}---\na\n", &["\u{feff}---\na\n"]),
    ] {
        let pieces = split(stream);
        let texts: Vec<_> = pieces.iter().map(|it| it.text).collect();
        assert_eq!(texts, expect);
        assert_eq!(texts.concat(), stream);
        let mut lines = 0;
        for piece in pieces {
            assert_eq!(piece.lines_before, lines, "{stream}");
            lines += piece.text.lines().count();
        }
    }
}

#[test]
fn what_stands_around_a_document_stays() {
    for (piece, expect) in [
        ("a: 1\n", "NEW\n"),
        ("# x\n\n---\n# y\na: 1 # z\n", "# x\n\n---\n# y\nNEW\n"),
        ("---  # x\na: 1\n", "---  # x\nNEW\n"),
        ("--- {a: 1}\n", "---\nNEW\n"),
        ("%YAML 1.1\n---\na: 1\n...\n", "---\nNEW\n...\n"),
        ("---\na: |\n  # x\n...", "---\nNEW\n..."),
    ] {
        let piece = Piece { text: piece, lines_before: 0 };
        assert_eq!(piece.with("NEW\n"), expect);
    }
}
