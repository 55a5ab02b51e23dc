//! House: a pod of the chart, with a server in it and somebody who lives there.

use std::fs;
use std::process::Command;

use ligase_tests::client::PASSWORD;
use ligase_tests::peer::program;
use ligase_tests::{Capture, Certificate, Host, Kind, Leaf, OrFail as _, Podman, User, World};
use serde_yaml::Value;

use crate::image::{self, root};
use crate::kubelet::{Kubelet, Pod, items, text, yaml};
use crate::service::Service;
use crate::volume::Files;

/// A house before it is built.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    capture: Capture,
    host: Host,
    /// What its ligase shows to peers, and what it will show. Only the zone vouches for them.
    pub(crate) shown: [Certificate; 2],
}

/// A house, and who lives there.
#[derive(Debug)]
pub(crate) struct House<'a> {
    pub(crate) plan: Plan,
    world: &'a World,
    kubelet: Kubelet<'a>,
    values: String,
    manifests: Vec<Value>,
    pod: Option<Pod<'a>>,
    user: Option<User>,
}

impl Plan {
    /// Finds a place for a house and tells the world where it is, as the chart's notes ask for.
    pub(crate) fn publish(
        world: &mut World,
        name: &'static str,
        kind: Kind,
        capture: Capture,
    ) -> Self {
        let host = world.place(name);
        let (domain, target) = (format!("{name}.lab"), format!("xmpp.{name}.lab"));
        let shown = [(); 2].map(|()| Leaf::of(&[&target]).self_signed());
        for name in [domain.clone(), format!("conference.{domain}")] {
            world.zone.server(&name, 5269, &target);
            world.zone.direct_server(&name, 5270, &target);
        }
        Service::of(&host).publish(&mut world.zone, &target);
        for port in [5269, 5270] {
            shown.iter().for_each(|it| world.zone.tlsa(&target, port, it));
        }
        Self { name, kind, capture, host, shown }
    }

    /// What the chart is told: of the server, no more than its image and where its files go.
    fn values(&self, podman: &Podman, world: &World) -> String {
        let (name, server, capture) = (self.name, self.server(), self.capture());
        let (image, dns) = (image::servers(podman), world.hub.v4);
        let container = match self.kind {
            Kind::Ejabberd => EJABBERD,
            Kind::Prosody => PROSODY,
        };
        format!(
            "serverName: xmpp.{name}.lab
hosts: [{name}.lab, conference.{name}.lab]
capture: {capture}
clusterDNS: {dns}
nativeSidecar: false
tls: {{existingSecret: {name}-tls}}
config:
  drain_seconds: 5
  policy: {{default: dna}}
  resolver: {{trust_anchor: /etc/ligase/config/root.key}}
service: {{externalTrafficPolicy: Cluster}}
server:
  enabled: true
  image: {image}
  container:
    args: [{server}]
{container}
      - {{name: ligase-state, mountPath: /var/lib/ligase, readOnly: true}}
      - {{name: data, mountPath: /var/lib/{server}}}
  pod:
    volumes:
      - {{name: hosts, configMap: {{name: {name}-hosts}}}}
      - {{name: users, secret: {{secretName: {name}-users}}}}
  volumeClaimTemplates: [{{metadata: {{name: data}}, spec: {{}}}}]
"
        )
    }

    fn server(&self) -> &'static str {
        match self.kind {
            Kind::Ejabberd => "ejabberd",
            Kind::Prosody => "prosody",
        }
    }

    fn capture(&self) -> &'static str {
        match self.capture {
            Capture::Dns => "dns",
            Capture::Redirect => "redirect",
        }
    }

    /// What is changed in the server: its host names.
    fn hosts(&self, podman: &Podman) -> Files {
        let name = self.name;
        let (file, content) = match self.kind {
            Kind::Ejabberd => {
                let packaged = podman.look_into(image::servers(podman), |tree| {
                    fs::read_to_string(tree.join("etc/ejabberd/ejabberd.yml"))
                });
                let packaged = packaged.or_fail("read ejabberd's own configuration");
                assert_eq!(packaged.matches(LOCALHOST).count(), 1, "{packaged}");
                ("ejabberd.yml", packaged.replace(LOCALHOST, &format!("  - {name}.lab\n")))
            }
            Kind::Prosody => (
                "hosts.cfg.lua",
                format!(
                    "VirtualHost \"{name}.lab\"\nComponent \"conference.{name}.lab\" \"muc\"\n"
                ),
            ),
        };
        Files::from([(file.to_owned(), content.into_bytes())])
    }

    /// Builds the house, and waits until somebody lives there.
    pub(crate) fn build<'a>(&self, world: &'a World, podman: &Podman) -> House<'a> {
        let kubelet = Kubelet::new(world, podman);
        let values = self.values(podman, world);
        let manifests = render(self.name, &values, &self.host);
        for manifest in &manifests {
            let mut manifest = manifest.clone();
            if manifest["kind"] == "ConfigMap" {
                // Nobody but this world believes in its root.
                let anchor = fs::read_to_string(world.trust_anchor());
                manifest["data"]["root.key"] = anchor.or_fail("read the root's key").into();
            }
            if manifest["kind"] == "ConfigMap" || manifest["kind"] == "Secret" {
                kubelet.apply(&manifest);
            }
        }
        let name = self.name;
        kubelet.tell("ConfigMap", &format!("{name}-hosts"), self.hosts(podman));
        kubelet.tell("Secret", &format!("{name}-tls"), tls("tls", &self.shown[0]));
        let own = Leaf::of(&[&format!("{name}.lab")]).self_signed();
        kubelet.tell("Secret", &format!("{name}-users"), tls(&format!("{name}.lab"), &own));
        let mut house =
            House { plan: self.clone(), world, kubelet, values, manifests, pod: None, user: None };
        house.open();
        house.start();
        house.register();
        house.login();
        house
    }
}

impl<'a> House<'a> {
    /// Leads peers to the pod.
    fn open(&self) {
        let service = self.manifests.iter().find(|it| {
            it["kind"] == "Service" && items(&it["spec"]["ports"]).any(|it| it["port"] == 5269)
        });
        let service = service.or_fail("find the Service that peers come by");
        let template = self.template();
        let container = items(&template["spec"]["containers"]).find(|it| it["name"] == "ligase");
        let container = container.or_fail("find the container of ligase");
        Service::of(&self.plan.host).open(self.world, &self.plan.host, service, container);
    }

    fn template(&self) -> Value {
        let set = self.manifests.iter().find(|it| it["kind"] == "StatefulSet");
        let spec = &set.or_fail("find the StatefulSet")["spec"];
        let mut template = spec["template"].clone();
        for claim in items(&spec["volumeClaimTemplates"]) {
            let name = text(&claim["metadata"]["name"]);
            let volume =
                yaml(&format!("{{name: {name}, persistentVolumeClaim: {{claimName: {name}}}}}"));
            if let Some(volumes) = template["spec"]["volumes"].as_sequence_mut() {
                volumes.push(volume);
            }
        }
        template["metadata"]["name"] = format!("{}-0", self.plan.name).into();
        template
    }

    /// Starts the pod, and waits until its server listens.
    fn start(&mut self) {
        self.pod = Some(self.kubelet.start(&self.plan.host, &self.template()));
        self.await_server();
    }

    /// Waits until the server listens for users, who come when it is there for servers, too.
    pub(crate) fn await_server(&self) {
        self.pod().exec("server", &["timeout", "60", "bash", "-c", LISTENS]);
    }

    /// Opens an account.
    fn register(&self) {
        let program = match self.plan.kind {
            Kind::Ejabberd => "ejabberdctl",
            Kind::Prosody => "prosodyctl",
        };
        // COMPAT(ejabberd 23.01): it may listen before it finds its table of accounts.
        let register = [program, "register", "somebody", &self.domain(), PASSWORD];
        let until = ["timeout", "60", "sh", "-c", "until \"$@\"; do sleep 0.1; done", "sh"];
        self.pod().exec("server", &[&until[..], &register].concat());
    }

    /// Logs in who lives there.
    pub(crate) fn login(&mut self) {
        let jid = format!("somebody@{}", self.domain());
        self.user = Some(self.world.users().login(&jid, &self.plan.host));
    }

    /// Who lives there.
    pub(crate) fn user(&self) -> &User {
        self.user.as_ref().or_fail("find who lives there")
    }

    /// Asks ligase's admin port, from the pod itself.
    pub(crate) fn get(&self, path: &str) -> String {
        let answer = self.plan.host.run(&program("ligase-peer"), &["get", ADMIN, path]);
        let (status, body) = answer.split_once('\n').or_fail("read an answer");
        assert_eq!(status, "200", "{path}: {body}");
        body.to_owned()
    }

    /// Asks it for JSON.
    pub(crate) fn ask(&self, path: &str) -> serde_json::Value {
        serde_json::from_str(&self.get(path)).or_fail(&format!("read {path}"))
    }

    /// Ends the pod as an upgrade does: everybody in it is asked to end at once.
    pub(crate) fn stop(&mut self) {
        let grace = self.template()["spec"]["terminationGracePeriodSeconds"].as_u64();
        let pod = self.pod.take().or_fail("find the pod");
        let code = pod.delete(grace.or_fail("read how long a pod may take to end"), "ligase");
        assert_eq!(code, 0, "ligase has not drained in time");
    }

    /// Starts a pod in the place of the one that was [stopped](Self::stop), with another image of
    /// ligase, and waits until somebody lives there again.
    pub(crate) fn upgrade(&mut self, image: &str) {
        let (repository, tag) = image.split_once(':').or_fail("find an image's tag");
        let image = format!("image: {{repository: {repository}, tag: {tag}}}\n");
        let values = [&self.values, &*image].concat();
        let rendered = render(self.plan.name, &values, &self.plan.host);
        let mut rendered = rendered.into_iter();
        let set = rendered.find(|it| it["kind"] == "StatefulSet");
        self.manifests.retain(|it| it["kind"] != "StatefulSet");
        self.manifests.extend(set);
        self.start();
        self.login();
    }

    /// Has the Secret of the certificate hold that one.
    pub(crate) fn renew(&self, certificate: &Certificate) {
        let (name, files) = (format!("{}-tls", self.plan.name), tls("tls", certificate));
        self.kubelet.tell("Secret", &name, files.clone());
        self.pod().refresh(&name, &files);
    }

    /// Its domain.
    pub(crate) fn domain(&self) -> String {
        format!("{}.lab", self.plan.name)
    }

    /// Where DNS is, and whoever is not in a pod.
    pub(crate) fn hub(&self) -> &Host {
        &self.world.hub
    }

    /// Where it is.
    pub(crate) fn host(&self) -> &Host {
        &self.plan.host
    }

    /// Has its server forget that a peer could not be reached, as docs/operations.md tells.
    pub(crate) fn retry(&self, peer: &House<'_>) {
        self.pod().exec("ligase", &["/ligase", "retry", &peer.domain()]);
        if self.plan.kind == Kind::Ejabberd {
            self.pod().exec("server", &["ejabberdctl", "stop_s2s_connections"]);
        }
    }

    pub(crate) fn pod(&self) -> &Pod<'a> {
        self.pod.as_ref().or_fail("find the pod")
    }
}

/// What the chart makes of these values, as `helm install` would apply it.
fn render(release: &str, values: &str, host: &Host) -> Vec<Value> {
    let file = host.folder("chart").join("values.yaml");
    fs::write(&file, values).or_fail("write values");
    let mut helm = Command::new(root().join(".venv/bin/helm"));
    helm.args(["template", release, "helm/ligase", "--values"]).arg(file).current_dir(root());
    let made = helm.output().or_fail("start helm");
    let complaint = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{values}\n{complaint}");
    let text = String::from_utf8_lossy(&made.stdout);
    text.split("\n---\n").map(yaml).filter(|it| !it.is_null()).collect()
}

/// A certificate as Secrets and Prosody's folder have it.
fn tls(name: &str, certificate: &Certificate) -> Files {
    Files::from([
        (format!("{name}.crt"), certificate.chain().into()),
        (format!("{name}.key"), certificate.key().into()),
    ])
}

/// The one host name in ejabberd's own configuration.
const LOCALHOST: &str = "  - localhost\n";

/// Where ejabberd's package has its configuration, which is one file.
const EJABBERD: &str = "    \
    volumeMounts:
      - {name: hosts, mountPath: /etc/ejabberd/ejabberd.yml, subPath: ejabberd.yml}";

/// Where Prosody's package has its host names and certificates, each in a folder for itself.
const PROSODY: &str = "    \
    volumeMounts:
      - {name: hosts, mountPath: /etc/prosody/conf.d}
      - {name: users, mountPath: /etc/prosody/certs}";

/// Ends when users can connect.
const LISTENS: &str = "until (</dev/tcp/127.0.0.1/5222) 2>/dev/null; do sleep 0.1; done";

/// Where ligase answers its operator.
const ADMIN: &str = "127.0.0.1:7290";
