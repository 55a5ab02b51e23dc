use super::*;

/// Who has how many of so many descriptors, where the limits are these.
#[track_caller]
fn check(
    (connections, backend_streams, descriptors): (usize, usize, usize),
    (peers, own, streams): (usize, usize, usize),
) {
    let limits = Limits { connections, backend_streams, ..Limits::default() };
    let shares = Shares::of(&limits, descriptors);
    assert_eq!(shares, Shares { peers, own, streams }, "of {descriptors}");
    // What is let in and made, and what that leads to, leaves some to everybody else.
    let given = peers + 2 * own + streams;
    let left = others(&limits).min(descriptors / 4);
    assert!(descriptors < 16 || given + left <= descriptors, "{given} of {descriptors}");
    let is_less =
        shares != Shares { peers: connections, own: connections, streams: backend_streams };
    assert_eq!(descriptors < needed(&limits), is_less, "of {descriptors}");
}

#[test]
fn nobody_has_more_than_there_are_descriptors_for() {
    // Those of the unit that we ship are enough for the limits that are not written.
    check((10_000, 10_000, 65_536), (10_000, 10_000, 10_000));
    check((10_000, 10_000, 42_112), (10_000, 10_000, 10_000));
    check((10_000, 10_000, 42_111), (10_000, 9_999, 10_000));
    check((10_000, 10_000, 1_024), (576, 48, 96));
    check((1_000_000, 10_000, 1_024), (576, 48, 96));
    check((1_000_000, 1_000_000, 65_536), (47_568, 3_964, 7_928));
    // What peers do not ask for is for the others.
    check((100, 10_000, 1_024), (100, 100, 334));
    check((1, 1, 2_116), (1, 1, 1));
    check((1, 1, usize::MAX), (1, 1, 1));
}

#[test]
fn somebody_is_let_in_where_there_are_none() {
    check((10_000, 10_000, 0), (1, 1, 1));
    check((10_000, 10_000, 3), (3, 1, 1));
}

#[test]
fn the_limit_of_the_process_is_raised() {
    let most = count(getrlimit(Resource::Nofile).maximum);
    assert_eq!(take_all(), most);
    assert_eq!(getrlimit(Resource::Nofile).current.map(|it| it as usize), Some(most));
}
