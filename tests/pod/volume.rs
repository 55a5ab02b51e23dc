//! Volume: a ConfigMap or a Secret as a kubelet mounts it.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use ligase_tests::OrFail as _;

/// What a ConfigMap or a Secret holds, by key.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A folder that shows one state of its files at any time, old or new and never both.
#[derive(Clone, Debug)]
pub(crate) struct Volume {
    folder: PathBuf,
    mode: u32,
}

impl Volume {
    /// A folder with these files, each of that mode.
    pub(crate) fn new(folder: PathBuf, mode: u32, files: &Files) -> Self {
        fs::create_dir_all(&folder).or_fail("make a volume");
        let volume = Self { folder, mode };
        volume.publish(files);
        volume
    }

    /// Where it is on the node.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Shows these files from now on, by the steps of a kubelet: whatever is in it leads through the
    /// link `..data`, and that is put in another's place.
    pub(crate) fn publish(&self, files: &Files) {
        let data = self.folder.join("..data");
        let old = fs::read_link(&data).ok();
        let number = old.as_ref().and_then(|old| old.to_str()?.rsplit('_').next()?.parse().ok());
        let new = format!("..2026_11_22_{:08}", number.map_or(0, |number: u32| number + 1));
        let folder = self.folder.join(&new);
        fs::create_dir(&folder).or_fail("make a folder of a volume");
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).or_fail("open a volume");
        for (name, content) in files {
            let file = folder.join(name);
            fs::write(&file, content).or_fail("write a file of a volume");
            fs::set_permissions(file, Permissions::from_mode(self.mode)).or_fail("open a volume");
        }
        let draft = self.folder.join("..data_tmp");
        symlink(&new, &draft).or_fail("link a volume");
        fs::rename(draft, data).or_fail("swap a volume");
        for name in files.keys().filter(|name| !self.folder.join(name).is_symlink()) {
            let file = self.folder.join(name);
            symlink(Path::new("..data").join(name), file).or_fail("link a file of a volume");
        }
        if let Some(old) = old {
            fs::remove_dir_all(self.folder.join(old)).or_fail("remove what a volume showed");
        }
    }
}
