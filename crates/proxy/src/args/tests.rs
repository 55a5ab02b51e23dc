use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;

use super::{
    AdminPort, Allowance, Args, Capture, Check, CheckOutput, CheckService, Command, Completions,
    ConfigFile, Demo, DemoServer, Exit, Explain, ExplainOutput, Inject, InjectCapture, Man,
    Records, RecordsForm, Requirement, Retry,
};

fn read(line: &str) -> Result<Args, clap::Error> {
    Args::read(line.split(' ').map(OsString::from))
}

#[track_caller]
fn accept(line: &str, expect: &Command) {
    assert_eq!(&read(line).unwrap().command, expect);
}

/// The line is not acted on; `expect` is somewhere in what is printed instead.
#[track_caller]
fn instead(line: &str, exit: Exit, expect: &str) {
    let error = read(line).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(expect), "{text}");
    assert_eq!(Exit::instead(&error), exit);
}

#[test]
fn every_command_is_read() {
    let file = || ConfigFile { config: PathBuf::from("a.yaml") };
    accept("ligase run --config a.yaml", &Command::Run(file()));
    accept("ligase validate --config=a.yaml", &Command::Validate(file()));
    accept("ligase capture print --config a.yaml", &Command::Capture(Capture::Print(file())));
    accept("ligase capture apply --config a.yaml", &Command::Capture(Capture::Apply(file())));
    accept("ligase capture status --config a.yaml", &Command::Capture(Capture::Status(file())));
    accept("ligase capture remove --config a.yaml", &Command::Capture(Capture::Remove(file())));
    let records = |domains: &[&str], output| {
        let domains = domains.iter().map(|it| it.parse().unwrap()).collect();
        Command::Records(Records { config: PathBuf::from("a.yaml"), domains, output })
    };
    accept("ligase records --config a.yaml", &records(&[], RecordsForm::Zone));
    accept(
        "ligase records --config a.yaml -o json A.example b.example.",
        &records(&["a.example", "b.example"], RecordsForm::Json),
    );
    accept(
        "ligase records a.example --config a.yaml --output=zone",
        &records(&["a.example"], RecordsForm::Zone),
    );
    let demo = |stay, with| Command::Demo(Demo { stay, with });
    accept("ligase demo", &demo(false, DemoServer::Embedded));
    accept("ligase demo --stay --with prosody", &demo(true, DemoServer::Prosody));
    accept("ligase demo --with ejabberd", &demo(false, DemoServer::Ejabberd));
    let completions = Command::Completions(Completions { shell: clap_complete::Shell::Zsh });
    accept("ligase completions zsh", &completions);
    accept("ligase man", &Command::Man(Man { out: None }));
    accept("ligase man --out man1", &Command::Man(Man { out: Some(PathBuf::from("man1")) }));
    let mut explain = Explain {
        local: "a.example".parse().unwrap(),
        remote: "b.example".parse().unwrap(),
        port: AdminPort::default(),
        output: ExplainOutput::Text,
    };
    accept("ligase explain A.example b.example.", &Command::Explain(explain.clone()));
    explain.port.config = Some(PathBuf::from("a.yaml"));
    accept(
        "ligase explain a.example b.example --config a.yaml",
        &Command::Explain(explain.clone()),
    );
    (explain.port.config, explain.output) = (None, ExplainOutput::Json);
    explain.port.admin = Some("[::1]:7290".parse().unwrap());
    accept(
        "ligase explain a.example b.example --admin [::1]:7290 -o json",
        &Command::Explain(explain),
    );
}

#[test]
fn a_running_proxy_is_asked_to_do_something() {
    let port = AdminPort { admin: Some("127.0.0.1:7000".parse().unwrap()), config: None };
    accept("ligase drain", &Command::Drain(AdminPort::default()));
    accept("ligase drain --admin 127.0.0.1:7000", &Command::Drain(port.clone()));
    accept("ligase ready", &Command::Ready(AdminPort::default()));
    accept("ligase ready --admin 127.0.0.1:7000", &Command::Ready(port.clone()));
    let config = AdminPort { admin: None, config: Some(PathBuf::from("a.yaml")) };
    accept("ligase reload --config a.yaml", &Command::Reload(config));
    let remote = "b.example".parse().unwrap();
    let line = "ligase retry B.example --admin 127.0.0.1:7000";
    accept(line, &Command::Retry(Retry { remote, port }));
}

#[test]
fn a_sidecar_is_injected_as_is_said() {
    let mut expect = Inject {
        config_map: Some("ligase".to_owned()),
        tls_secret: "ligase-tls".to_owned(),
        dialback_secret: "ligase-dialback".to_owned(),
        image: None,
        capture: InjectCapture::Dns,
        capture_image: None,
        namespace: None,
        cluster_domain: "cluster.local".to_owned(),
        only: Vec::new(),
        plain_sidecar: false,
        uninject: false,
    };
    let inject = |line: &str, expect: &Inject| {
        accept(&format!("ligase inject {line}"), &Command::Inject(Box::new(expect.clone())));
    };
    inject("--config-map ligase", &expect);
    expect.only.push(("statefulset".to_owned(), "chat".to_owned()));
    expect.image = Some("mirror.example:5000/ligase@sha256:ab".to_owned());
    expect.capture = InjectCapture::Redirect;
    expect.plain_sidecar = true;
    inject(
        "--config-map ligase --only StatefulSet/chat --image mirror.example:5000/ligase@sha256:ab \
         --capture redirect --plain-sidecar",
        &expect,
    );
    let usage = |line: &str, expect| instead(&format!("ligase inject{line}"), Exit::Usage, expect);
    usage("", "--config-map <NAME>");
    usage(" --config-map Chat", "letters (small), digits");
    usage(" --config-map a --tls-secret a..b", "letters (small), digits");
    usage(" --config-map a --namespace a.b", "letters (small), digits");
    usage(" --config-map a --cluster-domain a-", "letters (small), digits");
    usage(" --config-map a --image a\nb", "this names no image");
    usage(" --config-map a --only chat", "KIND/NAME");
    assert!(read("ligase inject --uninject").is_ok());
}

#[test]
fn a_check_is_of_what_is_named_and_how() {
    let check = |line: &str, expect: &Check| {
        accept(&format!("ligase check {line}"), &Command::Check(Box::new(expect.clone())));
    };
    let mut expect = Check {
        domains: vec!["a.example".to_owned(), "b.example".to_owned()],
        peer: None,
        service: CheckService::Server,
        resolver: Vec::new(),
        trust_anchor: None,
        roots: None,
        posh_port: 443,
        config: None,
        domains_file: None,
        dns_only: false,
        output: CheckOutput::Text,
        require: Vec::new(),
        strict: false,
        allow: Vec::new(),
    };
    check("a.example b.example", &expect);
    expect.peer = Some("c.example".to_owned());
    expect.resolver = vec!["192.0.2.53:53".parse().unwrap()];
    expect.trust_anchor = Some(PathBuf::from("root.key"));
    expect.roots = Some(PathBuf::from("roots.pem"));
    expect.posh_port = 8443;
    expect.output = CheckOutput::Short;
    expect.require = vec![Requirement::Dane, Requirement::Dnssec, Requirement::Pkix];
    expect.strict = true;
    expect.allow = vec![Allowance::Loopback];
    check(
        "a.example b.example --peer c.example --resolver 192.0.2.53 --trust-anchor root.key \
         --roots roots.pem --posh-port 8443 -o short --require dane,dnssec --require pkix \
         --strict --allow loopback",
        &expect,
    );
    let mut client = expect.clone();
    (client.domains, client.peer) = (Vec::new(), None);
    client.service = CheckService::Client;
    (client.resolver, client.trust_anchor, client.roots) = (Vec::new(), None, None);
    (client.posh_port, client.output) = (443, CheckOutput::Json);
    (client.require, client.allow, client.strict) = (Vec::new(), Vec::new(), false);
    (client.dns_only, client.domains_file) = (true, Some(PathBuf::from("-")));
    check("--service client --domains-file - --dns-only --output json", &client);
    instead("ligase check", Exit::Usage, "<DOMAIN>");
    instead("ligase check a --require tlsa", Exit::Usage, "invalid value 'tlsa'");
    instead("ligase check a --resolver ns.example", Exit::Usage, "--resolver");
    instead("ligase check a --peer b --dns-only", Exit::Usage, "cannot be used with");
}

#[test]
fn what_makes_no_sense_is_not_acted_on() {
    instead("ligase", Exit::Usage, "Usage:");
    instead("ligase walk", Exit::Usage, "unrecognized subcommand 'walk'");
    instead("ligase run", Exit::Usage, "--config <FILE>");
    instead("ligase records --config a -o xml", Exit::Usage, "invalid value 'xml'");
    instead("ligase records --config a 192.0.2.1", Exit::Usage, "not a domain name");
    instead("ligase run --config", Exit::Usage, "a value is required");
    instead("ligase run --config a b", Exit::Usage, "unexpected argument 'b'");
    instead("ligase demo --with openfire", Exit::Usage, "invalid value 'openfire'");
    instead("ligase explain a.example", Exit::Usage, "<REMOTE>");
    instead("ligase explain a.example 192.0.2.1", Exit::Usage, "not a domain name");
    instead("ligase explain a b --admin nowhere", Exit::Usage, "invalid value 'nowhere'");
    instead("ligase explain a b --admin [::1]:1 --config c", Exit::Usage, "cannot be used with");
    instead("ligase explain a b -o xml", Exit::Usage, "invalid value 'xml'");
    instead("ligase capture", Exit::Usage, "Usage:");
}

#[test]
fn what_is_misspelled_is_answered_with_what_was_meant() {
    instead("ligase chek a.example", Exit::Usage, "a similar subcommand exists: 'check'");
    instead("ligase validate --confg a", Exit::Usage, "a similar argument exists: '--config'");
    instead("ligase check a --output jsn", Exit::Usage, "a similar value exists: 'json'");
    instead("ligase capture aply --config a", Exit::Usage, "exists: 'apply'");
    instead("ligase completions bsh", Exit::Usage, "a similar value exists: 'bash'");
}

#[test]
fn help_and_complaints_are_painted_for_terminals_alone() {
    for line in ["ligase --help", "ligase check --help", "ligase validate", "ligase walk"] {
        let error = read(line).unwrap_err();
        // What goes to a terminal that likes color, and what goes to all others.
        let (painted, plain) = (error.render().ansi().to_string(), error.render().to_string());
        assert!(painted.contains("\x1b[1m\x1b[32mUsage:"), "{painted:?}");
        assert!(!plain.contains('\x1b'), "{plain:?}");
    }
}

#[test]
fn the_version_tells_revision_and_cryptography() {
    for flag in ["--version", "-V"] {
        let line = format!("ligase {flag}");
        instead(&line, Exit::Done, concat!("ligase ", env!("CARGO_PKG_VERSION"), " (revision "));
        instead(&line, Exit::Done, "TLS by rustls with aws-lc-rs");
    }
}

#[test]
fn every_command_helps_with_an_example() {
    let mut lines = Vec::new();
    collect("ligase", &Args::command(), &mut lines);
    assert!(6 < lines.len(), "{lines:?}");
    for line in lines {
        for flag in ["--help", "-h"] {
            instead(&format!("{line} {flag}"), Exit::Done, &format!("\n  {line}"));
        }
        if line != "ligase" {
            instead(&format!("{line} --help"), Exit::Done, "Ends with 0");
        }
    }

    /// The lines of all commands that do something by themselves.
    fn collect(line: &str, command: &clap::Command, lines: &mut Vec<String>) {
        lines.push(line.to_owned());
        for command in command.get_subcommands() {
            collect(&format!("{line} {}", command.get_name()), command, lines);
        }
    }
}

/// Every command has its part of the page, which is what its help says on paper of that width.
#[test]
fn the_documentation_of_the_commands_is_true() {
    const COLUMNS: usize = 100;
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md");
    let page = fs::read_to_string(page).unwrap();
    let documented: Vec<_> =
        page.split("\n## `").skip(1).filter_map(|it| it.split_once("`\n")).collect();
    let names = all("ligase", &Args::command());
    let shown: Vec<_> = documented.iter().map(|(name, _)| *name).collect();
    assert_eq!(shown, names);
    for (name, part) in documented {
        let asked = name.split(' ').chain(["--help"]);
        let help = Args::command().term_width(COLUMNS).try_get_matches_from(asked);
        let help = help.unwrap_err().to_string();
        let shown = part.split_once("```text\n").and_then(|(_, rest)| rest.split_once("```\n"));
        assert_eq!(shown.map(|(text, _)| text), Some(without_ends(&help).as_str()), "{name}");
        let line = format!("| [`{name}`](#{}) |", name.replace(' ', "-"));
        assert!(page.contains(&line), "not in the table: {name}");
    }

    /// A command and those below it, in the order of the help.
    fn all(name: &str, command: &clap::Command) -> Vec<String> {
        let below = command.get_subcommands();
        let below = below.flat_map(|it| all(&format!("{name} {}", it.get_name()), it));
        std::iter::once(name.to_owned()).chain(below).collect()
    }

    /// Without spaces at the ends of lines, which nobody sees.
    fn without_ends(text: &str) -> String {
        text.trim_end().lines().fold(String::new(), |text, line| text + line.trim_end() + "\n")
    }
}

#[test]
fn the_documentation_tells_every_exit_code() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md");
    let page = fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |"));
    let told: Vec<u8> = rows.filter_map(|(code, _)| code.parse().ok()).collect();
    assert_eq!(told, EXITS.map(Exit::code));
}

#[test]
fn exit_codes_are_those_that_supervisors_know() {
    assert_eq!(EXITS.map(Exit::code), [0, 1, 2, 3, 64, 65, 69, 78]);
}

const EXITS: [Exit; 8] = [
    Exit::Done,
    Exit::Failed,
    Exit::Unproven,
    Exit::Untested,
    Exit::Usage,
    Exit::Data,
    Exit::Unavailable,
    Exit::Config,
];
