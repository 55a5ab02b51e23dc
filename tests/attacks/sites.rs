//! Sites: what a web server says of a domain, which may be no HTTP, and never end.

use std::process::Command;
use std::time::Duration;

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512, digest};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ligase_tests::Page;

use crate::case::{Case, arguments};
use crate::deeds::{Run, Told};
use crate::forge::known;
use crate::said::sound;
use crate::words::Word;
use crate::zones::among_liars;

pub(crate) const WORDS: [Word; 7] = [
    ("site", site),
    ("page", page),
    ("redirect", redirect),
    ("raw", raw),
    ("drip", drip),
    ("endless", endless),
    ("squeezed", squeezed),
];

/// `site HOST CERT`: a web server on the attacker's machine, with this certificate.
fn site(case: &mut Case, rest: &str) -> Result<(), String> {
    let [host, certificate] = arguments(rest)?;
    known(&certificate)?;
    among_liars(case);
    case.terms.calls.insert("padua:443".to_owned());
    case.then(Box::new(move |run| {
        let certificate = run.certificate(&run.fill(&certificate))?.ok_or("a site needs one")?;
        run.lab.liars()?.web().site(&run.fill(&host), &certificate)
    }));
    Ok(())
}

/// `page HOST PATH JSON`: a document. `posh` is the path at which POSH documents are.
fn page(case: &mut Case, rest: &str) -> Result<(), String> {
    let [host, path, document] = arguments(rest)?;
    case.then(Box::new(move |run| {
        let document = with_digests(run, &document)?;
        let head = head("200 OK", &[&format!("Content-Length: {}", document.len())]);
        publish(run, &host, &path, &Page { head: [head, document].concat(), ..Page::default() })
    }));
    Ok(())
}

/// `redirect HOST PATH STATUS URL`: look there.
fn redirect(case: &mut Case, rest: &str) -> Result<(), String> {
    let [host, path, status, target] = arguments(rest)?;
    case.then(Box::new(move |run| {
        let location = format!("Location: {}", run.fill(&target));
        let head = head(&format!("{status} Elsewhere"), &[&location, "Content-Length: 0"]);
        publish(run, &host, &path, &Page { head, ..Page::default() })
    }));
    Ok(())
}

/// `raw HOST PATH TEXT`: all that is said, from the first byte on.
fn raw(case: &mut Case, rest: &str) -> Result<(), String> {
    let [host, path, text] = arguments(rest)?;
    let text = sound(&text)?;
    case.then(Box::new(move |run| {
        let head = run.bytes(&text)?;
        publish(run, &host, &path, &Page { head, ..Page::default() })
    }));
    Ok(())
}

/// `drip HOST PATH MS TEXT`: a document, of which a byte comes every so many milliseconds.
fn drip(case: &mut Case, rest: &str) -> Result<(), String> {
    let [host, path, pace, text] = arguments(rest)?;
    let pace = Duration::from_millis(pace.parse().map_err(|_| "how many milliseconds?")?);
    case.then(Box::new(move |run| {
        let body = with_digests(run, &text)?;
        let head = head("200 OK", &[&format!("Content-Length: {}", body.len())]);
        publish(run, &host, &path, &Page { head, body, times: 1, piece: 1, pace })
    }));
    Ok(())
}

/// `endless HOST PATH TEXT`: chunks of this, for as long as somebody listens.
fn endless(case: &mut Case, rest: &str) -> Result<(), String> {
    let [host, path, text] = arguments(rest)?;
    let text = sound(&text)?;
    case.then(Box::new(move |run| {
        let text = run.bytes(&text)?;
        let head = head("200 OK", &["Transfer-Encoding: chunked"]);
        let body = [format!("{:x}\r\n", text.len()).into_bytes(), text, b"\r\n".to_vec()].concat();
        let piece = body.len();
        let page = Page { head, body, times: ENDLESS, piece, pace: Duration::ZERO };
        publish(run, &host, &path, &page)
    }));
    Ok(())
}

/// `squeezed HOST PATH MIB`: so much of nothing, compressed although nobody asked for that.
fn squeezed(case: &mut Case, rest: &str) -> Result<(), String> {
    let [host, path, size] = arguments(rest)?;
    let size: u32 = size.parse().map_err(|_| "how many MiB?")?;
    case.then(Box::new(move |run| {
        let command = format!("head -c {size}M /dev/zero | gzip -9");
        let done = Command::new("sh").args(["-c", &command]).output();
        let body = done.map_err(|error| error.to_string())?.stdout;
        let length = format!("Content-Length: {}", body.len());
        let head = head("200 OK", &["Content-Encoding: gzip", &length]);
        publish(run, &host, &path, &Page { head: [head, body].concat(), ..Page::default() })
    }));
    Ok(())
}

fn publish(run: &Run<'_>, host: &str, path: &str, page: &Page) -> Told {
    let path = if path == "posh" { POSH } else { path };
    run.lab.liars()?.web().page(&run.fill(host), path, page)
}

fn head(status: &str, lines: &[&str]) -> Vec<u8> {
    let lines: String = lines.iter().map(|it| format!("{it}\r\n")).collect();
    let kind = "Content-Type: application/json\r\nConnection: close";
    format!("HTTP/1.1 {status}\r\n{lines}{kind}\r\n\r\n").into_bytes()
}

/// The text, with the digests it names: `{sha-256 CERT}`, `{sha-512 CERT}`, `{sha-1 CERT}` of a
/// certificate, `{spki CERT}` of its key, `{pem CERT}` of its text, `{issuer CERT}` of the
/// certificate that comes after it. All but the second and third are SHA-256.
fn with_digests(run: &Run<'_>, text: &str) -> Result<Vec<u8>, String> {
    let text = run.fill(text);
    let mut whole = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find('{') {
        whole.push_str(&rest[..at]);
        let inner = &rest[at + 1..];
        let known = KINDS.iter().find_map(|kind| inner.strip_prefix(kind)?.strip_prefix(' '));
        match known.and_then(|it| it.split_once('}')) {
            Some((word, after)) => {
                let kind = inner.split(' ').next().unwrap_or_default();
                whole.push_str(&digest_of(run, kind, word)?);
                rest = after;
            }
            None => {
                whole.push('{');
                rest = inner;
            }
        }
    }
    whole.push_str(rest);
    Ok(whole.into_bytes())
}

fn digest_of(run: &Run<'_>, kind: &str, word: &str) -> Result<String, String> {
    let certificate = run.certificate(word)?.ok_or("the digest of nothing")?;
    let by = |algorithm: &'static Algorithm, bytes: &[u8]| {
        BASE64_STANDARD.encode(digest(algorithm, bytes).as_ref())
    };
    Ok(match kind {
        "sha-512" => by(&SHA512, certificate.der()),
        "sha-1" => by(&SHA1_FOR_LEGACY_USE_ONLY, certificate.der()),
        "spki" => by(&SHA256, certificate.public_key()),
        "pem" => by(&SHA256, certificate.chain().as_bytes()),
        "issuer" => by(&SHA256, &second(certificate.chain())?),
        _ => by(&SHA256, certificate.der()),
    })
}

/// The second certificate of a chain, as DER.
fn second(chain: &str) -> Result<Vec<u8>, String> {
    let lines = chain.split("-----BEGIN CERTIFICATE-----").nth(2).ok_or("it comes alone")?;
    let lines = lines.split("-----END").next().unwrap_or_default();
    let text: String = lines.split_whitespace().collect();
    BASE64_STANDARD.decode(text).map_err(|error| error.to_string())
}

const KINDS: [&str; 6] = ["sha-256", "sha-512", "sha-1", "spki", "pem", "issuer"];

/// Where POSH documents are (RFC 7711 §8, RFC 7712 §5.2).
const POSH: &str = "/.well-known/posh/xmpp-server.json";

/// More chunks than anybody takes.
const ENDLESS: u64 = 1 << 20;
