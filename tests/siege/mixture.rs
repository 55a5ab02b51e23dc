//! Mixture: all of them at once, in as much memory as a sidecar is given.

use std::time::Duration;

use serde_json::json;

use crate::form::Form;
use crate::scene::Scene;

/// Strangers who say next to nothing, half-done handshakes, peers that send as much as they can,
/// peers that read nothing of the hundreds of megabytes that our own server has for them, and
/// searches for domains without a server (R01 to R05, R10): the kernel has no cause to end the
/// proxy, whoever is no burden goes on talking, and when they are gone so is what they took.
#[test]
fn a_mixture_of_all_ends_nobody_in_the_memory_of_a_sidecar() {
    let form = Form::asked();
    let mut scene = Scene::raise(form, Some(SIDECAR));

    let mut camp = scene.camp();
    camp.tell(&scene.order("talking", form.talkers));
    camp.tell(&scene.order("deaf", form.deaf));
    let authenticated = form.talkers + form.deaf;
    let mut heard = 0;
    for _ in 0..authenticated {
        heard = camp.hear_after(heard, "proven", PATIENCE).0;
    }
    for number in 0..form.deaf {
        let to = format!("deaf{number}.lab");
        scene
            .echo
            .tell(&json!({"do": "pour", "to": to, "count": 1024, "bytes": 102_400}).to_string());
    }
    let dead: Vec<_> = (0..form.dead).map(|it| format!("dead{it}.lab")).collect();
    scene.echo.tell(&json!({"do": "claim", "to": dead}).to_string());

    let (silent, handshakes) = (form.silent / 4, form.handshakes / 4);
    let siege = scene.besiege(&[
        ("silent", silent),
        ("trickling", silent),
        ("greeting", handshakes),
        ("stuttering", handshakes),
    ]);
    let told = |what: &str| scene.echo.lines().iter().filter(|it| it.contains(what)).count();
    let (poured, claimed) = (told("\"pouring\""), told("\"claimed\""));
    let stanzas = scene.ligase.metric("ligase_stanzas_total", &["direction=\"inbound\""]);
    println!(
        "{} deaf, {poured} poured at; {} dead, {claimed} of them found so",
        form.deaf, form.dead
    );
    println!("{stanzas} stanzas came in");
    println!("{} KiB before, {} KiB at most", scene.before / 1024, siege.peak / 1024);
    println!("{:?}, beats {}", siege.gone, siege.pulse);
    drop(camp);
    let recovered = scene.recover(siege.peak);
    println!("memory back after {recovered} s: {} KiB", scene.resident() / 1024);
    println!("{} KiB at most by the count of the cgroup", scene.group.peak() / 1024);

    assert_eq!(poured, usize::try_from(form.deaf).unwrap_or(usize::MAX));
    assert!(0 < claimed && MANY < stanzas, "there was no burden");
    assert!(siege.worst() < STALL, "beats took {}", siege.pulse);
    assert_eq!(scene.group.kills(), 0);
    assert_eq!(scene.ligase.metric("ligase_panics_total", &[]), 0.0);
}

/// How many stanzas talkers bring at the very least.
const MANY: f64 = 10_000.0;

/// Milliseconds after which a peer would believe that nobody is there any more.
const STALL: f64 = 5_000.0;

/// How long it may take to prove oneself while many do.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a sidecar commonly may take, in bytes.
const SIDECAR: u64 = 320 << 20;
