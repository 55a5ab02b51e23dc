//! Where manifests say what runs in a pod.

use super::yaml::{Map, Node};
use crate::command::printable::printable;

/// Something that makes pods, or is one.
#[derive(Debug)]
pub(super) struct Workload<'a> {
    /// `Deployment` and the like.
    pub(super) kind: &'static str,
    /// What it is called; it may have been left to the cluster.
    pub(super) name: String,
    /// Where it is, if it says so.
    pub(super) namespace: Option<String>,
    /// Why it is to be left as it is, if it is.
    pub(super) exempt: Option<&'static str>,
    /// What its pods are made of: their metadata and their spec.
    pub(super) template: &'a mut Map,
}

impl Workload<'_> {
    /// What it is called in what we say.
    pub(super) fn title(&self) -> String {
        format!("{}/{}", self.kind, printable(&self.name, NAME_MAX))
    }
}

/// Shows every workload of a document, of which a list may have many.
///
/// # Errors
/// Something that says it is a workload has no pods.
pub(super) fn each(document: &mut Map, visit: &mut impl FnMut(Workload<'_>)) -> Result<(), String> {
    let text = |key: &str| document.get(key).and_then(Node::text).unwrap_or_default().to_owned();
    let (version, kind) = (text("apiVersion"), text("kind"));
    if version == "v1" && kind == "List" {
        for item in document.list_at("items")? {
            if let Some(item) = item.map_mut() {
                each(item, visit)?;
            }
        }
        return Ok(());
    }
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let known = KINDS.iter().find(|(of, it, _)| *of == group && *it == kind);
    let Some((_, kind, path)) = known else {
        return Ok(());
    };
    let metadata = document.get("metadata").and_then(Node::map);
    let said = |key| metadata?.get(key)?.text().map(str::to_owned);
    let name = said("name").or_else(|| said("generateName")).unwrap_or_default();
    let namespace = said("namespace").filter(|it| !it.is_empty());
    let mut exempt = metadata.and_then(exempt);
    let mut template = &mut *document;
    for key in *path {
        let missing = || format!("{kind}/{}: it has no {key}", printable(&name, NAME_MAX));
        template = template.get_mut(key).and_then(Node::map_mut).ok_or_else(missing)?;
    }
    exempt = exempt.or_else(|| self::exempt(template.get("metadata")?.map()?));
    visit(Workload { kind, name, namespace, exempt, template });
    Ok(())
}

/// Why what has this metadata is to be left as it is, if it is.
fn exempt(metadata: &Map) -> Option<&'static str> {
    let wish = metadata.get("annotations").and_then(Node::map).and_then(|it| it.get(INJECT));
    if wish.and_then(Node::text) == Some("false") {
        return Some("it is annotated so");
    }
    let owners = metadata.get("ownerReferences").map_or(&[][..], Node::items);
    let is_controller =
        |owner: &Node| owner.map().and_then(|it| it.get("controller")).is_some_and(Node::is_true);
    owners.iter().any(is_controller).then_some("its controller would undo it")
}

/// By which annotation somebody says that nothing is to be injected.
const INJECT: &str = "ligase/inject";

/// What makes pods: its group, its kind, and where the pods are described.
const KINDS: [(&str, &str, &[&str]); 7] = [
    ("", "Pod", &[]),
    ("apps", "Deployment", &["spec", "template"]),
    ("apps", "StatefulSet", &["spec", "template"]),
    ("apps", "DaemonSet", &["spec", "template"]),
    ("apps", "ReplicaSet", &["spec", "template"]),
    ("batch", "Job", &["spec", "template"]),
    ("batch", "CronJob", &["spec", "jobTemplate", "spec", "template"]),
];

/// A name has at most so many characters (RFC 1123), and what is none is shown as far.
const NAME_MAX: usize = 253;
