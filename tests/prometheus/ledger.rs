//! Ledger: what was sent, to be compared with what was counted.

use std::collections::BTreeMap;
use std::time::Duration;

use ligase_tests::{OrFail, Outcome, Stranger};

use crate::street::{BY_WEB, Street, UNPROVEN, VOUCHED, at, domains};
use crate::watch::{SOON, Watch, now};

/// How many stanzas passed the proxies, as those who sent and heard them know.
#[derive(Debug, Default)]
pub(crate) struct Ledger(BTreeMap<Entry, f64>);

/// A proxy, which way, and what kind of stanza.
type Entry = (&'static str, &'static str, &'static str);

impl Ledger {
    fn note(
        &mut self,
        instance: &'static str,
        direction: &'static str,
        kind: &'static str,
        count: u32,
    ) {
        *self.0.entry((instance, direction, kind)).or_default() += f64::from(count);
    }

    /// Notes stanzas from one house to the other.
    fn note_between(
        &mut self,
        from: &'static str,
        to: &'static str,
        kind: &'static str,
        count: u32,
    ) {
        self.note(from, "outbound", kind, count);
        self.note(to, "inbound", kind, count);
    }

    /// All that users on two servers may want of each other, many times; every stanza is heard.
    pub(crate) fn converse(&mut self, street: &Street) {
        let one = ("montague", &street.montague);
        let other = ("capulet", &street.capulet);
        for ((from, speaking), (to, hearing)) in [(one, other), (other, one)] {
            let (romeo, juliet) = (&speaking.user, &hearing.user);
            romeo.say(&juliet.jid, "Good morrow");
            juliet.hear(&romeo.full, "Good morrow");
            self.note_between(from, to, "message", 1);
            romeo.ping(&juliet.full);
            romeo.ping(juliet.domain());
            self.note_between(from, to, "iq", 2);
            self.note_between(to, from, "iq", 2);
            romeo.present(&juliet.full, None);
            juliet.see(&romeo.full, "available");
            self.note_between(from, to, "presence", 1);
            speaking.server().pour(&romeo.jid, &juliet.jid, POURED, 256);
            juliet.hear_pour(&romeo.jid, POURED, 256, POUR_PATIENCE);
            self.note_between(from, to, "message", u32::try_from(POURED).unwrap_or_default());
        }
    }

    /// The same again and again for so long.
    pub(crate) fn converse_for(&mut self, street: &Street, how_long: Duration) {
        let end = now() + how_long;
        while now() < end {
            self.converse(street);
        }
    }

    /// Speaks to strangers whom somebody vouches for, and hears one.
    pub(crate) fn meet_proven(&mut self, street: &Street) {
        let strangers = &street.strangers;
        self.call(street, &strangers.vouched, &domains("vouched", VOUCHED));
        self.call(street, &strangers.by_web, &[BY_WEB.to_owned()]);
        let romeo = &street.montague.user;
        let (vouched, speaker) = (&strangers.vouched, at(strangers.vouched.domain()));
        let message = format!(
            "<message type='chat' from='{speaker}' to='{}'><body>Knock</body></message>",
            romeo.jid
        );
        let place = format!("{}:7269", street.montague.ligase.host().v4);
        let certificate = Some(&strangers.vouched_certificate);
        let outcome =
            vouched.claim(&place, vouched.domain(), romeo.domain(), certificate, &message);
        assert_eq!(outcome, Outcome::Let);
        romeo.hear(&speaker, "Knock");
        self.note("montague", "inbound", "message", 1);
    }

    /// Speaks to strangers whom nobody vouches for.
    pub(crate) fn meet_unproven(&mut self, street: &Street) {
        self.call(street, &street.strangers.unproven, &domains("unproven", UNPROVEN));
    }

    /// Speaks to somebody at each of a stranger's domains, and waits until all have heard.
    fn call(&mut self, street: &Street, stranger: &Stranger, domains: &[String]) {
        let body = |domain: &str| format!("Do you quarrel, {domain}?");
        for domain in domains {
            street.montague.user.say(&at(domain), &body(domain));
        }
        for domain in domains {
            stranger.hear(&body(domain));
            self.note("montague", "outbound", "message", 1);
        }
    }

    /// Compares what Prometheus has counted with what is written here: no stanza more or less.
    pub(crate) fn audit(&self, watch: &Watch) {
        let agreed = watch.wait(SOON, |watch| {
            let counted = watch.ask("ligase_stanzas_total");
            for sample in &counted {
                let label = |name: &str| sample.labels.get(name).map(String::as_str);
                let entry = (label("instance"), label("direction"), label("kind"));
                let of = |(instance, direction, kind): &Entry| {
                    (Some(*instance), Some(*direction), Some(*kind)) == entry
                };
                let sent = self.0.iter().find(|(it, _)| of(it)).map_or(0.0, |(_, sent)| *sent);
                if sent.to_bits() != sample.value.to_bits() {
                    return Err(format!("{entry:?}: {sent} were sent, {} counted", sample.value));
                }
            }
            Ok(())
        });
        agreed.or_fail("find what was counted in the ledger");
    }
}

/// How many messages are sent at once.
const POURED: usize = 200;

/// Prosody lets a stranger speak so fast and no faster; a busy machine is slower.
const POUR_PATIENCE: Duration = Duration::from_secs(60);
