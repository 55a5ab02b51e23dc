use super::DeadEnds;
use crate::binding::Side;
use crate::logging::tests::said_by;
use crate::tests::pair;

/// What is said while `act` goes on: level, message and fields.
fn said(act: impl FnOnce(&DeadEnds)) -> Vec<String> {
    said_by(|| act(&DeadEnds::default()))
}

#[test]
fn a_peer_that_stays_away_is_one_line() {
    let out = pair("montague.example", "capulet.example");
    let said = said(|dead_ends| {
        dead_ends.tell(&out, Side::Public, "connect");
        dead_ends.tell(&out, Side::Public, "connect");
        dead_ends.tell(&out, Side::Public, "timeout");
        dead_ends.mended(&out, Side::Public);
        dead_ends.tell(&out, Side::Public, "connect");
    });
    let pair = "side=public local=montague.example remote=capulet.example";
    assert_eq!(
        said,
        [
            format!("WARN  no way out for a pair {pair} reason=connect"),
            format!("DEBUG still no way out for a pair {pair} reason=connect repeated=1"),
            format!("WARN  no way out for a pair {pair} reason=timeout"),
            format!("WARN  no way out for a pair {pair} reason=connect"),
        ]
    );
}

#[test]
fn our_own_servers_distrust_is_told_apart() {
    let said = said(|dead_ends| {
        dead_ends.tell(&pair("capulet.example", "montague.example"), Side::Backend, "sasl");
        dead_ends.tell(&pair("capulet.example", "montague.example"), Side::Backend, "connect");
    });
    let pair = "side=backend local=montague.example remote=capulet.example";
    assert_eq!(
        said,
        [
            format!(
                "WARN  our server refused a pair; does its trust store hold backend.local_ca? \
                 {pair} reason=sasl"
            ),
            format!("WARN  no way out for a pair {pair} reason=connect"),
        ]
    );
}
