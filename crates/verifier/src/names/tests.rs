use super::*;

/// The single place that knows how names are compared; `dns:x`, `srv:x` and `xmpp:x`.
#[track_caller]
fn check(presented: &str, domain: &str, expect: bool) {
    let mut names = Names::default();
    let (kind, value) = presented.split_once(':').unwrap();
    match kind {
        "dns" => names.dns.push(value.to_owned()),
        "srv" => names.srv.push(value.to_owned()),
        "xmpp" => names.xmpp.push(value.to_owned()),
        _ => panic!("{kind}"),
    }
    let domain = domain.parse().unwrap();
    assert_eq!(names.name(&domain, Service::Server), expect, "{presented} for {domain}");
}

#[test]
fn dns_ids_are_compared_without_regard_to_case_spelling_and_final_dot() {
    check("dns:capulet.example", "capulet.example", true);
    check("dns:CAPULET.example.", "capulet.example", true);
    check("dns:xn--bcher-kva.example", "bücher.example", true);
    check("dns:bücher.example", "bücher.example", false);
    check("dns:montague.example", "capulet.example", false);
    check("dns:capulet.example", "x.capulet.example", false);
    check("dns:x.capulet.example", "capulet.example", false);
    check("dns:capulet.example..", "capulet.example", false);
    check("dns:v.test\0.a.test", "v.test", false);
    check("dns:v.test\0.a.test", "a.test", false);
    check("dns: v.test", "v.test", false);
    check("dns:", "v.test", false);
}

#[test]
fn a_wildcard_stands_for_exactly_one_label() {
    check("dns:*.v.test", "x.v.test", true);
    check("dns:*.V.TEST.", "x.v.test", true);
    check("dns:*.v.test", "v.test", false);
    check("dns:*.v.test", "x.y.v.test", false);
    check("dns:*.test", "v.test", false);
    check("dns:v*.test", "v.test", false);
    check("dns:*v.test", "v.test", false);
    check("dns:*.*.v.test", "x.y.v.test", false);
    check("dns:w.*.test", "w.v.test", false);
    check("dns:*", "v.test", false);
    check("dns:*", "test", false);
    check("dns:*.", "test", false);
    check("dns:**.v.test", "x.v.test", false);
    check("dns:*.v.test", "xn--bcher-kva.v.test", true);
    check("srv:_xmpp-server.*.v.test", "x.v.test", true);
    check("srv:_xmpp-server.*.v.test", "x.y.v.test", false);
    check("xmpp:*.v.test", "x.v.test", false);
}

#[test]
fn an_srv_id_is_for_one_service() {
    check("srv:_xmpp-server.v.test", "v.test", true);
    check("srv:_XMPP-Server.V.Test", "v.test", true);
    check("srv:_xmpp-client.v.test", "v.test", false);
    check("srv:_imaps.v.test", "v.test", false);
    check("srv:_xmpp-server._tcp.v.test", "v.test", false);
    check("srv:_xmpps-server.v.test", "v.test", false);
    check("srv:v.test", "v.test", false);
    check("srv:_xmpp-server", "v.test", false);

    let names = Names { srv: vec!["_xmpp-client.v.test".to_owned()], ..Names::default() };
    assert!(names.name(&"v.test".parse().unwrap(), Service::Client));
}

#[test]
fn an_xmpp_address_names_a_domain_only_when_it_is_one() {
    check("xmpp:v.test", "v.test", true);
    check("xmpp:V.Test", "v.test", true);
    check("xmpp:Bücher.example", "bücher.example", true);
    check("xmpp:m@v.test", "v.test", false);
    check("xmpp:v.test/x", "v.test", false);
    check("xmpp:v.test\0", "v.test", false);
    check("xmpp:faß.test", "fass.test", false);
}

#[test]
fn an_xmpp_address_does_not_name_a_host() {
    let names = Names { xmpp: vec!["x.v.test".to_owned()], ..Names::default() };
    assert!(!names.name_host(&"x.v.test".parse().unwrap(), Service::Server));
}
