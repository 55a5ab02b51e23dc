//! The demo: what it says of itself is true, and it leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed, and says where")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

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

#[test]
fn the_story_is_true_and_leaves_nothing_behind() {
    let folder = folder("demo-told");
    let done = demo(&folder).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{:?}", done.stderr);
    assert!(said.contains("✓ juliet hears it"), "{said}");
    assert!(!said.contains('✗') && !said.contains('\x1b'), "{said}");
    assert_eq!(left_in(&folder), Vec::<PathBuf>::new());
    assert_eq!(proxies_in(&folder), Vec::<String>::new());

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
    for server in ["prosody", "ejabberd"] {
        let folder = folder(&format!("demo-{server}"));
        let done = demo(&folder).args(["--with", server]).output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{said}{:?}", done.stderr);
        assert_eq!(left_in(&folder), Vec::<PathBuf>::new());
        assert_eq!(proxies_in(&folder), Vec::<String>::new());
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
