//! The forger again, with better tools; and what each of them comes to.

use std::collections::BTreeMap;

use super::super::inside::message;
use super::super::mallory;
use super::super::papers::Paper;
use super::super::server::Server;
use super::super::stage::{MALLORY, MONTAGUE, ROSALINE, Stage};
use super::super::trouble::{Result, While};
use super::super::voice::Voice;
use super::after::Guards;
use super::{CAPULET, FRIAR, JULIET, ROMEO, Speech, talk};
use crate::binding::DomainPair;

/// Whatever she tries is refused, and the reason is told; then she gives up.
pub(in super::super) async fn refusals(
    voice: &mut Voice,
    stage: &mut Stage,
    guards: &Guards,
) -> Result<()> {
    voice.act("MALLORY", "comes back, with better tools");
    wrong_keys(voice, stage, guards).await?;
    stripped(voice, stage, guards).await?;
    forged(voice, stage, guards).await?;
    voice.say("");
    voice.say("Then she goes.");
    let heard = talk(voice, stage, &AGAIN).await?;
    voice.check("all is as it was", heard);
    Ok(())
}

/// She claims to be each of the tenants, without TLS and with certificates that are not theirs.
async fn wrong_keys(voice: &mut Voice, stage: &Stage, guards: &Guards) -> Result<()> {
    let montague = &stage.montague;
    voice.wait("she makes her certificates");
    let heard_before = montague.server.heard().len();
    let domains = ["capulet.example", "abbey.example", "paris.example"];
    let liar = Server::start(&domains, MALLORY, stage.names.address).await?;
    let refused = liar.call(CAPULET, MONTAGUE).await.err();
    voice.check("as before, without TLS, she is refused", refused.is_some());
    voice.quote(&refused.map(|it| it.to_string()).unwrap_or_default());

    let (folder, authority) = (&stage.folder, Some(&stage.authority));
    let issued = folder.certificate("issued", CAPULET, authority)?;
    let own = folder.certificate("self-made", "abbey.example", None)?;
    let other = folder.certificate("other", "mallory.example", authority)?;
    for (domain, paper, what, reason) in [
        (CAPULET, &issued, "an authority's word that she is", "dane.mismatch"),
        ("abbey.example", &own, "a certificate of her own making for", "cert.chain"),
        ("paris.example", &other, "a certificate of another name for", "posh.mismatch"),
    ] {
        voice.wait(&format!("she claims to be {domain}"));
        let (refused, counted) = claim(stage, guards, (&liar, paper), domain).await?;
        voice.check(
            &format!("with {what} {domain} she is refused: {reason}"),
            refused.is_some() && counted.iter().any(|it| it.contains(reason)),
        );
        voice.quote(&refused.unwrap_or_default());
        for name in counted {
            voice.quote(&name);
        }
    }
    let heard = montague.server.heard();
    voice.check(
        "not a word of hers has reached romeo's server",
        heard.len() == heard_before && !heard.iter().any(|it| it.contains(CLAIMED)),
    );
    Ok(())
}

/// One claim of hers: the answer if it was no, and the counters that have said no.
async fn claim(
    stage: &Stage,
    guards: &Guards,
    tools: (&Server, &Paper),
    domain: &str,
) -> Result<(Option<String>, Vec<String>)> {
    let doing = "name a pair";
    let (sender, target) = (domain.parse(), MONTAGUE.parse());
    let pair = DomainPair::new(sender.or_trouble(doing)?, target.or_trouble(doing)?);
    let message = message(&format!("somebody@{domain}"), ROMEO, CLAIMED);
    let before = guards.montague.counters(FAMILIES).await?;
    let refused = mallory::claim(stage.montague.tap.address, &pair, tools, &message).await?;
    let after = guards.montague.counters(FAMILIES).await?;
    Ok((refused, grown(&before, &after)))
}

/// She sits on the way and takes away what the words are encrypted by.
async fn stripped(voice: &mut Voice, stage: &mut Stage, guards: &Guards) -> Result<()> {
    voice.say("");
    voice.say("She cuts the connection, takes <starttls/> out of what the server offers, and");
    voice.say("answers no in its name when ligase asks for TLS all the same.");
    for house in [&stage.montague, &stage.verona] {
        house.tap.begin_anew();
    }
    // What is said on a connection that nobody knows to be cut is lost, as always.
    voice.wait("until the proxies notice");
    guards.montague.await_no_peers().await?;
    stage.verona.tap.strip(true);
    let line = unheard(voice, stage, guards, (JULIET, STRIPPED, "stream.tls_required")).await?;
    let tap = &stage.verona.tap;
    let asked = tap.quote("<starttls", b'>').is_some();
    let read = tap.quote(STRIPPED, b'>').is_some() || tap.quote("<message", b'>').is_some();
    stage.verona.tap.strip(false);
    voice.check(
        "romeo's words do not leave without TLS: stream.tls_required",
        asked && !read && line.is_some(),
    );
    voice.quote(&line.unwrap_or_default());
    Ok(())
}

/// She forges where a domain is, as she did before.
async fn forged(voice: &mut Voice, stage: &mut Stage, guards: &Guards) -> Result<()> {
    voice.say("");
    voice.say("She forges a DNS answer again: “rosaline.example is here, with me.”");
    let liar = Server::start(&[ROSALINE], MALLORY, stage.names.address).await?;
    stage.forge(ROSALINE, liar.address)?;
    let to = format!("rosaline@{ROSALINE}");
    let line = unheard(voice, stage, guards, (&to, FORGED, "dns.bogus")).await?;
    stage.be_honest();
    voice.check(
        "the answer is not signed, so nothing is dialed: dns.bogus",
        line.is_some() && liar.streams() == 0,
    );
    voice.quote(&line.unwrap_or_default());
    voice.quote(&format!("streams that were opened to her: {}", liar.streams()));
    Ok(())
}

/// Has romeo say something that must not get out: what ligase's log says of it, unless somebody in
/// the other house heard it.
async fn unheard(
    voice: &Voice,
    stage: &mut Stage,
    guards: &Guards,
    (to, words, reason): (&str, &str, &str),
) -> Result<Option<String>> {
    voice.speech(ROMEO, to, words);
    voice.wait("until ligase gives up");
    // His server may be told at once that it cannot get through.
    let _ = stage.montague.server.say(ROMEO, to, words).await;
    let domain = to.split_once('@').map_or(to, |(_, domain)| domain);
    let (remote, reason) = (format!("remote={domain}"), format!("reason={reason}"));
    let line = guards.montague.logged(&["no way out", &remote, &reason]).await?;
    let heard = stage.verona.server.heard().iter().any(|it| it.contains(words));
    Ok((!heard).then_some(line))
}

/// The counters that say no, and say it more often now.
fn grown(before: &BTreeMap<String, f64>, after: &BTreeMap<String, f64>) -> Vec<String> {
    let count = |name: &str| before.get(name).copied().unwrap_or_default();
    let grown = after.iter().filter(|(name, now)| {
        let is_no = !name.contains("result=\"proven\"");
        is_no && count(name) < **now
    });
    grown.map(|(name, _)| name.clone()).collect()
}

const CLAIMED: &str = "The plan has changed. Drink nothing, wait for me.";
const STRIPPED: &str = "Bid me die, and I will dare the sword.";
const FORGED: &str = "One fairer than my love! The sun never saw her match.";

const AGAIN: [Speech; 2] = [
    (FRIAR, ROMEO, "Go hence, to have more talk of these sad things."),
    (ROMEO, FRIAR, "O, thou wilt speak again of banishment."),
];

/// The counters that tell why somebody was refused.
const FAMILIES: &[&str] = &["ligase_auth_attempts_total"];
