use super::*;

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

#[test]
fn the_rule_that_names_a_peer_best_applies() {
    let policy = Policy {
        default: Level::Encrypted,
        exact: HashMap::from([
            (domain("bank.example"), Level::Dna),
            (domain("old.gov.example"), Level::Any),
        ]),
        suffixes: vec![
            (domain("example"), Level::Pkix),
            (domain("gov.example"), Level::Dna),
            (domain("lab.gov.example"), Level::Any),
        ],
    };
    for (peer, level) in [
        ("elsewhere.test", Level::Encrypted),
        ("bank.example", Level::Dna),
        ("BANK.example.", Level::Dna),
        ("x.bank.example", Level::Pkix),
        ("old.gov.example", Level::Any),
        ("new.gov.example", Level::Dna),
        ("x.lab.gov.example", Level::Any),
        // `*.gov.example` is not gov.example, and a suffix is made of whole labels.
        ("gov.example", Level::Pkix),
        ("example", Level::Encrypted),
        ("xgov.example", Level::Pkix),
        ("notexample", Level::Encrypted),
    ] {
        assert_eq!(policy.level(&domain(peer)), level, "{peer}");
    }
}

#[test]
fn every_level_has_its_word_and_allows_what_it_says() {
    for (level, word, dialback, plaintext) in [
        (Level::Any, "any", true, true),
        (Level::Encrypted, "encrypted", true, false),
        (Level::Pkix, "pkix", false, false),
        (Level::Dna, "dna", false, false),
    ] {
        assert_eq!(level.as_str(), word);
        assert_eq!(level.allows_dialback(), dialback, "{word}");
        assert_eq!(level.allows_plaintext(), plaintext, "{word}");
    }
}

#[test]
fn the_rule_that_applies_can_be_told() {
    let policy = Policy {
        default: Level::Any,
        exact: HashMap::from([(domain("bank.gov.example"), Level::Dna)]),
        suffixes: vec![(domain("gov.example"), Level::Pkix)],
    };
    let below = domain("gov.example");
    for (peer, level, rule) in [
        ("bank.gov.example", Level::Dna, Rule::Exact),
        ("mail.gov.example", Level::Pkix, Rule::Below(&below)),
        ("gov.example", Level::Any, Rule::Default),
    ] {
        assert_eq!(policy.rule(&domain(peer)), (level, rule), "{peer}");
    }
}

#[test]
fn both_spellings_of_a_name_meet_the_same_rule() {
    let policy = Policy {
        default: Level::Any,
        exact: HashMap::from([(domain("bücher.example"), Level::Dna)]),
        suffixes: vec![(domain("müller.example"), Level::Dna)],
    };
    assert_eq!(policy.level(&domain("xn--bcher-kva.example")), Level::Dna);
    assert_eq!(policy.level(&domain("x.xn--mller-kva.example")), Level::Dna);
}

#[test]
fn each_level_allows_no_more_than_the_laxer_ones() {
    let levels = [Level::Any, Level::Encrypted, Level::Pkix, Level::Dna];
    assert!(levels.is_sorted());
    let allowed = levels.map(|level| (level.allows_plaintext(), level.allows_dialback()));
    assert_eq!(allowed, [(true, true), (false, true), (false, false), (false, false)]);
    assert_eq!(Level::default(), Level::Encrypted);
}
