//! How a pod gets its sidecar, and loses it.

use super::conflicts::LIGASE;
use super::sidecar::{INIT_CONTAINERS, Sidecar, name_of};
use super::yaml::{Map, Node};
use crate::args::{InjectCapture, VERSION};

/// Whether there is a sidecar in a pod that was injected.
pub(super) fn is_injected(template: &Map) -> bool {
    annotation(template, INJECTED).is_some()
}

fn annotation<'a>(template: &'a Map, key: &str) -> Option<&'a Node> {
    template.get("metadata")?.map()?.get("annotations")?.map()?.get(key)
}

/// Puts a sidecar into a pod that has none.
///
/// # Errors
/// The pod is none.
pub(super) fn inject(template: &mut Map, sidecar: Sidecar) -> Result<(), String> {
    let annotations = template.map_at("metadata")?.map_at("annotations")?;
    annotations.set(INJECTED, Node::text_of(VERSION));
    annotations.set(CAPTURE, Node::text_of(word(sidecar.capture)));
    let spec = template.map_at("spec")?;
    if !sidecar.before.is_empty() {
        spec.list_at(INIT_CONTAINERS)?.splice(0..0, sidecar.before);
    }
    // The first container is the one that is shown unless somebody asks for another.
    spec.list_at("containers")?.extend(sidecar.beside);
    spec.list_at("volumes")?.splice(0..0, sidecar.volumes);
    if let Some(dns) = sidecar.dns {
        spec.set("dnsPolicy", Node::text_of("None"));
        spec.set("dnsConfig", dns);
    }
    if !sidecar.sysctls.is_empty() {
        spec.map_at("securityContext")?.list_at("sysctls")?.extend(sidecar.sysctls);
    }
    Ok(())
}

/// Takes the sidecar out of a pod that has one.
///
/// Whatever stands where ours does was put there by us: nothing is injected where something of the
/// kind stands already.
///
/// # Errors
/// The pod is none.
pub(super) fn uninject(template: &mut Map) -> Result<(), String> {
    let capture = annotation(template, CAPTURE).and_then(Node::text);
    let is_resolver = capture == Some(word(InjectCapture::Dns));
    let spec = template.map_at("spec")?;
    for (key, names) in [
        (INIT_CONTAINERS, &LIGASE.containers[..]),
        ("containers", &LIGASE.containers),
        ("volumes", &LIGASE.volumes),
    ] {
        retain(spec, key, |it| !name_of(it).is_some_and(|name| names.contains(&name)))?;
    }
    if is_resolver {
        spec.remove("dnsPolicy");
        spec.remove("dnsConfig");
        let security = spec.map_at("securityContext")?;
        retain(security, "sysctls", |it| name_of(it) != Some(LIGASE.sysctl))?;
        without_empty(spec, "securityContext");
    }
    let metadata = template.map_at("metadata")?;
    let annotations = metadata.map_at("annotations")?;
    [INJECTED, CAPTURE].iter().for_each(|it| annotations.remove(it));
    without_empty(metadata, "annotations");
    without_empty(template, "metadata");
    Ok(())
}

/// Keeps these of a list, and the list if anything is left of it.
fn retain(map: &mut Map, key: &str, keep: impl Fn(&Node) -> bool) -> Result<(), String> {
    if map.get(key).is_some_and(|it| it.items().iter().any(|it| !keep(it))) {
        let list = map.list_at(key)?;
        list.retain(keep);
        if list.is_empty() {
            map.remove(key);
        }
    }
    Ok(())
}

fn without_empty(map: &mut Map, key: &str) {
    if map.get(key).and_then(Node::map).is_some_and(Map::is_empty) {
        map.remove(key);
    }
}

/// What a way of capturing is called.
fn word(capture: InjectCapture) -> &'static str {
    match capture {
        InjectCapture::Dns => "dns",
        InjectCapture::Redirect => "redirect",
        InjectCapture::Explicit => "explicit",
    }
}

/// By which annotation a pod says that a sidecar was injected, and by which version.
const INJECTED: &str = "ligase/injected";

/// By which annotation it says how its server is brought to ligase, and so what else was injected.
const CAPTURE: &str = "ligase/capture";
