#![expect(clippy::disallowed_methods, reason = "time has to begin somewhere")]

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn totals(bytes_in: u64, bytes_out: u64) -> Totals {
    Totals { bytes_in, bytes_out, ..Totals::default() }
}

fn moved(side: Side, received: u64, sent: u64, blocked: Duration) -> Moved {
    Moved { side, received, sent, blocked }
}

#[tokio::test]
async fn bytes_are_added_once_and_taken_once() {
    let (flow, now) = (Flow::default(), Instant::now());
    let (mut peer, mut home) = (Meter::new(Side::Public), Meter::new(Side::Backend));
    peer.read(&totals(10, 3), false, now, &flow);
    peer.read(&totals(15, 3), false, now, &flow);
    home.read(&totals(1, 100), false, now, &flow);
    assert_eq!(
        flow.take(),
        [moved(Side::Public, 15, 3, Duration::ZERO), moved(Side::Backend, 1, 100, Duration::ZERO)]
    );
    peer.read(&totals(15, 4), false, now, &flow);
    assert_eq!(
        flow.take(),
        [moved(Side::Public, 0, 1, Duration::ZERO), moved(Side::Backend, 0, 0, Duration::ZERO)]
    );
}

/// Who waits is on one side, and whom it waits for on the other.
#[tokio::test]
async fn waiting_is_counted_while_it_lasts_on_the_side_that_takes_too_slowly() {
    let (flow, start) = (Flow::default(), Instant::now());
    let mut home = Meter::new(Side::Backend);
    let mut read = |blocked: bool, after: u32| {
        let now = start + after * SECOND;
        home.read(&totals(0, 0), blocked, now, &flow);
        flow.take().map(|moved| moved.blocked)
    };
    assert_eq!(read(false, 1), [Duration::ZERO; 2]);
    assert_eq!(read(true, 2), [Duration::ZERO; 2]);
    assert_eq!(read(true, 5), [3 * SECOND, Duration::ZERO]);
    assert_eq!(read(false, 9), [4 * SECOND, Duration::ZERO]);
    assert_eq!(read(false, 20), [Duration::ZERO; 2]);
}
