use super::*;

#[track_caller]
fn check(address: &str, doors: &[&str], expect: bool) {
    let doors: Vec<SocketAddr> = doors.iter().map(|door| door.parse().unwrap()).collect();
    assert_eq!(leads_to_us(address.parse().unwrap(), &doors), expect, "{address} {doors:?}");
}

#[test]
fn only_an_address_of_this_host_and_a_port_of_ours_leads_to_us() {
    check("127.0.0.1:5269", &["[::]:5269"], true);
    check("[::ffff:127.0.0.1]:5269", &["0.0.0.0:5269"], true);
    check("127.0.0.1:5270", &["[::]:5269", "[::]:7270"], false);
    // Nobody has that address (RFC 5737).
    check("192.0.2.1:5269", &["[::]:5269", "0.0.0.0:5269"], false);
    // A listener at one address hears no other, and others may be peers of ours.
    check("127.0.0.1:5269", &["127.0.0.2:5269"], false);
    check("192.0.2.1:5269", &["192.0.2.1:5269"], true);
}

#[test]
fn what_listens_beside_us_for_something_else_is_no_peer() {
    let is_barred = |address: &str| is_beside_us(&address.parse().unwrap());
    assert!(is_barred("127.0.0.1:25"));
    assert!(is_barred("[::ffff:127.0.0.1]:1023"));
    assert!(!is_barred("127.0.0.1:443"));
    assert!(!is_barred("127.0.0.1:5269"));
    assert!(!is_barred("192.0.2.1:25"));
}
