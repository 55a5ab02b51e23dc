//! Streams as peers send them, and as attackers do: made by grammar, then perhaps damaged.
//!
//! More than half are well-formed throughout, so that most of what is compared is what passes; the
//! others break the grammar where each rule has its place, or have bytes changed at random.

mod content;
mod damage;
mod words;

use crate::chance::Chance;
use words::{DECLARATIONS, HEADER_NAMESPACES, ODD_DECLARATIONS, ODD_NAMESPACES, PREFIXES, SPACES};

/// Writes the stream of this number to `out`, in place of what was there.
pub fn stream(chance: &mut Chance, out: &mut Vec<u8>) {
    out.clear();
    let manner = chance.below(10);
    let mut writer =
        Writer { out, wild: (6..9).contains(&manner), chance, prefixes: Vec::new(), nodes: 0 };
    writer.stream();
    if manner == 9 {
        damage::damage(chance, out);
    }
}

/// Writes one stream.
struct Writer<'a> {
    out: &'a mut Vec<u8>,
    chance: &'a mut Chance,
    /// Whether rules are broken, here and there.
    wild: bool,
    /// What is declared here.
    prefixes: Vec<&'static str>,
    /// Elements that the stanza at hand may still have.
    nodes: u32,
}

impl Writer<'_> {
    fn put(&mut self, bytes: impl AsRef<[u8]>) {
        self.out.extend_from_slice(bytes.as_ref());
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        *self.chance.pick::<&'static str>(from)
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.chance.one_in(times)
    }

    /// Whether a rule is to be broken, here.
    fn odd(&mut self, times: usize) -> bool {
        self.wild && self.chance.one_in(times)
    }

    fn stream(&mut self) {
        if self.odd(40) {
            self.put(b"\xef\xbb\xbf");
        }
        if self.odd(12) {
            let declaration = self.pick(&ODD_DECLARATIONS);
            self.put(declaration);
        } else if !self.one_in(3) {
            let declaration = self.pick(&DECLARATIONS);
            self.put(declaration);
        }
        if self.one_in(6) {
            let space = self.pick(&SPACES);
            self.put(space);
        }
        let root = self.header();
        for _ in 0..=self.chance.below(6) / 3 {
            if self.one_in(4) {
                let space = self.pick(&SPACES);
                self.put(space);
            }
            if self.odd(20) {
                let stray = self.pick(&words::STRAY);
                self.put(stray);
            }
            self.nodes = 10;
            self.first_level();
        }
        if self.one_in(3) {
            self.put("</");
            self.put(root);
            if self.one_in(8) {
                let space = self.pick(&SPACES);
                self.put(space);
            }
            self.put(">");
        }
    }

    /// The start tag of the stream; its name.
    fn header(&mut self) -> &'static str {
        let (root, prefix) = *self.chance.pick(&words::ROOTS);
        self.put("<");
        self.put(root);
        // Mostly as it must be; a stream of another namespace is no stream.
        let namespace = if self.odd(12) { "urn:other" } else { words::STREAMS };
        self.declare(prefix, namespace);
        if !prefix.is_empty() {
            self.prefixes.push(prefix);
            let content = match self.chance.below(12) {
                0 => "urn:other",
                1 => "jabber:client",
                _ => "jabber:server",
            };
            self.declare("", content);
        }
        for _ in 0..self.chance.below(4) {
            let prefix = self.pick(&PREFIXES);
            if self.wild || !self.prefixes.contains(&prefix) {
                let namespace = match self.odd(12) {
                    true => self.pick(&ODD_NAMESPACES),
                    false => self.pick(&HEADER_NAMESPACES),
                };
                self.declare(prefix, namespace);
                self.prefixes.push(prefix);
            }
        }
        if self.one_in(3) {
            let language = self.pick(&words::LANGUAGES);
            self.attribute("xml:lang", language);
        }
        for (name, values) in words::HEADER_ATTRIBUTES {
            if self.one_in(2) {
                let value = self.pick(values);
                self.attribute(name, value);
            }
        }
        if self.odd(20) {
            let attribute = self.pick(&words::ODD_ATTRIBUTES);
            self.put(attribute);
        }
        self.space_or_none(8);
        let end = if self.odd(40) { "/>" } else { ">" };
        self.put(end);
        root
    }

    /// White space, where some may stand and mostly none does.
    fn space_or_none(&mut self, times: usize) {
        if self.one_in(times) {
            let space = self.pick(&SPACES);
            self.put(space);
        }
    }

    fn declare(&mut self, prefix: &str, namespace: &str) {
        self.gap();
        self.put("xmlns");
        if !prefix.is_empty() {
            self.put(":");
            self.put(prefix);
        }
        self.equals(namespace);
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.gap();
        self.put(name);
        self.equals(value);
    }

    /// White space, where some must stand.
    fn gap(&mut self) {
        if self.odd(200) {
            return;
        }
        let space = if self.one_in(8) { self.pick(&SPACES) } else { " " };
        self.put(space);
    }

    /// `='value'`, between whichever quotes the value does not hold.
    fn equals(&mut self, value: &str) {
        self.space_or_none(30);
        self.put("=");
        self.space_or_none(30);
        let quote = match (value.contains('\''), value.contains('"')) {
            (true, _) => "\"",
            (_, true) => "'",
            _ => self.pick(&["'", "'", "\""]),
        };
        let opening = if self.odd(300) { "" } else { quote };
        let closing = if self.odd(300) { "" } else { quote };
        self.put(opening);
        self.put(value);
        self.put(closing);
    }
}
