use std::collections::HashSet;

use super::*;

#[test]
fn nobody_is_shown_the_seed() {
    assert_eq!(format!("{:?}", Ids::seeded([77; 32])), "Ids { count: 0, .. }");
}

#[test]
fn ids_are_long_and_never_the_same() {
    let mut seen = HashSet::new();
    for stream in 0..200 {
        let mut ids = Ids::derived([7; 32], stream);
        for _ in 0..50 {
            let id = ids.issue();
            assert_eq!(id.0.len(), 40);
            assert!(id.0.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f')));
            assert!(seen.insert(id));
        }
    }
}

#[test]
fn ids_follow_from_the_seed_alone() {
    let first = |seed, stream| Ids::derived([seed; 32], stream).issue();
    assert_eq!(first(1, 1), first(1, 1));
    assert_ne!(first(1, 1), first(2, 1));
    assert_ne!(first(1, 1), first(1, 2));
    assert_eq!(Ids::seeded([1; 32]).issue(), Ids::seeded([1; 32]).issue());
    assert_ne!(Ids::seeded([1; 32]).issue(), first(1, 0));
}

/// B12: each digit is as likely as any other at each place.
#[test]
fn no_place_of_an_id_prefers_a_digit() {
    const COUNT: u32 = 16_000;
    let mut seen = [[0_u32; 16]; 40];
    let mut ids = Ids::seeded([3; 32]);
    for _ in 0..COUNT {
        for (place, digit) in ids.issue().0.chars().enumerate() {
            seen[place][digit.to_digit(16).unwrap() as usize] += 1;
        }
    }
    let expect = f64::from(COUNT) / 16.0;
    for (place, counts) in seen.iter().enumerate() {
        let distance = |count: &u32| (f64::from(*count) - expect).powi(2) / expect;
        let chi_square: f64 = counts.iter().map(distance).sum();
        // 15 degrees of freedom; p = 0.00001 for one place, so that forty rarely stray.
        assert!(chi_square < 50.5, "place {place}: {chi_square}");
    }
}

#[test]
fn hexadecimal_is_lower_case_and_whole() {
    assert_eq!(hex(&[0x00, 0x0f, 0xf0, 0xff, 0xa5]), "000ff0ffa5");
    assert_eq!(hex(&[]), "");
}
