//! Whatever ligase lets through, expat takes too, and reads the same: before ligase has touched it,
//! and after, on a stream with another header.

use bytes::BytesMut;
use ligase::stream::{Element, Framer, Kind, Piece, Raw, Stanza};
use ligase_verifier::Domain;

use crate::chance::Chance;
use crate::division::{Division, Framed, LIMITS};
use crate::expat::{Expat, Setup};
use crate::meaning::{Head, Meaning};

/// The header that ligase opens streams with.
pub const OURS: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
    xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' \
    from='a.test' to='b.test' version='1.0'>";

const XML: &[u8] = b"http://www.w3.org/XML/1998/namespace";

/// One stream in so many is looked at in every way; the rest is spared what costs most and finds
/// least.
const THOROUGH: usize = 8;

/// One stream in so many is read byte by byte as well, which takes longer than all else.
const BY_BYTES: usize = 8;

/// How ligase and others read a stream differently.
pub type Disagreement = String;

/// What became of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// Why ligase refused it, if it did.
    pub refused: Option<&'static str>,
    /// Elements that it took before that.
    pub elements: u64,
    /// Stanzas among them that would have been sent on.
    pub forwarded: u64,
}

/// Reads streams with ligase and with expat, and compares.
pub struct Comparison {
    /// What a server makes of the stream that came, and of the one that ligase makes of it.
    servers: [(Expat, Expat); 2],
    ours: Meaning,
    expected: Meaning,
}

impl Default for Comparison {
    fn default() -> Self {
        let both = |setup| (Expat::new(setup), Expat::new(setup));
        Self {
            servers: [both(Setup::Prosody), both(Setup::Ejabberd)],
            ours: Meaning::default(),
            expected: Meaning::default(),
        }
    }
}

/// A stanza that passes, and which of the elements it was.
struct Passed {
    at: usize,
    stanza: Stanza,
}

impl Comparison {
    /// Reads a stream in every way.
    ///
    /// # Errors
    /// Where two of them differ.
    pub fn compare(&mut self, stream: &[u8], chance: &mut Chance) -> Result<Outcome, Disagreement> {
        let whole = Framed::of(stream, Division::Whole);
        let by_bytes = chance.one_in(BY_BYTES).then_some(Division::Bytes);
        for division in [Division::Pieces(chance.clone())].into_iter().chain(by_bytes) {
            let divided = Framed::of(stream, division.clone());
            if let Some(difference) = whole.differs(&divided) {
                return Err(format!("division matters: whole and in {division:?}: {difference}"));
            }
        }
        let thorough = chance.one_in(THOROUGH);
        self.agree(stream, &whole, thorough)
    }

    /// Holds what ligase made of a stream to what servers make of it.
    ///
    /// # Errors
    /// Where they differ.
    pub fn agree(
        &mut self,
        stream: &[u8],
        framed: &Framed,
        thorough: bool,
    ) -> Result<Outcome, Disagreement> {
        let passed = passed(framed);
        for at in 0..self.servers.len() {
            self.before(at, stream, framed, &passed, thorough)?;
        }
        if thorough {
            for it in &passed {
                written_once(&it.stanza)?;
            }
        }
        let elements = framed.pieces.iter().filter(|it| matches!(it.0, Piece::Element(_)));
        Ok(Outcome {
            refused: framed.error.as_ref().map(|error| error.because),
            elements: elements.count() as u64,
            forwarded: passed.len() as u64,
        })
    }

    /// Feeds a server what the framer passed, piece by piece, and another one what is sent on.
    fn before(
        &mut self,
        at: usize,
        stream: &[u8],
        framed: &Framed,
        passed: &[Passed],
        thorough: bool,
    ) -> Result<(), Disagreement> {
        let (before, after) = &mut self.servers[at];
        let setup = before.setup();
        before.reset();
        let mut onward = false;
        let mut start = 0;
        let mut passed = passed.iter().peekable();
        for (number, (piece, end)) in framed.pieces.iter().enumerate() {
            let told = before.meaning().len();
            let elements = before.elements();
            let taken = before.feed(&stream[start..*end]);
            taken.map_err(|error| format!("{setup:?} refuses piece {number}: {error}"))?;
            start = *end;
            let told = &before.meaning()[told..];
            match piece {
                Piece::Header(header) => {
                    self.ours.clear();
                    self.ours.head(header);
                    same(setup, "the header", self.ours.bytes(), told)?;
                }
                Piece::Element(raw) => {
                    if before.elements() != elements + 1 || before.depth() != 1 {
                        return Err(format!("{setup:?} finds no whole element in piece {number}"));
                    }
                    let passes = passed.next_if(|it| it.at == number);
                    let head = Head::read(told).ok_or("no element")?;
                    known(raw, &head, passes.is_some())
                        .map_err(|what| format!("{setup:?}: {what}"))?;
                    if passes.is_none() || thorough {
                        looked_into(raw, told, &mut self.ours, setup)?;
                    }
                    let Some(Passed { stanza, .. }) = passes else {
                        continue;
                    };
                    if !onward {
                        after.reset();
                        after.feed(OURS.as_bytes())?;
                        onward = true;
                    }
                    sent_on(raw, stanza, &head, after, &mut self.expected)?;
                    if thorough {
                        comes_back(stanza, &head, after)?;
                    }
                }
                Piece::Close if before.depth() == 0 => (),
                Piece::Close => return Err(format!("{setup:?} sees no end of the stream")),
            }
        }
        Ok(())
    }
}

/// The stanzas that pass, as a reader of frames finds them.
fn passed(framed: &Framed) -> Vec<Passed> {
    let mut passed = Vec::new();
    let mut seen = None;
    for (at, (piece, _)) in framed.pieces.iter().enumerate() {
        if let Piece::Element(raw) = piece
            && let Ok(stanza) = Stanza::read(raw, &mut seen)
        {
            passed.push(Passed { at, stanza });
        }
    }
    passed
}

fn same(setup: Setup, what: &str, ours: &[u8], theirs: &[u8]) -> Result<(), Disagreement> {
    if ours == theirs {
        return Ok(());
    }
    let (ours, theirs) = (ours.escape_ascii(), theirs.escape_ascii());
    Err(format!("{setup:?} reads {what} otherwise:\n  ours   {ours}\n  theirs {theirs}"))
}

/// What ligase goes by without looking into an element.
fn known(raw: &Raw, head: &Head<'_>, passes: bool) -> Result<(), Disagreement> {
    let name = (raw.namespace().as_bytes(), raw.local_name());
    if head.name != name {
        return Err(format!("the name is {:?} and {:?}", escaped(name), escaped(head.name)));
    }
    for name in ["from", "to", "id", "type"] {
        let ours = raw.attribute(name);
        if ours.as_deref().map(str::as_bytes) != head.attribute(name) {
            return Err(format!("{name} is {ours:?} to us alone"));
        }
    }
    let is_stanza = Kind::ALL.iter().any(|it| raw.is("jabber:server", it.as_str()));
    if passes && (!is_stanza || raw.is_prefixed()) {
        return Err("something passes that is no stanza".to_owned());
    }
    Ok(())
}

fn escaped((namespace, name): (&[u8], &[u8])) -> String {
    format!("{{{}}}{}", namespace.escape_ascii(), name.escape_ascii())
}

/// What ligase reads in an element that it looks into.
fn looked_into(
    raw: &Raw,
    told: &[u8],
    ours: &mut Meaning,
    setup: Setup,
) -> Result<(), Disagreement> {
    match Element::read(raw) {
        Ok(element) => {
            ours.clear();
            ours.element(&element);
            same(setup, "an element", ours.bytes(), told)
        }
        Err(error) if error.because == "an element of more parts than we look into" => Ok(()),
        Err(error) => Err(error.because.to_owned()),
    }
}

/// What is sent on must say what came, between those whom it was allowed for.
fn sent_on(
    raw: &Raw,
    stanza: &Stanza,
    came: &Head<'_>,
    server: &mut Expat,
    expected: &mut Meaning,
) -> Result<(), Disagreement> {
    let pair = &stanza.pair;
    let from = canonical(came.attribute("from"), &pair.sender)?;
    let to = canonical(came.attribute("to"), &pair.target)?;
    let mut attributes = came.attributes.clone();
    for ((namespace, name), value) in &mut attributes {
        match (*namespace, *name) {
            (b"", b"from") => *value = from.as_bytes(),
            (b"", b"to") => *value = to.as_bytes(),
            _ => (),
        }
    }
    if let Some(language) = raw.stream().language()
        && !attributes.iter().any(|(name, _)| *name == (XML, &b"lang"[..]))
    {
        attributes.push(((XML, b"lang"), language.as_bytes()));
    }
    expected.clear();
    expected.start((b"jabber:server", stanza.kind.as_str().as_bytes()), &mut attributes);
    let told = onward(stanza, server)?;
    let setup = server.setup();
    let now = Head::read(&server.meaning()[told..]).ok_or("no stanza is sent on")?;
    let head = server.meaning().len() - told - now.rest.len();
    same(setup, "what is sent on", expected.bytes(), &server.meaning()[told..told + head])?;
    same(setup, "what is sent on", came.rest, now.rest)
}

/// Feeds a server a stanza on a stream of ours: where what it told of it begins.
fn onward(stanza: &Stanza, server: &mut Expat) -> Result<usize, Disagreement> {
    let (told, elements) = (server.meaning().len(), server.elements());
    let setup = server.setup();
    let taken = server.feed(stanza.bytes());
    taken.map_err(|error| format!("{setup:?} refuses what is sent on: {error}"))?;
    if server.elements() != elements + 1 || server.depth() != 1 {
        return Err(format!("{setup:?} finds no whole stanza in what is sent on"));
    }
    Ok(told)
}

/// An address as it is to be spelled, which must be of the domain it was allowed for.
fn canonical(address: Option<&[u8]>, domain: &Domain) -> Result<String, Disagreement> {
    let address = address.ok_or("an address that nobody else sees")?;
    let address = std::str::from_utf8(address).map_err(|_| "an address that is no text")?;
    let (bare, resource) = match address.split_once('/') {
        Some((bare, resource)) => (bare, Some(resource)),
        None => (address, None),
    };
    let (local, named) = match bare.split_once('@') {
        Some((local, named)) => (Some(local), named),
        None => (None, bare),
    };
    if named != domain.as_str() && named.parse().as_ref() != Ok(domain) {
        return Err(format!("{named:?} was allowed as {domain}"));
    }
    let mut canonical = String::with_capacity(address.len() + 8);
    if let Some(local) = local {
        canonical.push_str(local);
        canonical.push('@');
    }
    canonical.push_str(domain.as_str());
    if let Some(resource) = resource {
        canonical.push('/');
        canonical.push_str(resource);
    }
    Ok(canonical)
}

/// The error that answers a stanza goes back to whoever sent it, and is one to everybody.
fn comes_back(stanza: &Stanza, came: &Head<'_>, server: &mut Expat) -> Result<(), Disagreement> {
    let Some(bounce) = stanza.bounce("item-not-found", "cancel", Some("<&>'\"")) else {
        return Ok(());
    };
    if bounce.pair != stanza.pair.reversed() || bounce.may_bounce() {
        return Err("an error that goes astray".to_owned());
    }
    let told = onward(&bounce, server)?;
    let head = Head::read(&server.meaning()[told..]).ok_or("no error comes back")?;
    let to = canonical(came.attribute("from"), &stanza.pair.sender)?;
    let from = canonical(came.attribute("to"), &stanza.pair.target)?;
    let expected = [
        ("type", Some(&b"error"[..])),
        ("to", Some(to.as_bytes())),
        ("from", Some(from.as_bytes())),
        ("id", came.attribute("id")),
    ];
    let name = (&b"jabber:server"[..], stanza.kind.as_str().as_bytes());
    match expected.iter().find(|(name, value)| head.attribute(name) != *value) {
        None if head.name == name => Ok(()),
        wrong => Err(format!("an error of another meaning: {wrong:?}")),
    }
}

/// Written once, a stanza needs no second writing.
fn written_once(stanza: &Stanza) -> Result<(), Disagreement> {
    let mut framer = Framer::new(LIMITS);
    let mut buffer = BytesMut::from(OURS);
    let header = framer.next(&mut buffer);
    if !matches!(header, Ok(Some(Piece::Header(_)))) {
        return Err("our own header is none".to_owned());
    }
    buffer.extend_from_slice(stanza.bytes());
    match framer.next(&mut buffer) {
        Ok(Some(Piece::Element(_))) if stanza.is_excessive() => {
            Err("a stanza is held back that would be taken".to_owned())
        }
        Ok(Some(Piece::Element(raw))) => {
            let again = Stanza::read(&raw, &mut None).map_err(|error| error.because)?;
            if again.bytes() != stanza.bytes() || again.pair != stanza.pair {
                return Err("a stanza that is written otherwise a second time".to_owned());
            }
            Ok(())
        }
        // What it inherited has taken it over a limit, and it is not sent on.
        Err(error) if stanza.is_excessive() => match error.condition {
            ligase::stream::Condition::PolicyViolation => Ok(()),
            other => Err(format!("what is too large is refused as {other:?}")),
        },
        other => Err(format!("what is sent on would not be taken: {other:?}")),
    }
}
