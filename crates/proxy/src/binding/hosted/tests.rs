use super::*;
use crate::binding::Host;

#[test]
fn a_list_is_certain_and_our_server_is_not() {
    let domain = |text: &str| text.parse::<Domain>().unwrap();
    let listed = Hosted::Only(Residents::of([domain("l.test")], &home("192.0.2.1:5269")));
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

fn home(address: &str) -> Home {
    address.parse::<std::net::SocketAddr>().unwrap().into()
}

#[test]
fn a_pair_between_two_servers_of_ours_has_need_of_us() {
    let domain = |text: &str| text.parse::<Domain>().unwrap();
    let (one, two) = (home("192.0.2.1:5269"), home("192.0.2.2:5269"));
    let several: Residents = [("a.test", &one), ("b.test", &one), ("c.test", &two)]
        .map(|(name, home)| (domain(name), home.clone()))
        .into_iter()
        .collect();
    let several = Hosted::Only(several);
    let one = Hosted::Only(Residents::of(["a.test", "b.test", "c.test"].map(domain), &one));
    assert!(several.are_apart() && !one.are_apart() && !Hosted::Ask.are_apart());
    for (hosted, sender, target, domestic, between) in [
        (&several, "a.test", "b.test", true, false),
        (&several, "a.test", "a.test", true, false),
        (&several, "a.test", "c.test", false, true),
        (&several, "c.test", "a.test", false, true),
        (&several, "a.test", "peer.test", false, false),
        (&several, "peer.test", "c.test", false, false),
        (&several, "peer.test", "other.test", false, false),
        (&one, "a.test", "c.test", true, false),
        (&Hosted::Ask, "a.test", "c.test", false, false),
    ] {
        let pair = DomainPair::new(domain(sender), domain(target));
        assert_eq!(hosted.is_domestic(&pair), domestic, "{pair}");
        assert_eq!(hosted.is_between_homes(&pair), between, "{pair}");
    }
}

#[test]
fn a_home_is_told_as_it_is_written() {
    let named = Home { host: Host::Name("xmpp.l.test".parse().unwrap()), port: 5269 };
    for (home, text) in [
        (home("192.0.2.1:5269"), "192.0.2.1:5269"),
        (home("[2001:db8::1]:5270"), "[2001:db8::1]:5270"),
        (named, "xmpp.l.test:5269"),
    ] {
        assert_eq!(home.to_string(), text);
    }
}
