//! Floods: a few connections that want more than their share.

use super::negotiate::secure;
use super::scene::{AT_ONCE, BACKEND, Scene};
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

/// Our own server answers whoever asks it something, and so has us call servers of a stranger's
/// choice. Those that never answer leave room for others.
#[test]
fn servers_that_never_answer_keep_no_other_from_being_called() {
    let scene = Scene::new();
    let streams: Vec<_> = (0..CALLERS)
        .map(|number| {
            let name = |claimed| format!("n{number}-{claimed}.hole.weak.lab");
            let stream = scene.intruder.dial(BACKEND);
            secure(&stream, "l1.lab", &name(0), Some(&scene.own));
            let claims = (0..CLAIMS).map(|claimed| claim("l1.lab", &name(claimed)));
            stream.send(&claims.collect::<String>());
            stream
        })
        .collect();
    let stream = scene.intruder.dial(BACKEND);
    secure(&stream, "l1.lab", "r1.weak.lab", Some(&scene.own));
    stream.send(&claim("l1.lab", "r1.weak.lab"));
    let answer = stream.next_within(AT_ONCE).unwrap_or_default();
    assert!(answer.contains("type='valid'"), "{answer:?}");
    drop(streams);
    scene.finish();
}

/// Enough for more searches than may be under way.
const CALLERS: usize = 20;

/// Enough to take sixteen times as many seats as there are, with as many claims as one may have open.
const CONNECTIONS: usize = 64;
const CLAIMS: usize = 16;
