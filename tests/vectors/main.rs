//! TLSA records against chains (RFC 6698, RFC 7671, RFC 7673): what is to become of each is
//! written down, and ligase and openssl are both asked, openssl over TLS.
//!
//! Where openssl decides otherwise on purpose, the tables say how and why:
//! - asked about usage 3 it compares names, unless told not to; RFC 7671 §5.1 does not. It is told
//!   not to here, and [`openssl_compares_names_unless_told_not_to`] shows what it does otherwise.
//! - it takes a common name for a DNS-ID, and does not know SRV-IDs: see [`SHAPES`].
//! - it stops at the first authority that it trusts, where RFC 7671 §5.4 wants the one meant to be
//!   looked for further up: see [`an_authority_above_the_one_that_is_trusted`].
//! - it reads the certificate or key in a full record, and leaves one out that makes no sense to
//!   it. ligase leaves one out that was cut short, and compares the others:
//!   [`a_record_of_nonsense_still_binds`].

mod book;
mod ligase;
mod mint;
mod openssl;
mod shapes;

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use rustls::pki_types::CertificateDer;

use self::book::{Book, Case};
use self::ligase::{HOST, Record};
use self::mint::{Certificate, KINDS, Kind, naming};
use self::openssl::Verdict;
use self::shapes::SHAPES;

/// A record that describes a certificate.
fn record(parameters: [u8; 3], certificate: &Certificate) -> Record {
    let [_, selector, matching] = parameters;
    let selected = match selector {
        0 => certificate.der.as_ref(),
        _ => &certificate.public_key,
    };
    let data = match matching {
        0 => selected.to_vec(),
        1 => digest(&SHA256, selected).as_ref().to_vec(),
        _ => digest(&SHA512, selected).as_ref().to_vec(),
    };
    Record { parameters, data }
}

fn ders(chain: &[Certificate]) -> Vec<CertificateDer<'static>> {
    chain.iter().map(|it| it.der.clone()).collect()
}

fn verdict(letter: char, selection: [u8; 2]) -> Verdict {
    match (letter, selection) {
        ('a', _) | ('f', [_, 0]) | ('k', [1, 0]) => Verdict::Accepted,
        _ => Verdict::Refused,
    }
}

/// Every shape of chain with every kind of key at its ends, under two usages each, so that each
/// usage is met by every kind in every shape and with all selectors and matching types.
#[test]
fn chains_of_every_shape_and_key() {
    let mut book = Book::new(&KINDS);
    for shape in &SHAPES {
        let mut met = [0; 4];
        for (above, house) in book.houses.iter().enumerate() {
            for (below, key) in book.keys.iter().enumerate() {
                let shown = (shape.make)(house, key);
                let at_server = book.chains.add(ders(&shown.chain), key);
                let usages = if (above + below).is_multiple_of(2) { [0, 2] } else { [1, 3] };
                for usage in usages {
                    let selection = SELECTIONS[met[usage] % SELECTIONS.len()];
                    met[usage] += 1;
                    let described =
                        if [0, 2].contains(&usage) { &shown.anchor } else { &shown.chain[0] };
                    let parameters = [usage as u8, selection[0], selection[1]];
                    let expect = shape.expect[usage];
                    let openssl = shape.openssl.map_or(expect, |(differs, _)| differs[usage]);
                    let kinds = (KINDS[below], KINDS[above]);
                    book.cases.push(Case {
                        name: format!("{}, {kinds:?}, {parameters:?}", shape.name),
                        chain: ders(&shown.chain),
                        shown: at_server.clone(),
                        asked: shape.asked,
                        records: vec![record(parameters, described)],
                        expect: verdict(expect, selection),
                        openssl: verdict(openssl, selection),
                        options: NO_NAMES,
                    });
                }
            }
        }
    }
    let (chains, questions) = book.check("shapes");
    println!("{chains} chains, {questions} questions");
    assert!(200 <= chains, "only {chains} chains");
}

/// Every usage, selector and matching type with every kind of key: what matches is accepted, what
/// does not is refused, and what cannot be understood is as good as not there.
#[test]
fn records_of_every_sort() {
    let mut book = Book::new(&KINDS);
    for (kind, (house, key)) in KINDS.iter().zip(book.houses.iter().zip(&book.keys)) {
        let leaf = house.authority.issue(&naming(&[HOST]), key);
        let other = house.own_authority.issue(&naming(&[HOST]), &kind.key());
        let shown = [leaf, house.authority.certificate.clone(), house.root.certificate.clone()];
        let at_server = book.chains.add(ders(&shown), key);
        let mut sorts = Vec::new();
        for usage in 0..4 {
            for [selector, matching] in SELECTIONS {
                let parameters = [usage, selector, matching];
                let (right, wrong) = match usage {
                    0 | 2 => (&shown[2], &house.own_root.certificate),
                    _ => (&shown[0], &other),
                };
                let right = record(parameters, right);
                sorts.push(("match", right.clone(), Verdict::Accepted));
                sorts.push(("mismatch", record(parameters, wrong), Verdict::Refused));
                let mut cut = right.clone();
                cut.data.pop();
                sorts.push(("cut short", cut, Verdict::NoRecords));
                let mut strange = right;
                // Each of the three in turn is one that nobody has defined.
                match sorts.len() % 9 {
                    3 => strange.parameters[0] += 4,
                    6 => strange.parameters[1] += 2,
                    _ => strange.parameters[2] += 3,
                }
                sorts.push(("unknown", strange, Verdict::NoRecords));
            }
        }
        for (sort, record, expect) in sorts {
            book.cases.push(Case {
                name: format!("{kind:?}, {sort}, {:?}", record.parameters),
                chain: ders(&shown),
                shown: at_server.clone(),
                asked: HOST,
                records: vec![record],
                expect,
                openssl: expect,
                options: NO_NAMES,
            });
        }
    }
    let (_, questions) = book.check("sorts");
    assert_eq!(questions, 4 * 4 * 6 * 4);
}

/// Several records at once: any may match, but the weaker of two digests does not count
/// (RFC 7671 §8, §9).
#[test]
fn sets_of_records() {
    let mut book = Book::new(&[Kind::P256]);
    let (house, key) = (&book.houses[0], &book.keys[0]);
    let leaf = house.authority.issue(&naming(&[HOST]), key);
    let other = house.own_authority.issue(&naming(&[HOST]), &Kind::P256.key());
    let root = house.root.certificate.clone();
    let shown = [leaf.clone(), house.authority.certificate.clone(), root.clone()];
    let at_server = book.chains.add(ders(&shown), key);

    let good = |parameters: [u8; 3]| {
        record(parameters, if [0, 2].contains(&parameters[0]) { &root } else { &leaf })
    };
    let bad = |parameters| record(parameters, &other);
    let cut = |parameters| {
        let mut record = good(parameters);
        record.data.pop();
        record
    };
    let (accepted, refused, none) = (Verdict::Accepted, Verdict::Refused, Verdict::NoRecords);
    let sets = [
        ("the second", vec![bad([3, 1, 1]), good([3, 1, 1])], accepted),
        ("the first", vec![good([3, 1, 1]), bad([3, 1, 1])], accepted),
        ("none of three", vec![bad([3, 1, 1]), bad([3, 0, 1]), bad([2, 0, 1])], refused),
        ("the weaker digest", vec![good([3, 1, 1]), bad([3, 1, 2])], refused),
        ("the stronger digest", vec![bad([3, 1, 1]), good([3, 1, 2])], accepted),
        ("the weaker, the stronger cut", vec![good([3, 1, 1]), cut([3, 1, 2])], accepted),
        ("the weaker, of another selector", vec![good([3, 1, 1]), bad([3, 0, 2])], accepted),
        ("the weaker, of another usage", vec![good([3, 1, 1]), bad([2, 1, 2])], accepted),
        ("the thing itself", vec![good([3, 1, 0]), bad([3, 1, 2])], accepted),
        ("a digest, not the thing", vec![bad([3, 1, 0]), good([3, 1, 1])], accepted),
        (
            "the weaker, beside the thing",
            vec![bad([3, 1, 0]), good([3, 1, 1]), bad([3, 1, 2])],
            refused,
        ),
        ("the weaker of an authority", vec![good([2, 0, 1]), bad([2, 0, 2])], refused),
        ("the weaker of a public one", vec![good([0, 0, 1]), bad([0, 0, 2])], refused),
        ("the anchor, not the leaf", vec![good([2, 0, 1]), bad([3, 1, 1])], accepted),
        ("the leaf, not the anchor", vec![bad([2, 0, 1]), good([3, 1, 1])], accepted),
        ("constrained, not its own", vec![good([1, 1, 1]), bad([3, 1, 1])], accepted),
        ("its own, not constrained", vec![bad([0, 1, 1]), good([3, 1, 1])], accepted),
        ("one that counts", vec![cut([3, 1, 1]), good([3, 1, 1])], accepted),
        ("none that counts but one", vec![cut([3, 1, 1]), bad([3, 1, 1])], refused),
        ("none that counts", vec![cut([3, 1, 1]), cut([3, 1, 2]), cut([2, 0, 0])], none),
    ];
    for (name, records, expect) in sets {
        book.cases.push(Case {
            name: name.to_owned(),
            chain: ders(&shown),
            shown: at_server.clone(),
            asked: HOST,
            records,
            expect,
            openssl: expect,
            options: NO_NAMES,
        });
    }
    book.check("sets");
}

/// Where the end of a path has a wrong name, usage 3 does not care (RFC 7671 §5.1).
#[test]
fn openssl_compares_names_unless_told_not_to() {
    let mut book = Book::new(&KINDS);
    for (house, key) in book.houses.iter().zip(&book.keys) {
        let leaf = house.authority.issue(&naming(&["w.test"]), key);
        let shown = [leaf, house.authority.certificate.clone()];
        let at_server = book.chains.add(ders(&shown), key);
        for (options, openssl) in [(NO_NAMES, Verdict::Accepted), (&[], Verdict::Refused)] {
            for [selector, matching] in SELECTIONS {
                book.cases.push(Case {
                    name: format!("{selector} {matching}, told {options:?}"),
                    chain: ders(&shown),
                    shown: at_server.clone(),
                    asked: HOST,
                    records: vec![record([3, selector, matching], &shown[0])],
                    expect: Verdict::Accepted,
                    openssl,
                    options,
                });
            }
        }
    }
    book.check("names");
}

/// A full record that is well-formed and no certificate matches nothing. openssl reads what is in
/// it, and leaves it out. We hold against it that its owner wanted to be known by records alone:
/// what our reader cannot read, another's may.
#[test]
fn a_record_of_nonsense_still_binds() {
    let mut book = Book::new(&[Kind::P256]);
    let (house, key) = (&book.houses[0], &book.keys[0]);
    let leaf = house.authority.issue(&naming(&[HOST]), key);
    let shown = [leaf, house.authority.certificate.clone(), house.root.certificate.clone()];
    let at_server = book.chains.add(ders(&shown), key);
    for usage in 0..4 {
        for selector in 0..2 {
            let nonsense = Record { parameters: [usage, selector, 0], data: vec![0x30, 2, 5, 0] };
            book.cases.push(Case {
                name: nonsense.text(),
                chain: ders(&shown),
                shown: at_server.clone(),
                asked: HOST,
                records: vec![nonsense],
                expect: Verdict::Refused,
                openssl: Verdict::NoRecords,
                options: NO_NAMES,
            });
        }
    }
    book.check("nonsense");
}

/// Whoever trusts an authority only below the one that a record means must look for that further
/// up, in what was sent (RFC 7671 §5.4).
#[test]
fn an_authority_above_the_one_that_is_trusted() {
    let mut book = Book::new(&KINDS);
    let trusted = book.houses.iter().map(|it| it.own_authority.certificate.pem.as_str()).collect();
    for (house, key) in book.houses.iter().zip(&book.keys) {
        let leaf = house.own_authority.issue(&naming(&[HOST]), key);
        let (middle, root) = (&house.own_authority.certificate, &house.own_root.certificate);
        let shown = [leaf, middle.clone(), root.clone()];
        let at_server = book.chains.add(ders(&shown), key);
        let (accepted, refused) = (Verdict::Accepted, Verdict::Refused);
        for (meant, expect, openssl) in [
            (middle, accepted, accepted),
            // openssl looks no further than the first authority that it trusts.
            (root, accepted, refused),
            (&house.root.certificate, refused, refused),
        ] {
            for [selector, matching] in SELECTIONS {
                book.cases.push(Case {
                    name: format!("{selector} {matching}"),
                    chain: ders(&shown),
                    shown: at_server.clone(),
                    asked: HOST,
                    records: vec![record([0, selector, matching], meant)],
                    expect,
                    openssl,
                    options: &["-partial_chain"],
                });
            }
        }
    }
    book.check_where("above", trusted);
}

/// By default openssl compares names at the end of usage 3.
const NO_NAMES: &[&str] = &["-dane_ee_no_namechecks"];

/// Selectors and matching types.
const SELECTIONS: [[u8; 2]; 6] = [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]];
