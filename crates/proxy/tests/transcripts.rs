//! Replays `transcripts/<where from>/<what>.txt`: what a peer says, what we say, line by line.
//!
//! ```text
//! # What this shows, and where it is written.
//! @ 1 receiving public level=any     connection 1: a stream that a peer opens to us
//! < <db:result ...>...</db:result>   the peer says this
//! > <db:result .../>                 we say exactly this
//! ? judge a.test shown a.test        we want to know, or to have done, this
//! ! found a.test unproven            this is what we are told
//! ```
//!
//! A line that begins with blanks goes on with the one before. In `<` lines ` ...>` stands for the
//! namespaces of a stream header; in `>` lines `...` stands for anything. `{id 2}` is the second
//! stream id that we chose on the connection, `{key S T ID}` the key that we make for this pair on
//! this stream, `{base64 TEXT}` what it says.
//!
//! `@` opens a connection, or goes back to one: `receiving` or `initiating`, `public` or
//! `backend`, then `level=`, `hosted=` (`ask`, or names with commas), `tls=no`, `direct`,
//! `rung=dialback` or `rung=plain`, and the errand: `carry=S,T`, `look=S,T` or
//! `verify=S,T,ID,KEY`. All connections of a transcript share a table.
//!
//! `? close` is a connection that is closed without another word. Every action must be written
//! down, in order, but for timers, which may be left out. After a stream is closed its row must be
//! gone and nothing may come of it any more.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what a test does not look at is none of its business"
)]

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::BytesMut;
use ligase::binding::{
    ConnectionId, DomainPair, Finding, Grounds, Home, Hosted, Level, Policy, Residents, Side,
    StreamId, Table,
};
use ligase::stream::{
    Action, Answer, Attempt, Bounds, Channels, Condition, DialbackError, Errand, Frame, Ids,
    Initiating, Input, Keys, Limits, Reader, Receiving, Rung, Setback, Terms, Tidings, Unsecured,
};
use ligase_verifier::{Domain, Finding as Found, Presented, Reason, Verdict};

#[path = "support/proof.rs"]
mod proof;

#[test]
fn every_transcript_is_what_we_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files = Vec::new();
    collect(&folder, &mut files);
    assert!(40 < files.len(), "transcripts have got lost");
    let faults: Vec<_> = files.iter().filter_map(|file| replay(file).err()).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
    files.sort();
}

/// Replays one transcript, or tells where it goes wrong.
fn replay(file: &Path) -> Result<(), String> {
    let text = fs::read_to_string(file).unwrap();
    let mut stage = Stage::default();
    let lines = lines(&text);
    assert!(!lines.is_empty(), "{} says nothing", file.display());
    for (number, line) in lines {
        let at = |fault| format!("{}:{number}: {fault}", file.display());
        stage.play(&line).map_err(at)?;
    }
    stage.heard_all().map_err(|fault| format!("{}: at the end: {fault}", file.display()))
}

/// The lines of a transcript with their numbers, comments dropped and continuations joined.
fn lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        match lines.last_mut() {
            Some((_, last)) if line.starts_with(' ') => last.push_str(line.trim_start()),
            _ => lines.push((index + 1, line.to_owned())),
        }
    }
    lines
}

/// A table and the connections that share it.
#[derive(Default)]
struct Stage {
    table: Table,
    connections: BTreeMap<u64, Connection>,
    /// The one that lines are about.
    current: u64,
    at: Duration,
    proofs: HashMap<String, Verdict>,
}

struct Connection {
    machine: Machine,
    terms: Arc<Terms>,
    reader: Reader,
    buffer: BytesMut,
    /// What came of it and was not yet asked about.
    actions: VecDeque<String>,
    has_ended: bool,
    is_closed: bool,
}

enum Machine {
    Receiving(Receiving),
    Initiating(Initiating),
}

impl Stage {
    fn play(&mut self, line: &str) -> Result<(), String> {
        let (kind, text) = line.split_once(' ').unwrap_or((line, ""));
        let text = &self.expand(text);
        match kind {
            ">" | "?" => return self.expect(&format!("{kind} {text}")),
            "@" | "<" | "!" => self.heard_all()?,
            _ => return Err(format!("no kind of line: {line}")),
        }
        let words: Vec<_> = text.split(' ').collect();
        match (kind, words.as_slice()) {
            ("<", _) => self.say(text),
            ("@", [number]) => self.current = number.parse().unwrap(),
            ("@", [number, way, side, options @ ..]) => {
                self.open(number.parse().unwrap(), way, side, options);
            }
            ("!", ["at", seconds]) => self.at = Duration::from_secs(seconds.parse().unwrap()),
            ("!", ["exit", sender, target]) => self.exit(&pair(sender, target)),
            ("!", words) => {
                let input = self.input(words);
                self.tell(input);
            }
            _ => return Err(format!("no line of a transcript: {line}")),
        }
        Ok(())
    }

    fn connection(&mut self) -> &mut Connection {
        self.connections.get_mut(&self.current).unwrap()
    }

    /// Puts in what `{...}` stands for.
    fn expand(&self, text: &str) -> String {
        let Some((before, rest)) = text.split_once('{') else {
            return text.to_owned();
        };
        let (inside, after) = rest.split_once('}').unwrap();
        let words: Vec<_> = inside.split(' ').collect();
        let value = match words.as_slice() {
            ["id", number] => {
                let mut ids = Ids::seeded([1; 32]);
                let ids = std::iter::repeat_with(move || ids.issue());
                let id = ids.take(number.parse().unwrap()).last();
                id.unwrap().0.to_string()
            }
            ["key", sender, target, id] => {
                let id = StreamId(self.expand(id).as_str().into());
                keys().make(&pair(sender, target), &id)
            }
            ["base64", text] => BASE64_STANDARD.encode(text.replace("\\0", "\0")),
            _ => panic!("{{{inside}}} stands for nothing"),
        };
        self.expand(&format!("{before}{value}{after}"))
    }

    fn open(&mut self, number: u64, way: &str, side: &str, options: &[&str]) {
        let (options, flags): (Vec<&str>, Vec<&str>) =
            options.iter().partition(|option| option.contains('='));
        let options: HashMap<_, _> = options.iter().filter_map(|it| it.split_once('=')).collect();
        let direct = flags.contains(&"direct");
        let terms = Arc::new(terms(side, &options));
        let id = ConnectionId(number);
        let (machine, actions) = if way == "receiving" {
            let ids = Ids::seeded([1; 32]);
            let (machine, actions) =
                Receiving::new(id, Arc::clone(&terms), ids, direct, &mut self.table);
            (Machine::Receiving(machine), actions)
        } else {
            let rung = match options.get("rung") {
                None => Rung::DomainName,
                Some(&"dialback") => Rung::Dialback,
                Some(_) => Rung::Plain,
            };
            let attempt = Attempt {
                errand: errand(&options),
                rung,
                server: None,
                direct_tls: direct,
                better: flags.contains(&"better"),
            };
            let (machine, actions) =
                Initiating::new(id, Arc::clone(&terms), attempt, &mut self.table);
            (Machine::Initiating(machine), actions)
        };
        let connection = Connection {
            machine,
            terms,
            reader: Reader::new(LIMITS),
            buffer: BytesMut::new(),
            actions: VecDeque::new(),
            has_ended: false,
            is_closed: false,
        };
        self.connections.insert(number, connection);
        self.current = number;
        self.note(actions);
    }

    /// Opens a way out for a pair, by a connection that is nobody's in particular.
    fn exit(&mut self, pair: &DomainPair) {
        let id = ConnectionId(1000);
        self.table.open(id, Side::Backend);
        self.table.prove(id, pair.target.clone(), Grounds::Configured);
        self.table.let_out(pair, id).unwrap();
    }

    /// The far end says this.
    fn say(&mut self, text: &str) {
        let text = text.replace(" ...>", NAMESPACES).replace("\\n", "\n");
        self.connection().buffer.extend_from_slice(text.as_bytes());
        loop {
            let connection = self.connection();
            let input = match connection.reader.next(&mut connection.buffer) {
                Ok(Some(frame)) => Input::Frame(frame),
                Ok(None) => return,
                Err(error) => Input::Refuse(error),
            };
            let last = matches!(input, Input::Refuse(_) | Input::Frame(Frame::Close));
            self.tell(input);
            if last || self.connection().is_closed {
                return;
            }
        }
    }

    fn tell(&mut self, input: Input) {
        let connection = self.connections.get_mut(&self.current).unwrap();
        let mut actions = Vec::new();
        match &mut connection.machine {
            Machine::Receiving(it) => it.handle(input, self.at, &mut self.table, &mut actions),
            Machine::Initiating(it) => it.handle(input, self.at, &mut self.table, &mut actions),
        }
        assert!(
            !connection.is_closed || actions.is_empty(),
            "something came of a stream that is closed: {actions:?}"
        );
        self.note(actions);
    }

    fn note(&mut self, actions: Vec<Action>) {
        let id = ConnectionId(self.current);
        for action in actions {
            let connection = self.connection();
            match &action {
                Action::Restart => connection.reader = Reader::new(LIMITS),
                Action::StartTls(_) => assert!(connection.buffer.is_empty()),
                Action::Close(_) => connection.is_closed = true,
                Action::End(_) => connection.has_ended = true,
                _ => (),
            }
            let shown = match &action {
                // Nothing follows our closing tag.
                Action::Close(_) if connection.has_ended => vec!["? close".to_owned()],
                action => show(action, &connection.terms.bounds),
            };
            assert!(
                !connection.has_ended
                    || shown.iter().all(|it| !it.starts_with('>'))
                    || matches!(action, Action::End(_)),
                "something is said behind our closing tag: {shown:?}"
            );
            connection.actions.extend(shown);
        }
        let gone = self.table.row(id).is_none();
        assert_eq!(gone, self.connection().is_closed, "a row for each open stream");
    }

    /// The next action is this one.
    fn expect(&mut self, line: &str) -> Result<(), String> {
        let actions = &mut self.connection().actions;
        while !line.starts_with(TIMER) && actions.front().is_some_and(|it| it.starts_with(TIMER)) {
            actions.pop_front();
        }
        match actions.pop_front() {
            Some(action) if matches(line, &action) => Ok(()),
            Some(action) => Err(format!("expected\n    {line}\nbut\n    {action}")),
            None => Err(format!("expected\n    {line}\nbut nothing happened")),
        }
    }

    /// Nothing happened that the transcript does not tell of.
    fn heard_all(&mut self) -> Result<(), String> {
        for connection in self.connections.values_mut() {
            connection.actions.retain(|it| !it.starts_with(TIMER));
            if let Some(action) = connection.actions.pop_front() {
                return Err(format!("before this, there was also\n    {action}"));
            }
        }
        Ok(())
    }

    fn input(&mut self, words: &[&str]) -> Input {
        match words {
            ["secured"] => Input::Secured(None),
            ["secured", name] => Input::Secured(Some(proof::presented(name))),
            ["not-secured"] => Input::NotSecured(Unsecured::Failed),
            ["found", name, "ours"] => Input::Found(domain(name).into(), Finding::OurServer(true)),
            ["found", name, "strange"] => {
                Input::Found(domain(name).into(), Finding::OurServer(false))
            }
            ["found", name, verdict] => {
                let finding = Finding::Verdict(self.verdict(name, verdict));
                Input::Found(domain(name).into(), finding)
            }
            ["authority", sender, target, answer] => {
                let answer = match *answer {
                    "valid" => Answer::Valid,
                    "invalid" => Answer::Invalid,
                    "not-found" => Answer::Unknown(DialbackError::RemoteServerNotFound),
                    "timeout" => Answer::Unknown(DialbackError::RemoteServerTimeout),
                    other => panic!("{other} is no answer"),
                };
                Input::Authority(pair(sender, target), answer)
            }
            ["reached", sender, target] => Input::Reached(pair(sender, target), Ok(())),
            ["reached", sender, target, why] => {
                Input::Reached(pair(sender, target), Err(setback(why)))
            }
            ["ask", sender, target] => Input::Ask(pair(sender, target)),
            ["repeat", sender, target] => Input::Repeat(pair(sender, target)),
            ["timeout"] => Input::TimedOut { quiet: Duration::ZERO },
            ["timeout", quiet] => {
                Input::TimedOut { quiet: Duration::from_secs(quiet.parse().unwrap()) }
            }
            ["drain"] => Input::Drain,
            _ => panic!("{words:?} is no fact"),
        }
    }

    fn verdict(&mut self, name: &str, verdict: &str) -> Verdict {
        let because = |finding| Reason { prooftype: None, finding };
        match verdict {
            "proven" => {
                self.proofs.entry(name.to_owned()).or_insert_with(|| proof::proven(name)).clone()
            }
            "unproven" => Verdict::Unproven(because(Found::WrongName)),
            "refuted" => Verdict::Refuted(because(Found::TlsaMismatch)),
            "undetermined" => Verdict::Undetermined(because(Found::DnsFailure)),
            _ => panic!("{verdict} is no verdict"),
        }
    }
}

/// Whether a line with `...` for anything says the same as what happened.
fn matches(line: &str, action: &str) -> bool {
    let mut parts = line.split("...");
    let Some(mut rest) = parts.next().and_then(|it| action.strip_prefix(it)) else {
        return false;
    };
    let mut parts: VecDeque<_> = parts.collect();
    let Some(last) = parts.pop_back() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

/// An action as a transcript writes it.
fn show(action: &Action, bounds: &Bounds) -> Vec<String> {
    let line = match action {
        Action::Send(text) => format!("> {text}"),
        Action::StartTls(domain) => {
            format!("? starttls {}", domain.as_ref().map_or("-", Domain::as_str))
        }
        Action::Restart => "? restart".to_owned(),
        Action::Keep(keep) => format!("? keep {keep}"),
        Action::Acknowledged(count) => format!("? acknowledged {count}"),
        Action::Judge(domain, presented) => {
            let name = presented.as_ref().map_or_else(|| "nothing".into(), name);
            format!("? judge {domain} shown {name}")
        }
        Action::AskAuthority(pair, id, key) => {
            format!("? authority {} {} {key}", spell(pair), id.0)
        }
        Action::Reach(pair) => format!("? reach {}", spell(pair)),
        Action::Forward(exit, stanza) => {
            let bytes = String::from_utf8_lossy(stanza.bytes());
            format!("? forward {exit} {bytes}")
        }
        Action::Hold(stanza) => format!("? hold {}", String::from_utf8_lossy(stanza.bytes())),
        Action::Bounce(stanza, error) => {
            format!("? bounce {} {}", spell(&stanza.pair), error.condition())
        }
        Action::Repeat(id, pair) => format!("? repeat {id} {}", spell(pair)),
        Action::Tell(tidings) => match tidings {
            Tidings::Bound(pair) => format!("? bound {}", spell(pair)),
            Tidings::Failed(pair, setback) => {
                format!("? failed {} {}", spell(pair), setback.label())
            }
            Tidings::Verified(Answer::Valid) => "? verified valid".to_owned(),
            Tidings::Verified(Answer::Invalid) => "? verified invalid".to_owned(),
            Tidings::Verified(Answer::Unknown(error)) => {
                format!("? verified {}", error.as_str())
            }
            Tidings::Seen(presented) => format!("? seen {}", name(presented)),
        },
        // What is only counted or told of is no part of the conversation.
        Action::Answered(..) | Action::Refused(..) | Action::Barred(_) => return Vec::new(),
        Action::Lost(pair, _, loss) => format!("? lost {pair}: {loss:?}"),
        Action::Trust => "? trust".to_owned(),
        Action::Count(violation) => format!("? count {}", violation.as_str()),
        Action::SetTimer(time) => {
            let known = [
                (bounds.preauth, "preauth"),
                (bounds.step, "step"),
                (bounds.answer, "answer"),
                (bounds.idle, "idle"),
            ];
            let name = known.iter().find(|it| it.0 == *time).map(|it| it.1);
            let name = name.map_or_else(|| time.as_secs().to_string(), str::to_owned);
            format!("{TIMER} {name}")
        }
        Action::End(error) => format!("> {}</stream:stream>", error.to_xml()),
        Action::Close(None) => "> </stream:stream>".to_owned(),
        Action::Close(Some(error)) => {
            let counted = error.violation.map(|it| format!("? count {}", it.as_str()));
            let said = format!("> {}</stream:stream>", error.to_xml());
            return counted.into_iter().chain([said]).collect();
        }
    };
    vec![line]
}

fn name(presented: &Presented) -> String {
    String::from_utf8_lossy(presented.leaf()).into_owned()
}

fn spell(pair: &DomainPair) -> String {
    format!("{} {}", pair.sender, pair.target)
}

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

fn pair(sender: &str, target: &str) -> DomainPair {
    DomainPair::new(domain(sender), domain(target))
}

fn setback(word: &str) -> Setback {
    match word {
        "unreachable" => Setback::Unreachable,
        "timeout" => Setback::TimedOut,
        "host-unknown" => Setback::Stream(Some(Condition::HostUnknown)),
        "bogus" => Setback::Unresolved("dns.bogus"),
        _ => panic!("{word} is no setback"),
    }
}

fn errand(options: &HashMap<&str, &str>) -> Errand {
    let words = |name| options.get(name).map(|it| it.split(',').collect::<Vec<_>>());
    if let Some(words) = words("carry") {
        Errand::Carry(pair(words[0], words[1]))
    } else if let Some(words) = words("look") {
        Errand::Look(pair(words[0], words[1]))
    } else {
        let words = words("verify").unwrap();
        let id = StreamId(words[2].into());
        Errand::Verify(pair(words[0], words[1]), id, words[3].to_owned())
    }
}

fn terms(side: &str, options: &HashMap<&str, &str>) -> Terms {
    let level = match options.get("level") {
        None | Some(&"encrypted") => Level::Encrypted,
        Some(&"any") => Level::Any,
        Some(&"pkix") => Level::Pkix,
        Some(&"dna") => Level::Dna,
        Some(other) => panic!("{other} is no level"),
    };
    let hosted = match options.get("hosted") {
        Some(&"ask") => Hosted::Ask,
        names => {
            let names = names.unwrap_or(&"l.test,l2.test").split(',');
            Hosted::Only(Residents::of(names.map(domain), &home()))
        }
    };
    let policy = Policy { default: level, ..Policy::default() };
    Terms {
        side: if side == "public" { Side::Public } else { Side::Backend },
        hosted: Arc::new(hosted),
        policy: Arc::new(policy),
        tls: options.get("tls") != Some(&"no"),
        server_name: domain("ligase.test"),
        keys: Arc::new(keys()),
        channels: Channels::default(),
        bounds: BOUNDS,
    }
}

/// The secret of the examples of XEP-0185.
fn keys() -> Keys {
    Keys::new(&[b"s3cr3tf0rd14lb4ck".to_vec()])
}

const TIMER: &str = "? timer";

const NAMESPACES: &str = " xmlns='jabber:server' xmlns:db='jabber:server:dialback' \
    xmlns:stream='http://etherx.jabber.org/streams'>";

const LIMITS: Limits = Limits { element: 8192, depth: 128, attributes: 256 };

const BOUNDS: Bounds = Bounds {
    preauth: Duration::from_secs(30),
    preauth_elements_max: 32,
    step: Duration::from_secs(8),
    answer: Duration::from_secs(31),
    idle: Duration::from_secs(900),
    claims_max: 4,
    pairs_max: 3,
};

fn home() -> Home {
    std::net::SocketAddr::from(([127, 0, 0, 1], 5269)).into()
}
