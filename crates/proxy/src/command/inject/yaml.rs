//! YAML as manifests are written in it. The only room that has heard of the library that reads it.
//!
//! Kubernetes' own tools go by YAML 1.1, where `yes` is true and `0444` is octal, and others by 1.2,
//! where they are not. Both agree on what is quoted, so a scalar keeps its text and its style: what
//! it means is left to whoever reads it next. That is why this is not the reader of the
//! configuration, which forgets whether a text was quoted.

mod value;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

pub(super) use value::{Map, Node};
use value::{Scalar, Style};

/// Why a text cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Error {
    /// The line it is about, counted from the first of the text.
    pub(super) line: usize,
    /// What is wrong.
    pub(super) problem: String,
}

/// How much is still read, over all texts: aliases make much of little.
#[derive(Debug)]
pub(super) struct Budget(usize);

impl Budget {
    /// A budget in bytes of memory, roughly.
    pub(super) fn new(bytes: usize) -> Self {
        Self(bytes)
    }
}

/// Reads one document; none if there are only comments. Aliases and merge keys are resolved.
///
/// # Errors
/// It is no YAML, says a key twice, has tags that are not YAML's own or more than the budget allows.
pub(super) fn parse(text: &str, budget: &mut Budget) -> Result<Option<Node>, Error> {
    let mut builder = Builder { budget, open: Vec::new(), anchors: BTreeMap::new(), root: None };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let line = error.marker().line();
            Error { line, problem: error.info().to_owned() }
        })?;
        documents += usize::from(matches!(event, Event::DocumentStart(_)));
        let fed = if 1 < documents {
            Err("a document begins where no line begins with ---".to_owned())
        } else {
            builder.feed(event)
        };
        fed.map_err(|problem| Error { line: span.start.line(), problem })?;
    }
    Ok(builder.root)
}

/// What is being read.
struct Builder<'a> {
    budget: &'a mut Budget,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
}

/// A list or a map whose end has not come, and the anchor by which it is meant elsewhere (or 0).
enum Open {
    List(usize, Vec<Node>),
    Map(usize, Begun),
}

/// A map whose end has not come.
#[derive(Default)]
struct Begun {
    map: Map,
    /// Those that are in it.
    keys: BTreeSet<String>,
    /// The key whose value comes next, if it does.
    key: Option<Scalar>,
}

impl Builder<'_> {
    fn feed(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.spend(text.len())?;
                let tag = tag.map(|it| known(&it)).transpose()?;
                let scalar = Scalar { text: text.into_owned(), style: style.into(), tag };
                self.place(Node::Scalar(scalar), anchor)
            }
            Event::Alias(anchor) => {
                let missing = || "an alias stands for what it is part of".to_owned();
                let node = self.anchors.get(&anchor).ok_or_else(missing)?;
                let (weight, depth) = measure(node);
                if DEPTH_MAX < self.open.len() + depth {
                    return Err(too_deep());
                }
                let node = node.clone();
                self.spend(weight)?;
                self.place(node, 0)
            }
            Event::SequenceStart(anchor, tag) => {
                is_plainly("seq", tag.as_deref())?;
                self.begin(Open::List(anchor, Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                is_plainly("map", tag.as_deref())?;
                self.begin(Open::Map(anchor, Begun::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List(anchor, items)) => self.place(Node::List(items), anchor),
                Some(Open::Map(anchor, begun)) => self.place(Node::Map(begun.finished()?), anchor),
                None => Ok(()),
            },
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin(&mut self, open: Open) -> Result<(), String> {
        if DEPTH_MAX <= self.open.len() {
            return Err(too_deep());
        }
        self.open.push(open);
        self.spend(0)
    }

    /// Puts a value where it belongs.
    fn place(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        if anchor != 0 {
            self.spend(measure(&node).0)?;
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map(_, begun)) => begun.place(node)?,
        }
        Ok(())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), String> {
        let left = self.budget.0.checked_sub(bytes.saturating_add(NODE_WEIGHT));
        self.budget.0 = left.ok_or_else(|| "this is too much, with all its aliases".to_owned())?;
        Ok(())
    }
}

impl Begun {
    /// Takes a key or the value of one.
    fn place(&mut self, node: Node) -> Result<(), String> {
        match (self.key.take(), node) {
            (Some(key), node) => self.map.0.push((key, node)),
            (None, Node::Scalar(key)) => {
                // One that is quoted is a key like others.
                let is_new = is_merge(&key) || self.keys.insert(key.text.clone());
                if !is_new || is_merge(&key) && self.map.0.iter().any(|(it, _)| is_merge(it)) {
                    return Err(format!("the key {} stands twice", key.text));
                }
                self.key = Some(key);
            }
            (None, Node::List(_) | Node::Map(_)) => {
                return Err("a key is a list or a map, which no manifest has".to_owned());
            }
        }
        Ok(())
    }

    /// The map with its merge keys resolved: what is said here goes before what is merged, and what
    /// is merged first before what is merged later.
    fn finished(mut self) -> Result<Map, String> {
        let (merged, mut own): (Vec<_>, Vec<_>) =
            self.map.0.into_iter().partition(|(key, _)| is_merge(key));
        for (_, node) in merged {
            let maps = match node {
                Node::List(maps) => maps,
                Node::Map(_) | Node::Scalar(_) => vec![node],
            };
            for map in maps {
                let Node::Map(map) = map else {
                    return Err("what is merged by << is no map".to_owned());
                };
                let new = map.0.into_iter().filter(|(key, _)| self.keys.insert(key.text.clone()));
                own.extend(new);
            }
        }
        Ok(Map(own))
    }
}

/// Whether a key says that its value is to be merged with what stands beside it.
fn is_merge(key: &Scalar) -> bool {
    key.is_plain() && key.text == "<<"
}

impl From<ScalarStyle> for Style {
    fn from(style: ScalarStyle) -> Self {
        match style {
            ScalarStyle::Plain => Self::Plain,
            ScalarStyle::SingleQuoted => Self::Single,
            ScalarStyle::DoubleQuoted => Self::Double,
            ScalarStyle::Literal | ScalarStyle::Folded => Self::Block,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

/// What a scalar is said to be. Only what YAML itself knows is known to whoever reads it next.
fn known(tag: &Tag) -> Result<String, String> {
    let is_known = tag.is_yaml_core_schema() && SCALAR_TAGS.contains(&tag.suffix.as_str());
    let problem = || format!("the tag {tag} is none that a manifest has");
    if is_known { Ok(tag.suffix.clone()) } else { Err(problem()) }
}

/// Whether a list or a map is said to be nothing else.
fn is_plainly(kind: &str, tag: Option<&Tag>) -> Result<(), String> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() || tag.suffix != kind => {
            Err(format!("the tag {tag} is none that a manifest has"))
        }
        Some(_) | None => Ok(()),
    }
}

/// How much a value weighs with all that is in it, and how deep it goes.
fn measure(node: &Node) -> (usize, usize) {
    let sum = |sum: (usize, usize), (weight, depth): (usize, usize)| {
        (sum.0.saturating_add(weight), sum.1.max(depth + 1))
    };
    let start = (NODE_WEIGHT, 1);
    match node {
        Node::Scalar(scalar) => (NODE_WEIGHT + scalar.text.len(), 0),
        Node::List(items) => items.iter().map(measure).fold(start, sum),
        Node::Map(map) => map.0.iter().fold(start, |total, (key, node)| {
            let (weight, depth) = measure(node);
            sum(total, (weight.saturating_add(NODE_WEIGHT + key.text.len()), depth))
        }),
    }
}

fn too_deep() -> String {
    format!("more than {DEPTH_MAX} lists and maps stand in one another")
}

/// What scalars may be said to be.
const SCALAR_TAGS: [&str; 7] = ["str", "int", "float", "bool", "null", "binary", "timestamp"];

/// A pod goes some twelve deep, a definition of a resource some thirty; each level is a call of ours.
const DEPTH_MAX: usize = 100;

/// What a value takes besides its text.
const NODE_WEIGHT: usize = size_of::<(Scalar, Node)>();

#[cfg(test)]
mod tests;
