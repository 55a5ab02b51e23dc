//! What a pod finds below /etc/ligase, written somewhere else.

use std::fs;
use std::path::{Path, PathBuf};

use ligase_tests::{Authority, OrFail};

use crate::helm::{Case, word};

impl Case {
    /// Writes the files that its pod finds below /etc/ligase, below `place` instead, and tells where
    /// the configuration is, which is changed in nothing but that.
    pub(crate) fn write_what_is_mounted(&self, place: &Path) -> PathBuf {
        let manifests = self.manifests();
        let map = manifests.iter().find(|it| !it["data"]["ligase.yaml"].is_null());
        let map = map.or_fail(&format!("find the configuration of {}", self.name));
        let write = |file: &str, text: &str| {
            let path = place.join(file);
            fs::create_dir_all(path.parent().unwrap_or(place)).or_fail("make a folder");
            fs::write(&path, text).or_fail(&format!("write {file}"));
        };
        let authority = Authority::new("lab");
        for folder in ["tls", "tls-1", "tls-2", "ca"].map(|it| place.join(it)) {
            fs::create_dir_all(&folder).or_fail("make a folder");
            authority.issue(&["xmpp.example.com"]).write(&folder, "tls");
        }
        let secret = manifests.iter().find(|it| it["kind"] == "Secret");
        let secret = secret.map(|it| word(&it["stringData"]["secret"]).to_owned());
        write("dialback/secret", &secret.unwrap_or_else(|| "0123456789abcdef".repeat(4)));
        let moved = format!("{}/", place.display());
        for (key, text) in map["data"].as_mapping().into_iter().flatten() {
            let text = word(text).replace("/etc/ligase/", &moved);
            write(&format!("config/{}", word(key)), &text);
        }
        place.join("config/ligase.yaml")
    }
}
