//! Renewal: the certificate in a Secret is another, and nobody notices but those who come new.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ligase_tests::{OrFail as _, Peer};

use crate::house::House;
use crate::talk::{carrying, convey, joined};

/// Renews the certificate of a house while its people talk with others, and others knock.
#[expect(clippy::disallowed_methods, reason = "this test is about time as it passes")]
pub(crate) fn renew(house: &House<'_>, friend: &House<'_>) {
    let [old, new] = &house.plan.shown;
    let before = [house, friend].map(|it| (it, carrying(it)));
    let failed = failures(house);
    let door = format!("{}:7269", house.host().v4);
    let stranger = Peer::on(house.hub());
    let shown = || {
        let stream = stranger.dial(&door);
        let seen = stream.start_tls(&house.domain(), None).or_fail("shake hands");
        stream.close();
        seen.leaf.or_fail("see a certificate")
    };
    assert_eq!(shown(), old.digest());

    let over = AtomicBool::new(false);
    let (took, said) = thread::scope(|scope| {
        let talking = [(house, friend), (friend, house)].map(|(from, to)| {
            let over = &over;
            scope.spawn(move || {
                let mut said = 0;
                while !over.load(Ordering::Relaxed) {
                    assert_eq!(convey(from.user(), to.user()), Ok(()));
                    said += 1;
                }
                said
            })
        });
        house.renew(new);
        let swapped = Instant::now();
        // One stranger may come only so often a second, and this one comes to look.
        while shown() == old.digest() && swapped.elapsed() < PATIENCE {
            thread::sleep(LOOK);
        }
        let took = swapped.elapsed();
        over.store(true, Ordering::Relaxed);
        (took, talking.map(joined))
    });
    assert_eq!(shown(), new.digest());
    println!("{}: renewed after {took:?}, under {said:?} messages", house.domain());
    assert!(said.iter().all(|said: &u32| 0 < *said), "nobody talked: {said:?}");
    for (of, before) in before {
        let (of, after) = (of.domain(), carrying(of));
        assert!(before.is_subset(&after), "{of} has dropped some of {before:?}: {after:?}");
    }
    assert_eq!(failures(house), failed, "handshakes failed");
    assert!(house.ask("/certificates").to_string().contains(&new.digest()));
}

/// How many handshakes have failed, by side and direction.
fn failures(house: &House<'_>) -> Vec<String> {
    let metrics = house.get("/metrics");
    let failed = metrics.lines().filter(|line| {
        line.starts_with("ligase_tls_handshakes_total") && line.contains("result=\"failure\"")
    });
    let failed: Vec<_> = failed.map(str::to_owned).collect();
    assert!(!failed.is_empty(), "nobody counts handshakes: {metrics}");
    failed
}

/// Two seconds in which ligase looks again, and one for a busy machine.
const PATIENCE: Duration = Duration::from_secs(3);

/// Between two looks at what is shown.
const LOOK: Duration = Duration::from_millis(20);
