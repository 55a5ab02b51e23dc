use std::time::Duration;

use super::*;
use crate::app::explain::fixtures::{carrier, doubt, way};
use crate::connection::establish::BackOff;
use crate::establish::Climb;

fn ended(result: Result<(), Setback>) -> Option<Climb> {
    let began = SystemTime::UNIX_EPOCH;
    let end = Some((began + Duration::from_secs(1), result));
    Some(Climb { began, steps: Vec::new(), left_out: 0, end })
}

fn back_off() -> Option<BackOff> {
    let until = SystemTime::UNIX_EPOCH + Duration::from_secs(9);
    Some(BackOff { until, failures: 3, setback: Setback::Unreachable })
}

#[test]
fn what_matters_most_tells_how_a_way_stands() {
    let check = |towards: Side, change: fn(&mut Way), expect: &str| {
        let mut way = way(towards);
        change(&mut way);
        assert_eq!(way.state().as_str(), expect, "{way:?}");
    };
    for side in [Side::Public, Side::Backend] {
        check(side, |_| (), "idle");
        check(side, |way| way.pursuit.last = ended(Ok(())), "idle");
        check(side, |way| way.pursuit.last = ended(Err(Setback::Sasl)), "failed");
        check(side, |way| way.pursuit.searching = true, "searching");
        check(side, |way| way.pursuit.waiting = 1, "searching");
        let carried = |way: &mut Way| {
            way.public = vec![carrier(7)];
            way.pursuit.last = ended(Err(Setback::Sasl));
            way.pursuit.searching = true;
        };
        check(side, carried, "carried");
        // Our own server by itself carries nothing to or from a peer.
        check(side, |way| way.backend = vec![carrier(7)], "idle");
        check(side, |way| way.is_ours = false, "not-ours");
    }
    let unreached = |way: &mut Way| {
        way.pursuit.back_off = back_off();
        way.pursuit.last = ended(Err(Setback::Unreachable));
        way.doubt = Some(doubt());
    };
    check(Side::Public, unreached, "backing-off");
    // Those who cannot be reached may come, and then it matters whether they are believed.
    check(Side::Backend, unreached, "not-believed");
}
