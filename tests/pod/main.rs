//! Whole pods, as the chart renders them: real servers, with nothing changed in them but their host
//! names, behind a ligase that speaks for them, run by podman.

mod house;
mod image;
mod kubelet;
mod life;
mod renewal;
mod service;
mod talk;
mod volume;

use std::thread;

use ligase_tests::{Capture, Kind, Podman, World};

use crate::house::{House, Plan};

/// Either server in either way of capture, and all that a cluster does to a pod.
#[test]
fn pods_of_either_server_live_in_either_way_of_capture() {
    let podman = Podman::new();
    let image = ligase_tests::image::ligase(&podman);
    ligase_tests::image::capture(&podman);
    let mut world = World::new();
    let plans = [
        Plan::publish(&mut world, "montague", Kind::Ejabberd, Capture::Dns),
        Plan::publish(&mut world, "capulet", Kind::Prosody, Capture::Dns),
        Plan::publish(&mut world, "escalus", Kind::Ejabberd, Capture::Redirect),
        Plan::publish(&mut world, "paris", Kind::Prosody, Capture::Redirect),
    ];
    // Peers reach the one by IPv4 only, and the other by IPv6 only.
    world.zone.forget("xmpp.capulet.lab", "AAAA");
    world.zone.forget("xmpp.escalus.lab", "A");
    world.open();
    service::carry(&world);
    let mut houses = build(&world, &podman, &plans);

    for (number, house) in houses.iter().enumerate() {
        houses[number + 1..].iter().for_each(|other| talk::talk(house, other));
    }
    let new = format!("{}:next", podman.named("ligase"));
    podman.run(&["tag", &image, &new]);
    let [montague, capulet, escalus, paris] = &mut houses;
    renewal::renew(montague, capulet);
    renewal::renew(paris, escalus);
    // Each pair goes through it at the same time, one after the other.
    thread::scope(|scope| {
        for (one, other) in [(montague, capulet), (escalus, paris)] {
            let new = &new;
            scope.spawn(move || {
                life::live(one, other, new);
                life::live(other, one, new);
            });
        }
    });
    // Whatever podman removes takes a while.
    thread::scope(|scope| houses.into_iter().for_each(|house| drop(scope.spawn(|| drop(house)))));
}

/// Builds all houses at the same time.
fn build<'a, const N: usize>(
    world: &'a World,
    podman: &Podman,
    plans: &[Plan; N],
) -> [House<'a>; N] {
    thread::scope(|scope| {
        let building = plans.each_ref().map(|plan| scope.spawn(|| plan.build(world, podman)));
        building.map(|house| match house.join() {
            Ok(house) => house,
            Err(why) => std::panic::resume_unwind(why),
        })
    })
}
