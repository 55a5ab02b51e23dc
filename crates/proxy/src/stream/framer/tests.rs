use std::fmt::Write as _;

use bytes::{BufMut as _, BytesMut};

use super::*;
use crate::stream::Condition;

const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
    xmlns:stream='http://etherx.jabber.org/streams' to='a' from='b'>";

const LIMITS: Limits = Limits { element: 262_144, depth: 128, attributes: 256 };

/// Feeds `bytes` in chunks and tells what came out, and how it ended.
fn frame(limits: Limits, bytes: &[u8], chunk: usize) -> (Vec<String>, Option<StreamError>) {
    let mut framer = Framer::new(limits);
    let mut buffer = BytesMut::new();
    let mut pieces = Vec::new();
    for chunk in bytes.chunks(chunk.max(1)) {
        buffer.put_slice(chunk);
        loop {
            match framer.next(&mut buffer) {
                Ok(None) => break,
                Ok(Some(piece)) => pieces.push(show(&piece)),
                Err(error) => {
                    let again = framer.next(&mut buffer);
                    assert_eq!(again.unwrap_err(), error, "an error must be final");
                    return (pieces, Some(error));
                }
            }
        }
        assert!(buffer.len() <= limits.element, "more is kept than allowed");
    }
    (pieces, None)
}

fn show(piece: &Piece) -> String {
    match piece {
        Piece::Header(header) => format!("header {header:?}"),
        Piece::Element(raw) => format!("element {raw:?}"),
        Piece::Close => "close".to_owned(),
    }
}

/// The same, in one line.
fn verdict(limits: Limits, bytes: &[u8], chunk: usize) -> String {
    let (pieces, error) = frame(limits, bytes, chunk);
    let elements = pieces.iter().filter(|it| it.starts_with("element"));
    match error {
        None => format!("ok {}", elements.count()),
        Some(error) => {
            let violation = error.violation.expect("every refusal is blamed on something");
            format!("{} {}", violation.as_str(), error.condition.as_str())
        }
    }
}

/// What happens to `stanzas` behind a header.
#[track_caller]
fn check(stanzas: impl AsRef<[u8]>, expect: &str) {
    check_within(LIMITS, stanzas, expect);
}

#[track_caller]
fn check_within(limits: Limits, stanzas: impl AsRef<[u8]>, expect: &str) {
    let bytes = [HEADER.as_bytes(), stanzas.as_ref()].concat();
    assert_eq!(verdict(limits, &bytes, usize::MAX), expect);
    assert_eq!(verdict(limits, &bytes, 1448), expect, "in chunks");
}

/// Replaces the escapes of the case file.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let (byte, length) = match after.as_bytes()[0] {
            b'n' => (b'\n', 1),
            b'r' => (b'\r', 1),
            b't' => (b'\t', 1),
            b'x' => (u8::from_str_radix(&after[1..3], 16).unwrap(), 3),
            other => panic!("unknown escape {}", char::from(other)),
        };
        bytes.push(byte);
        rest = &after[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

#[test]
fn every_case_gets_its_verdict_however_it_is_divided() {
    let cases = include_str!("../../../tests/xml_cases.tsv");
    let mut wrong = String::new();
    let mut count = 0;
    for line in cases.lines().filter(|line| !line.starts_with('#')) {
        let [place, expect, name, bytes] = line.splitn(4, '\t').collect::<Vec<_>>()[..] else {
            panic!("malformed case: {line}");
        };
        let bytes = unescape(bytes);
        let behind = b"<message to='y'/>".as_slice();
        let whole = match place {
            "body" => {
                [HEADER.as_bytes(), b"<message to='x'><body>", &bytes, b"</body></message>", behind]
                    .concat()
            }
            "stream" => [HEADER.as_bytes(), &bytes, behind].concat(),
            "whole" => bytes,
            other => panic!("unknown place {other}"),
        };
        let expect = if expect == "open" { "ok 0" } else { expect };
        for chunk in [usize::MAX, 1, 2, 3, 7] {
            let found = verdict(LIMITS, &whole, chunk);
            if found != expect {
                let _ = writeln!(wrong, "{name}, by {chunk}: {found} instead of {expect}");
            }
        }
        count += 1;
    }
    assert_eq!(wrong, "");
    assert!(200 < count, "only {count} cases were found");
}

/// A message whose body is `body`.
fn message(body: &str) -> String {
    format!("<message from='a@a.test' to='u@l1.test'><body>{body}</body></message>")
}

#[test]
fn the_header_is_read_out() {
    let header = "<?xml version='1.0'?>\n<s:stream xmlns='jabber:server' xmlns:db='u:db' \
        xmlns:s='http://etherx.jabber.org/streams' to='b&amp;c' db:k='v' xml:lang='en'>";
    let mut buffer = BytesMut::from(header);
    let mut framer = Framer::new(LIMITS);
    let Ok(Some(Piece::Header(header))) = framer.next(&mut buffer) else {
        panic!("no header");
    };
    assert!(header.is("http://etherx.jabber.org/streams", "stream"));
    let attributes: Vec<_> = header.attributes.iter().map(|(k, v)| format!("{k} {v}")).collect();
    assert_eq!(
        attributes,
        [
            "xmlns jabber:server",
            "xmlns:db u:db",
            "xmlns:s http://etherx.jabber.org/streams",
            "to b&c",
            "{u:db}k v",
            "{http://www.w3.org/XML/1998/namespace}lang en",
        ]
    );
    buffer.put_slice(b"<db:result/>");
    let Ok(Some(Piece::Element(raw))) = framer.next(&mut buffer) else {
        panic!("no element");
    };
    assert_eq!(raw.namespace(), "u:db");
    assert_eq!(raw.stream().default_namespace(), "jabber:server");
    assert_eq!(raw.stream().language(), Some("en"));
    assert_eq!(raw.inherits().collect::<Vec<_>>(), [("db", "u:db")]);
    assert!(buffer.is_empty());
}

#[test]
fn an_element_tells_what_it_is() {
    let mut buffer = BytesMut::from(HEADER);
    buffer
        .put_slice(b"<a:b xmlns:a='u' k = \"&lt;'\" a:k='2' l='' ><c k='no'/></a:b><d xmlns='v'/>");
    let mut framer = Framer::new(LIMITS);
    let mut elements = Vec::new();
    while let Some(piece) = framer.next(&mut buffer).unwrap() {
        if let Piece::Element(raw) = piece {
            elements.push(raw);
        }
    }
    let [first, second] = &elements[..] else {
        panic!("{} elements", elements.len());
    };
    assert_eq!(first.local_name(), b"b");
    assert_eq!(first.qualified_name(), b"a:b");
    assert!(first.is_prefixed() && first.is("u", "b"));
    assert!(!first.is("v", "b") && !first.is("u", "d") && !first.is("u", "a:b"));
    assert_eq!(first.attribute("k").as_deref(), Some("<'"));
    assert_eq!(first.attribute("a:k").as_deref(), Some("2"));
    assert_eq!(first.attribute("l").as_deref(), Some(""));
    assert_eq!(first.attribute("c"), None);
    assert!(first.head().ends_with(b"l='' >"));
    assert!(!second.is_prefixed() && second.is("v", "d"));
    assert_eq!(second.bytes().as_ref(), b"<d xmlns='v'/>");
}

#[test]
fn white_space_between_elements_is_counted() {
    let mut buffer = BytesMut::from(format!("{HEADER} \n <a> </a> ").as_str());
    let mut framer = Framer::new(LIMITS);
    while framer.next(&mut buffer).unwrap().is_some() {}
    assert_eq!(framer.keepalives(), 4);
    assert_eq!(framer.keepalives(), 0);
}

#[test]
fn a_flood_of_white_space_is_kept_nowhere() {
    let blank = " ".repeat(1 << 20);
    check(format!("{blank}<a/>{blank}<a/>"), "ok 2");
}

#[test]
fn a_document_type_is_refused_before_it_is_read() {
    let lol: String = (0..9).map(|n| format!("<!ENTITY l{n} \"&l{};\">", n + 1)).collect();
    let bytes = format!("<?xml version='1.0'?><!DOCTYPE s [{lol}]>");
    let mut buffer = BytesMut::from(&bytes[..bytes.find("<!D").unwrap() + 3]);
    let error = Framer::new(LIMITS).next(&mut buffer).unwrap_err();
    assert_eq!(error.condition, Condition::RestrictedXml);
}

#[test]
fn an_element_may_be_as_large_as_the_limit() {
    let exact = |length: usize| {
        let empty = message("").len();
        message(&"x".repeat(length - empty))
    };
    for limit in [8_192, 262_144] {
        let limits = Limits { element: limit, ..LIMITS };
        check_within(limits, exact(limit), "ok 1");
        check_within(limits, exact(limit + 1), "xml.too_big policy-violation");
        // It may yet end before the next byte is too much.
        check_within(limits, &exact(limit + 1)[..limit], "ok 0");
        check_within(limits, [exact(limit), exact(limit)].concat(), "ok 2");
    }
}

#[test]
fn a_header_may_be_as_large_as_the_limit() {
    let limits = Limits { element: 8_192, ..LIMITS };
    let root = "<stream:stream xmlns='jabber:server' \
        xmlns:stream='http://etherx.jabber.org/streams' to=''>";
    let header = |length: usize| {
        let to = "x".repeat(length - root.len());
        root.replace("to=''", &format!("to='{to}'"))
    };
    for (length, expect) in [(8_192, "ok 0"), (8_193, "xml.too_big policy-violation")] {
        for chunk in [usize::MAX, 1] {
            assert_eq!(verdict(limits, header(length).as_bytes(), chunk), expect);
        }
    }
}

#[test]
fn what_lies_beyond_the_limit_does_not_matter() {
    let limits = Limits { element: 100, ..LIMITS };
    let front = &message("")[..55];
    for body in ["x\u{1}", "\u{FFFE}", "<1>", "&;", "<!--", "é"] {
        let stanza = format!("{front}{}{body}{}", "x".repeat(45), "x".repeat(100));
        for split in 0..stanza.len() {
            let bytes = [HEADER.as_bytes(), stanza.as_bytes()].concat();
            let chunk = HEADER.len() + split;
            assert_eq!(verdict(limits, &bytes, chunk), "xml.too_big policy-violation");
        }
    }
}

#[test]
fn other_limits_hold_from_the_next_piece_on() {
    let mut framer = Framer::new(Limits { element: 200, ..LIMITS });
    let mut buffer = BytesMut::from(HEADER);
    assert!(matches!(framer.next(&mut buffer), Ok(Some(Piece::Header(_)))));
    framer.set_limits(LIMITS);
    buffer.put_slice(message(&"x".repeat(1000)).as_bytes());
    assert!(matches!(framer.next(&mut buffer), Ok(Some(Piece::Element(_)))));
}

#[test]
fn elements_may_be_as_deep_as_the_limit() {
    let deep = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    let ends_empty =
        |depth: usize| format!("{}<a/>{}", "<a>".repeat(depth - 1), "</a>".repeat(depth - 1));
    check(deep(128), "ok 1");
    check(ends_empty(128), "ok 1");
    check(deep(129), "xml.depth policy-violation");
    check(ends_empty(129), "xml.depth policy-violation");
    // It is refused at the tag that is too deep, not when everything has come.
    check("<a>".repeat(129), "xml.depth policy-violation");
    check("<a>".repeat(200_000), "xml.depth policy-violation");
}

#[test]
fn an_element_may_have_as_many_attributes_as_the_limit() {
    let limits = Limits { element: 2 << 20, ..LIMITS };
    let plain = |count| (0..count).map(|n| format!(" a{n}='1'")).collect::<String>();
    let declared = |count| (0..count).map(|n| format!(" xmlns:a{n}='u'")).collect::<String>();
    let tag = |attributes: String| format!("<m{attributes}/>");
    check_within(limits, tag(plain(256)), "ok 1");
    check_within(limits, tag(declared(256)), "ok 1");
    check_within(limits, tag(declared(128) + &plain(128)), "ok 1");
    for attributes in
        [plain(257), declared(257), declared(128) + &plain(129), plain(100_000), declared(50_000)]
    {
        check_within(limits, tag(attributes), "xml.attrs policy-violation");
    }
}

#[test]
fn prefixes_are_limited_also_where_each_element_declares_few() {
    let nested = |depth| {
        let open: String =
            (0..depth).map(|n| format!("<a xmlns:p{n}='u' xmlns:q{n}='u'>")).collect();
        open + &"</a>".repeat(depth)
    };
    check(nested(128), "ok 1");
    let inside = format!("<a xmlns:p='u'>{}</a>", nested(127));
    check(inside, "ok 1");
    let many = nested(128).replacen("<a ", "<a xmlns:one='more' ", 1);
    check(many, "xml.attrs policy-violation");
    // Those of elements that are closed do not count.
    check("<a xmlns:p='u' xmlns:q='v'/>".repeat(300), "ok 300");
}

#[test]
fn a_header_may_declare_so_many_prefixes() {
    let header = |count| {
        let prefixes: String = (0..count).map(|n| format!(" xmlns:p{n}='u{n}'")).collect();
        let stream = "http://etherx.jabber.org/streams";
        format!("<stream:stream xmlns:stream='{stream}'{prefixes}><a><p0:a/><p62:b/></a>")
    };
    assert_eq!(verdict(LIMITS, header(63).as_bytes(), 1), "ok 1");
    assert_eq!(verdict(LIMITS, header(64).as_bytes(), 1), "xml.attrs policy-violation");
}

/// However the room is divided among prefixes, no stanza comes to bear more than this.
#[test]
fn what_a_header_hands_on_is_limited_in_all() {
    const ROOM: usize = 2048;
    let one = |prefix: &str, length: usize| {
        let namespace = "u".repeat(length - " xmlns:=''".len() - prefix.len());
        format!(" xmlns:{prefix}='{namespace}'")
    };
    let stream = " xmlns:stream='http://etherx.jabber.org/streams'";
    let left = ROOM - stream.len();
    for (lengths, expect) in [
        (vec![1000, left - 1000], "ok 1"),
        (vec![1000, left - 999], "xml.too_big policy-violation"),
        (vec![left / 16; 16], "ok 1"),
        (vec![left / 16 + 1; 16], "xml.too_big policy-violation"),
        (vec![1024; 62], "xml.too_big policy-violation"),
    ] {
        let prefixes = lengths.iter().enumerate();
        let prefixes: String = prefixes.map(|(n, length)| one(&format!("p{n}"), *length)).collect();
        let header = format!("<stream:stream xmlns='jabber:server'{stream}{prefixes}>");
        assert_eq!(verdict(LIMITS, format!("{header}<a/>").as_bytes(), 1), expect, "{lengths:?}");
        let mut framer = Framer::new(LIMITS);
        let _ = framer.next(&mut BytesMut::from(header.as_str()));
        let held = framer.held();
        assert!(expect != "ok 1" || (ROOM..8 * ROOM).contains(&held), "{held}");
    }
}

/// Each of these would take minutes if any byte were looked at again for every byte that comes.
#[test]
fn one_byte_at_a_time_costs_no_more() {
    let limits = Limits { element: 1 << 20, ..LIMITS };
    let long = 1 << 20;
    for (front, byte) in [
        ("<message from='", "a"),
        ("<message from='", ">"),
        ("<message ", " "),
        ("<message>", "a"),
        ("<message>", ">"),
        ("<message><![CDATA[", "]"),
        ("<message><![CDATA[", ">"),
        ("<message", "a"),
        ("</stream", " "),
        ("<", "\""),
    ] {
        let bytes = format!("{HEADER}{front}{}", byte.repeat(long));
        assert_eq!(
            verdict(limits, bytes.as_bytes(), 1),
            "xml.too_big policy-violation",
            "{front} {byte}"
        );
    }
}

/// Each of these would take minutes if attributes or prefixes were compared each with each.
#[test]
fn many_names_cost_no_more() {
    let limits = Limits { element: 64 << 20, depth: 128, attributes: 1_000_000 };
    let plain: String = (0..300_000).map(|n| format!(" a{n}='1'")).collect();
    check_within(limits, format!("<m{plain}/>"), "ok 1");
    check_within(limits, format!("<m{plain} a299999=''/>"), "xml.not_wf not-well-formed");
    let prefixed: String = (0..300_000).map(|n| format!(" stream:a{n}='1'")).collect();
    check_within(limits, format!("<m{prefixed}/>"), "ok 1");
    let blank = " ".repeat(32 << 20);
    check_within(limits, format!("<m{blank}/>"), "ok 1");
}

/// Numbers that look random and are the same every time (xorshift64, G. Marsaglia, 2003).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// An element with much in it.
    fn element(&mut self, depth: usize) -> String {
        let name = self.pick(&["a", "b-1", "é", "stream:x", "p:q"]);
        let mut tag = format!("<{name} xmlns:p='urn:p'");
        for attribute in ["k", "p:k", "xml:lang", "xmlns"] {
            if self.below(3) == 0 {
                let value = self.pick(&["", "v", "'>", "&lt;&#65;", "é😀", "\t"]);
                let value = if attribute == "xmlns" { "urn:x" } else { value };
                tag += &format!("{}{attribute} = \"{value}\"", self.pick(&[" ", "\r\n\t"]));
            }
        }
        if depth == 0 || self.below(4) == 0 {
            return tag + self.pick(&["/>", " />"]);
        }
        tag += self.pick(&[">", " >"]);
        for _ in 0..self.below(4) {
            tag += &match self.below(3) {
                0 => self.element(depth - 1),
                1 => self.pick(&["text", "]] ", "é😀\u{85}", "&amp;", "&#x1F600;", ">"]).to_owned(),
                _ => format!("<![CDATA[{}]]>", self.pick(&["", "<&", "]] >", "é"])),
            };
        }
        tag + &format!("</{name}{}>", self.pick(&["", "\n"]))
    }

    /// A stream of so many elements.
    fn stream(&mut self, elements: usize) -> String {
        let mut stream = HEADER.to_owned();
        for _ in 0..elements {
            stream += &self.element(4);
            stream += self.pick(&["", "", " ", "\n"]);
        }
        stream + self.pick(&["", "</stream:stream>"])
    }

    /// What comes of `bytes` when they are divided anywhere.
    fn frame_divided(&mut self, bytes: &[u8]) -> (Vec<String>, Option<StreamError>) {
        let mut framer = Framer::new(LIMITS);
        let mut buffer = BytesMut::new();
        let mut pieces = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(1 + self.below(rest.len().min(40)));
            buffer.put_slice(chunk);
            rest = after;
            loop {
                match framer.next(&mut buffer) {
                    Ok(None) => break,
                    Ok(Some(piece)) => pieces.push(show(&piece)),
                    Err(error) => return (pieces, Some(error)),
                }
            }
        }
        (pieces, None)
    }
}

#[test]
fn streams_come_out_the_same_wherever_they_are_divided() {
    let mut chance = Chance(20_261_121);
    for _ in 0..300 {
        let stream = chance.stream(5);
        let (pieces, error) = frame(LIMITS, stream.as_bytes(), usize::MAX);
        assert_eq!(error, None, "{stream}");
        let elements = pieces.iter().filter(|it| it.starts_with("element"));
        assert_eq!(elements.count(), 5, "{stream}");
        for _ in 0..5 {
            let divided = chance.frame_divided(stream.as_bytes());
            assert_eq!(divided, (pieces.clone(), None), "{stream}");
        }
    }
}

#[test]
fn broken_streams_break_the_same_wherever_they_are_divided() {
    let mut chance = Chance(5_269);
    let mut broken = 0;
    for _ in 0..3_000 {
        let mut stream = chance.stream(2).into_bytes();
        for _ in 0..=chance.below(3) {
            let at = chance.below(stream.len());
            match chance.below(3) {
                0 => {
                    stream[at] =
                        chance.pick(&["<", ">", "'", "&", "]", "/", "!", " "]).as_bytes()[0]
                }
                1 => stream[at] = u8::try_from(chance.below(256)).unwrap(),
                _ => drop(stream.remove(at)),
            }
        }
        let whole = frame(LIMITS, &stream, usize::MAX);
        broken += u32::from(whole.1.is_some());
        let shown = String::from_utf8_lossy(&stream);
        assert_eq!(chance.frame_divided(&stream), whole, "{shown}");
        assert_eq!(frame(LIMITS, &stream, 1), whole, "{shown}");
    }
    assert!(1_000 < broken, "only {broken} of the streams were broken");
}
