//! Strangers: those who never get as far as to say who they are.

use crate::form::Form;
use crate::scene::{Scene, Siege};

/// Connections that say nothing, a byte at a time, blanks, or half of a header: they cost little, are
/// gone in time whatever they say, and nobody else notices (R01 and R02 of the attacks).
#[test]
fn a_crowd_that_says_next_to_nothing_costs_next_to_nothing() {
    let form = Form::asked();
    let mut scene = Scene::raise(form, None);
    let quarter = form.silent / 4;
    let manners = ["silent", "trickling", "blank", "halved"];
    let siege = scene.besiege(&manners.map(|manner| (manner, quarter)));
    judge(&mut scene, &siege, form.silent, f64::from(form.preauth), QUIET_MAX);
}

/// Handshakes that are begun, by a whole first record or by three bytes of one, and go no further
/// (R03).
#[test]
fn a_crowd_of_half_done_handshakes_is_gone_by_their_deadline() {
    let form = Form::asked();
    let mut scene = Scene::raise(form, None);
    let half = form.handshakes / 2;
    let siege = scene.besiege(&[("greeting", half), ("stuttering", half)]);
    judge(&mut scene, &siege, form.handshakes, f64::from(form.handshake), HANDSHAKE_MAX);
}

/// Prints what they cost, and holds it to the bounds.
fn judge(scene: &mut Scene, siege: &Siege, count: u32, deadline: f64, each_max: f64) {
    let (before, peak) = (scene.before, siege.peak);
    let each = peak.saturating_sub(before) as f64 / f64::from(count);
    let (earliest, latest) = siege.stay();
    println!("{count} strangers: {} KiB before, {} KiB at most", before / 1024, peak / 1024);
    println!("{each:.0} bytes each, gone after {earliest:.1} to {latest:.1} s");
    println!("{:?}, beats {}", siege.gone, siege.pulse);
    let recovered = scene.recover(peak);
    println!("memory back after {recovered} s: {} KiB", scene.resident() / 1024);
    assert!(each <= each_max, "{each} bytes each");
    assert!(deadline - EARLY <= earliest, "the first was gone after {earliest} s");
    assert!(latest <= deadline * LATE, "the last was gone after {latest} s");
    assert!(siege.p99() < P99_MAX, "beats took {}", siege.pulse);
}

/// Bytes of a connection that has said nothing of use, and of a handshake under way.
const QUIET_MAX: f64 = 4.0 * 1024.0;
const HANDSHAKE_MAX: f64 = 32.0 * 1024.0;

/// The stranger's clock starts when he knows that he has been let in, a moment late.
const EARLY: f64 = 0.5;
/// By when everybody has to be gone, in deadlines: 35 s where it is 30.
const LATE: f64 = 35.0 / 30.0;

/// Milliseconds that a beat may take there and back while they are here.
const P99_MAX: f64 = 100.0;
