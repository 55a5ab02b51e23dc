//! Hygiene: what is secret stays in memory, and goes with it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ligase_tests::{Capture, Ligase, OrFail, Outcome, Proxy, Stranger, World};

use crate::verona::Rows;

/// What a stanza says is nobody's business but of those who talk.
const SAID: &str = "My lips, two blushing pilgrims";

/// Neither the log nor the admin port nor a core file tells what a key, a secret or a stanza is, however
/// it ends: by its own mistake or by somebody's signal.
#[test]
fn no_secret_leaves_the_process() {
    let mut world = World::new();
    let (house, garden) = (world.host("house"), world.host("garden"));
    world.zone.server("l1.lab", 7269, "xmpp.l1.lab");
    world.zone.address("xmpp.l1.lab", &house);
    world.zone.server("r1.lab", 5269, "xmpp.r1.lab");
    world.zone.address("xmpp.r1.lab", &garden);
    world.open();
    let own = world.authority.issue(&["l1.lab"]);
    let _server = Stranger::listen_for(&house, 5269, &["l1.lab"], &own);
    let theirs = world.authority.issue(&["r1.lab"]);
    let honest = Stranger::listen(&garden, 5269, "r1.lab", &theirs);
    let rows = Rows::default();
    for signal in ["QUIT", "ABRT"] {
        let mut proxy = Proxy::new(&world, &house, Capture::Dns, &["l1.lab".to_owned()], &own);
        let secret = "5".repeat(8) + &"ec7e7".repeat(12);
        let file = proxy.folder().join("dialback");
        fs::write(&file, format!("{secret}\n")).or_fail("write a secret");
        proxy.set("dialback_secret.file", &file.display().to_string());
        proxy.set("log.level", "trace");
        let mut ligase = proxy.start();
        rows.run(signal, || {
            let message =
                format!("<message from='m@r1.lab' to='u@l1.lab'><body>{SAID}</body></message>");
            let at = format!("{}:7269", house.v4);
            assert_eq!(
                honest.claim(&at, "r1.lab", "l1.lab", Some(&theirs), &message),
                Outcome::Let
            );
            let told = everything_told(&ligase);
            leaves_nothing(&mut ligase, signal);
            let told = told + &ligase.log().lines().join("\n");
            for secret in secrets(&ligase.folder(), &secret) {
                assert!(!told.contains(&secret), "{secret:?} was told");
            }
        });
    }
    rows.finish();
}

/// All that the admin port says.
fn everything_told(ligase: &Ligase) -> String {
    let paths = [
        "/",
        "/config",
        "/connections",
        "/failures",
        "/log",
        "/metrics",
        "/bindings",
        "/certificates",
        "/ready",
        "/self-check",
        "/status",
        "/explain?local=l1.lab&remote=r1.lab",
        "/debug",
        "/debug/pprof",
        "/ca.key",
        "/../ligase.yaml",
    ];
    let told: Vec<_> = paths.iter().map(|path| ligase.get(path)).collect();
    // It would be easy to tell nothing.
    assert!(3 < told.iter().filter(|(status, _)| *status == 200).count(), "{told:?}");
    told.into_iter().map(|(_, body)| body).collect()
}

/// Ends it by a signal for which the kernel would write a core file, if it might.
fn leaves_nothing(ligase: &mut Ligase, signal: &str) {
    let id = ligase.log().id();
    let limits = fs::read_to_string(format!("/proc/{id}/limits")).or_fail("read its limits");
    let core = limits.lines().find(|it| it.starts_with("Max core file size")).unwrap_or_default();
    let values: Vec<_> = core.split_whitespace().skip(4).collect();
    // With one byte neither is a file written nor a collector called.
    assert!(values.starts_with(&["1", "1"]) || values.starts_with(&["0", "0"]), "{core}");
    let folder = fs::read_link(format!("/proc/{id}/cwd")).or_fail("find where it runs");
    ligase.program().signal(signal);
    let status = ligase.program().end(Duration::from_secs(10));
    assert!(!status.success(), "{status}");
    for name in ["core".to_owned(), format!("core.{id}")] {
        assert!(!folder.join(&name).exists(), "{name} was left behind");
    }
}

/// What must not be told: the dialback secret, lines of its keys, and what was said.
fn secrets(folder: &Path, dialback: &str) -> Vec<String> {
    let mut secrets = vec![dialback.to_owned(), SAID.to_owned()];
    for key in ["tls.key", "ca/ca.key"] {
        let text = fs::read_to_string(folder.join(key)).or_fail(&format!("read {key}"));
        secrets.extend(
            text.lines().filter(|it| 20 < it.len() && !it.starts_with('-')).map(str::to_owned),
        );
    }
    assert!(4 <= secrets.len(), "a key is not where it was");
    secrets
}
