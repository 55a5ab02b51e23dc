use std::collections::HashSet;

use super::*;

#[track_caller]
fn check(text: &str, expect: &str) {
    let found = match text.parse::<Domain>() {
        Ok(domain) => format!("{} {}", domain.ascii(), domain.as_str()),
        Err(invalid) => invalid.label().to_owned(),
    };
    assert_eq!(found, expect, "{text:?}");
}

#[test]
fn one_domain_has_one_spelling() {
    check("capulet.example", "capulet.example capulet.example");
    check("Capulet.EXAMPLE.", "capulet.example capulet.example");
    check("localhost", "localhost localhost");
    check("BÜCHER.example.", "xn--bcher-kva.example bücher.example");
    check("bu\u{308}cher.example", "xn--bcher-kva.example bücher.example");
    check("xn--bcher-kva.example", "xn--bcher-kva.example bücher.example");
    check("XN--BCHER-KVA.Example", "xn--bcher-kva.example bücher.example");
    check("пример.испытание", "xn--e1afmkfd.xn--80akhbyknj4f пример.испытание");
    check("例え.テスト", "xn--r8jz45g.xn--zckzah 例え.テスト");
    check("שלום.שלום", "xn--9dbne9b.xn--9dbne9b שלום.שלום");
    check("r3---sn-1.example", "r3---sn-1.example r3---sn-1.example");
    check("1.2.3.4.example", "1.2.3.4.example 1.2.3.4.example");
}

#[test]
fn spellings_of_one_domain_are_equal_and_hash_alike() {
    let spellings = ["BÜCHER.example.", "xn--bcher-kva.example", "bücher.example"];
    let domains: HashSet<Domain> = spellings.iter().map(|it| it.parse().unwrap()).collect();
    assert_eq!(domains.len(), 1);
}

#[test]
fn both_spellings_round_trip() {
    for text in ["capulet.example", "bücher.example", "例え.テスト"] {
        let domain: Domain = text.parse().unwrap();
        assert_eq!(domain.as_str().parse::<Domain>().unwrap().as_str(), domain.as_str());
        assert_eq!(domain.ascii().parse::<Domain>().unwrap().as_str(), domain.as_str());
    }
}

#[test]
fn what_two_standards_read_differently_is_refused() {
    for text in [
        "faß.test",
        "FAẞ.test",
        "xn--fa-hia.test",
        "βόλος.test",
        "v.t\u{ad}est",
        "v\u{2024}test",
        "v\u{3002}test",
        "ｖ.test",
        "a\u{200d}b.test",
        "a\u{200c}b.test",
        "v\u{a0}.test",
        "ﬁ.test",
        "\u{212a}.test",
        "℀.test",
        "\u{fe0f}v.test",
        "v\u{2060}.test",
        "v．test",
        "שלום.example",
        "xn--9dbne9b.example",
        // Cherokee, of which the capital letters are the ones that DNS has.
        "\u{13a0}.test",
        "xn--58d.test",
        // Lower case in one version of Unicode, and without case in another.
        "Ꮛ.test",
        "xn--ebe.test",
        // An A-label within an A-label.
        "xn--xn--bcmplecchlxn--bchl.test",
        "xn--bc\u{260}mplecchlxn-\u{260}.test",
    ] {
        check(text, "domain.ambiguous");
    }
}

#[test]
fn what_is_no_domain_name_is_refused() {
    let long_label = format!("{}.test", "a".repeat(64));
    let long_name = format!("{}.test", ["a"; 125].join("."));
    let long_text = "a".repeat(3072);
    for text in [
        "",
        ".",
        "..",
        "a..b",
        ".a",
        "a..",
        "u@a.test",
        "a.test/x",
        "a b.test",
        "a_b.test",
        "-a.test",
        "a-.test",
        "a.test\0",
        "a\ntest",
        "192.0.2.1",
        "192.0.2.1.",
        "2130706433",
        "0x7f000001",
        "127.0x1",
        "0x",
        "[::1]",
        "::1",
        "xn--v-.test",
        "xn--.test",
        "xn--a.test",
        "xn--\u{fc}.test.",
        "*.test",
        "a:5269",
        "ü@a.test",
        "ü/a.test",
        "ü\0.test",
        &long_label,
        &long_name,
        &long_text,
    ] {
        let found = text.parse::<Domain>().map_err(InvalidDomain::label);
        assert!(found.is_err(), "{text:?} became {found:?}");
        if text.is_ascii() {
            assert_eq!(found, Err("domain.malformed"), "{text:?}");
        }
    }
}

#[test]
fn a_name_may_have_253_characters_and_a_label_63() {
    let label = "a".repeat(63);
    let name = format!("{label}.{label}.{label}.{}", "b".repeat(61));
    assert_eq!(name.len(), 253);
    check(&name, &format!("{name} {name}"));
    check(&format!("{name}b"), "domain.malformed");
}

#[test]
fn a_u_label_is_measured_by_its_a_label() {
    check(&format!("{}.test", "ü".repeat(60)), "domain.ambiguous");
}
