//! Floods: a few connections that want more than their share.

use super::negotiate::secure;
use super::scene::Scene;
use super::script::claim;

/// Whom we ask about a key is up to whoever sends it, and one that never answers costs its sender
/// nothing. All claims that a few connections may make at a time leave room for everybody else.
#[test]
fn claims_that_nobody_answers_for_keep_nobody_else_waiting() {
    let scene = Scene::new();
    scene.let_weak_in();
    let streams: Vec<_> = (0..CONNECTIONS)
        .map(|number| {
            let stream = scene.attacker.dial(&scene.public());
            secure(&stream, "a.lab", "l1.lab", None);
            let claims = (0..CLAIMS)
                .map(|claimed| claim(&format!("n{number}-{claimed}.hole.weak.lab"), "l1.lab"));
            stream.send(&claims.collect::<String>());
            stream
        })
        .collect();
    scene.let_weak_in();
    scene.canary();
    drop(streams);
    scene.finish();
}

/// Enough to take sixteen times as many seats as there are, with as many claims as one may have open.
const CONNECTIONS: usize = 64;
const CLAIMS: usize = 16;
