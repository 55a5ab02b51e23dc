use clap::ValueEnum;

/// What is put beside which servers.
#[derive(clap::Args, Clone, Debug, Eq, PartialEq)]
pub struct Inject {
    /// The ConfigMap with the configuration, as `ligase.yaml`
    #[arg(long, value_name = "NAME", value_parser = object_name, required_unless_present = "uninject")]
    pub config_map: Option<String>,

    /// The Secret with certificate and key, as `tls.crt` and `tls.key`
    #[arg(long, value_name = "NAME", value_parser = object_name, default_value = "ligase-tls")]
    pub tls_secret: String,

    /// The Secret with the dialback secret, as `secret`; it need not be there
    #[arg(long, value_name = "NAME", value_parser = object_name, default_value = "ligase-dialback")]
    pub dialback_secret: String,

    /// The image of ligase; of this version if nothing says so
    #[arg(long, value_name = "IMAGE", value_parser = image)]
    pub image: Option<String>,

    /// How the server is brought to ligase, as the configuration has it
    #[arg(long, value_enum, default_value_t, value_name = "WAY")]
    pub capture: InjectCapture,

    /// The image of what puts the rules of `redirect` in place
    #[arg(long, value_name = "IMAGE", value_parser = image)]
    pub capture_image: Option<String>,

    /// The namespace of workloads that do not say theirs; needed with `dns`, for search domains
    #[arg(long, value_name = "NAMESPACE", value_parser = label)]
    pub namespace: Option<String>,

    /// The domain of the cluster
    #[arg(long, value_name = "DOMAIN", value_parser = object_name, default_value = "cluster.local")]
    pub cluster_domain: String,

    /// Only this workload; may be repeated
    #[arg(long, value_name = "KIND/NAME", value_parser = workload)]
    pub only: Vec<(String, String)>,

    /// As an ordinary container: for Kubernetes before 1.29, which has no sidecars of its own
    #[arg(long)]
    pub plain_sidecar: bool,

    /// Take away what was injected, and add nothing
    #[arg(long)]
    pub uninject: bool,
}

/// How a server in a pod is brought to ligase.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum InjectCapture {
    /// The pod asks ligase for every name; needs no capability
    #[default]
    Dns,
    /// Rules of the packet filter, put in place by a container that may change them
    Redirect,
    /// The server's own configuration says where to go
    Explicit,
}

/// A name of an object (RFC 1123): the cluster would refuse any other.
fn object_name(text: &str) -> Result<String, String> {
    let fits = text.len() <= 253 && text.split('.').all(|it| label(it).is_ok());
    let problem = || "letters (small), digits, hyphens and dots make a name".to_owned();
    if fits { Ok(text.to_owned()) } else { Err(problem()) }
}

/// A part of a name (RFC 1123), and the whole one of a namespace.
pub(crate) fn label(text: &str) -> Result<String, String> {
    let fits = (1..=63).contains(&text.len())
        && text.bytes().all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !text.starts_with('-')
        && !text.ends_with('-');
    let problem = || "letters (small), digits and hyphens make a name".to_owned();
    if fits { Ok(text.to_owned()) } else { Err(problem()) }
}

/// What names an image has no spaces in it.
fn image(text: &str) -> Result<String, String> {
    let fits = (1..=1024).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_graphic());
    if fits { Ok(text.to_owned()) } else { Err("this names no image".to_owned()) }
}

/// A kind and a name, as kubectl writes them: `statefulset/ejabberd`.
fn workload(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((kind, name)) if !kind.is_empty() => {
            Ok((kind.to_ascii_lowercase(), object_name(name)?))
        }
        Some(_) | None => Err("write KIND/NAME, like statefulset/ejabberd".to_owned()),
    }
}
