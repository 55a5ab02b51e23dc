use super::*;

#[track_caller]
fn check(reach: &Reach, address: &str, xmpp: bool, web: bool) {
    let address: IpAddr = address.parse().unwrap();
    assert_eq!(reach.allows(address), xmpp, "XMPP at {address}");
    assert_eq!(reach.allows_web(address), web, "web at {address}");
}

#[test]
fn peers_cannot_send_us_home() {
    let reach = Reach { own: vec!["198.18.0.2".parse().unwrap()], ..Reach::default() };
    for address in [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "64:ff9b:1::7f00:1",
        "64:ff9b:1:ffff::a9fe:a9fe",
        "64:ff9b:1:7f00:0:100::",
        "64:ff9b:1:aa7f:0:1::",
        "64:ff9b:1::7f:0:100:0",
        // Teredo: by way of a server here, and to a client here.
        "2001:0:7f00:1::c000:201",
        "2001:0:c000:201::80ff:fffe",
        "192.0.0.1",
        "192.0.0.170",
        "::ffff:192.0.0.8",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "::ffff:169.254.169.254",
        "::ffff:0.0.0.0",
        "198.18.0.2",
        "::ffff:198.18.0.2",
        "64:ff9b::c612:2",
    ] {
        check(&reach, address, false, false);
    }
    for address in [
        "198.18.0.10",
        "192.0.2.1",
        "2001:db8::1",
        "64:ff9b::c000:201",
        "64:ff9b:1::c000:201",
        "192.0.1.1",
    ] {
        check(&reach, address, true, true);
    }
    for address in [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
    ] {
        check(&reach, address, true, false);
    }
    check(&reach, "172.32.0.1", true, true);
    check(&reach, "100.128.0.1", true, true);
}

#[test]
fn a_laboratory_may_allow_itself() {
    let reach = Reach { loopback: true, private_web: true, own: Vec::new() };
    for address in ["127.0.0.1", "::1", "10.0.0.1", "fd00::1", "169.254.1.1"] {
        check(&reach, address, true, true);
    }
    check(&reach, "0.0.0.0", false, false);
    check(&reach, "::", false, false);
}
