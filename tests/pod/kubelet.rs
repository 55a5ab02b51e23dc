//! Kubelet: what the kubelet and the network of a cluster do for a pod, where podman 4.3 does not.
//!
//! Volumes are laid out as a kubelet lays them out, so that they change as they do in a cluster. The
//! sandbox comes first, gets its network and its sysctls from us, and then podman starts in it what
//! the manifest says, as it says it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ligase_tests::peer::program;
use ligase_tests::podman::{self, Podman};
use ligase_tests::{Host, OrFail as _, World};
use serde_yaml::Value;

use crate::volume::{Files, Volume};

/// A node with what it was told of ConfigMaps and Secrets.
#[derive(Debug)]
pub(crate) struct Kubelet<'a> {
    world: &'a World,
    podman: Podman,
    /// By kind and name.
    objects: Mutex<BTreeMap<(String, String), Files>>,
}

/// A pod that runs. It is removed when dropped.
#[derive(Debug)]
pub(crate) struct Pod<'a> {
    world: &'a World,
    host: Host,
    podman: Podman,
    pod: podman::Pod,
    containers: Vec<String>,
    /// By kind and name.
    volumes: Vec<((String, String), Volume)>,
    /// What is asked for at which port before anybody is sent there.
    ready: Vec<(u16, String)>,
}

impl<'a> Kubelet<'a> {
    pub(crate) fn new(world: &'a World, podman: &Podman) -> Self {
        Self { world, podman: podman.clone(), objects: Mutex::default() }
    }

    /// Takes note of a ConfigMap or a Secret.
    pub(crate) fn apply(&self, object: &Value) {
        let kind = text(&object["kind"]);
        let mut files = Files::new();
        for (key, value) in entries(&object["data"]) {
            let content = match &*kind {
                "Secret" => BASE64_STANDARD.decode(value).or_fail("read a Secret"),
                _ => value.into_bytes(),
            };
            files.insert(key, content);
        }
        let plain = entries(&object["stringData"]);
        files.extend(plain.map(|(key, value)| (key, value.into_bytes())));
        self.tell(&kind, &text(&object["metadata"]["name"]), files);
    }

    /// Takes note of what a ConfigMap or a Secret of that name holds.
    pub(crate) fn tell(&self, kind: &str, name: &str, files: Files) {
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.insert((kind.to_owned(), name.to_owned()), files);
    }

    /// Starts a pod at a place of the world, and waits until it is ready. Claims for volumes are
    /// folders of the place, which stay when the pod goes.
    pub(crate) fn start(&self, host: &Host, template: &Value) -> Pod<'a> {
        let name = self.podman.named(&text(&template["metadata"]["name"]));
        let mut spec = template["spec"].clone();
        let volumes = self.mount_volumes(host, &mut spec);
        let ready = readiness(&spec);
        self.write_resolver(host, &mut spec);
        let containers = simplify(&mut spec);
        let sysctls = spec["securityContext"]["sysctls"].clone();

        let mut manifest = template.clone();
        manifest["apiVersion"] = "v1".into();
        manifest["kind"] = "Pod".into();
        // Annotations are for others, and longer than podman likes them.
        manifest["metadata"] = yaml(&format!("{{name: {name}}}"));
        manifest["spec"] = spec;
        let manifest = serde_yaml::to_string(&manifest).or_fail("write a manifest");
        let pod = self.podman.play(&name, &manifest, &["--start=false", "--network=none"]);
        let podman = self.podman.clone();
        let (world, host) = (self.world, host.clone());
        let pod = Pod { world, host, podman, pod, containers, volumes, ready };
        pod.start(&sysctls);
        pod
    }

    /// Lays the volumes out, and has the manifest name their folders.
    fn mount_volumes(&self, host: &Host, spec: &mut Value) -> Vec<((String, String), Volume)> {
        let mut mounted = Vec::new();
        // A pod that comes after another finds nothing of it but what it claims.
        let own = host.folder("volumes");
        fs::remove_dir_all(&own).or_fail("remove the volumes of an earlier pod");
        for volume in items_mut(&mut spec["volumes"]) {
            let name = text(&volume["name"]);
            let folder = own.join(&name);
            let object = match () {
                () if volume.get("configMap").is_some() => ("ConfigMap", &volume["configMap"]),
                () if volume.get("secret").is_some() => ("Secret", &volume["secret"]),
                () => {
                    let claimed = volume.get("persistentVolumeClaim").is_some();
                    let folder = if claimed { host.folder("claims").join(&name) } else { folder };
                    make_public(&folder);
                    *volume = at_path(&name, &folder, "Directory");
                    continue;
                }
            };
            let (kind, source) = object;
            let called = if kind == "Secret" { &source["secretName"] } else { &source["name"] };
            let key = (kind.to_owned(), text(called));
            let objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
            let files = match objects.get(&key) {
                Some(files) => files.clone(),
                None if source["optional"] == Value::Bool(true) => Files::new(),
                None => panic!("nobody has told of {key:?}"),
            };
            let mode = source["defaultMode"].as_u64().map_or(Some(0o644), |it| it.try_into().ok());
            let made = Volume::new(folder, mode.or_fail("read a mode"), &files);
            *volume = at_path(&name, made.folder(), "Directory");
            mounted.push((key, made));
        }
        mount_single_files(spec);
        mounted
    }

    /// Writes the pod's resolv.conf, and mounts it in every container.
    fn write_resolver(&self, host: &Host, spec: &mut Value) {
        let mut lines = String::new();
        if text(&spec["dnsPolicy"]) != "None" {
            // What a kubelet is told by --cluster-dns and --cluster-domain.
            let _ = writeln!(lines, "nameserver {}", self.world.hub.v4);
            lines.push_str("search default.svc.cluster.local svc.cluster.local cluster.local\n");
            lines.push_str("options ndots:5\n");
        }
        let own = &spec["dnsConfig"];
        for server in items(&own["nameservers"]) {
            let _ = writeln!(lines, "nameserver {}", text(server));
        }
        let words = |list: &Value| items(list).map(text).collect::<Vec<_>>().join(" ");
        if own.get("searches").is_some() {
            let _ = writeln!(lines, "search {}", words(&own["searches"]));
        }
        for option in items(&own["options"]) {
            let (name, value) = (text(&option["name"]), text(&option["value"]));
            let _ = writeln!(lines, "options {name}:{value}");
        }
        let file = host.folder("volumes").join("resolv.conf");
        fs::write(&file, lines).or_fail("write resolv.conf");

        let name = "resolver";
        add(&mut spec["volumes"], at_path(name, &file, "File"));
        let mount = yaml(&format!("{{name: {name}, mountPath: /etc/resolv.conf, readOnly: true}}"));
        for kind in ["initContainers", "containers"] {
            for container in items_mut(&mut spec[kind]) {
                add(&mut container["volumeMounts"], mount.clone());
            }
        }
    }
}

impl Pod<'_> {
    fn start(&self, sysctls: &Value) {
        let name = self.pod.name();
        let infra = ["pod", "inspect", name, "--format={{.InfraContainerID}}"];
        let infra = self.podman.run(&infra).trim().to_owned();
        self.podman.run(&["start", &infra]);
        let pid = self.podman.run(&["container", "inspect", "--format={{.State.Pid}}", &infra]);
        self.world.settle(&self.host, pid.trim().parse().or_fail("read a process id"));
        let hub = &self.world.hub;
        self.host.run("ip", &["route", "add", "default", "via", &hub.v4.to_string()]);
        self.host.run("ip", &["-6", "route", "add", "default", "via", &hub.v6.to_string()]);
        for sysctl in items(sysctls) {
            let setting = format!("{}={}", text(&sysctl["name"]), text(&sysctl["value"]));
            self.host.run("sysctl", &["-qw", &setting]);
        }
        self.podman.run(&["pod", "start", name]);
        self.await_ready();
    }

    /// Waits until whoever tells of it is ready. As a kubelet does, from outside.
    pub(crate) fn await_ready(&self) {
        for (port, path) in &self.ready {
            let at = format!("{}:{port}", self.host.v4);
            self.world.hub.run(&program("ligase-peer"), &["await", &at, path, ""]);
        }
    }

    /// Runs a program in one of its containers, and returns what it said.
    #[track_caller]
    pub(crate) fn exec(&self, container: &str, command: &[&str]) -> String {
        self.podman.run(&[&["exec", &self.pod.container(container)], command].concat())
    }

    /// What a container was made of.
    pub(crate) fn image(&self, container: &str) -> String {
        let name = self.pod.container(container);
        let image = self.podman.run(&["container", "inspect", "--format={{.ImageName}}", &name]);
        image.trim().to_owned()
    }

    /// Kills the first process of a container, and waits for its end.
    pub(crate) fn kill(&self, container: &str) {
        self.podman.run(&["kill", "--signal", "KILL", &self.pod.container(container)]);
        self.end(container);
    }

    /// Waits for the end of a container, and tells its exit code.
    pub(crate) fn end(&self, container: &str) -> i32 {
        let code = self.podman.run(&["wait", &self.pod.container(container)]);
        code.trim().parse().or_fail("read an exit code")
    }

    /// Starts a container that has ended, and waits until it is ready, as a kubelet does.
    pub(crate) fn restart(&self, container: &str) {
        self.podman.run(&["start", &self.pod.container(container)]);
        self.await_ready();
    }

    /// Has the volumes of a Secret show other files.
    pub(crate) fn refresh(&self, secret: &str, files: &Files) {
        let key = ("Secret".to_owned(), secret.to_owned());
        let mut found = self.volumes.iter().filter(|(of, _)| *of == key).peekable();
        assert!(found.peek().is_some(), "no volume shows {secret}");
        found.for_each(|(_, volume)| volume.publish(files));
    }

    /// Ends it as an API server has it ended: everybody is asked to end, and has so many seconds.
    /// Tells the exit code of one of its containers.
    pub(crate) fn delete(self, grace: u64, container: &str) -> i32 {
        self.podman.run(&["pod", "stop", &format!("--time={grace}"), self.pod.name()]);
        self.world.vacate(&self.host);
        self.end(container)
    }
}

impl Drop for Pod<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        for container in &self.containers {
            let name = self.pod.container(container);
            let mut logs = self.podman.command();
            let Ok(said) = logs.args(["logs", "--tail=60", &name]).output() else { continue };
            let said = [said.stdout, said.stderr].concat();
            eprintln!("--- {name} said:\n{}", String::from_utf8_lossy(&said));
        }
    }
}

/// Mounts what a container wants of a volume by `subPath`: one file, as it is when the pod starts.
fn mount_single_files(spec: &mut Value) {
    let folders: BTreeMap<_, _> = items(&spec["volumes"])
        .map(|volume| (text(&volume["name"]), PathBuf::from(text(&volume["hostPath"]["path"]))))
        .collect();
    let mut files = Vec::new();
    for container in items_mut(&mut spec["containers"]) {
        for mount in items_mut(&mut container["volumeMounts"]) {
            let Value::Mapping(mount) = mount else { continue };
            let Some(file) = mount.remove("subPath").as_ref().map(text) else { continue };
            let folder = folders.get(&text(&mount["name"])).or_fail("find a volume");
            let path = fs::canonicalize(folder.join(file)).or_fail("find a file of a volume");
            let name = format!("file{}", files.len());
            files.push(at_path(&name, &path, "File"));
            mount["name"] = name.into();
        }
    }
    files.into_iter().for_each(|file| add(&mut spec["volumes"], file));
}

/// Takes out of a pod what is done here instead, and returns what its containers are called.
fn simplify(spec: &mut Value) -> Vec<String> {
    // What ends is started again by us, when the test wants it.
    spec["restartPolicy"] = "Never".into();
    let mut names = Vec::new();
    for kind in ["initContainers", "containers"] {
        for container in items_mut(&mut spec[kind]) {
            names.push(text(&container["name"]));
            container["imagePullPolicy"] = "Never".into();
            let Value::Mapping(container) = container else { continue };
            // In a cluster, ports are only names. Podman would open them to the whole machine, and
            // ask for probes by a program of the container's.
            for key in ["ports", "startupProbe", "readinessProbe", "livenessProbe"] {
                container.remove(key);
            }
        }
    }
    names
}

/// The readiness probes of a pod, by HTTP.
fn readiness(spec: &Value) -> Vec<(u16, String)> {
    let mut found = Vec::new();
    for container in items(&spec["containers"]) {
        let Some(probe) = container["readinessProbe"].get("httpGet") else { continue };
        found.push((port(container, &probe["port"]), text(&probe["path"])));
    }
    found
}

/// A container's port, by its name or by its number.
pub(crate) fn port(container: &Value, named: &Value) -> u16 {
    let called = items(&container["ports"]).find(|port| port["name"] == *named);
    let number = called.map_or(named, |port| &port["containerPort"]).as_u64();
    let number = number.and_then(|number| u16::try_from(number).ok());
    number.or_fail(&format!("find port {named:?}"))
}

/// A volume that is a file or a folder of the node's.
fn at_path(name: &str, path: &Path, kind: &str) -> Value {
    yaml(&format!("{{name: {name}, hostPath: {{path: \"{}\", type: {kind}}}}}", path.display()))
}

/// Makes a folder that everybody may write to, as an emptyDir is.
fn make_public(folder: &PathBuf) {
    fs::create_dir_all(folder).or_fail("make a volume");
    fs::set_permissions(folder, Permissions::from_mode(0o777)).or_fail("open a volume");
}

pub(crate) fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).or_fail("read YAML of our own")
}

pub(crate) fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_sequence().into_iter().flatten()
}

fn items_mut(list: &mut Value) -> impl Iterator<Item = &mut Value> {
    list.as_sequence_mut().into_iter().flatten()
}

/// Adds to a list that need not be there.
fn add(list: &mut Value, item: Value) {
    if list.is_null() {
        *list = Value::Sequence(Vec::new());
    }
    if let Value::Sequence(list) = list {
        list.push(item);
    }
}

/// A word or a number.
pub(crate) fn text(value: &Value) -> String {
    let number = value.as_u64().map(|number| number.to_string());
    value.as_str().map(str::to_owned).or(number).unwrap_or_default()
}

fn entries(map: &Value) -> impl Iterator<Item = (String, String)> {
    let map = map.as_mapping().into_iter().flatten();
    map.map(|(key, value)| (text(key), text(value)))
}
