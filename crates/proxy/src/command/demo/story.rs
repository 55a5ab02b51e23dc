//! What happens, in order. Each act tells what it does and checks what it tells.

use std::collections::BTreeMap;

use serde_json::Value;

use super::inside::message;
use super::mallory;
use super::proxy::Proxy;
use super::server::Server;
use super::stage::{House, MALLORY, Stage};
use super::trouble::{Result, While};
use super::voice::{Voice, hex};
use crate::binding::DomainPair;

/// What there is before anybody speaks.
pub(super) fn stage(voice: &Voice, stage: &Stage) {
    voice.act("THE STAGE", "all of it on this machine, none of it needs root");
    for house in [&stage.montague, &stage.capulet] {
        let (server, at) = (house.server.name(), house.server.address());
        voice.fact(house.domain, &format!("{server}, which does without TLS, at {at}"));
    }
    let names = stage.names.address;
    voice.fact("dns", &format!("tells where they are, signed, at {names}"));
}

/// Without ligase: what everybody on the way can read, and what a forger can do.
pub(super) async fn before(voice: &mut Voice, stage: &mut Stage) -> Result<()> {
    voice.act("BEFORE", "the servers talk by themselves, as they have since 2003");
    let names = stage.names.address;
    let (montague, capulet) = (&mut stage.montague, &mut stage.capulet);
    voice.speech(ROMEO, JULIET, SOFT);
    montague.server.say(ROMEO, JULIET, SOFT).await?;
    let heard = capulet.server.hear(SOFT).await?;
    voice.check("juliet hears it", heard.contains(ROMEO));
    let readable = capulet.tap.quote("<message", b'/');
    let whole = capulet.tap.quote(&format!("<body>{SOFT}</body>"), b'>');
    voice.beware("so does everybody on the way; this crossed the wire:", whole.is_some());
    voice.quote(&whole.or(readable).unwrap_or_default());
    let asked = montague.tap.quote("<db:verify", b'>');
    voice.beware(
        "romeo's server proved itself by dialback alone: “ask where DNS says I am”",
        asked.is_some(),
    );
    voice.quote(&asked.unwrap_or_default());

    voice.say("");
    voice.say("Then mallory forges a single DNS answer: “capulet.example is here, with me.”");
    let liar = Server::start(CAPULET, MALLORY, names).await?;
    stage.forge(liar.address)?;
    // Nobody waits here until romeo's server asks DNS again, so it is made to.
    let montague = &mut stage.montague;
    montague.forget().await?;
    let mut line = liar.call(montague.domain).await?;
    voice.speech("juliet@capulet.example (mallory)", ROMEO, FORGED_BEFORE);
    line.send(&message(JULIET, ROMEO, FORGED_BEFORE)).await?;
    let heard = montague.server.hear(FORGED_BEFORE).await?;
    stage.be_honest();
    voice.beware(
        "romeo hears it, and nothing tells him that it was not juliet",
        heard.contains(JULIET),
    );
    Ok(())
}

/// The proxies of both houses.
#[derive(Debug)]
pub(super) struct Guards {
    pub(super) montague: Proxy,
    pub(super) capulet: Proxy,
}

/// With ligase: the same servers, the same words.
pub(super) async fn after(voice: &mut Voice, stage: &mut Stage) -> Result<Guards> {
    voice
        .act("AFTER", "ligase stands in front of each; the same servers, told of another resolver");
    let names = stage.names.address;
    let (montague, capulet) = (&mut stage.montague, &mut stage.capulet);
    let guards = Guards {
        montague: montague.guard(names, &stage.folder).await?,
        capulet: capulet.guard(names, &stage.folder).await?,
    };
    for house in [&*montague, &*capulet] {
        let name = &house.server_name;
        voice.fact(house.domain, &format!("ligase run: ready, certified as {name}"));
    }
    voice
        .say("Whatever its server asks DNS about peers, each one answers: they are here, with me.");
    voice.say("");

    exchange(voice, (ROMEO, JULIET, SOFT_AGAIN), montague, capulet).await?;
    exchange(voice, (JULIET, ROMEO, WHEREFORE), capulet, montague).await?;

    let (montague, capulet) = (&*montague, &*capulet);
    for (house, words) in [(capulet, SOFT_AGAIN), (montague, WHEREFORE)] {
        let (length, quoted) = (house.tap.length(), house.tap.quote(words, b'>'));
        voice.check(
            &format!("nobody on the way to {house} can read a word of it"),
            0 < length && quoted.is_none(),
        );
        let last = hex(&house.tap.last(QUOTED_BYTES));
        voice.quote(&format!("{length} bytes went by, the last of them {last}"));
    }
    for (proxy, here, there) in
        [(&guards.montague, montague, capulet), (&guards.capulet, capulet, montague)]
    {
        report(voice, proxy, here, there).await?;
    }
    Ok(guards)
}

async fn exchange(
    voice: &mut Voice,
    (from, to, words): (&str, &str, &str),
    here: &mut House,
    there: &House,
) -> Result<()> {
    voice.speech(from, to, words);
    here.server.say(from, to, words).await?;
    let heard = there.server.hear(words).await?;
    let who = to.split('@').next().unwrap_or(to);
    voice.check(&format!("{who} hears it"), heard.contains(from));
    Ok(())
}

/// Shows what a proxy says of its connections to the other house.
async fn report(voice: &mut Voice, proxy: &Proxy, here: &House, there: &House) -> Result<()> {
    let peers = proxy.peers().await?;
    let proofs: Vec<_> = peers.iter().filter_map(|it| proof(it, there)).collect();
    let good = |found: &(&str, &str)| *found == ("starttls", there.prooftype);
    voice.check(
        &format!("{here} meets {there} over TLS only, proven by {}", there.prooftype),
        !proofs.is_empty() && proofs.len() == peers.len() && proofs.iter().all(good),
    );
    for (peer, (transport, proof)) in peers.iter().zip(&proofs) {
        let direction = peer["direction"].as_str().unwrap_or_default();
        voice.quote(&format!("/connections: {direction}, {transport}, {there} by {proof}"));
    }
    Ok(())
}

/// How a connection is encrypted, and what proved that it leads to that house.
fn proof<'a>(connection: &'a Value, house: &House) -> Option<(&'a str, &'a str)> {
    let delegated = connection["delegated"].as_array()?;
    let ours = delegated.iter().find(|it| it["domain"] == house.domain)?;
    Some((connection["transport"].as_str()?, ours["prooftype"].as_str()?))
}

/// The forger again, with the same forged DNS and better tools.
pub(super) async fn forger(voice: &mut Voice, stage: &Stage, guards: &Guards) -> Result<()> {
    voice.act("MALLORY", "forges the DNS again, and claims to be capulet.example");
    let montague = &stage.montague;
    let heard_before = montague.server.heard().len();
    let liar = Server::start(CAPULET, MALLORY, stage.names.address).await?;
    stage.forge(liar.address)?;

    let refused = liar.call(montague.domain).await.err();
    voice.check("as before, without TLS, she is refused", refused.is_some());
    voice.quote(&refused.map(|it| it.to_string()).unwrap_or_default());

    let own = stage.folder.certificate("self-signed", stage.capulet.domain, None)?;
    let other = stage.folder.certificate("other", "mallory.example", Some(&stage.authority))?;
    let pair = DomainPair::new(
        stage.capulet.domain.parse().or_trouble("name a pair")?,
        montague.domain.parse().or_trouble("name a pair")?,
    );
    let message = message(JULIET, ROMEO, FORGED_AFTER);
    for (who, paper, reason) in
        [("of her own making", &own, "cert.chain"), ("of another name", &other, "cert.name")]
    {
        let before = guards.montague.counters(FAMILIES).await?;
        let forged = mallory::claim(montague.tap.address, &pair, (&liar, paper), &message);
        let refused = forged.await?;
        let after = guards.montague.counters(FAMILIES).await?;
        let counted = grown(&before, &after);
        voice.check(
            &format!("with TLS and a certificate {who} she is refused"),
            refused.is_some() && counted.iter().any(|it| it.contains(reason)),
        );
        voice.quote(&refused.unwrap_or_default());
        for name in counted {
            voice.quote(&name);
        }
    }
    stage.be_honest();
    let heard = montague.server.heard();
    voice.check(
        "not a word of hers has reached romeo's server",
        heard.len() == heard_before && !heard.iter().any(|it| it.contains(FORGED_AFTER)),
    );
    Ok(())
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

const ROMEO: &str = "romeo@montague.example";
const CAPULET: &str = "capulet.example";
const JULIET: &str = "juliet@capulet.example";

const SOFT: &str = "But, soft! what light through yonder window breaks?";
const FORGED_BEFORE: &str = "Forget me. Be at the harbor by noon, alone.";
const SOFT_AGAIN: &str = "It is the east, and Juliet is the sun.";
const WHEREFORE: &str = "Wherefore art thou Romeo?";
const FORGED_AFTER: &str = "The plan has changed. Drink nothing, wait for me.";

/// The counters that tell why somebody was refused.
const FAMILIES: &[&str] = &["ligase_auth_attempts_total"];

/// How many bytes of what cannot be read are shown.
const QUOTED_BYTES: usize = 12;
