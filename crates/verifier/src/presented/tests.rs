use super::*;

#[test]
fn an_empty_chain_presents_nothing() {
    assert!(Presented::new(Vec::new()).is_none());
}

#[test]
fn what_cannot_be_read_names_nobody() {
    let presented = Presented::new(vec![CertificateDer::from(vec![0x30, 0x00])]).unwrap();
    assert_eq!(presented.names(), &Names::default());
    assert_eq!(presented.not_after(), None);
    assert_eq!(presented.spki(), None);
}

#[test]
fn a_long_chain_is_cut() {
    let certificate = CertificateDer::from(vec![0x30, 0x00]);
    let presented = Presented::new(vec![certificate; 40]).unwrap();
    assert_eq!(presented.chain().len(), CHAIN_MAX);
}

#[test]
fn other_names_are_read_to_the_byte() {
    let srv = b"\xa0\x05\x16\x03a.b";
    assert_eq!(other_name(srv, IA5_STRING), Some("a.b"));
    assert_eq!(other_name(srv, UTF8_STRING), None, "another string type");
    assert_eq!(other_name(b"\xa0\x05\x16\x03a.bx", IA5_STRING), None, "more follows");
    assert_eq!(other_name(b"\xa0\x06\x16\x03a.bx", IA5_STRING), None, "more follows inside");
    assert_eq!(other_name(b"\xa0\x05\x16\x04a.b", IA5_STRING), None, "cut short");
    assert_eq!(other_name(b"\xa0\x81\x05\x16\x03a.b", IA5_STRING), Some("a.b"));
    assert_eq!(other_name(b"\xa0\x82\x00\x05\x16\x03a.b", IA5_STRING), Some("a.b"));
    assert_eq!(other_name(b"\xa0\x80\x16\x03a.b", IA5_STRING), None, "no length");
    assert_eq!(other_name(b"\xa0\x04\x16\x02\xc3\xbc", IA5_STRING), None, "not ASCII");
    assert_eq!(other_name(b"\xa0\x04\x0c\x02\xc3\xbc", UTF8_STRING), Some("ü"));
    assert_eq!(other_name(b"", IA5_STRING), None);
}

#[test]
fn no_certificate_makes_us_panic() {
    let names = ["dns:v.test", "srv:_xmpp-server.v.test", "xmpp:v.test"];
    let sound = crate::mint::self_signed(&names, |_| ());
    let presented = Presented::new(vec![sound.clone()]).unwrap();
    assert_eq!(presented.names().dns, ["v.test"]);
    assert_eq!(presented.names().srv, ["_xmpp-server.v.test"]);
    assert_eq!(presented.names().xmpp, ["v.test"]);

    let domain = crate::mint::domain("v.test");
    let (mut seed, mut read) = (1_u64, 0);
    for _ in 0..20_000 {
        let mut bent = sound.to_vec();
        for _ in 0..1 + seed % 3 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = usize::try_from(seed >> 33).unwrap() % bent.len();
            bent[at] = seed.to_le_bytes()[3];
        }
        let presented = Presented::new(vec![bent.into()]).unwrap();
        read += usize::from(presented.is_for(&domain, Service::Server));
        let _ = presented.valid_until(crate::mint::now());
    }
    assert!(0 < read, "every one was refused, so nothing was tried");
}
