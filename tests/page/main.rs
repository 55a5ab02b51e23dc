//! What somebody sees who opens the admin port in a browser: a real one, and the real page, with
//! the headers that the program sends along.

mod fixtures;

use std::env;
use std::fs;
use std::path::PathBuf;

use ligase_tests::{
    Browser, Capture, Host, Kind, Ligase, OrFail, Proxy, Screen, Server, Setup, User, World,
};
use serde_json::{Value, json};

use self::fixtures::{HOSTILE, SHOWN, TLSA};

/// The page, with everything that `/status` may be.
#[test]
fn the_page_shows_what_there_is_to_whoever_looks() {
    let mut world = World::new();
    let place = world.host("montague");
    world.open();
    let certificate = world.authority.issue(&["montague.lab", "xmpp.montague.lab"]);
    let domains = ["montague.lab".to_owned()];
    let ligase = Proxy::new(&world, &place, Capture::Redirect, &domains, &certificate).start();
    let browser = Browser::start(ligase.host(), ADMIN);
    let url = browser.open_relay();

    looks(&browser, &url);
    tells_what_to_do(&browser, &url);
    finds_pairs(&browser, &url);
    keeps_names_as_text(&browser, &url);
    follows(&browser, &url);
    says_when_it_is_old(&browser, &url);
}

/// Nothing is in anybody's way, whatever is shown on whichever screen.
fn looks(browser: &Browser, url: &str) {
    let states = [
        ("empty", fixtures::empty()),
        ("busy", fixtures::busy()),
        ("failing", fixtures::failing()),
    ];
    for (name, status) in &states {
        browser.say(status);
        for (screen, width, height) in SCREENS {
            for (scheme, dark) in [("light", false), ("dark", true)] {
                let what = format!("{name}-{screen}-{scheme}");
                browser.look_with(Screen { width, height, dark });
                visit(browser, url);
                let across = browser.run("return document.documentElement.scrollWidth");
                assert!(across.as_u64() <= Some(u64::from(width)), "{what} is {across} wide");
                let tallest = browser.run(TALLEST);
                assert!(tallest.as_u64() < Some(ROW_MAX), "{what} has a row of {tallest}");
                assert_eq!(browser.barriers(), [""; 0], "{what}");
                browser.picture(&pictures().join(format!("{what}.png")), true);
                assert_eq!(browser.complaints(), [""; 0], "{what}");
            }
        }
    }
    browser.say(&fixtures::busy());
    browser.look_with(Screen { width: 360, height: 780, dark: true });
    visit(browser, url);
    browser.picture(&pictures().join("status-phone.png"), false);
    browser.say(&fixtures::failing());
    // Between the two, nothing is new but how wide things are.
    browser.look_with(Screen { width: 800, height: 1100, dark: false });
    visit(browser, url);
    browser.picture(&pictures().join("failing-tablet-light.png"), true);
    assert!(browser.run(TALLEST).as_u64() < Some(ROW_MAX));
    browser.look_with(Screen { width: 1280, height: 900, dark: false });
}

/// Whoever is new is told what happens next, and whoever is in trouble what to do.
fn tells_what_to_do(browser: &Browser, url: &str) {
    browser.say(&fixtures::empty());
    visit(browser, url);
    sees(
        browser,
        &[
            "All is well. No peer has been met yet.",
            "To try one: send a message to an account at another server.",
            "Nothing has failed.",
            "No connection with a peer is open.",
            "Not looked up yet.",
            "61 days",
        ],
    );

    browser.say(&fixtures::failing());
    visit(browser, url);
    assert_eq!(browser.run("return document.getElementById('verdict').className"), "bad");
    browser.picture(&pictures().join("status-failing.png"), false);
    sees(
        browser,
        &[
            "Not ready (certificates): the certificate for montague.example has expired.",
            "Our own server does not answer at 127.0.0.1:5269",
            "2 domains of ours publish records that are wrong",
            "11 failures in the last 24 hours have not been mended.",
            "37 times in 1 h 28 min, last 1 min ago",
            "Its operator has to publish the TLSA record of the key that the server shows",
            "ligase explain montague.example capulet.example",
            "7 pairs · 259 times",
            "4 more",
            "ligase check iago.example",
            "between us and our own server",
            TLSA,
            "mismatch",
            "1 domain as it should be",
            "2 further domains at /self-check only.",
            "/etc/ligase/tls/montague.crt",
        ],
    );
    copies(browser, "#domains .paste:not([hidden]) button", TLSA);
    copies(browser, "#cases .copy button", "ligase explain montague.example capulet.example");

    let mut status = fixtures::empty();
    status["draining"] = json!(true);
    browser.say(&status);
    visit(browser, url);
    assert_eq!(browser.run("return document.getElementById('verdict').className"), "warn");
    sees(browser, &["Draining: what is open is finished, and nothing new is begun."]);
}

/// A button leaves this text in the clipboard.
#[track_caller]
fn copies(browser: &Browser, button: &str, text: &str) {
    let permissions = json!({"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]});
    browser.protocol("Browser.grantPermissions", &permissions);
    browser.press(button);
    browser.until(&format!("document.querySelector({button:?}).textContent.startsWith('Copied')"));
    browser.run("navigator.clipboard.readText().then((it) => { window.copied = it; })");
    browser.until(&format!("window.copied === {}", json!(text)));
}

fn finds_pairs(browser: &Browser, url: &str) {
    browser.say(&fixtures::busy());
    visit(browser, url);
    sees(
        browser,
        &[
            "All is well: 1,248 pairs, 1,132 of them proven, 116 by dialback.",
            "DANE 372 (30 %)",
            "dialback 116 (9 %)",
            "460 more. 748 further pairs are at /bindings only.",
            "188 more. 3 further channels with fewer pairs are at /connections only.",
            "4 domains as they should be",
        ],
    );
    let rows = || browser.run("return document.querySelectorAll('#pair-rows tr').length");
    assert_eq!(rows(), 40);
    browser.press("#all-pairs");
    assert_eq!(rows(), 500);
    browser.press("#all-pairs");
    assert_eq!(rows(), 40);

    seek(browser, "conference.laurence dialback");
    let weak = "return [...document.querySelectorAll('#pair-rows tr')].every((it) =>
        it.textContent.includes('conference.laurence.example') &&
        it.textContent.includes('dialback'))";
    assert_eq!((rows(), browser.run(weak)), (json!(14), json!(true)));
    sees(browser, &["14 pairs of 500"]);
    seek(browser, "nobody.example");
    assert_eq!(rows(), 0);
    sees(browser, &["No pair has all of these words."]);
    // The legend leads to the pairs that it counts, and the keyboard goes along.
    browser.press("#legend li:first-child button");
    assert_eq!(browser.run("return document.activeElement.id"), "find");
    sees(browser, &["112 pairs of 500"]);
    seek(browser, "");
    assert_eq!(browser.complaints(), [""; 0]);
}

fn seek(browser: &Browser, words: &str) {
    browser.run(&format!(
        "const find = document.getElementById('find');
         find.value = {words:?};
         find.dispatchEvent(new Event('input'));"
    ));
}

/// Whatever a peer is called, and whatever it says, is shown and does nothing.
fn keeps_names_as_text(browser: &Browser, url: &str) {
    let status = fixtures::hostile();
    browser.say(&status);
    visit(browser, url);
    browser.run("document.querySelectorAll('details').forEach((it) => { it.open = true; })");
    let shown = browser.text();
    for place in [
        "/server_name",
        "/product/revision",
        "/backend/address",
        "/ready/components/certificates/cause",
        "/pairs/0/local",
        "/pairs/0/remote",
        "/channels/0/server",
        "/channels/0/peer_address",
        "/failures/0/remote",
        "/failures/0/reason/text",
        "/failures/0/reason/label",
        "/failures/1/peer_address",
        "/self_check/domains/0/domain",
        "/self_check/domains/0/checks/1/text",
        "/self_check/domains/0/checks/1/fix",
        "/certificates/0/names/0",
        "/certificates/0/file",
    ] {
        let text = status.pointer(place).and_then(Value::as_str).or_fail("find a hostile text");
        let expect = text.strip_suffix("\u{202e}`'").or_fail("find a hostile text");
        let in_head = place == "/server_name" || place.starts_with("/product");
        let shown = if in_head { header(browser) } else { shown.clone() };
        assert!(shown.contains(expect), "{place} is not shown: {expect}");
    }
    assert!(shown.contains(SHOWN) && !shown.contains('\u{202e}'));
    // Nothing that would mean something to a shell is offered for one.
    let offered = browser.run(
        "return [...document.querySelectorAll('#cases .copy:not([hidden])')].map((it) =>
            it.textContent)",
    );
    assert_eq!(offered, json!([]), "{HOSTILE}");
    let made = browser.run("return document.querySelectorAll('img, script').length");
    assert_eq!(made, 1, "the page has one script and no picture");
    browser.picture(&pictures().join("hostile.png"), true);
    assert_eq!(browser.complaints(), [""; 0]);

    // If there were markup after all, the page's policy would keep it from doing anything.
    browser.run(
        "const into = document.createElement('p');
         document.body.append(into);
         into.innerHTML = '<img src=x onerror=alert(3)>';
         const script = document.createElement('script');
         script.textContent = 'alert(4)';
         into.append(script);
         into.setAttribute('style', 'color: red');",
    );
    browser.until("3 <= window.broken.length");
    let complaints = browser.complaints().join("\n");
    for directive in ["img-src", "script-src-elem", "style-src-attr"] {
        assert!(complaints.contains(directive), "{directive} is not in {complaints}");
    }
    assert!(!complaints.contains("alert"), "{complaints}");
}

/// What changes is shown by itself, and what does not stays as it is.
fn follows(browser: &Browser, url: &str) {
    let mut status = fixtures::failing();
    browser.say(&status);
    visit(browser, url);
    browser.run(
        "window.kept = document.querySelector('#pair-rows tr');
         document.querySelector('#cases details:not([hidden])').open = true;",
    );
    status["ready"] = fixtures::empty()["ready"].clone();
    status["backend"]["up"] = json!(true);
    status["pairs"][0]["proof"] = json!("dialback");
    if let Some(failures) = status["failures"].as_array_mut() {
        failures.remove(0);
    }
    browser.say(&status);
    browser.until("!shown().includes('Not ready')");
    assert!(!browser.text().contains("dane.mismatch"));
    let kept = "return window.kept === document.querySelector('#pair-rows tr')
        && window.kept.textContent.includes('dialback')
        && document.querySelector('#cases details:not([hidden])').open";
    assert_eq!(browser.run(kept), true);

    // Who reads in peace is not disturbed: nothing is asked until it is wanted.
    browser.press("#pause");
    let asked = browser.asked();
    browser.say(&fixtures::empty());
    sees(browser, &["; paused."]);
    browser.press("#pause");
    browser.until("shown().includes('No peer has been met yet')");
    assert_eq!(browser.asked(), asked + 1);
}

/// What is old is said to be old, and stays to be read.
fn says_when_it_is_old(browser: &Browser, url: &str) {
    browser.say(&fixtures::failing());
    visit(browser, url);
    browser.close_relay();
    browser.until("document.getElementById('say').textContent.startsWith('Stale: ')");
    sees(
        browser,
        &[
            "Stale: ligase does not answer.",
            "What is shown below was so at 2026-11-22T07:40:00Z.",
            "ligase explain montague.example capulet.example",
            "asked every 10 s.",
        ],
    );
    for dark in [false, true] {
        browser.look_with(Screen { width: 360, height: 780, dark });
        assert_eq!(browser.barriers(), [""; 0]);
    }
    browser.picture(&pictures().join("stale-phone-dark.png"), true);
    assert_eq!(browser.open_relay(), url);
    browser.press("#again");
    browser.until("!shown().includes('Stale: ')");
    sees(browser, &["asked every 5 s."]);
}

/// A real server behind a real ligase, and a real peer.
#[test]
fn the_page_shows_a_running_ligase() {
    let mut world = World::new();
    let places = [MONTAGUE, CAPULET].map(|domain| {
        let place = world.host(domain.trim_end_matches(".lab"));
        let target = format!("xmpp.{domain}");
        world.zone.server(domain, if domain == MONTAGUE { 7269 } else { 5269 }, &target);
        world.zone.address(&target, &place);
        place
    });
    world.open();
    let [(montague, ligase, romeo), (_capulet, _, juliet)] =
        [true, false].map(|behind| house(&world, &places, behind));
    let ligase = ligase.or_fail("find ligase");
    let browser = Browser::start(montague.host(), ADMIN);
    browser.look_with(Screen { width: 1280, height: 900, dark: false });
    browser.visit(&format!("http://{ADMIN}/"));
    browser.until(SHOWS);
    sees(&browser, &["No peer has been met yet", "xmpp.montague.lab"]);

    // It is seen as it happens.
    romeo.say(&juliet.jid, "But soft!");
    juliet.hear(&romeo.full, "But soft!");
    browser.until("document.querySelector('#pair-rows tr')?.textContent.includes('PKIX')");
    sees(&browser, &[MONTAGUE, CAPULET, "Nothing has failed."]);
    romeo.say("nobody@nowhere.lab", "Is anybody there?");
    browser.until("document.getElementById('cases').textContent.includes('nowhere.lab')");
    sees(&browser, &["dns.not_found", "ligase explain montague.lab nowhere.lab"]);
    assert_eq!(browser.barriers(), [""; 0]);
    assert_eq!(browser.complaints(), [""; 0]);
    browser.picture(&pictures().join("real.png"), true);
    assert_eq!(ligase.json("/status")["counts"]["failures"], 1);
}

/// A house with one domain; the first is behind ligase.
fn house(world: &World, places: &[Host; 2], behind: bool) -> (Server, Option<Ligase>, User) {
    let [montague, capulet] = places;
    let (domain, place) = if behind { (MONTAGUE, montague) } else { (CAPULET, capulet) };
    let names = [domain, &format!("conference.{domain}"), &format!("xmpp.{domain}")];
    let certificate = world.authority.issue(&names);
    let ligase = behind.then(|| {
        let domains = [domain.to_owned()];
        Proxy::new(world, place, Capture::Dns, &domains, &certificate).start()
    });
    let server = Setup::new(Kind::Prosody, place, &[domain], &certificate).start();
    server.register("somebody", domain);
    let user = world.users().login(&format!("somebody@{domain}"), place);
    (server, ligase, user)
}

/// Opens the page, and waits until it has been told something.
fn visit(browser: &Browser, url: &str) {
    browser.visit(url);
    browser.until(SHOWS);
}

#[track_caller]
fn sees(browser: &Browser, texts: &[&str]) {
    let shown = browser.text();
    for text in texts {
        assert!(shown.contains(text), "{text:?} is not in:\n{shown:.8000}");
    }
}

fn header(browser: &Browser) -> String {
    let text = browser.run("return document.querySelector('header').textContent");
    text.as_str().unwrap_or_default().to_owned()
}

/// Where pictures are left for people to look at: `target/page`.
fn pictures() -> PathBuf {
    let here = env::current_exe().or_fail("find out where this program is");
    let target = here.ancestors().nth(3).or_fail("find the target folder");
    let folder = target.join("page");
    fs::create_dir_all(&folder).or_fail("make a folder for pictures");
    folder
}

/// What is looked at with: pixels across, and down.
const SCREENS: [(&str, u32, u32); 2] = [("desktop", 1280, 900), ("phone", 360, 780)];

/// How tall the tallest row of any table is.
const TALLEST: &str = "return Math.max(0, ...[...document.querySelectorAll('tbody tr')].map((it) =>
    it.offsetHeight))";

/// Letters that stand below each other make a row taller than this.
const ROW_MAX: u64 = 200;

/// Whether the page shows anything yet.
const SHOWS: &str = "!document.getElementById('told').hidden";

const MONTAGUE: &str = "montague.lab";
const CAPULET: &str = "capulet.lab";

/// Where the program tells of itself.
const ADMIN: &str = "127.0.0.1:7290";
