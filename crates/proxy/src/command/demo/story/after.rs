//! With ligase: the same servers, one connection, and who proves whom.

use serde_json::Value;

use super::super::proxy::Proxy;
use super::super::stage::{House, MONTAGUE, Stage, TENANTS};
use super::super::trouble::Result;
use super::super::voice::{Voice, hex};
use super::{FRIAR, JULIET, PARIS, ROMEO, Speech, talk};

/// The proxies of both houses.
#[derive(Debug)]
pub(in super::super) struct Guards {
    pub(in super::super) montague: Proxy,
    pub(in super::super) verona: Proxy,
}

/// Puts ligase in front of both, and has the same people speak.
pub(in super::super) async fn after(voice: &mut Voice, stage: &mut Stage) -> Result<Guards> {
    voice
        .act("AFTER", "ligase stands in front of each; the same servers, told of another resolver");
    voice.wait("both proxies get ready");
    let (montague, verona) = stage.guard().await?;
    let guards = Guards { montague, verona };
    for house in [&stage.montague, &stage.verona] {
        let name = &house.server_name;
        voice.fact(&house.to_string(), &format!("ligase run: ready, certified as {name}"));
    }
    voice
        .say("Whatever its server asks DNS about peers, each one answers: they are here, with me.");
    voice.say("");

    let heard = talk(voice, stage, &AFTER).await?;
    voice.check("each of them is heard", heard);
    one_connection(voice, stage, &guards).await?;
    unreadable(voice, &stage.montague);
    proofs(voice, stage, &guards).await?;
    Ok(guards)
}

/// The six have become one, as the taps on the way have seen it and as both ends say.
async fn one_connection(voice: &mut Voice, stage: &Stage, guards: &Guards) -> Result<()> {
    let taps = [&stage.montague.tap, &stage.verona.tap];
    let [montague, verona] = taps.map(|tap| tap.connections());
    voice.check("the six connections have become one", montague + verona == 1);
    voice.quote(&format!("{montague} to {}, {verona} to {}", stage.montague, stage.verona));

    for (house, proxy, meets) in [
        (&stage.montague, &guards.montague, &stage.verona.server_name),
        (&stage.verona, &guards.verona, &stage.montague.server_name),
    ] {
        let peers = proxy.peers().await?;
        let is_channel = |it: &Value| {
            it["mode"] == "server-name" && it["bidi"] == true && it["transport"] == "starttls"
        };
        voice.check(
            &format!("{house} meets {meets} by it, server to server, over TLS, both ways"),
            peers.len() == 1 && peers.iter().all(|it| is_channel(it) && names(it, meets)),
        );
        for peer in &peers {
            let text = |key: &str| peer[key].as_str().unwrap_or_default().to_owned();
            let (direction, transport) = (text("direction"), text("transport"));
            let (mode, bidi) = (text("mode"), &peer["bidi"]);
            voice.quote(&format!("/connections: {direction}, {transport}, {mode}, bidi: {bidi}"));
        }
    }

    let peers = guards.montague.peers().await?;
    let bindings = guards.montague.bindings().await?;
    let both_ways = TENANTS.iter().all(|tenant| {
        let carrying = carrying(&bindings, tenant.domain);
        carrying.is_some_and(|all| all.len() == 1 && peers.iter().any(|it| carries(it, all)))
    });
    voice.check("every tenant sends and receives by it", both_ways);
    Ok(())
}

/// The connections that carry the pair of a tenant, as `/bindings` lists them.
fn carrying<'a>(bindings: &'a [Value], tenant: &str) -> Option<&'a [Value]> {
    let mut pairs = bindings.iter();
    let pair = pairs.find(|it| it["local"] == MONTAGUE && it["remote"] == tenant)?;
    pair["connections"].as_array().map(Vec::as_slice)
}

/// Whether a connection is among these, and carries the pair both ways.
fn carries(connection: &Value, listed: &[Value]) -> bool {
    let mut listed = listed.iter().filter(|it| it["id"] == connection["id"]);
    listed.any(|it| it["send"] == true && it["receive"] == true)
}

/// What whoever reads along gets to see.
fn unreadable(voice: &mut Voice, house: &House) {
    let (length, last) = (house.tap.length(), hex(&house.tap.last(QUOTED_BYTES)));
    let read = AFTER.iter().any(|(_, _, words)| house.tap.quote(words, b'>').is_some());
    voice.check("nobody on the way can read a word of it", 0 < length && !read);
    voice.quote(&format!("{length} bytes went by, the last of them {last}"));
}

/// What has proven each domain, as the verifier in front of the other side says.
async fn proofs(voice: &mut Voice, stage: &Stage, guards: &Guards) -> Result<()> {
    let peers = guards.montague.peers().await?;
    for tenant in &TENANTS {
        let proof = peers.iter().find_map(|it| proof(it, tenant.domain)).unwrap_or("nothing");
        voice.check(
            &format!("{} is proven by {}: {}", tenant.domain, tenant.prooftype, tenant.because),
            proof == tenant.prooftype,
        );
        voice.quote(&format!("/connections of {}: {} by {proof}", stage.montague, tenant.domain));
    }
    let peers = guards.verona.peers().await?;
    let proof = peers.iter().find_map(|it| proof(it, MONTAGUE)).unwrap_or("nothing");
    voice.check(&format!("{MONTAGUE} is proven to all of them by dane"), proof == "dane");
    voice.quote(&format!("/connections of {}: {MONTAGUE} by {proof}", stage.verona));
    Ok(())
}

/// What has proven that a connection leads to whoever serves that domain.
fn proof<'a>(connection: &'a Value, domain: &str) -> Option<&'a str> {
    let delegated = connection["delegated"].as_array()?;
    delegated.iter().find(|it| it["domain"] == domain)?["prooftype"].as_str()
}

/// Whether the certificate at the far end names this server.
fn names(connection: &Value, server: &str) -> bool {
    let named = connection["server_names"].as_array();
    named.is_some_and(|all| all.iter().any(|it| it == server))
}

const AFTER: [Speech; 6] = [
    (JULIET, ROMEO, "Good night, good night! parting is such sweet sorrow."),
    (ROMEO, JULIET, "It is the east, and Juliet is the sun."),
    (FRIAR, ROMEO, "These violent delights have violent ends."),
    (ROMEO, FRIAR, "Do thou but close our hands with holy words."),
    (PARIS, ROMEO, "These times of woe afford no time to woo."),
    (ROMEO, PARIS, "Good gentle youth, tempt not a desperate man."),
];

/// How many bytes of what cannot be read are shown.
const QUOTED_BYTES: usize = 12;
