use super::{Step, is_as_shown, read};

#[test]
fn a_block_knows_where_it_is_typed_and_what_is_shown_below_it() {
    let page = "# A page\n\n```sh\n# a new terminal: verona\nenter\n```\n\nSome words.\n\n\
                ```sh\n# at verona\nsay it\nand again\n```\n\n```text\nit\n...\n```\n";
    let step = |line, is_new, commands: &str, shown: Option<&str>| Step {
        line,
        place: "verona".to_owned(),
        is_new,
        commands: commands.to_owned(),
        shown: shown.map(str::to_owned),
    };
    let expected =
        [step(3, true, "enter", None), step(10, false, "say it\nand again", Some("it\n..."))];
    assert_eq!(read(page), expected);
}

#[test]
#[should_panic(expected = "belongs to no command")]
fn nothing_is_shown_without_a_command() {
    let _ = read("```sh\n# at verona\nsay it\n```\n\nSome words.\n\n```text\nit\n```\n");
}

#[test]
#[should_panic(expected = "read where the block on line 1 is to be typed")]
fn a_block_without_a_place_is_a_fault() {
    let _ = read("```sh\nsay it\n```\n");
}

#[test]
fn what_is_seen_is_held_to_what_is_shown() {
    #[rustfmt::skip]
    let rows: [(&str, &[&str], bool); 14] = [
        ("one\ntwo",         &["one", "two"],                 true),
        ("one\ntwo",         &["one", "two", "three"],        false),
        ("one\ntwo",         &["one"],                        false),
        ("one\n...",         &["one"],                        true),
        ("one\n...",         &["one", "two", "three"],        true),
        ("...\nthree",       &["one", "two", "three"],        true),
        ("...\ntwo",         &["one", "two", "three"],        false),
        ("...\ntwo\n...",    &["one", "two", "three"],        true),
        ("in … s",           &["in 0.8 s"],                   true),
        ("in … s",           &["in 0.8 m"],                   false),
        ("… s",              &["1 s s"],                      true),
        ("one",              &["one  "],                      true),
        ("",                 &[],                             true),
        ("",                 &["one"],                        false),
    ];
    for (shown, seen, expected) in rows {
        let seen: Vec<_> = seen.iter().map(|&line| line.to_owned()).collect();
        assert_eq!(is_as_shown(shown, &seen), expected, "{shown:?} {seen:?}");
    }
}
