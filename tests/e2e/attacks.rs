//! Attacks: what a hostile server, or a program beside our own, may try; and that it gets nothing.
//!
//! Most cases are data ([`script`]), a file for each group; a [`Scene`] serves all of a file, one
//! case after the other, and after each it is seen to that exactly the rules were counted that
//! were broken, that nothing came through, and that others still talk.

mod called;
mod floods;
mod forge;
mod negotiate;
mod scene;
mod script;

use self::scene::Scene;
use self::script::cases;
use crate::verona::Rows;

/// Runs every case of a file.
fn play(file: &str, text: &str) {
    let scene = Scene::new();
    let rows = Rows::default();
    for case in cases(file, text) {
        rows.run(&case.name, || scene.run(&case));
    }
    scene.finish();
    rows.finish();
}

#[test]
fn of_xml() {
    play("xml.txt", include_str!("attacks/xml.txt"));
}

#[test]
fn of_negotiation() {
    play("negotiation.txt", include_str!("attacks/negotiation.txt"));
}

#[test]
fn of_certificates() {
    play("certificates.txt", include_str!("attacks/certificates.txt"));
}

#[test]
fn of_dialback() {
    play("dialback.txt", include_str!("attacks/dialback.txt"));
}

#[test]
fn of_pairs() {
    play("pairs.txt", include_str!("attacks/pairs.txt"));
}

#[test]
fn of_the_backends_side() {
    play("backend.txt", include_str!("attacks/backend.txt"));
}
