use super::*;

#[test]
fn all_conditions_must_hold_to_share_a_connection() {
    let here: SocketAddr = "192.0.2.1:5269".parse().unwrap();
    let port: SocketAddr = "192.0.2.1:5270".parse().unwrap();
    let host: SocketAddr = "[2001:db8::1]:5269".parse().unwrap();
    let fit = Candidate { address: here, errors: true, names_target: true };
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
    let stranger = Candidate { names_target: false, ..fit };
    check(&stranger, &[here], false);
}
