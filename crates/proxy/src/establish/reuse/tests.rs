use super::*;

#[test]
fn all_conditions_must_hold_to_share_a_connection() {
    let here: SocketAddr = "192.0.2.1:5269".parse().unwrap();
    let port: SocketAddr = "192.0.2.1:5270".parse().unwrap();
    let host: SocketAddr = "[2001:db8::1]:5269".parse().unwrap();
    let fit = Candidate {
        address: Some(here),
        errors: true,
        names_target: true,
        is_server: false,
        is_proven: false,
        is_full: false,
    };
    let check = |candidate: &Candidate, addresses: &[SocketAddr], expect| {
        assert_eq!(may_share(candidate, addresses), expect, "{candidate:?} {addresses:?}");
    };
    check(&fit, &[here], true);
    check(&fit, &[host, here], true);

    // B-03: each condition dropped in turn.
    check(&fit, &[], false);
    check(&fit, &[host], false);
    check(&fit, &[port], false);
    let deaf = Candidate { errors: false, ..fit.clone() };
    check(&deaf, &[here], false);
    let stranger = Candidate { names_target: false, ..fit.clone() };
    check(&stranger, &[here], false);
    check(&Candidate { is_full: true, ..fit.clone() }, &[here], false);
    check(&Candidate { address: None, ..fit }, &[here], false);

    // B-02: whom the target has delegated itself to, and whoever has proven to speak for it, is fit
    // wherever it is; but it has to be able to say no, and to have room.
    for fit in [
        Candidate { is_server: true, ..stranger.clone() },
        Candidate { is_proven: true, ..stranger },
    ] {
        check(&fit, &[], true);
        check(&Candidate { address: None, ..fit.clone() }, &[host], true);
        check(&Candidate { errors: false, ..fit.clone() }, &[here], false);
        check(&Candidate { is_full: true, ..fit }, &[here], false);
    }
}
