use super::*;

/// The vectors of its authors: a digest that is the same for many is as good as none, and a stream of
/// many prefixes would cost their square.
#[test]
fn prefixes_differ_in_their_digests() {
    for (prefix, expect) in [
        (&b""[..], 0xCBF2_9CE4_8422_2325),
        (b"a", 0xAF63_DC4C_8601_EC8C),
        (b"foobar", 0x8594_4171_F739_67E8),
    ] {
        assert_eq!(digest(prefix), expect, "{prefix:?}");
    }
}

/// Few names are compared each with each, many are sorted; what is found is the same.
#[test]
fn names_are_told_apart_however_many_there_are() {
    for count in [0, 1, 2, SORTED_FROM - 1, SORTED_FROM, SORTED_FROM + 1, 100] {
        let names: Vec<usize> = (0..count).rev().collect();
        assert!(are_distinct(names.iter()).is_ok(), "{count}");
        for again in names.iter().filter(|_| 1 < count) {
            let mut names = names.clone();
            let at = (again + 1) % count;
            names[at] = names[(at + 1) % count];
            assert!(are_distinct(names.iter()).is_err(), "{count} {again}");
        }
    }
}
