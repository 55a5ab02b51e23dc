//! What is put into a pod. It stands in the files that kustomize patches in, too, so that the two
//! cannot differ.

use super::yaml::{self, Budget, Map, Node};
use crate::args::{Inject, InjectCapture, VERSION};

/// What is put into a pod.
#[derive(Debug)]
pub(super) struct Sidecar {
    /// How the server is brought to it.
    pub(super) capture: InjectCapture,
    /// What starts before everything else, in this order.
    pub(super) before: Vec<Node>,
    /// What runs beside the server.
    pub(super) beside: Vec<Node>,
    pub(super) volumes: Vec<Node>,
    /// What the pod asks for names, if that changes.
    pub(super) dns: Option<Node>,
    pub(super) sysctls: Vec<Node>,
}

impl Sidecar {
    /// The one that was asked for, in a namespace.
    ///
    /// # Errors
    /// There is no namespace, and it takes one.
    pub(super) fn new(args: &Inject, namespace: Option<&str>) -> Result<Self, String> {
        let mut spec = spec(SIDECAR)?;
        let mut before = spec.list_at(INIT_CONTAINERS)?.clone();
        let mut volumes = spec.list_at("volumes")?.clone();
        let image = args.image.clone().unwrap_or_else(|| format!("ligase:{VERSION}"));
        rename(&mut before, &["image"], &image);
        let config_map = args.config_map.as_deref().unwrap_or_default();
        for (volume, path, name) in [
            ("ligase-config", &["configMap", "name"], config_map),
            ("ligase-tls", &["secret", "secretName"], args.tls_secret.as_str()),
            ("ligase-dialback", &["secret", "secretName"], args.dialback_secret.as_str()),
        ] {
            let named = volumes.iter_mut().filter(|it| name_of(it) == Some(volume));
            named.for_each(|it| rename(std::slice::from_mut(it), path, name));
        }
        let mut beside = Vec::new();
        if args.plain_sidecar {
            beside = std::mem::take(&mut before);
            beside.iter_mut().filter_map(Node::map_mut).for_each(|it| it.remove("restartPolicy"));
        }
        let capture = args.capture;
        let mut sidecar = Self { capture, before, beside, volumes, dns: None, sysctls: Vec::new() };
        match capture {
            InjectCapture::Dns => sidecar.add_dns(args, namespace)?,
            InjectCapture::Redirect => sidecar.add_capture(args)?,
            InjectCapture::Explicit => (),
        }
        Ok(sidecar)
    }

    fn add_dns(&mut self, args: &Inject, namespace: Option<&str>) -> Result<(), String> {
        let namespace = namespace.ok_or(NO_NAMESPACE)?;
        let mut spec = spec(DNS)?;
        let domain = &args.cluster_domain;
        let searches =
            [format!("{namespace}.svc.{domain}"), format!("svc.{domain}"), domain.clone()];
        let dns = spec.map_at("dnsConfig")?;
        dns.set("searches", Node::List(searches.iter().map(|it| Node::text_of(it)).collect()));
        self.dns = Some(Node::Map(dns.clone()));
        self.sysctls = spec.map_at("securityContext")?.list_at("sysctls")?.clone();
        Ok(())
    }

    fn add_capture(&mut self, args: &Inject) -> Result<(), String> {
        let mut capture = spec(CAPTURE)?.list_at(INIT_CONTAINERS)?.clone();
        let image = args.capture_image.clone();
        let image = image.unwrap_or_else(|| format!("ligase-capture:{VERSION}"));
        rename(&mut capture, &["image"], &image);
        capture.append(&mut self.before);
        self.before = capture;
        Ok(())
    }
}

/// What a list of named things is called by.
pub(super) fn name_of(node: &Node) -> Option<&str> {
    node.map()?.get("name")?.text()
}

/// What a patch puts into the spec of a pod.
fn spec(patch: &str) -> Result<Map, String> {
    let document = yaml::parse(patch, &mut Budget::new(PATCH_MAX)).map_err(|it| it.to_string())?;
    let mut map = match document {
        Some(Node::Map(map)) => map,
        Some(Node::Scalar(_) | Node::List(_)) | None => Map::default(),
    };
    Ok(map.map_at("spec")?.map_at("template")?.map_at("spec")?.clone())
}

/// Gives each of these, or a part of it, another text.
fn rename(nodes: &mut [Node], path: &[&str], text: &str) {
    for node in nodes {
        match (path, node.map_mut()) {
            ([key], Some(map)) => map.set(key, Node::text_of(text)),
            ([key, rest @ ..], Some(map)) => {
                map.get_mut(key)
                    .into_iter()
                    .for_each(|it| rename(std::slice::from_mut(it), rest, text));
            }
            ([], _) | (_, None) => (),
        }
    }
}

const SIDECAR: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../deploy/kubernetes/component-explicit/sidecar.yaml"
));
const DNS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../deploy/kubernetes/component/dns.yaml"
));
const CAPTURE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../deploy/kubernetes/component-redirect/capture.yaml"
));

/// Where a pod says what starts before its containers.
pub(super) const INIT_CONTAINERS: &str = "initContainers";

/// What the patches take, by far.
const PATCH_MAX: usize = 1 << 20;

const NO_NAMESPACE: &str = "it does not say its namespace, and its pods have to know where to search \
                            for names: add --namespace";
