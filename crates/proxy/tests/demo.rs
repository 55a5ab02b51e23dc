//! The demo: what it says of itself is true, and it leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed, and says where")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A temporary folder of its own, so that what the demo leaves behind can be seen.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn demo(folder: &Path) -> Command {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_ligase"));
    demo.arg("demo").env("TMPDIR", folder);
    demo
}

/// The processes that were started from files in a folder: the proxies of a demo.
fn proxies_in(folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let all = fs::read_dir("/proc").unwrap();
    let commands = all.filter_map(|it| fs::read(it.ok()?.path().join("cmdline")).ok());
    let commands = commands.map(|it| String::from_utf8_lossy(&it).into_owned());
    commands.filter(|it| it.contains(&folder)).collect()
}

fn left_in(folder: &Path) -> Vec<PathBuf> {
    let left = fs::read_dir(folder).unwrap();
    left.map(|it| it.unwrap().path()).collect()
}

/// Has the demo given, and looks at what is true of it whoever plays: what it said.
#[expect(clippy::disallowed_methods, reason = "how long the story may take is promised")]
fn told(folder: &Path, args: &[&str]) -> String {
    let started = Instant::now();
    let done = demo(folder).args(args).output().unwrap();
    let (said, took) = (String::from_utf8_lossy(&done.stdout), started.elapsed());
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(took < TIME_MAX, "it took {took:?}");
    assert!(!said.contains('✗') && !said.contains('\x1b'), "{said}");
    for claim in CLAIMS {
        assert!(said.lines().any(|it| it.trim_start() == claim), "not said: {claim}\n{said}");
    }
    assert_eq!(left_in(folder), Vec::<PathBuf>::new());
    assert_eq!(proxies_in(folder), Vec::<String>::new());
    said.into_owned()
}

#[test]
fn the_story_is_true_and_leaves_nothing_behind() {
    let said = told(&folder("demo-told"), &[]);

    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let shown = readme.split_once("BEFORE  the servers").unwrap().1;
    let shown = shown.split_once("```").unwrap().0;
    let shown: Vec<_> = shown.lines().skip(1).filter(|line| *line != "  ...").collect();
    assert!(15 < shown.len(), "{shown:?}");
    for line in shown {
        assert!(said.lines().any(|it| it == line), "no longer said: {line}");
    }
}

/// Real servers in the place of one of ours; Debian's, which the tests need anyway.
#[test]
fn the_story_is_true_of_prosody_and_ejabberd() {
    for (server, name) in [("prosody", "Prosody"), ("ejabberd", "ejabberd")] {
        let said = told(&folder(&format!("demo-{server}")), &["--with", server]);
        let plays = format!("  montague.example   {name}, which does without TLS");
        assert!(said.contains(&plays), "{said}");
    }
}

#[test]
fn whoever_stays_can_look_around_until_they_end_it() {
    let folder = folder("demo-stay");
    let mut demo = demo(&folder);
    let mut running = demo.arg("--stay").stdout(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(running.stdout.take().unwrap());
    let mut lines = said.lines().map(Result::unwrap);
    let address = lines.find_map(|line| {
        let (_, rest) = line.split_once("curl http://")?;
        rest.strip_suffix("/connections").map(str::to_owned)
    });
    assert!(address.unwrap().starts_with("127."));
    lines.find(|line| line.trim_start().starts_with("log")).unwrap();
    assert_eq!(proxies_in(&folder).len(), 2);
    interrupt(&running);
    assert!(running.wait().unwrap().success());
    assert_eq!(left_in(&folder), Vec::<PathBuf>::new());
    assert_eq!(proxies_in(&folder), Vec::<String>::new());
}

#[test]
fn a_demo_that_cannot_be_given_says_so() {
    let nowhere = Path::new(env!("CARGO_TARGET_TMPDIR")).join("demo-nowhere/at/all");
    let done = demo(&nowhere).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot make a temporary folder"), "{said}");
}

fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    let kill = Command::new("kill").args(["-INT", &pid]).status();
    assert!(kill.unwrap().success());
}

/// What has been promised to whoever watches it.
const TIME_MAX: Duration = Duration::from_secs(20);

/// Everything that it claims. Each line is said only after it was checked.
const CLAIMS: [&str; 23] = [
    "✓ each of them is heard",
    "! it takes six connections: one for each tenant and each direction",
    "! everybody on the way can read; this crossed the wire:",
    "! romeo's server proved itself by dialback alone: “ask where DNS says I am”",
    "! romeo hears it, and nothing tells him that it was not juliet",
    "✓ the six connections have become one",
    "1 to montague.example, 0 to verona.example",
    "✓ montague.example meets xmpp.verona.example by it, server to server, over TLS, both ways",
    "/connections: inbound, starttls, server-name, bidi: true",
    "✓ verona.example meets xmpp.montague.example by it, server to server, over TLS, both ways",
    "/connections: outbound, starttls, server-name, bidi: true",
    "✓ every tenant sends and receives by it",
    "✓ nobody on the way can read a word of it",
    "✓ capulet.example is proven by dane: its signed TLSA record names the key",
    "✓ abbey.example is proven by pkix: its signed SRV record names a server that is certified",
    "✓ paris.example is proven by posh: its web server names the certificate, its DNS is unsigned",
    "✓ montague.example is proven to all of them by dane",
    "✓ with an authority's word that she is capulet.example she is refused: dane.mismatch",
    "✓ with a certificate of her own making for abbey.example she is refused: cert.chain",
    "✓ with a certificate of another name for paris.example she is refused: posh.mismatch",
    "✓ romeo's words do not leave without TLS: stream.tls_required",
    "✓ the answer is not signed, so nothing is dialed: dns.bogus",
    "✓ all is as it was",
];
