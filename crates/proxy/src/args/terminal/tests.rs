use super::is_colored;

#[test]
fn color_is_for_those_who_like_it() {
    let check = |terminal: bool, says: &[(&str, &str)], expect: bool| {
        let env = |name: &str| says.iter().find(|(it, _)| *it == name).map(|(_, value)| *value);
        assert_eq!(is_colored(terminal, env), expect, "{terminal} {says:?}");
    };
    check(true, &[], true);
    check(false, &[], false);
    check(true, &[("TERM", "xterm")], true);
    check(true, &[("TERM", "dumb")], false);
    check(true, &[("NO_COLOR", "1")], false);
    check(true, &[("NO_COLOR", "")], true);
    check(true, &[("CLICOLOR", "1")], true);
    check(true, &[("CLICOLOR", "0")], false);
    check(false, &[("CLICOLOR", "1")], false);
    check(false, &[("CLICOLOR_FORCE", "1")], true);
    check(false, &[("CLICOLOR_FORCE", "0")], false);
    check(true, &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb"), ("CLICOLOR", "0")], true);
    check(true, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false);
}
