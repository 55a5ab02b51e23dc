//! All that two users on two servers may want of each other, both ways.

use std::time::Duration;

use ligase_tests::{OldServer, Server, User};

/// Talks through messages, presence, questions and rooms, until each has heard the other.
pub(crate) fn converse(romeo: &User, juliet: &User) {
    for (from, to) in [(romeo, juliet), (juliet, romeo)] {
        chat(from, to);
        ask(from, to);
        meet(from, to);
    }
    befriend(romeo, juliet);
}

/// Messages, ASCII and not.
pub(crate) fn chat(from: &User, to: &User) {
    for body in SAYINGS {
        from.say(&to.jid, body);
        to.hear(&from.full, body);
    }
}

/// Pings, service discovery and cards (XEP-0199, XEP-0030, XEP-0054).
fn ask(from: &User, to: &User) {
    from.ping(&to.full);
    from.ping(to.domain());
    let identities = from.disco(to.domain());
    assert!(identities.contains(&"server/im".to_owned()), "{} is {identities:?}", to.domain());
    let name = format!("{} ♥", to.jid);
    to.publish_card(&name);
    assert_eq!(from.read_card(&to.jid), name);
}

/// A room at the host's server, with a guest from the other.
fn meet(guest: &User, host: &User) {
    let name = guest.jid.replace(['@', '.'], "-");
    let room = format!("{name}@conference.{}", host.domain());
    host.join(&room, "Gastgeberín");
    guest.join(&room, "guest");
    host.say_in(&room, SAYINGS[1]);
    guest.hear_in(&room, "Gastgeberín", SAYINGS[1]);
    guest.say_in(&room, SAYINGS[2]);
    host.hear_in(&room, "guest", SAYINGS[2]);
}

/// Presence, subscribed to and taken back.
fn befriend(romeo: &User, juliet: &User) {
    romeo.present(&juliet.jid, Some("subscribe"));
    romeo.see(&juliet.jid, "subscribed");
    romeo.see(&juliet.full, "available");
    // Juliet asks in turn, and both know now when the other comes and goes.
    juliet.see(&romeo.jid, "subscribed");
    juliet.see(&romeo.full, "available");
    for (gone, left) in [(romeo, juliet), (juliet, romeo)] {
        gone.present(&left.full, Some("unavailable"));
        left.see(&gone.full, "unavailable");
    }
}

/// One for plain speech, one for every length that UTF-8 has, one for what XML must escape.
const SAYINGS: [&str; 3] = [
    "But, soft! what light through yonder window breaks?",
    "Ó Rómeó, ロミオ, warum bist du Rómeó? 🌹",
    "I love & hate </body> \"thee\" 'thus' <3 ]]>",
];

/// What a server of old can say: messages, presence and pings, both ways.
pub(crate) fn talk_with_old(old: &OldServer, prince: &str, nurse: &User) {
    let saying = SAYINGS[1];
    old.say(prince, &nurse.jid, saying);
    nurse.hear(prince, saying);
    nurse.say(prince, saying);
    old.hear(&nurse.full, prince, saying);
    old.present(prince, &nurse.full);
    nurse.see(prince, "available");
    nurse.present(prince, None);
    old.see(&nurse.full, prince);
    old.ping(prince, &nurse.full);
    nurse.ping(prince);
    old.disco(prince, nurse.domain(), "category='server'");
    let name = format!("{} at home", nurse.jid);
    nurse.publish_card(&name);
    old.read_card(prince, &nurse.jid, &name);
    let room = format!("old-{}@conference.{}", nurse.jid.replace(['@', '.'], "-"), nurse.domain());
    nurse.join(&room, "Gastgeberín");
    old.join(prince, &room, "prince");
    nurse.say_in(&room, saying);
    old.hear(&room, prince, saying);
    old.say_in(prince, &room, "Where be these enemies?");
    nurse.hear_in(&room, "prince", "Where be these enemies?");
}

/// A megabyte each way between a server of old and a user.
pub(crate) fn pour_with_old(old: &OldServer, prince: &str, server: &Server, nurse: &User) {
    server.pour(&nurse.jid, prince, POUR_COUNT, POUR_SIZE);
    let bodies = (1..=POUR_COUNT).map(|number| format!("{number}{}", "x".repeat(POUR_SIZE)));
    for body in bodies.clone() {
        old.say(prince, &nurse.jid, &body);
    }
    for body in bodies {
        old.hear_within(&nurse.jid, prince, &body, POUR_PATIENCE);
    }
    nurse.hear_pour(prince, POUR_COUNT, POUR_SIZE, POUR_PATIENCE);
}

/// A megabyte of messages at once; all of them arrive, in order and whole.
pub(crate) fn pour(server: &Server, from: &User, to: &User) {
    server.pour(&from.jid, &to.jid, POUR_COUNT, POUR_SIZE);
    to.hear_pour(&from.jid, POUR_COUNT, POUR_SIZE, POUR_PATIENCE);
}

/// Messages of a size that a long read of history has.
const POUR_COUNT: usize = 64;
const POUR_SIZE: usize = 16 * 1024;

/// Prosody's own limit lets a megabyte of one peer in within 35 seconds; a few may come at once.
const POUR_PATIENCE: Duration = Duration::from_secs(200);
