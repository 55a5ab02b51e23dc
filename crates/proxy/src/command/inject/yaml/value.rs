//! What YAML says: values, each as it is written.

use std::collections::BTreeMap;

use super::write::is_printable;

/// A value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in super::super) enum Node {
    /// A text, a number, a truth value or nothing.
    Scalar(Scalar),
    /// Values one after the other.
    List(Vec<Self>),
    /// Values by their keys.
    Map(Map),
}

/// What is no list and no map, as it is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in super::super) struct Scalar {
    pub(super) text: String,
    pub(super) style: Style,
    /// What it is said to be, if it is said: the last part of one of YAML's own tags.
    pub(super) tag: Option<String>,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Style {
    /// Bare: its text decides what it is.
    Plain,
    Single,
    Double,
    /// Line by line.
    Block,
}

/// Values by their keys, in the order in which they were written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(in super::super) struct Map(pub(super) Vec<(Scalar, Node)>);

impl Map {
    /// The value of a key.
    pub(in super::super) fn get(&self, key: &str) -> Option<&Node> {
        self.0.iter().find(|(it, _)| it.text == key).map(|(_, node)| node)
    }

    /// The value of a key, to be changed.
    pub(in super::super) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.0.iter_mut().find(|(it, _)| it.text == key).map(|(_, node)| node)
    }

    /// Gives a key a value, in its old place if it had one.
    pub(in super::super) fn set(&mut self, key: &str, node: Node) {
        match self.get_mut(key) {
            Some(old) => *old = node,
            None => self.0.push((Scalar::text_of(key, Style::Plain), node)),
        }
    }

    /// Takes a key away.
    pub(in super::super) fn remove(&mut self, key: &str) {
        self.0.retain(|(it, _)| it.text != key);
    }

    /// In any order.
    fn means(&self, other: &Self) -> bool {
        let others: BTreeMap<_, _> =
            other.0.iter().map(|(key, it)| (&key.text, (key, it))).collect();
        let has = |key: &Scalar, node: &Node| {
            others.get(&key.text).is_some_and(|(other, it)| {
                key.is_ambiguous() == other.is_ambiguous() && key.tag == other.tag && node.means(it)
            })
        };
        self.0.len() == other.0.len() && self.0.iter().all(|(key, node)| has(key, node))
    }

    /// Whether nothing is in it.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The map at a key; an empty one is put there if there is none.
    ///
    /// # Errors
    /// Something else is there.
    pub(in super::super) fn map_at(&mut self, key: &str) -> Result<&mut Self, String> {
        match self.place_at(key, Node::Map(Self::default())) {
            Some(Node::Map(map)) => Ok(map),
            Some(Node::Scalar(_) | Node::List(_)) | None => Err(format!("{key} is no map")),
        }
    }

    /// The list at a key; an empty one is put there if there is none.
    ///
    /// # Errors
    /// Something else is there.
    pub(in super::super) fn list_at(&mut self, key: &str) -> Result<&mut Vec<Node>, String> {
        match self.place_at(key, Node::List(Vec::new())) {
            Some(Node::List(list)) => Ok(list),
            Some(Node::Scalar(_) | Node::Map(_)) | None => Err(format!("{key} is no list")),
        }
    }

    /// What is at a key, or this, if nothing or null is there.
    fn place_at(&mut self, key: &str, empty: Node) -> Option<&mut Node> {
        if self.get(key).is_none_or(Node::is_null) {
            self.set(key, empty);
        }
        self.get_mut(key)
    }
}

impl Node {
    /// A text, and nothing but a text whatever it looks like.
    pub(in super::super) fn text_of(text: &str) -> Self {
        let style = if is_surely_text(text) { Style::Plain } else { Style::Double };
        Self::Scalar(Scalar::text_of(text, style))
    }

    /// The text of a scalar, if this is one and not null.
    pub(in super::super) fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar(scalar) if !self.is_null() => Some(&scalar.text),
            Self::Scalar(_) | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// This, if it is a map.
    pub(in super::super) fn map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            Self::Scalar(_) | Self::List(_) => None,
        }
    }

    /// This, if it is a map, to be changed.
    pub(in super::super) fn map_mut(&mut self) -> Option<&mut Map> {
        match self {
            Self::Map(map) => Some(map),
            Self::Scalar(_) | Self::List(_) => None,
        }
    }

    /// Its values, if it is a list; else none.
    pub(in super::super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Scalar(_) | Self::Map(_) => &[],
        }
    }

    /// Whether it means the same to whoever reads it, by YAML 1.1 or 1.2.
    pub(in super::super) fn means(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Scalar(it), Self::Scalar(other)) => {
                self.is_null() && other.is_null()
                    || it.text == other.text
                        && it.tag == other.tag
                        && it.is_ambiguous() == other.is_ambiguous()
            }
            (Self::List(items), Self::List(others)) => {
                items.len() == others.len() && items.iter().zip(others).all(|(a, b)| a.means(b))
            }
            (Self::Map(map), Self::Map(other)) => map.means(other),
            (Self::Scalar(_) | Self::List(_) | Self::Map(_), _) => false,
        }
    }

    /// Whether it is nothing, which is as good as not being there.
    pub(in super::super) fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(scalar) if scalar.is_null())
    }

    /// Whether somebody reads this as true, by YAML 1.1 or 1.2.
    pub(in super::super) fn is_true(&self) -> bool {
        let truths = ["true", "yes", "on", "y"];
        self.plain().is_some_and(|text| truths.iter().any(|it| text.eq_ignore_ascii_case(it)))
    }

    /// The numbers that this is, by YAML 1.1 or 1.2: `010` is ten or eight.
    pub(in super::super) fn numbers(&self) -> Vec<u64> {
        let text = self.plain().unwrap_or_default().replace('_', "").to_ascii_lowercase();
        let text = text.strip_prefix('+').unwrap_or(&text);
        let based = [("0x", 16), ("0o", 8), ("0b", 2), ("0", 8)];
        let based = based.iter().filter_map(|(prefix, radix)| {
            u64::from_str_radix(text.strip_prefix(prefix)?, *radix).ok()
        });
        based.chain(text.parse()).collect()
    }

    /// Its text, if it is written bare and not said to be a text.
    fn plain(&self) -> Option<&str> {
        match self {
            Self::Scalar(it) if it.is_plain() => Some(&it.text),
            Self::Scalar(it) if it.tag.as_deref().is_some_and(|it| it != "str") => Some(&it.text),
            Self::Scalar(_) | Self::List(_) | Self::Map(_) => None,
        }
    }
}

impl Scalar {
    fn text_of(text: &str, style: Style) -> Self {
        Self { text: text.to_owned(), style, tag: None }
    }

    /// Whether its text decides what it is: a bare one of several lines is a text whatever it says.
    fn is_ambiguous(&self) -> bool {
        self.is_plain() && self.text.chars().all(is_printable) && !is_surely_text(&self.text)
    }

    fn is_null(&self) -> bool {
        self.is_plain() && ["", "~", "null", "Null", "NULL"].contains(&self.text.as_str())
    }

    pub(super) fn is_plain(&self) -> bool {
        self.style == Style::Plain && self.tag.is_none()
    }
}

/// Whether everybody takes this for a text, even if it is written bare: no number, date or truth value
/// begins with a letter, but for these words, and none has two dots.
fn is_surely_text(text: &str) -> bool {
    let words = ["y", "yes", "on", "true", "n", "no", "off", "false", "null"];
    let is_word = text.starts_with(|it: char| it.is_ascii_alphabetic())
        && text.chars().all(|it| it.is_ascii_alphanumeric() || "-./:@_".contains(it))
        && !text.ends_with(':')
        && !words.iter().any(|it| text.eq_ignore_ascii_case(it));
    let parts = text.split('.');
    let is_digits = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    is_word || 2 < parts.clone().count() && parts.clone().all(is_digits)
}
