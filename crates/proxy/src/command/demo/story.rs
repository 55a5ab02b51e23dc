//! What happens, in order. Each act tells what it does and checks what it tells.

pub(super) mod after;
pub(super) mod refusals;

use super::inside::message;
use super::server::Server;
use super::stage::{MALLORY, MONTAGUE, Stage, TENANTS};
use super::trouble::Result;
use super::voice::Voice;

/// What there is before anybody speaks.
pub(super) fn stage(voice: &Voice, stage: &Stage) {
    voice.act("THE STAGE", "all of it on this machine, none of it needs root");
    for house in [&stage.montague, &stage.verona] {
        let (server, at) = (house.server.name(), house.server.address());
        let what = format!("{server}, which does without TLS, at {at}");
        voice.fact(&house.to_string(), &what);
        if 1 < house.domains.len() {
            voice.fact("", &format!("its tenants: {}", house.domains.join(", ")));
        }
    }
    let names = stage.names.address;
    voice.fact("dns", &format!("tells where they are, signed, at {names}"));
    voice.fact("", &format!("but for {}, which nobody signs", unsigned()));
}

/// Without ligase: what it takes, what everybody on the way can read, and what a forger can do.
pub(super) async fn before(voice: &mut Voice, stage: &mut Stage) -> Result<()> {
    voice.act("BEFORE", "the servers talk by themselves, as they have since 2003");
    let heard = talk(voice, stage, &BEFORE).await?;
    voice.check("each of them is heard", heard);
    count(voice, stage);
    let readable = stage.verona.tap.quote(&format!("<body>{SOFT}</body>"), b'>');
    voice.beware("everybody on the way can read; this crossed the wire:", readable.is_some());
    voice.quote(&readable.unwrap_or_default());
    let asked = stage.montague.tap.quote("<db:verify", b'>');
    voice.beware(
        "romeo's server proved itself by dialback alone: “ask where DNS says I am”",
        asked.is_some(),
    );
    voice.quote(&asked.unwrap_or_default());
    believed(voice, stage).await
}

/// What all that takes, as the taps on the way have seen it.
fn count(voice: &mut Voice, stage: &Stage) {
    let taps = [&stage.montague.tap, &stage.verona.tap];
    let [montague, verona] = taps.map(|tap| tap.connections_with("<message"));
    voice.beware(
        "it takes six connections: one for each tenant and each direction",
        (montague, verona) == (TENANTS.len(), TENANTS.len()),
    );
    let all: usize = taps.map(|tap| tap.connections()).iter().sum();
    let others = all.saturating_sub(montague + verona);
    voice.quote(&format!(
        "{montague} to {}, {verona} to {}, and {others} more that only asked about keys",
        stage.montague, stage.verona,
    ));
}

/// Mallory forges DNS, and is believed.
async fn believed(voice: &mut Voice, stage: &mut Stage) -> Result<()> {
    voice.say("");
    voice.say("Then mallory forges a single DNS answer: “capulet.example is here, with me.”");
    voice.wait("mallory gets ready");
    let liar = Server::start(&[CAPULET], MALLORY, stage.names.address).await?;
    stage.forge(CAPULET, liar.address)?;
    // Nobody waits here until romeo's server asks DNS again, so it is made to.
    stage.montague.forget().await?;
    let mut line = liar.call(CAPULET, MONTAGUE).await?;
    voice.speech("juliet@capulet.example (mallory)", ROMEO, FORGED);
    voice.wait("until it is heard");
    line.send(&message(JULIET, ROMEO, FORGED)).await?;
    let heard = stage.montague.server.hear(FORGED).await?;
    stage.be_honest();
    voice.beware(
        "romeo hears it, and nothing tells him that it was not juliet",
        heard.contains(JULIET),
    );
    Ok(())
}

/// Somebody says something to somebody else.
type Speech = (&'static str, &'static str, &'static str);

/// Has these said, each when the one before was heard: whether all came from who said them.
async fn talk(voice: &Voice, stage: &mut Stage, speeches: &[Speech]) -> Result<bool> {
    let mut all = true;
    for (from, to, words) in speeches {
        voice.speech(from, to, words);
        let (here, there) = match *from == ROMEO {
            true => (&mut stage.montague, &stage.verona),
            false => (&mut stage.verona, &stage.montague),
        };
        voice.wait("until it is heard");
        here.server.say(from, to, words).await?;
        let heard = there.server.hear(words).await?;
        all &= heard.contains(from);
    }
    Ok(all)
}

/// The tenant whose DNS nobody signs.
fn unsigned() -> &'static str {
    let unsigned = TENANTS.iter().find(|tenant| tenant.prooftype == "posh");
    unsigned.map_or("nobody", |tenant| tenant.domain)
}

const ROMEO: &str = "romeo@montague.example";
const JULIET: &str = "juliet@capulet.example";
const FRIAR: &str = "friar@abbey.example";
const PARIS: &str = "paris@paris.example";
const CAPULET: &str = "capulet.example";

const SOFT: &str = "But, soft! what light through yonder window breaks?";
const FORGED: &str = "Forget me. Be at the harbor by noon, alone.";

const BEFORE: [Speech; 6] = [
    (JULIET, ROMEO, "Wherefore art thou Romeo?"),
    (ROMEO, JULIET, SOFT),
    (FRIAR, ROMEO, "Wisely and slow; they stumble that run fast."),
    (ROMEO, FRIAR, "Good morrow, father."),
    (PARIS, ROMEO, "Can vengeance be pursued further than death?"),
    (ROMEO, PARIS, "By heaven, I love thee better than myself."),
];
