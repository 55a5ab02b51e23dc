use hickory_resolver::proto::dnssec::PublicKeyBuf;

use super::*;

/// The root's key of 2017, and its digest, as IANA publishes them.
const KEY: &str = ". 172800 IN DNSKEY 257 3 8 AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3 \
    +/4RgWOq7HrxRixHlFlExOLAJr5emLvN7SWXgnLh4+B5xQlNVz8Og8kv ArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF \
    0jLHwVN8efS3rCj/EWgvIWgb9tarpVUDK/b58Da+sqqls3eNbuv7pr+e oZG+SrDK6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLYA4/ilBmSVIzuDWfd \
    RUfhHdY6+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwN R1AkUTV74bU=";
const DIGEST: &str =
    ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D";

fn parse(text: &str) -> Option<(usize, usize)> {
    Anchors::parse(text).map(|it| (it.count(), it.digests.len()))
}

#[test]
fn keys_and_digests_are_read() {
    assert_eq!(parse(KEY), Some((1, 0)));
    assert_eq!(parse(DIGEST), Some((1, 1)));
    assert_eq!(parse(&format!("; root\n\n{KEY} ; KSK-2017\n{DIGEST}\n")), Some((2, 1)));
    assert_eq!(parse(&DIGEST.replace("IN DS", "DS").replace(". ", "test. ")), Some((1, 1)));
    assert_eq!(parse(&DIGEST.replace("IN DS", "3600 IN ds")), Some((1, 1)));
    assert_eq!(parse(&DIGEST.replace("E06D44B8", "E06D 44B8")), Some((1, 1)));
}

#[test]
fn what_is_not_understood_is_refused() {
    for text in [
        "",
        "; nothing",
        ".",
        ". IN",
        ". IN NS a.root.",
        ". IN DS",
        ". IN DS 20326 8 2 E06D",
        ". IN DS 20326 8 2 zz",
        &DIGEST.replace(" 2 ", " 1 "),
        &DIGEST.replace(" 2 ", " 9 "),
        &DIGEST.replace("20326", "x"),
        ". IN DNSKEY 257 3 8 %",
        ". IN DNSKEY",
        "trust-anchors {",
        "ü. IN DS 20326 8 2 00",
    ] {
        assert_eq!(parse(text), None, "{text}");
    }
}

#[test]
fn a_key_is_known_by_its_digest() {
    let anchors = Anchors::parse(DIGEST).unwrap();
    let keys = TrustAnchors::from_str(KEY).unwrap();
    let root = DNSKEY::with_flags(257, keys.get(0).unwrap().clone());
    let other = PublicKeyBuf::new(vec![7; 64], Algorithm::ECDSAP256SHA256);
    let other = DNSKEY::with_flags(257, other);

    let (here, elsewhere) = (Name::root(), Name::from_ascii("test.").unwrap());
    assert!(anchors.vouch(&here, &root));
    assert!(!anchors.vouch(&here, &other));
    assert!(!anchors.vouch(&elsewhere, &root));
    let anchors = Anchors::parse(KEY).unwrap();
    assert!(anchors.vouch(&here, &root));
    assert!(!anchors.vouch(&here, &other));
    assert!(!anchors.vouch(&elsewhere, &root));
}

#[test]
fn the_closest_anchor_counts() {
    let anchors =
        DIGEST.replace(". IN", "test. IN") + "\n" + &DIGEST.replace(". IN", "a.b.test. IN");
    let anchors = Anchors::parse(&anchors).unwrap();
    for (name, expect) in [
        ("test.", Some("test.")),
        ("b.test.", Some("test.")),
        ("A.B.test.", Some("a.b.test.")),
        ("x.a.b.test.", Some("a.b.test.")),
        ("xa.b.test.", Some("test.")),
        ("other.", None),
        (".", None),
    ] {
        let name = Name::from_ascii(name).unwrap();
        let expect = expect.map(|it| Name::from_ascii(it).unwrap());
        assert_eq!(anchors.closest(&name), expect.as_ref(), "{name}");
    }
}

#[test]
fn the_public_root_is_known() {
    assert_eq!(Anchors::load(None).unwrap().count(), 2);
    let missing = Path::new("/nonexistent/root.key");
    assert_eq!(
        Anchors::load(Some(missing)).err(),
        Some(SetupError::TrustAnchor(missing.to_owned()))
    );
}
