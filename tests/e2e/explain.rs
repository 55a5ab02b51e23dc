//! Why a pair passes or does not, as an operator asks the running proxy.

use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use ligase_tests::peer::program;
use ligase_tests::{
    Capture, Kind, Leaf, Ligase, Manner, OrFail, Outcome, Peer, Stranger, User, World,
};
use serde_json::Value;

use crate::conversation::chat;
use crate::verona::{House, Plan, Rows};

/// Pairs that stand in every way there is, each explained by the proxy and by the command.
#[test]
fn an_operator_is_told_why_a_pair_passes_or_does_not() {
    let mut world = World::new();
    let plans = [
        Plan::behind("montague", Kind::Prosody, Manner::Default, Capture::Dns),
        Plan::behind("capulet", Kind::Prosody, Manner::Default, Capture::Dns),
    ];
    let places = plans.each_ref().map(|plan| plan.publish(&mut world));
    let padua = world.host("padua");
    for (domain, port) in [(UNVOUCHED, 6000), (SILENT, 6001), (DOWN, 6002)] {
        let target = format!("xmpp.{domain}");
        world.zone.server(domain, port, &target);
        world.zone.address(&target, &padua);
    }
    world.open();
    let built = &world;
    let [montague, capulet] = thread::scope(|scope| {
        let building = [0, 1].map(|it| {
            let (plan, place) = (&plans[it], &places[it]);
            scope
                .spawn(move || plan.build(built, place, |proxy| proxy.set("policy.default", "dna")))
        });
        building.map(|it| it.join().unwrap_or_else(|why| std::panic::resume_unwind(why)))
    });
    let shown = Leaf::of(&[UNVOUCHED]).self_signed();
    let stranger = Stranger::listen(&padua, 6000, UNVOUCHED, &shown);
    // It takes connections, and never says a word.
    let silent = Peer::on(&padua);
    silent.listen(6001);

    let (ligase, romeo) = (montague.proxy(), &montague.by_starttls);
    let rows = Rows::default();
    rows.run("carried", || {
        chat(romeo, &capulet.by_starttls);
        chat(&capulet.by_starttls, romeo);
        carried(&montague, &capulet);
    });
    rows.run("not believed", || not_believed(&montague, &stranger));
    rows.run("not found", || not_found(ligase, romeo));
    rows.run("down", || down(ligase, romeo));
    rows.run("silent", || waits(ligase, romeo));
    rows.run("idle and strange", || nothing_to_tell(ligase));
    rows.run("nobody to ask", || unanswered(ligase));
    rows.run("colors", || colors(ligase));
    rows.finish();
}

/// It has a certificate that nobody vouches for.
const UNVOUCHED: &str = "unvouched.lab";
/// It takes connections and says nothing.
const SILENT: &str = "silent.lab";
/// Nobody listens where it should be.
const DOWN: &str = "down.lab";
/// Nobody has registered it.
const NOWHERE: &str = "nowhere.lab";
/// Ours, in all of this.
const LOCAL: &str = "montague.lab";

fn carried(montague: &House, capulet: &House) {
    let ligase = montague.proxy();
    let [out, back] = directions(ligase, capulet.by_starttls.domain());
    for (way, from) in [(&out, LOCAL), (&back, "capulet.lab")] {
        assert_eq!(way["from"], from);
        assert_eq!(way["state"], "carried", "{way:#}");
        assert_eq!(way["advice"], Value::Null);
        let first = &way["connections"][0];
        assert_eq!(first["use"], "in-use");
        assert_eq!(first["mode"], "server-name", "{way:#}");
        assert_eq!(first["bidi"], true);
        assert_eq!(first["authenticated_server"], "xmpp.capulet.lab");
        assert_eq!(first["prooftype"], "pkix");
        assert!(first["expires_at"].is_string(), "{way:#}");
    }
    // The same connection is at the head of the pair's list, and told of by the names it has proven.
    let id = &out["connections"][0]["id"];
    let bindings = ligase.json("/bindings");
    let bound = bindings.as_array().into_iter().flatten();
    let bound = { bound }.find(|it| it["local"] == LOCAL && it["remote"] == "capulet.lab");
    let bound = bound.or_fail("find the pair in /bindings");
    assert_eq!(&bound["connections"][0]["id"], id);
    let connections = ligase.json("/connections");
    let mut connections = connections.as_array().into_iter().flatten();
    let connection = connections.find(|it| &it["id"] == id).or_fail("find the connection");
    assert_eq!(connection["server_names"][0], "xmpp.capulet.lab");
    let presented = connection["presented_names"].as_array().map_or(0, Vec::len);
    assert!(1 < presented, "{connection:#}");

    let text = told(ligase, "capulet.lab");
    for expect in [
        "ours       montague.lab: hosted here (listed in hosts)",
        "peer       capulet.lab: not hosted here",
        "policy     dna (policy.default): proof by DANE, POSH or PKIX",
        "\nmontague.lab -> capulet.lab: carried\n",
        "\ncapulet.lab -> montague.lab: carried\n",
        "server to server, both ways, TLS by STARTTLS",
        "the server is xmpp.capulet.lab",
        "proven by pkix, until 20",
        "our server connection ",
        "xmpp.capulet.lab:7269, STARTTLS, signed",
        "met server to server before",
    ] {
        assert!(text.contains(expect), "{expect:?} is not in:\n{text}");
    }
    assert!(!text.contains("\n  do "), "there is nothing to do:\n{text}");
    // The log names the ends of a pair as they are, whoever opened the connection that carries both.
    let log = capulet.proxy().log().lines();
    let authenticated = log.iter().filter(|line| line.contains("pair authenticated"));
    let authenticated: Vec<_> = authenticated.filter(|line| line.contains("side=public")).collect();
    assert!(!authenticated.is_empty(), "{log:?}");
    for line in authenticated {
        let expect = "local=capulet.lab remote=montague.lab proof=pkix mode=server-name";
        assert!(line.contains(expect), "{line}");
    }
    // The other proxy tells the same of its own end.
    let [out, back] = seen_from(capulet.proxy(), "capulet.lab", LOCAL);
    assert_eq!([&out["state"], &back["state"]], ["carried", "carried"]);
}

fn not_believed(montague: &House, stranger: &Stranger) {
    let (ligase, romeo) = (montague.proxy(), &montague.by_starttls);
    fail(romeo, UNVOUCHED);
    let [out, _] = directions(ligase, UNVOUCHED);
    assert_eq!(out["state"], "failed", "{out:#}");
    let search = &out["last_search"];
    assert_eq!(search["result"], "missed");
    assert_eq!(search["reason"]["label"], "cert.chain", "{out:#}");
    let first = &search["steps"][0];
    assert_eq!(first["target"], "xmpp.unvouched.lab");
    assert_eq!(first["port"], 6000);
    assert_eq!(first["result"], "missed");
    assert!(first["at"].is_string() && first["rung"].is_string(), "{out:#}");

    let at = format!("{}:7269", montague.server.host().v4);
    let shown = Leaf::of(&[UNVOUCHED]).self_signed();
    let message = format!("<message from='paris@{UNVOUCHED}' to='{}'/>", romeo.jid);
    let claimed = stranger.claim(&at, UNVOUCHED, romeo.domain(), Some(&shown), &message);
    assert_ne!(claimed, Outcome::Let);
    let [_, back] = directions(ligase, UNVOUCHED);
    assert_eq!(back["state"], "not-believed", "{back:#}");
    assert_eq!(back["not_believed"]["reason"], "cert.chain");

    let text = told(ligase, UNVOUCHED);
    for expect in [
        "montague.lab -> unvouched.lab: no way out was found",
        "unvouched.lab -> montague.lab: whoever came was not believed",
        "xmpp.unvouched.lab:6000, ",
        "no trusted authority vouches for the certificate (cert.chain)",
        "do         Policy asks for proof: its operator has to show a certificate of an authority that",
    ] {
        assert!(text.contains(expect), "{expect:?} is not in:\n{text}");
    }
}

fn not_found(ligase: &Ligase, romeo: &User) {
    fail(romeo, NOWHERE);
    let explained = json(ligase, NOWHERE);
    let out = &explained["directions"][0];
    assert_eq!(out["state"], "failed", "{out:#}");
    assert_eq!(out["last_search"]["reason"]["label"], "dns.not_found");
    // Without SRV records the domain's own name is tried, which has no address either.
    let step = &out["last_search"]["steps"][0];
    assert_eq!([&step["target"], &step["rung"]], [&Value::from(NOWHERE), &Value::Null]);
    assert_eq!(explained["dns"]["state"], "failed");
    assert_eq!(explained["dns"]["reason"]["label"], "dns.not_found");
    let text = told(ligase, NOWHERE);
    assert!(text.contains("do         Is the name spelled right?"), "{text}");
    assert!(text.contains("DNS        the domain or its addresses do not exist"), "{text}");
}

fn down(ligase: &Ligase, romeo: &User) {
    fail(romeo, DOWN);
    let explained = json(ligase, DOWN);
    let out = &explained["directions"][0];
    // A moment later the pause is over, and what happened is still known.
    assert!(out["state"] == "backing-off" || out["state"] == "failed", "{out:#}");
    assert_eq!(out["last_search"]["reason"]["label"], "connect.refused", "{out:#}");
    assert!(out["advice"].as_str().is_some_and(|it| it.starts_with("Its server does not run")));
    let endpoint = &explained["dns"]["endpoints"][0];
    assert_eq!(endpoint["target"], "xmpp.down.lab");
    assert_eq!(endpoint["secure"], true);
    assert_eq!(endpoint["begins_with"], "server-name");
    assert_eq!(endpoint["lowest"], "dialback");
    let text = told(ligase, DOWN);
    assert!(text.contains("Nothing listens at the server's port (connect.refused)"), "{text}");
}

fn waits(ligase: &Ligase, romeo: &User) {
    romeo.say(&format!("nurse@{SILENT}"), "Speak!");
    let path = format!("/explain?local={LOCAL}&remote={SILENT}");
    ligase.await_answer(&path, "\"state\":\"searching\"");
    let text = told(ligase, SILENT);
    assert!(text.contains("montague.lab -> silent.lab: a way out is being looked for"), "{text}");
    assert!(text.contains("is under way"), "{text}");
    assert!(text.contains("do         Ask again in a moment."), "{text}");
}

fn nothing_to_tell(ligase: &Ligase) {
    let [out, back] = directions(ligase, "direct-capulet.lab");
    assert_eq!([&out["state"], &back["state"]], ["idle", "idle"]);
    let explained = explain(ligase, "verona.lab", "paris.lab", &[]);
    let explained: Value = serde_json::from_slice(&explained.stdout).or_fail("read JSON");
    assert_eq!(explained["directions"][0]["state"], "not-ours");
    assert_eq!(explained["dns"]["state"], "not-asked");
    for query in ["", "?local=montague.lab", "?local=montague.lab&remote=%3Cb%3E"] {
        let (status, said) = ligase.get(&format!("/explain{query}"));
        assert_eq!(status, 400, "{said}");
        assert!(said.contains("ask for /explain?local=DOMAIN&remote=DOMAIN"), "{said}");
        assert!(!said.contains("<b>"), "{said}");
    }
}

fn unanswered(ligase: &Ligase) {
    let mut command = ligase.host().command(&program("ligase"));
    command.args(["explain", LOCAL, "capulet.lab", "--admin", "127.0.0.1:1"]);
    let done = command.output().or_fail("run ligase explain");
    assert_eq!(done.status.code(), Some(69), "{done:?}");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(
        said.starts_with("ligase explain: the admin port 127.0.0.1:1 cannot be asked"),
        "{said}"
    );
    let mut command = ligase.host().command(&program("ligase"));
    command.args(["explain", LOCAL, "not a domain"]);
    let done = command.output().or_fail("run ligase explain");
    assert_eq!(done.status.code(), Some(64), "{done:?}");
}

/// What somebody sees on a terminal, with color and without.
fn colors(ligase: &Ligase) {
    let line = format!("{} explain {LOCAL} capulet.lab", program("ligase"));
    let on_terminal = |set: &str| {
        let mut command = ligase.host().command("env");
        command.args([set, "script", "--quiet", "--return", "--command", &line, "/dev/null"]);
        said(&finish(command))
    };
    assert!(on_terminal("LIKES=color").contains("\u{1b}[32mcarried\u{1b}[0m"));
    let plain = on_terminal("NO_COLOR=1");
    assert!(plain.contains("montague.lab -> capulet.lab: carried"), "{plain}");
    assert!(!plain.contains('\u{1b}'), "{plain}");
}

/// Has a message come back.
fn fail(romeo: &User, peer: &str) {
    let listener = format!("sampson@{peer}");
    romeo.say(&listener, "Do you quarrel, sir?");
    let error = romeo.hear_error(&listener, Duration::from_secs(20));
    assert!(error.starts_with("remote-server-"), "{error}");
}

/// Both directions of a pair, ours first, as the admin port tells.
fn directions(ligase: &Ligase, remote: &str) -> [Value; 2] {
    seen_from(ligase, LOCAL, remote)
}

fn seen_from(ligase: &Ligase, local: &str, remote: &str) -> [Value; 2] {
    let told = ligase.json(&format!("/explain?local={local}&remote={remote}"));
    [0, 1].map(|it| told["directions"][it].clone())
}

/// What the command tells of a pair, as JSON: by the default address of the admin port.
fn json(ligase: &Ligase, remote: &str) -> Value {
    let told = explain(ligase, LOCAL, remote, &[]);
    serde_json::from_slice(&told.stdout).or_fail("read what ligase explains")
}

fn explain(ligase: &Ligase, local: &str, remote: &str, more: &[&str]) -> Output {
    let mut command = ligase.host().command(&program("ligase"));
    command.args(["explain", local, remote, "-o", "json"]).args(more);
    finish(command)
}

/// What the command tells of a pair, as text: by the configuration.
fn told(ligase: &Ligase, remote: &str) -> String {
    let config = ligase.host().folder("ligase").join("ligase.yaml");
    let mut command = ligase.host().command(&program("ligase"));
    command.args(["explain", LOCAL, remote, "--config"]).arg(config);
    let text = said(&finish(command));
    assert!(!text.contains('\u{1b}'), "a pipe likes no color: {text}");
    text
}

#[track_caller]
fn finish(mut command: Command) -> Output {
    let done = command.output().or_fail("run ligase explain");
    assert!(done.status.success(), "{done:?}");
    done
}

fn said(done: &Output) -> String {
    String::from_utf8_lossy(&done.stdout).into_owned()
}
