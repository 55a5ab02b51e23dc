//! The program as an operator calls it: what it prints, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use rcgen::{CertificateParams, KeyPair};

/// A folder of one test's own, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    /// With a certificate that nobody has reason to complain about.
    fn new(name: &str) -> Self {
        let folder = format!("ligase-command-{name}-{}", std::process::id());
        let folder = Self(std::env::temp_dir().join(folder));
        fs::create_dir_all(&folder.0).unwrap();
        let key = KeyPair::generate().unwrap();
        let made = CertificateParams::new(vec!["xmpp1.hosting.example".to_owned()]).unwrap();
        folder.write("tls.crt", &made.self_signed(&key).unwrap().pem());
        folder.write("tls.key", &key.serialize_pem());
        folder
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    /// Calls the program with a configuration that has `more` in it.
    fn ligase(&self, command: &[&str], more: &str) -> Output {
        let config = format!(
            "server_name: xmpp1.hosting.example\nhosts: [montague.example]\n\
             certificates: [{{chain: tls.crt, key: tls.key}}]\n\
             backend: {{local_ca: {{certificate: ca.crt, key: ca.key}}}}\n\
             resolver: {{servers: ['192.0.2.53']}}\n{more}"
        );
        self.write("ligase.yaml", &config);
        let mut program = Command::new(env!("CARGO_BIN_EXE_ligase"));
        program.args(command).args(["--config", "ligase.yaml"]);
        program.current_dir(&self.0).env_clear().output().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[track_caller]
fn check(output: &Output, code: i32, stdout: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stdout), stdout, "{output:?}");
    assert_eq!(output.status.code(), Some(code), "{output:?}");
}

#[test]
fn validate_prints_each_problem_by_its_key() {
    let folder = Folder::new("validate");
    check(&folder.ligase(&["validate"], ""), 0, "ligase.yaml: no problem\n");
    check(
        &folder.ligase(&["validate"], "hots: 1\nlog: {level: loud}"),
        78,
        "log.level: \"loud\" is not one of error, warn, info, debug, trace\n\
         hots: unknown key; did you mean `hosts`?\n",
    );
    folder.write("tls.key", "nothing");
    check(
        &folder.ligase(&["validate"], ""),
        78,
        &format!(
            "certificates[0].key: {}/tls.key: has no private key in it that can be used: write one in PEM, not encrypted\n",
            folder.0.display()
        ),
    );
}

#[test]
fn run_does_not_start_with_a_broken_configuration() {
    let folder = Folder::new("run");
    let output = folder.ligase(&["run"], "capture: ebpf");
    check(&output, 78, "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "capture: \"ebpf\" is not one of dns, redirect, explicit\n");
}

#[test]
fn run_and_validate_say_the_same_of_a_file_without_authorities() {
    let folder = Folder::new("roots");
    folder.write("roots.pem", "nobody");
    let wrong = "trust: {roots: roots.pem}";
    let expect = format!(
        "trust.roots: {}/roots.pem has no usable certificate: write those of authorities, in PEM\n",
        folder.0.display()
    );
    check(&folder.ligase(&["validate"], wrong), 78, &expect);
    let output = folder.ligase(&["run"], wrong);
    check(&output, 78, "");
    assert_eq!(String::from_utf8_lossy(&output.stderr), expect);
}

#[test]
fn capture_prints_rules_and_changes_nothing() {
    let folder = Folder::new("capture");
    let redirect = "capture: redirect\nredirect: {uid: 7269}\n";
    let output = folder.ligase(&["capture", "print"], redirect);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let rules = String::from_utf8_lossy(&output.stdout);
    for part in [
        "table inet ligase",
        "meta skuid 7269 counter return",
        "tcp dport 5269 counter redirect to :7270",
    ] {
        assert!(rules.contains(part), "{rules}");
    }
    for action in ["print", "apply"] {
        let output = folder.ligase(&["capture", action], "");
        check(&output, 78, "");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said, "capture: there are rules with `capture: redirect` only\n");
    }
}

/// Calls the check, and returns all that it said.
fn ligase_check(arguments: &[&str]) -> (Output, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ligase"));
    let output = program.arg("check").args(arguments).env_clear().output().unwrap();
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    (output, String::from_utf8(said).unwrap())
}

#[test]
fn check_never_takes_silence_for_an_answer() {
    // Nobody answers there.
    let silent = ["--resolver", "127.0.0.1:1"];
    let (output, said) = ligase_check(&[&["a.example", "-o", "json"], &silent[..]].concat());
    assert_eq!(output.status.code(), Some(3), "{said}");
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    let check = &json["checks"][0];
    assert_eq!(
        (&check["verdict"], &check["reason"]),
        (&"undetermined".into(), &"dns.failure".into())
    );
    for label in ["xmpp-server", "xmpps-server"] {
        assert_eq!(check["srv"][label]["state"], "indeterminate", "{check:#}");
        assert_eq!(check["srv"][label]["records"], serde_json::json!([]));
    }
    let (output, said) = ligase_check(&[&["a.example", "--strict"], &silent[..]].concat());
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("could not be looked up") && said.ends_with("exit 3\n"), "{said}");
    assert!(
        said.contains("not tested: what the servers present, whether there is a POSH"),
        "{said}"
    );
}

#[test]
fn check_does_not_begin_with_what_it_cannot_read() {
    for (arguments, expect) in [
        (&["a.example", "--trust-anchor", "no-such-file"][..], "no-such-file has no usable DNSKEY"),
        (&["a.example", "--roots", "no-such-file"], "no-such-file has no usable certificate"),
        (&["--domains-file", "no-such-file"], "cannot read no-such-file"),
    ] {
        let (output, said) = ligase_check(arguments);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.starts_with("ligase check: ") && said.contains(expect), "{said}");
        assert!(output.stdout.is_empty());
    }
}

/// What is to be seen when somebody calls the program at a terminal of 80 columns.
fn at_a_terminal(arguments: &str, environment: &[(&str, &str)]) -> String {
    let line = format!("stty cols 80; {} {arguments}", env!("CARGO_BIN_EXE_ligase"));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env_clear();
    script.env("PATH", "/usr/bin:/bin").env("TERM", "xterm").envs(environment.iter().copied());
    let seen = script.stdin(Stdio::null()).output().unwrap();
    assert!(seen.stderr.is_empty(), "{seen:?}");
    String::from_utf8(seen.stdout).unwrap()
}

#[test]
fn terminals_are_painted_unless_somebody_minds() {
    for arguments in ["--help", "walk", "validate --config none"] {
        assert!(at_a_terminal(arguments, &[]).contains("\x1b["), "{arguments}");
        for minds in [("NO_COLOR", "1"), ("CLICOLOR", "0"), ("TERM", "dumb")] {
            let seen = at_a_terminal(arguments, &[minds]);
            assert!(20 < seen.len() && !seen.contains('\x1b'), "{arguments} {minds:?}: {seen:?}");
        }
    }
}

#[test]
fn a_check_of_many_shows_how_far_it_is_and_takes_that_away_again() {
    let many = "check a.example b.example c.example --resolver 127.0.0.1:1 -o short";
    let seen = at_a_terminal(many, &[]);
    let begin = "\r\x1b[K\x1b[?7l[";
    assert!(seen.contains(&format!("{begin}##########")), "{seen:?}");
    // What stays is what a pipe would have got.
    let stays =
        seen.split("\r\x1b[K").filter(|it| !it.starts_with("\x1b[?7l[")).collect::<String>();
    assert!(stays.contains("c.example") && !stays.contains("/3, "), "{seen:?}");
    assert!(!at_a_terminal(many, &[("TERM", "dumb")]).contains("/3, "));
    let (_, piped) = ligase_check(&many.split(' ').skip(1).collect::<Vec<_>>());
    assert!(!piped.contains('\r') && !piped.contains("/3, "), "{piped:?}");
}

#[test]
fn the_manual_is_written_where_it_is_wanted() {
    let folder = Folder::new("man");
    let out = folder.0.join("share/man1");
    let man = |out: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_ligase"));
        program.args(["man", "--out", out]).env_clear().output().unwrap()
    };
    check(&man(&out.display().to_string()), 0, "");
    for page in ["ligase.1", "ligase-validate.1", "ligase-capture-apply.1"] {
        assert!(fs::read_to_string(out.join(page)).unwrap().contains(".SH NAME"), "{page}");
    }
    let denied = man("/proc/none");
    check(&denied, 69, "");
    assert!(String::from_utf8_lossy(&denied.stderr).starts_with("ligase man: /proc/none: "));
}

#[test]
fn what_is_printed_instead_goes_where_it_belongs() {
    let ligase = |argument: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_ligase"));
        program.arg(argument).env_clear().output().unwrap()
    };
    let version = ligase("--version");
    assert_eq!(version.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&version.stdout).starts_with("ligase "), "{version:?}");
    check(&ligase("walk"), 64, "");
}
