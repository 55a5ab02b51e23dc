use super::*;

#[track_caller]
fn check(left: &str, right: &str, same: bool) {
    let of = |text: &str| subscriber(text.parse().unwrap());
    assert_eq!(of(left) == of(right), same, "{left} and {right}");
}

#[test]
fn a_subscriber_is_one_v4_address_or_one_v6_prefix() {
    check("192.0.2.1", "192.0.2.1", true);
    check("192.0.2.1", "192.0.2.2", false);
    check("192.0.2.1", "::ffff:192.0.2.1", true);
    check("2001:db8::1", "2001:db8::ffff:1", true);
    check("2001:db8::1", "2001:db8:0:1::1", false);
}

#[test]
fn a_network_is_256_v4_addresses_or_65536_v6_subscribers() {
    let check = |left: &str, right: &str, same| {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of(left) == of(right), same, "{left} and {right}");
    };
    check("192.0.2.1", "192.0.2.255", true);
    check("192.0.2.1", "::ffff:192.0.2.2", true);
    check("192.0.2.1", "192.0.3.1", false);
    check("2001:db8:0:1::", "2001:db8:0:ffff::1", true);
    check("2001:db8::", "2001:db8:1::", false);
}

#[test]
fn a_mapped_address_is_the_address_it_maps() {
    let plainly = |text: &str| plain(text.parse().unwrap()).to_string();
    assert_eq!(plainly("[::ffff:192.0.2.1]:5269"), "192.0.2.1:5269");
    assert_eq!(plainly("[2001:db8::1]:5269"), "[2001:db8::1]:5269");
}
