use super::*;

/// 32 and 64 zero octets.
const ZEROES_32: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const ZEROES_64: &str =
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";

#[track_caller]
fn check(text: &str, expect: &str) {
    let text = text.replace("$32", ZEROES_32).replace("$64", ZEROES_64);
    let found = match Document::parse(text.as_bytes()) {
        Ok((Document::Reference(url), lifetime)) => format!("{url} for {lifetime:?}"),
        Ok((Document::Fingerprints(found), lifetime)) => {
            let spell = |it: &Fingerprint| match (&it.sha256, &it.sha512) {
                (Some(_), Some(_)) => "both",
                (Some(_), None) => "256",
                (None, Some(_)) => "512",
                (None, None) => "none",
            };
            let found: Vec<_> = found.iter().map(spell).collect();
            format!("{} for {lifetime:?}", found.join(" "))
        }
        Err(finding) => finding.label().to_owned(),
    };
    assert_eq!(found, expect, "{text}");
}

#[test]
fn the_examples_of_the_rfc_are_read() {
    check(
        r#"{"fingerprints": [{"sha-256": "4/mggdlVx8A3pvHAWW5sD+qJyMtUHgiRuPjVC48N0XQ=",
            "sha-512": "25N+1hB2Vo42l9lSGqw+n3BKFhDHsyork8ou+D9B43TXeJ1J81mdQEDqm39oR/EHkPBDDG1y5+AG94Kec0xVqA=="}],
            "expires": 604800}"#,
        "both for 604800s",
    );
    check(
        r#"{"url":"https://hosting.example.net/.well-known/posh/spice.json","expires":86400}"#,
        "https://hosting.example.net/.well-known/posh/spice.json for 86400s",
    );
}

#[test]
fn fingerprints_are_read() {
    check(
        r#"{"fingerprints":[{"sha-256":"$32"},{"sha-512":"$64"}],"expires":1}"#,
        "256 512 for 1s",
    );
    check(r#"{"fingerprints":[{"sha-1":"x","sha-256":"$32"}],"expires":1}"#, "256 for 1s");
    check(r#"{"fingerprints":[{"sha-1":"x"}],"expires":1}"#, "none for 1s");
    let unpadded =
        r#"{"fingerprints":[{"sha-256":"$32"}],"expires":1}"#.replace("$32", &ZEROES_32[..43]);
    check(&unpadded, "256 for 1s");
}

#[test]
fn a_document_is_of_one_kind() {
    check(
        r#"{"fingerprints":[{"sha-256":"$32"}],"url":"https://a.test/","expires":1}"#,
        "posh.json",
    );
    check(r#"{"expires":1}"#, "posh.json");
    check(r#"{"fingerprints":[],"expires":1}"#, "posh.json");
    check(r#"{"fingerprints":{"sha-256":"$32"},"expires":1}"#, "posh.json");
    check(r#"{"url":7,"expires":1}"#, "posh.json");
}

#[test]
fn a_document_holds_for_a_time_that_it_names() {
    check(r#"{"url":"u","expires":0}"#, "posh.expired");
    check(r#"{"url":"u","expires":-1}"#, "posh.json");
    check(r#"{"url":"u","expires":"604800"}"#, "posh.json");
    check(r#"{"url":"u","expires":1e400}"#, "posh.json");
    check(r#"{"url":"u","expires":1.5}"#, "posh.json");
    check(r#"{"url":"u"}"#, "posh.json");
    check(r#"{"url":"u","expires":1000000000000}"#, "u for 604800s");
}

#[test]
fn a_document_has_so_many_fingerprints() {
    let with = |count| {
        let all = vec![r#"{"sha-256":"$32"}"#; count].join(",");
        format!(r#"{{"fingerprints":[{all}],"expires":1}}"#)
    };
    check(&with(256), &format!("{} for 1s", vec!["256"; 256].join(" ")));
    check(&with(257), "posh.size");
}

#[test]
fn what_is_no_document_is_refused() {
    for text in [
        "",
        "null",
        "[]",
        "\"x\"",
        "{",
        "{} {}",
        r#"{"fingerprints":["$32"],"expires":1}"#,
        r#"{"fingerprints":[{"sha-256":"%"}],"expires":1}"#,
        r#"{"fingerprints":[{"sha-256":7}],"expires":1}"#,
        r#"{"fingerprints":[{"sha-256":"$64"}],"expires":1}"#,
        r#"{"fingerprints":[{"sha-512":"$32"}],"expires":1}"#,
    ] {
        check(text, "posh.json");
    }
    check(&"[".repeat(60_000), "posh.json");
}

#[test]
fn no_document_makes_us_panic() {
    let sound = format!(r#"{{"fingerprints":[{{"sha-256":"{ZEROES_32}"}}],"expires":604800}}"#);
    let (mut seed, mut read) = (1_u64, 0);
    for _ in 0..20_000 {
        let mut bent = sound.clone().into_bytes();
        for _ in 0..1 + seed % 3 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = usize::try_from(seed >> 33).unwrap() % bent.len();
            bent[at] = seed.to_le_bytes()[3];
        }
        read += usize::from(Document::parse(&bent).is_ok());
    }
    assert!(0 < read, "every one was refused, so nothing was tried");
}
