//! Cases as data: a name, how far the attacker has come, what it says, and what must come of it.
//!
//! A case is a block of lines, each a word and the rest; a blank line ends it, `#` begins a remark.
//!
//! ```text
//! case NAME                    what is tried
//! begin HOW FROM TO [CERT]     plain, secured, direct, authorized, external; backend, claimed
//! say TEXT                     in one write
//! dribble TEXT                 in writes of a byte each
//! split TEXT                   in two writes; the case is run for every place to divide it at
//! hear TEXT                    the next thing said holds each part of this, divided by ` … `
//! error A/B                    a stream error of one of these conditions, and the end
//! each N TEXT                  the same, N times
//! end                          the end, without another word
//! alert                        the end, without a word that is XML
//! told TEXT                    our own server, which waits for this, is told so on its stream
//! carries FROM TO              what our own server says still comes on this stream
//! authority FROM TO WORD       the attacker is asked about a key, and says so, or hangs up
//! tls NAME CERT                a TLS handshake
//! also HOW FROM TO [CERT]      another stream; what follows is about that one
//! usable FROM TO               nothing has been said, and a claim is granted still
//! heard TEXT                   the server behind the proxy hears this
//! count A/B [N]                one of these rules was broken, once or N times; else none was
//! ```
//!
//! In a TEXT, `{header FROM TO}`, `{claim FROM TO}`, `{message FROM TO}` and `{starttls}` stand for
//! elements, `{attributes N}` and `{declarations N}` for parts of a tag, `{100*TEXT}` for repetition, `\xHH` for a byte, `\u{HHHH}` for a character and `\n` for
//! the end of a line. A message that gets through, and was not to, is known by its body.

/// One attack.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) steps: Vec<Step>,
    /// The rules that must be counted: either of these, so many times.
    pub(super) counts: Vec<(Vec<String>, u64)>,
}

/// One line of a case.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Begin(Vec<String>),
    Say(Vec<u8>),
    Dribble(Vec<u8>),
    Split(Vec<u8>),
    Hear(usize, Vec<String>),
    Error(Vec<String>),
    End,
    Alert,
    Usable(String, String),
    Carries(String, String),
    Told(String),
    Authority(Vec<String>),
    Tls(String, String),
    Heard(String),
}

/// What stands in the body of a message that nobody may hear.
pub(super) const FORBIDDEN: &str = "pwn";

/// The cases of a file.
pub(super) fn cases(file: &str, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let lines = text.lines().map(str::trim_end);
    for (number, line) in lines.enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if word == "case" {
            let (name, steps, counts) = (rest.to_owned(), Vec::new(), Vec::new());
            cases.push(Case { name, steps, counts });
            continue;
        }
        let Some(case) = cases.last_mut() else {
            panic!("{file}:{number}: a line outside of a case");
        };
        if word == "count" {
            let (reasons, times) = rest.split_once(' ').unwrap_or((rest, "1"));
            let Ok(times) = times.parse() else {
                panic!("{file}:{number}: how often?");
            };
            case.counts.push((divide(reasons, "/"), times));
            continue;
        }
        case.steps.push(step(word, rest).unwrap_or_else(|| {
            panic!("{file}:{number}: no such step: {line}");
        }));
    }
    cases
}

fn step(word: &str, rest: &str) -> Option<Step> {
    Some(match word {
        "begin" | "also" => Step::Begin(divide(rest, " ")),
        "say" => Step::Say(bytes(rest)),
        "dribble" => Step::Dribble(bytes(rest)),
        "split" => Step::Split(bytes(rest)),
        "hear" => Step::Hear(1, divide(rest, " … ")),
        "each" => {
            let (times, rest) = rest.split_once(' ')?;
            Step::Hear(times.parse().ok()?, divide(rest, " … "))
        }
        "error" => Step::Error(divide(rest, "/")),
        "end" => Step::End,
        "alert" => Step::Alert,
        "usable" => two(Step::Usable, rest)?,
        "carries" => two(Step::Carries, rest)?,
        "tls" => two(Step::Tls, rest)?,
        "told" => Step::Told(rest.to_owned()),
        "authority" => Step::Authority(divide(rest, " ")),
        "heard" => Step::Heard(rest.to_owned()),
        _ => return None,
    })
}

fn two(step: fn(String, String) -> Step, rest: &str) -> Option<Step> {
    let (one, other) = rest.split_once(' ')?;
    Some(step(one.to_owned(), other.to_owned()))
}

fn divide(text: &str, by: &str) -> Vec<String> {
    text.split(by).map(str::to_owned).collect()
}

/// The bytes that a text stands for.
fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '\\']) {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        let taken = if rest.starts_with('{') {
            let end = closing(rest);
            bytes.extend(placeholder(&rest[1..end]));
            end + 1
        } else if let Some(code) = rest.strip_prefix("\\x") {
            bytes.push(u8::from_str_radix(&code[..2], 16).unwrap_or_default());
            4
        } else if let Some(code) = rest.strip_prefix("\\u{") {
            let code = code.split('}').next().unwrap_or_default();
            let letter = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
            bytes.extend(letter.into_iter().collect::<String>().bytes());
            code.len() + 4
        } else {
            bytes.push(if rest.starts_with("\\n") { b'\n' } else { b'\r' });
            2
        };
        rest = &rest[taken..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// Where the brace ends that a text begins with.
fn closing(text: &str) -> usize {
    let mut depth = 0;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => (),
        }
        if depth == 0 {
            return at;
        }
    }
    panic!("a brace without end: {text}");
}

fn placeholder(text: &str) -> Vec<u8> {
    if let Some((times, repeated)) = text.split_once('*')
        && let Ok(times) = times.parse()
    {
        return bytes(repeated).repeat(times);
    }
    let mut words = text.split(' ');
    let mut word = || words.next().unwrap_or_default();
    let (kind, from, to) = (word(), word(), word());
    match kind {
        "header" => header(from, to),
        "claim" => claim(from, to),
        "message" => message(from, to, FORBIDDEN),
        "starttls" => "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>".to_owned(),
        "attributes" => numbered("", from),
        "declarations" => numbered("xmlns:", from),
        _ => panic!("no such thing to say: {text}"),
    }
    .into_bytes()
}

/// So many attributes, no two alike.
fn numbered(prefix: &str, count: &str) -> String {
    let count = count.parse().unwrap_or_default();
    (0..count).map(|it: u32| format!(" {prefix}a{it}='u{it}'")).collect()
}

pub(super) fn header(from: &str, to: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
         xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' \
         from='{from}' to='{to}' version='1.0'>"
    )
}

pub(super) fn claim(from: &str, to: &str) -> String {
    format!("<db:result from='{from}' to='{to}'>00</db:result>")
}

pub(super) fn message(from: &str, to: &str, body: &str) -> String {
    format!("<message from='{from}' to='{to}' id='x1'><body>{body}</body></message>")
}
