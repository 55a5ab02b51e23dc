//! Life: all that a cluster does to a pod. What is said then is heard, or comes back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ligase_tests::Kind;

use crate::house::House;
use crate::talk::{BREATH, Fates, breathe, convey, joined, proven, reach};

/// Kills, drains and upgrades what is in a house's pod, while a friend looks on. The next ligase is
/// of the image `new`.
pub(crate) fn live(house: &mut House<'_>, friend: &House<'_>, new: &str) {
    lose_ligase(house, friend);
    lose_server(house, friend);
    drain(house, friend);
    upgrade(house, friend, new);
}

/// What is said while there is no ligase comes back, or is heard once there is one again: ejabberd
/// gives up at once, Prosody's resolver asks for minutes.
fn lose_ligase(house: &House<'_>, friend: &House<'_>) {
    house.pod().kill("ligase");
    thread::scope(|scope| {
        let said = [(house, friend), (friend, house)]
            .map(|(from, to)| scope.spawn(move || convey(from.user(), to.user())));
        house.pod().restart("ligase");
        let fates = said.map(joined);
        println!("{}: without ligase, {fates:?}", house.domain());
    });
    meet(house, friend);
}

/// What is said to a server that is not there comes back, or is heard once it is there again.
fn lose_server(house: &mut House<'_>, friend: &House<'_>) {
    house.pod().kill("server");
    thread::scope(|scope| {
        let (from, to) = (friend.user().clone(), house.user().clone());
        let said = scope.spawn(move || convey(&from, &to));
        house.pod().restart("server");
        house.await_server();
        house.login();
        println!("{}: without a server, {:?}", house.domain(), joined(said));
    });
    meet(house, friend);
}

/// Asked to end by its operator, ligase takes its leave of everybody while both servers talk on.
/// What they say is heard or comes back.
fn drain(house: &House<'_>, friend: &House<'_>) {
    let over = AtomicBool::new(false);
    let (code, fates) = thread::scope(|scope| {
        let talking = [(house, friend), (friend, house)].map(|(from, to)| {
            let over = &over;
            scope.spawn(move || {
                let mut fates = Fates::default();
                while !over.load(Ordering::Relaxed) {
                    fates += breathe(from.user(), to.user());
                }
                fates
            })
        });
        let said = house.pod().exec("ligase", &["/ligase", "drain"]);
        assert!(said.starts_with("draining"), "{said}");
        let code = house.pod().end("ligase");
        over.store(true, Ordering::Relaxed);
        (code, talking.map(joined))
    });
    assert_eq!(code, 0, "the drain did not end well");
    println!("{} to {}, drained: {fates:?}", house.domain(), friend.domain());
    // COMPAT(ejabberd 23.01): what it writes while its stream is being closed, it forgets.
    let lost_max = if house.plan.kind == Kind::Ejabberd { BREATH } else { 0 };
    let lost = fates.map(|it| it.lost);
    assert!(lost[0] <= lost_max && lost[1] == 0, "{lost:?} are lost");
    house.pod().restart("ligase");
    meet(house, friend);
}

/// The whole pod goes, and another comes in its place with what the first had claimed.
fn upgrade(house: &mut House<'_>, friend: &House<'_>, new: &str) {
    let fates = breathe(friend.user(), house.user());
    assert_eq!(fates, Fates { heard: BREATH, ..Fates::default() });
    house.stop();
    thread::scope(|scope| {
        let (from, to) = (friend.user().clone(), house.user().clone());
        let said = scope.spawn(move || convey(&from, &to));
        house.upgrade(new);
        println!("{}: while there was no pod, {:?}", house.domain(), joined(said));
    });
    let image = house.pod().image("ligase");
    assert!(image.ends_with(new), "{image} is not {new}");
    meet(house, friend);
}

/// Both reach each other, and by nothing less than DANE.
fn meet(house: &House<'_>, friend: &House<'_>) {
    reach(house, friend);
    reach(friend, house);
    proven(house, friend);
    proven(friend, house);
}
