//! Ladder: peers that let in only who comes by one rung, and what ligase makes of each refusal.
//!
//! Every test is a table. A row is a place where a scripted server stands, and what happens there
//! each time that a message is to go to it: which connections come, how each shows itself and how
//! far it gets; which rungs are counted as fallen to; and in which mode the message leaves, if it
//! does: then that is the last thing to come. What is not in the row must not happen.

mod memory;
mod rungs;
mod scene;
mod triggers;

use self::scene::Scene;

/// How ligase shows itself on each rung, and what it does where it is let in there. `house` is our
/// own server and its certificate, `tenant` the sender domain and its own; `peer` and `server` are
/// the other side's domain and server.
const SERVER_NAME: &str = "house > server / server by house / external, claim tenant, message";
const DOMAIN_NAME: &str = "tenant > peer / peer by house / external, message";
const SENDER_CERTIFICATE: &str = "tenant > peer / peer by tenant / external, message";
const DIALBACK: &str = "tenant > peer / peer by tenant / claim tenant, message";
const PLAIN: &str = "tenant > peer / clear / claim tenant, message";

/// How far those get who are turned away at the door of a server.
const UNKNOWN: &str = "house > server / clear / ";

/// A place where a peer stands, and what happens there.
struct Row {
    /// What is to be seen.
    name: &'static str,
    place: Place,
    /// What happens, one after the other, each on new connections.
    climbs: &'static [Climb],
}

/// Where a peer stands.
#[derive(Clone, Copy)]
struct Place {
    /// Whether it is delegated to securely.
    signed: bool,
    /// What policy asks of it.
    level: &'static str,
    fault: Option<Fault>,
}

/// What is wrong with a place, besides its manners.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    /// The record that says where it is was changed after it was signed.
    ForgedDelegation,
    /// So was the one that pins its key.
    ForgedPin,
    /// Another key than its own is pinned.
    OtherPin,
    /// No authority vouches for its certificate.
    SelfSigned,
}

/// A message on its way out.
struct Climb {
    /// Whether its sender's domain has a certificate of its own.
    certified: bool,
    script: ligase_tests::Script,
    /// The connections that come, in order.
    visits: &'static [&'static str],
    /// The rungs fallen to, in order.
    falls: &'static [&'static str],
    /// The modes of the connections that are open then, in order.
    modes: &'static [&'static str],
}

/// A message that does not leave.
const NOTHING: Climb = Climb { certified: true, script: &[], visits: &[], falls: &[], modes: &[] };

const SIGNED: Place = Place { signed: true, level: "encrypted", fault: None };
const UNSIGNED: Place = Place { signed: false, ..SIGNED };
/// Where everything is allowed.
const LAX: Place = Place { level: "any", ..SIGNED };
const LAX_UNSIGNED: Place = Place { signed: false, ..LAX };

/// Runs every row.
fn play(rows: &[Row]) {
    Scene::new(rows).play();
}

#[test]
fn each_rung_is_found_by_those_who_take_no_other() {
    play(rungs::ROWS);
}

/// M-02.
#[test]
fn who_takes_no_streams_between_servers_gets_one_between_domains() {
    play(triggers::OF_SERVERS);
}

/// M-03.
#[test]
fn who_does_not_believe_our_servers_certificate_gets_the_senders() {
    play(triggers::OF_CERTIFICATES);
}

/// M-04.
#[test]
fn who_was_caught_out_gets_no_second_chance() {
    play(triggers::OF_NOTHING);
}

/// M-06, B-04.
#[test]
fn what_a_peer_took_is_remembered() {
    play(memory::ROWS);
}
