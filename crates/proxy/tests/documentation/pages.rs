//! Pages: as much of Markdown as ours use.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

/// A page, and where it is from the top of the repository.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) path: String,
    text: String,
}

/// A fenced block.
#[derive(Debug)]
pub(crate) struct Block {
    /// What it is said to be.
    pub(crate) info: String,
    /// The line it begins on.
    pub(crate) line: usize,
    pub(crate) text: String,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every page that we have.
pub(crate) fn pages() -> Vec<Page> {
    let mut pages = vec![page("README.md")];
    gather("docs", &mut pages);
    assert!(10 < pages.len(), "the pages have got lost");
    pages
}

pub(crate) fn page(path: &str) -> Page {
    Page { path: path.to_owned(), text: text(path) }
}

/// What a file says.
pub(crate) fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|it| panic!("{path}: {it}"))
}

fn gather(folder: &str, pages: &mut Vec<Page>) {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let mut entries: Vec<_> = entries.map(|it| it.unwrap()).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            gather(&path, pages);
        } else if path.ends_with(".md") {
            pages.push(page(&path));
        }
    }
}

impl Page {
    /// The code in the first cells of the tables below a heading and those under it.
    pub(crate) fn keys(&self, heading: &str) -> BTreeSet<String> {
        let rows = self.rows(heading);
        let first = rows.iter().map(|cells| cells[0].split('`').skip(1).step_by(2));
        first.flatten().map(str::to_owned).collect()
    }

    /// The cells of the tables below a heading and those under it, where the first begins with code.
    pub(crate) fn rows(&self, heading: &str) -> Vec<Vec<String>> {
        let mut depth = None;
        let mut rows = Vec::new();
        for (_, line) in self.prose() {
            if let Some((deep, text)) = title(line) {
                match depth {
                    None if text == heading => depth = Some(deep),
                    Some(upper) if deep <= upper => break,
                    None | Some(_) => (),
                }
            } else if depth.is_some() && line.starts_with("| `") {
                let cells = line.trim_start_matches('|').trim_end_matches('|').split(" | ");
                let cells: Vec<_> = cells.map(|it| it.trim().to_owned()).collect();
                let says = cells.iter().skip(1).any(|it| 8 < it.len());
                assert!(says, "{}: {} says nothing", self.path, cells[0]);
                rows.push(cells);
            }
        }
        assert!(depth.is_some(), "{} has no heading “{heading}”", self.path);
        let first: BTreeSet<_> = rows.iter().map(|cells| &cells[0]).collect();
        assert_eq!(first.len(), rows.len(), "{}: a row stands twice below {heading}", self.path);
        rows
    }

    /// The fenced blocks that are said to be one of these.
    pub(crate) fn blocks(&self, infos: &[&str]) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut indent = None;
        for (number, line) in self.text.lines().enumerate() {
            let bare = line.trim_start();
            match indent {
                None if bare.starts_with("```") => {
                    indent = Some(line.len() - bare.len());
                    let info = bare.trim_start_matches('`').trim().to_owned();
                    blocks.push(Block { info, line: number + 2, text: String::new() });
                }
                Some(_) if bare.starts_with("```") => indent = None,
                Some(indent) => {
                    let block = blocks.last_mut().unwrap();
                    block.text += line.get(indent..).unwrap_or_default();
                    block.text.push('\n');
                }
                None => (),
            }
        }
        assert!(indent.is_none(), "{}: a block does not end", self.path);
        blocks.retain(|block| infos.contains(&block.info.as_str()));
        blocks
    }

    /// The code within lines, by the line it is on.
    pub(crate) fn spans(&self) -> Vec<(usize, &str)> {
        let spans = self.prose().map(|(number, line)| {
            let code = line.split('`').skip(1).step_by(2);
            code.map(|span| (number, span)).collect::<Vec<_>>()
        });
        spans.flatten().collect()
    }

    /// Where links lead that stay in the repository: the path from its top, and the heading.
    pub(crate) fn links(&self) -> Vec<(String, Option<String>)> {
        let mut links = Vec::new();
        for (_, line) in self.prose() {
            let prose: String = line.split('`').step_by(2).collect();
            for link in prose.split("](").skip(1) {
                let target = link.split(')').next().unwrap_or_default();
                if target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                let (path, anchor) = match target.split_once('#') {
                    Some((path, anchor)) => (path, Some(anchor.to_owned())),
                    None => (target, None),
                };
                links.push((self.lead(path), anchor));
            }
        }
        links
    }

    /// A path from the top of the repository, written as this page does.
    fn lead(&self, path: &str) -> String {
        if path.is_empty() {
            return self.path.clone();
        }
        let mut parts: Vec<&str> = self.path.split('/').collect();
        parts.pop();
        for part in path.split('/') {
            match part {
                "." => (),
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        parts.join("/")
    }

    /// What its headings are called in links.
    pub(crate) fn anchors(&self) -> BTreeSet<String> {
        let mut seen: HashMap<String, u32> = HashMap::new();
        let mut anchors = BTreeSet::new();
        for (_, text) in self.prose().filter_map(|(_, line)| title(line)) {
            let kept = text.chars().filter(|it| it.is_alphanumeric() || "-_ ".contains(*it));
            let anchor: String = kept.collect::<String>().to_lowercase().replace(' ', "-");
            let again = seen.entry(anchor.clone()).and_modify(|it| *it += 1).or_default();
            anchors.insert(if *again == 0 { anchor } else { format!("{anchor}-{again}") });
        }
        anchors
    }

    /// The lines outside of blocks, counted from 1.
    fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut fenced = false;
        self.text.lines().enumerate().filter_map(move |(number, line)| {
            let is_fence = line.trim_start().starts_with("```");
            fenced ^= is_fence;
            (!fenced && !is_fence).then_some((number + 1, line))
        })
    }
}

/// A heading: how deep, and its text.
fn title(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_start_matches('#');
    let depth = line.len() - text.len();
    (0 < depth && text.starts_with(' ')).then(|| (depth, text.trim()))
}
