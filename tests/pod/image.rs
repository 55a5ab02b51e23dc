//! Images: the servers as Debian packages them, and ligase.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use ligase_tests::certificate::digest_of;
use ligase_tests::{OrFail as _, Podman};

/// The image of a Debian with both servers. It is made once, and again when its recipe changes.
pub(crate) fn servers(podman: &Podman) -> &'static str {
    static MADE: OnceLock<String> = OnceLock::new();
    MADE.get_or_init(|| make(podman))
}

fn make(podman: &Podman) -> String {
    let recipe = [include_str!("servers.sh"), include_str!("serve.sh")].concat();
    let image = format!("xmpp-servers:{:.12}", digest_of(recipe.as_bytes()));
    if !podman.has(&image) {
        let target = root().join("target");
        let tree = target.join("pod/servers");
        fs::create_dir_all(target.join("pod")).or_fail("make a folder for a Debian");
        let mut make = Command::new(root().join("tests/pod/servers.sh"));
        let made = make.arg(target.join("newcomer")).arg(&tree).output();
        let made = made.or_fail("start servers.sh");
        let said = [made.stdout, made.stderr].concat();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&said));
        podman.import(&tree, &image, &[PATH, "ENTRYPOINT [\"/usr/local/bin/serve\"]"]);
        fs::remove_dir_all(tree).or_fail("remove what an image was made of");
    }
    image
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().or_fail("find the repository").to_owned()
}

/// Without it, a container finds no program by its name.
const PATH: &str = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
