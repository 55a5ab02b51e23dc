//! What a stream tells an application, written flat: text is one however it was divided, attributes
//! are in order, so that two streams mean the same if and only if the bytes are the same.

use ligase::stream::{Element, Node};

/// No character that XML allows, so that nothing which is told can be taken for one of these.
const START: u8 = 1;
const ATTRIBUTE: u8 = 2;
const HEAD_END: u8 = 3;
const END: u8 = 4;
const TEXT: u8 = 5;
const STOP: u8 = 0;

/// A namespace and a name.
pub type Name<'a> = (&'a [u8], &'a [u8]);

/// What was told so far.
#[derive(Clone, Debug, Default)]
pub struct Meaning {
    bytes: Vec<u8>,
    in_text: bool,
}

impl Meaning {
    /// All of it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Nothing was told.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.in_text = false;
    }

    /// An element begins.
    pub fn start(&mut self, (namespace, name): Name<'_>, attributes: &mut [(Name<'_>, &[u8])]) {
        attributes.sort_unstable();
        self.in_text = false;
        self.bytes.push(START);
        self.words(&[namespace, name]);
        for ((namespace, name), value) in attributes {
            self.bytes.push(ATTRIBUTE);
            self.words(&[namespace, name, value]);
        }
        self.bytes.push(HEAD_END);
    }

    /// An element ends.
    pub fn end(&mut self) {
        self.in_text = false;
        self.bytes.push(END);
    }

    /// There is text, or more of it.
    pub fn text(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        if !self.in_text {
            self.bytes.push(TEXT);
        }
        self.in_text = true;
        self.bytes.extend_from_slice(text);
    }

    /// The whole of an element.
    pub fn element(&mut self, element: &Element) {
        self.head(element);
        for child in &element.children {
            match child {
                Node::Element(element) => self.element(element),
                Node::Text(text) => self.text(text.as_bytes()),
            }
        }
        self.end();
    }

    /// The start of an element, without what it declares.
    pub fn head(&mut self, element: &Element) {
        let attributes = element.attributes.iter().filter(|(name, _)| !declares(name));
        let mut attributes: Vec<_> = attributes
            .map(|(name, value)| {
                let name = match name.strip_prefix('{').and_then(|it| it.rsplit_once('}')) {
                    Some((namespace, name)) => (namespace.as_bytes(), name.as_bytes()),
                    None => (&b""[..], name.as_bytes()),
                };
                (name, value.as_bytes())
            })
            .collect();
        let name = (element.namespace.as_bytes(), element.name.as_bytes());
        self.start(name, &mut attributes);
    }

    fn words(&mut self, words: &[&[u8]]) {
        for word in words {
            self.bytes.extend_from_slice(word);
            self.bytes.push(STOP);
        }
    }
}

fn declares(name: &str) -> bool {
    name == "xmlns" || name.starts_with("xmlns:")
}

/// The start of an element, read back.
#[derive(Debug)]
pub struct Head<'a> {
    pub name: Name<'a>,
    pub attributes: Vec<(Name<'a>, &'a [u8])>,
    /// What was told after it.
    pub rest: &'a [u8],
}

impl<'a> Head<'a> {
    /// Reads what [`Meaning::start`] wrote.
    pub fn read(told: &'a [u8]) -> Option<Self> {
        let mut rest = told.strip_prefix(&[START])?;
        let name = (word(&mut rest)?, word(&mut rest)?);
        let mut attributes = Vec::with_capacity(8);
        while let Some(after) = rest.strip_prefix(&[ATTRIBUTE]) {
            rest = after;
            let name = (word(&mut rest)?, word(&mut rest)?);
            attributes.push((name, word(&mut rest)?));
        }
        let rest = rest.strip_prefix(&[HEAD_END])?;
        Some(Self { name, attributes, rest })
    }

    /// The value of an attribute without a namespace.
    pub fn attribute(&self, name: &str) -> Option<&'a [u8]> {
        let sought = (&b""[..], name.as_bytes());
        self.attributes.iter().find(|(known, _)| *known == sought).map(|(_, value)| *value)
    }
}

fn word<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|&byte| byte == STOP)?;
    let (word, after) = rest.split_at(end);
    *rest = after.get(1..)?;
    Some(word)
}
