//! Bytes: what a text of a case stands for.
//!
//! `{header FROM TO}`, `{answer FROM TO}`, `{proceed}`, `{claim FROM TO}`, `{message FROM TO}` and `{starttls}` stand for elements,
//! `{attributes N}` and `{declarations N}` for parts of a tag, `{100*TEXT}` for repetition (`{i}` in
//! it for the number of each), `{utf16 TEXT}` for a text in UTF-16LE, `\xHH` for a byte, `\u{HHHH}` for a character, `\n`, `\r` and `\\`
//! for what they are elsewhere. Any other brace is written `\x7b`.

use crate::negotiate::answer_header;

/// What stands in the body of a message that nobody may hear.
pub(crate) const FORBIDDEN: &str = "pwn";

/// The key of a claim, which nobody is to find in a log.
pub(crate) const KEY: &str = "5ec7e70c1a1b";

/// The bytes that a text stands for.
pub(crate) fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '\\']) {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let (meant, taken) = match rest[at..].strip_prefix('{') {
            Some(braced) => {
                let end = closing(braced).ok_or("a brace without end")?;
                (placeholder(&braced[..end])?, end + 2)
            }
            None => escape(&rest[at + 1..])?,
        };
        bytes.extend(meant);
        rest = &rest[at + taken..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// What a backslash and these letters mean, and how long all of it is.
fn escape(text: &str) -> Result<(Vec<u8>, usize), String> {
    let wrong = || format!("no such escape: \\{text:.8}");
    if let Some(code) = text.strip_prefix('x') {
        let code = code.get(..2).ok_or_else(wrong)?;
        return Ok((vec![u8::from_str_radix(code, 16).map_err(|_| wrong())?], 4));
    }
    if let Some((code, _)) = text.strip_prefix("u{").and_then(|it| it.split_once('}')) {
        let number = u32::from_str_radix(code, 16).map_err(|_| wrong())?;
        let letter = char::from_u32(number).ok_or_else(wrong)?;
        return Ok((letter.to_string().into_bytes(), code.len() + 4));
    }
    let byte = match text.chars().next() {
        Some('n') => b'\n',
        Some('r') => b'\r',
        Some('\\') => b'\\',
        Some(_) | None => return Err(wrong()),
    };
    Ok((vec![byte], 2))
}

/// Where the brace is that closes one before this text.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => (),
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn placeholder(text: &str) -> Result<Vec<u8>, String> {
    if let Some((times, repeated)) = text.split_once('*')
        && let Ok(times) = times.parse()
    {
        if !repeated.contains("{i}") {
            return Ok(bytes(repeated)?.repeat(times));
        }
        let each = (0..times).map(|it: usize| bytes(&repeated.replace("{i}", &it.to_string())));
        return each.collect::<Result<Vec<_>, _>>().map(|it| it.concat());
    }
    if let Some(text) = text.strip_prefix("utf16 ") {
        return Ok(plain(text)?.encode_utf16().flat_map(u16::to_le_bytes).collect());
    }
    let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
    let (from, to) = rest.split_once(' ').unwrap_or((rest, ""));
    // A name may be written with escapes, too.
    let (from, to) = (plain(from)?, plain(to)?);
    Ok(match kind {
        "header" => header(&from, &to),
        "claim" => claim(&from, &to),
        "message" => message(&from, &to, FORBIDDEN),
        "answer" => answer_header(&from, &to, "first"),
        "proceed" => "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>".to_owned(),
        "starttls" => "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>".to_owned(),
        "attributes" => numbered("", &from),
        "declarations" => numbered("xmlns:", &from),
        _ => return Err(format!("no such thing to say: {text}")),
    }
    .into_bytes())
}

/// A text without escapes.
pub(crate) fn plain(text: &str) -> Result<String, String> {
    String::from_utf8(bytes(text)?).map_err(|_| format!("no text: {text}"))
}

/// So many attributes, no two alike.
fn numbered(prefix: &str, count: &str) -> String {
    let count = count.parse().unwrap_or_default();
    (0..count).map(|it: u32| format!(" {prefix}a{it}='u{it}'")).collect()
}

pub(crate) fn header(from: &str, to: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
         xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' \
         from='{from}' to='{to}' version='1.0'>"
    )
}

pub(crate) fn claim(from: &str, to: &str) -> String {
    format!("<db:result from='{from}' to='{to}'>{KEY}</db:result>")
}

pub(crate) fn message(from: &str, to: &str, body: &str) -> String {
    format!("<message from='{from}' to='{to}' id='x1'><body>{body}</body></message>")
}
