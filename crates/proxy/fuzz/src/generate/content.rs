use super::Writer;
use super::words::{
    ADDRESSES, ATTRIBUTES, CONTENTS, DOMAINS, FIRST_LEVEL, IDS, INNER_NAMESPACES, KINDS, LANGUAGES,
    NAMES, ODD_ADDRESSES, ODD_ATTRIBUTES, ODD_CONTENTS, ODD_NAMES, ODD_NAMESPACES, PREFIXES,
    SPACES, TYPES, VALUES,
};

/// Deepest element of what is well-formed; mostly it is less.
const DEPTH: usize = 5;

impl Writer<'_> {
    /// Something that a stream is made of.
    pub(super) fn first_level(&mut self) {
        if self.one_in(6) {
            let element = self.pick(&FIRST_LEVEL);
            self.put(element);
        } else if self.odd(10) {
            self.element(1);
        } else {
            self.stanza();
        }
    }

    fn stanza(&mut self) {
        let kind = self.pick(&KINDS);
        self.put("<");
        let declared = self.prefixes.len();
        // Another namespace, or a prefix, is how a stanza is smuggled.
        let prefix = if self.odd(30) { self.pick(&["stream:", "p:", "db:", ":"]) } else { "" };
        self.put(prefix);
        self.put(kind);
        if self.one_in(8) {
            let namespace =
                if self.odd(2) { self.pick(&INNER_NAMESPACES) } else { "jabber:server" };
            self.declare("", namespace);
        }
        let is_turned = self.one_in(3);
        for name in if is_turned { ["to", "from"] } else { ["from", "to"] } {
            if self.odd(40) {
                continue;
            }
            let address = match (self.odd(10), self.one_in(3)) {
                (true, _) => self.pick(&ODD_ADDRESSES),
                (_, true) => self.pick(&ADDRESSES),
                (_, false) => self.pick(&DOMAINS),
            };
            self.attribute(name, address);
        }
        for (name, values) in [("type", &TYPES[..]), ("id", &IDS), ("xml:lang", &LANGUAGES)] {
            if self.one_in(3) {
                let value = self.pick(values);
                self.attribute(name, value);
            }
        }
        self.inside(&[prefix, kind], declared, 1);
    }

    /// An element of any name, and all that is in it.
    fn element(&mut self, depth: usize) {
        self.nodes = self.nodes.saturating_sub(1);
        self.put("<");
        let declared = self.prefixes.len();
        let mut parts = [""; 3];
        let fresh = self.one_in(8).then(|| self.pick(&PREFIXES));
        let known = (!self.prefixes.is_empty() && self.one_in(3))
            .then(|| *self.chance.pick(&self.prefixes));
        if let Some(prefix) = fresh.or(known) {
            parts[0] = prefix;
            parts[1] = ":";
        } else if self.odd(40) {
            parts[0] = "undeclared:";
        }
        parts[2] = if self.odd(30) { self.pick(&ODD_NAMES) } else { self.pick(&NAMES) };
        let at = self.out.len();
        for part in parts {
            self.put(part);
        }
        if self.one_in(40) {
            self.any_character();
        }
        let name = at..self.out.len();
        if let Some(prefix) = fresh {
            let namespace = self.pick(&INNER_NAMESPACES);
            self.declare(prefix, namespace);
            self.prefixes.push(prefix);
        }
        if self.one_in(4) {
            let namespace = if self.odd(10) {
                self.pick(&ODD_NAMESPACES)
            } else {
                self.pick(&INNER_NAMESPACES)
            };
            self.declare("", namespace);
        }
        // A name with a character of any kind is repeated as it is.
        let name = self.out[name].to_vec();
        self.inside_named(&name, declared, depth);
    }

    fn inside(&mut self, name: &[&str], declared: usize, depth: usize) {
        let name = name.concat();
        self.inside_named(name.as_bytes(), declared, depth);
    }

    /// The rest of a start tag, what the element holds, and the end tag.
    fn inside_named(&mut self, name: &[u8], declared: usize, depth: usize) {
        self.attributes();
        self.space_or_none(12);
        let is_empty = self.one_in(4);
        if is_empty {
            self.put("/>");
        } else {
            self.put(">");
            self.content(depth);
            self.end_tag(name);
        }
        self.prefixes.truncate(declared);
    }

    fn attributes(&mut self) {
        let first = self.chance.below(ATTRIBUTES.len());
        for number in 0..self.chance.below(3) {
            // One after the other, so that none comes twice.
            let name = ATTRIBUTES[(first + number) % ATTRIBUTES.len()];
            let value = self.pick(&VALUES);
            self.attribute(name, value);
        }
        if !self.prefixes.is_empty() && self.one_in(6) {
            let prefix = *self.chance.pick(&self.prefixes);
            let value = self.pick(&VALUES);
            self.attribute(&format!("{prefix}:k"), value);
        }
        if self.one_in(12) {
            let prefix = self.pick(&PREFIXES);
            if !self.prefixes.contains(&prefix) {
                let namespace = if self.odd(3) {
                    self.pick(&ODD_NAMESPACES)
                } else {
                    self.pick(&INNER_NAMESPACES)
                };
                let namespace = if namespace.is_empty() { "u" } else { namespace };
                self.declare(prefix, namespace);
                self.prefixes.push(prefix);
            }
        }
        if self.odd(40) {
            let attribute = self.pick(&ODD_ATTRIBUTES);
            self.put(attribute);
        }
        if self.odd(200) {
            for number in 0..40 {
                self.attribute(&format!("a{number}"), "");
            }
        }
    }

    fn content(&mut self, depth: usize) {
        for _ in 0..self.chance.below(4) {
            if self.odd(30) {
                let content = self.chance.pick(&ODD_CONTENTS);
                self.put(content);
            } else if self.one_in(2) {
                let content = self.pick(&CONTENTS);
                self.put(content);
            } else if 0 < self.nodes && depth < DEPTH {
                self.element(depth + 1);
            }
            if self.one_in(60) {
                self.any_character();
            }
        }
        if self.odd(300) {
            // Deeper than anybody may go.
            self.put("<d>".repeat(30));
            self.put("</d>".repeat(30));
        }
    }

    fn end_tag(&mut self, name: &[u8]) {
        if self.odd(150) {
            return;
        }
        self.put("</");
        self.put(name);
        if self.odd(150) {
            self.put("x");
        }
        if self.one_in(20) {
            let space = self.pick(&SPACES);
            self.put(space);
        }
        self.put(">");
    }

    /// A character that XML may allow, and a name may hold.
    fn any_character(&mut self) {
        let code = match self.chance.below(4) {
            0 => 0xA0 + self.chance.below(0x260),
            1 => 0x300 + self.chance.below(0x2D00),
            2 => 0x3000 + self.chance.below(0xD000),
            _ => 0x1_0000 + self.chance.below(0x10_0000),
        };
        let character = u32::try_from(code).ok().and_then(char::from_u32).unwrap_or('é');
        self.put(character.encode_utf8(&mut [0; 4]));
    }
}
