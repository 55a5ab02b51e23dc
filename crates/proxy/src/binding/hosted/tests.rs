use super::*;

#[test]
fn a_list_is_certain_and_our_server_is_not() {
    let domain = |text: &str| text.parse::<Domain>().unwrap();
    let listed = Hosted::Only(HashSet::from([domain("l.test")]));
    for (hosted, name, contains, may_contain) in [
        (&listed, "l.test", true, true),
        (&listed, "L.TEST.", true, true),
        (&listed, "conference.l.test", false, false),
        (&listed, "a.test", false, false),
        // Only our server knows, so nothing is refused and nothing is taken for granted.
        (&Hosted::Ask, "l.test", false, true),
        (&Hosted::Ask, "a.test", false, true),
    ] {
        let name = domain(name);
        assert_eq!(hosted.contains(&name), contains, "{name} in {hosted:?}");
        assert_eq!(hosted.may_contain(&name), may_contain, "{name} in {hosted:?}");
    }
}
