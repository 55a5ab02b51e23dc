use super::*;

fn read(text: &str) -> Result<Option<Node>, String> {
    parse(text, &mut Budget::new(1 << 20)).map_err(|it| it.to_string())
}

fn rewritten(text: &str) -> String {
    read(text).unwrap().unwrap().map().unwrap().write()
}

#[test]
fn what_is_read_is_written_so_that_it_means_the_same() {
    for (text, expect) in [
        ("{}", "{}\n"),
        (
            "a: [1, [2, [], {}], {b: c, d: [e]}]",
            "a:\n- 1\n- - 2\n  - []\n  - {}\n- b: c\n  d:\n  - e\n",
        ),
        // Bare scalars stay bare, whatever they look like, and quoted ones quoted.
        ("{a: yes, on: 0444, ? 'yes' : '0444'}", "a: yes\non: 0444\n'yes': '0444'\n"),
        (
            "{a: 1_000, b: 12:30:45, c: .inf, d: 2026-11-22, e: =}",
            "a: 1_000\nb: 12:30:45\nc: .inf\nd: 2026-11-22\ne: =\n",
        ),
        ("a:\nb: ~\nc: null\nd: ''", "a: null\nb: ~\nc: null\nd: ''\n"),
        ("a: 'it''s'\nb: \"\\\"\\\\\"", "a: 'it''s'\nb: \"\\\"\\\\\"\n"),
        // Several lines.
        ("a: b\n  c\n\n  d", "a: \"b c\\nd\"\n"),
        ("a: yes\n\n  no", "a: \"yes\\nno\"\n"),
        ("a: |\n  b\n    c\n\n  d\n", "a: |\n  b\n    c\n\n  d\n"),
        ("a: |-\n  b\n", "a: |-\n  b\n"),
        ("a: |+\n  b\n\n\nc: d\n", "a: |+\n  b\n\n\nc: d\n"),
        ("a: >\n  b\n  c\n", "a: |\n  b c\n"),
        ("a: |2\n   b\n", "a: \" b\\n\"\n"),
        ("a: |\n\n  b\n", "a: \"\\nb\\n\"\n"),
        ("a:\n- |\n  b\n-   - >-\n      c", "a:\n- |\n  b\n- - |-\n    c\n"),
        ("a: \"b\\nc\"", "a: \"b\\nc\"\n"),
        // What cannot be seen is written by its number.
        (
            "a: \"\\e[31m\\u2028\\uFEFF\\t\\r\"",
            "a: \"\\U0000001B[31m\\U00002028\\U0000FEFF\\t\\r\"\n",
        ),
        ("a: b\tc", "a: \"b\\tc\"\n"),
        ("a: Ж😀", "a: Ж😀\n"),
        // Tags, aliases, merged maps.
        (
            "a: !!str 123\nb: !!binary |\n  YQ==\nc: !!map {d: !!seq [e]}",
            "a: !!str 123\nb: !!binary |\n  YQ==\nc:\n  d:\n  - e\n",
        ),
        ("a: &a {b: &b c, d: *b}\ne: *a", "a:\n  b: c\n  d: c\ne:\n  b: c\n  d: c\n"),
        (
            "a: &a {b: 1, c: 1}\nd: &d {b: 2, e: 2}\nf: {<<: [*a, *d], c: 3, '<<': 4}",
            "a:\n  b: 1\n  c: 1\nd:\n  b: 2\n  e: 2\nf:\n  c: 3\n  '<<': 4\n  b: 1\n  e: 2\n",
        ),
        ("a: 1 # b\n# c\nd: '# e'", "a: 1\nd: '# e'\n"),
    ] {
        let written = rewritten(text);
        assert_eq!(written, expect, "{text}");
        let (before, after) = (read(text).unwrap().unwrap(), read(&written).unwrap().unwrap());
        assert!(after.means(&before), "{text}");
        assert_eq!(rewritten(&written), written);
    }
}

#[test]
fn what_nobody_should_read_is_refused() {
    for (text, expect) in [
        ("a: 1\nb: 2\na: 3", "line 3: the key a stands twice"),
        ("a: {<<: 1}", "line 1: what is merged by << is no map"),
        ("a: {<<: {}, <<: {}}", "line 1: the key << stands twice"),
        ("? [a]\n: b", "line 1: a key is a list or a map, which no manifest has"),
        ("a: !secret b", "line 1: the tag !secret is none that a manifest has"),
        ("a: !!set {b}", "line 1: the tag tag:yaml.org,2002:!set is none that a manifest has"),
        ("a: !!python/object:os.system b", "is none that a manifest has"),
        ("a:\n  b: *c", "line 2: while parsing node, found unknown anchor"),
        ("a: &a [*a]", "line 1: an alias stands for what it is part of"),
        ("a: b\r---\rc: d", "a document begins where no line begins with ---"),
        ("a: {", "line 2: while parsing a node, did not find expected node content"),
    ] {
        let problem = read(text).unwrap_err();
        assert!(problem.contains(expect), "{text}: {problem}");
    }
    assert_eq!(read("# nothing\n"), Ok(None));
}

/// What an alias stands for counts each time.
#[test]
fn aliases_cost_what_they_stand_for() {
    let text = format!("a: &a {}\nb: [{}]", "x".repeat(1000), ["*a"; 100].join(", "));
    assert!(parse(&text, &mut Budget::new(1 << 20)).is_ok());
    assert!(parse(&text, &mut Budget::new(50_000)).is_err());
    let mut budget = Budget::new(1 << 20);
    let again = (0..1000).find(|_| parse(&text, &mut budget).is_err());
    assert!(again.is_some(), "the budget is that of all together");
    let deep = format!("a: &a {}b{}\n", "[".repeat(60), "]".repeat(60));
    assert!(read(&deep).is_ok());
    let deeper = format!("{deep}c: {}*a{}\n", "[".repeat(60), "]".repeat(60));
    assert!(read(&deeper).unwrap_err().contains("stand in one another"));
}

#[test]
fn scalars_are_read_as_by_either_version() {
    let node = |text: &str| read(text).unwrap().unwrap();
    for (text, expect) in [
        ("7269", &[7269][..]),
        ("016145", &[7269, 16145]),
        ("0o16145", &[7269]),
        ("0x1C65", &[7269]),
        ("7_269", &[7269]),
        ("+7269", &[7269]),
        ("!!int '7269'", &[7269]),
        ("'7269'", &[]),
        ("!!str 7269", &[]),
        ("many", &[]),
    ] {
        assert_eq!(node(text).numbers(), expect, "{text}");
    }
    for text in ["true", "True", "yes", "ON", "y"] {
        assert!(node(text).is_true(), "{text}");
        assert!(!node(&format!("'{text}'")).is_true(), "{text}");
    }
    for text in ["", "~", "null"] {
        assert!(node(&format!("[{text}]")).items().iter().all(Node::is_null), "{text}");
    }
    assert!(!node("'null'").is_null());
}

#[test]
fn our_own_texts_are_texts() {
    for (text, expect) in [
        ("ligase:0.1.0", "ligase:0.1.0"),
        ("chat.svc.cluster.local", "chat.svc.cluster.local"),
        ("None", "None"),
        ("no", "\"no\""),
        ("On", "\"On\""),
        ("1e3", "\"1e3\""),
        ("0.1.0", "0.1.0"),
        ("127.0.0.1", "127.0.0.1"),
        ("0.1", "\"0.1\""),
        ("1..2", "\"1..2\""),
        ("a: b", "\"a: b\""),
        ("a:", "\"a:\""),
        ("", "\"\""),
    ] {
        let mut map = Map::default();
        map.set("key", Node::text_of(text));
        assert_eq!(map.write(), format!("key: {expect}\n"));
    }
}
