//! The certificate authority that only our own server trusts.
//!
//! Towards that server we are every other domain, so we must be able to show a certificate for
//! any. Nothing on the public side is signed by this authority or trusts it.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use ligase_verifier::{Domain, Presented};
use rcgen::{Issuer, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use zeroize::{Zeroize as _, Zeroizing};

use super::identity::{Error, Problem, certificates, read};

mod mint;

/// A certificate authority of our own, and the certificates it has made lately.
///
/// All of them have one key, which is made anew with each start and never leaves memory.
pub struct LocalCa {
    path: PathBuf,
    certificate: CertificateDer<'static>,
    not_after: SystemTime,
    issuer: Issuer<'static, KeyPair>,
    key: KeyPair,
    provider: Arc<CryptoProvider>,
    minted: Mutex<Minted>,
}

/// Where the authority is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Files {
    /// Its certificate, in PEM, for the backend's trust store.
    pub certificate: PathBuf,
    /// Its private key, in PEM, for nobody but us.
    pub key: PathBuf,
}

/// The certificates made lately, the oldest first.
#[derive(Debug, Default)]
struct Minted {
    by_domain: HashMap<Domain, Leaf>,
    oldest: VecDeque<Domain>,
}

#[derive(Clone, Debug)]
struct Leaf {
    certificate: Arc<CertifiedKey>,
    stale: SystemTime,
}

impl LocalCa {
    /// Reads the authority from its files, or makes one if neither is there.
    ///
    /// A key without a certificate is what a crash between the two leaves behind: it gets one. A
    /// certificate without its key is somebody's mistake, and stays as it is.
    ///
    /// # Errors
    /// When a file cannot be read, written or used, or the authority has expired.
    pub fn load_or_create(files: &Files, now: SystemTime) -> Result<Self, Error> {
        if !exists(&files.certificate)? {
            let key = match exists(&files.key)? {
                true => key(files)?,
                false => create_key(&files.key)?,
            };
            let pem =
                mint::authority(&key, now).map_err(|_| Problem::CannotSign.of(&files.key))?.pem();
            create(&files.certificate, pem.as_bytes(), READABLE)?;
        }
        Self::load(files, now)
    }

    fn load(files: &Files, now: SystemTime) -> Result<Self, Error> {
        let provider = super::provider();
        let certificate = certificates(&read(&files.certificate)?)
            .map_err(|it| it.of(&files.certificate))?
            .swap_remove(0);
        let signing = key(files)?;
        // rcgen takes any key for any certificate; rustls compares them.
        certified(&certificate, None, &signing, &provider)
            .map_err(|_| Problem::OtherKey.of(&files.key))?;
        let not_after = Presented::new(vec![certificate.clone()])
            .and_then(|it| it.not_after())
            .ok_or_else(|| Problem::BadCertificate.of(&files.certificate))?;
        if not_after <= now {
            return Err(Problem::Expired.of(&files.certificate));
        }
        let cannot_sign = |_| Problem::CannotSign.of(&files.certificate);
        Ok(Self {
            path: files.certificate.clone(),
            issuer: Issuer::from_ca_cert_der(&certificate, signing).map_err(cannot_sign)?,
            key: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(cannot_sign)?,
            certificate,
            not_after,
            provider,
            minted: Mutex::default(),
        })
    }

    /// A certificate that names this domain, with its key: from memory, if there is one that is
    /// fresh enough, else made now.
    ///
    /// # Errors
    /// When it cannot be made, because the authority has expired meanwhile or is of no use.
    pub fn leaf(&self, domain: &Domain, now: SystemTime) -> Result<Arc<CertifiedKey>, Error> {
        if let Some(leaf) = self.minted().by_domain.get(domain)
            && now < leaf.stale
        {
            return Ok(Arc::clone(&leaf.certificate));
        }
        if self.not_after <= now {
            return Err(Problem::Expired.of(&self.path));
        }
        let leaf = self.mint(domain, now).map_err(|()| Problem::CannotSign.of(&self.path))?;
        self.minted().keep(domain.clone(), leaf.clone());
        Ok(leaf.certificate)
    }

    /// The file that the backend's trust store must have a copy of.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// When the authority expires.
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    fn mint(&self, domain: &Domain, now: SystemTime) -> Result<Leaf, ()> {
        let until = (now + mint::LEAF_LIFE).min(self.not_after);
        let made = mint::leaf(domain, now, until, &self.key, &self.issuer).map_err(|_| ())?;
        let certificate = certified(made.der(), Some(&self.certificate), &self.key, &self.provider)
            .map_err(|_| ())?;
        Ok(Leaf {
            certificate: Arc::new(certificate),
            stale: (now + mint::LEAF_LIFE / 2).min(until),
        })
    }

    fn minted(&self) -> std::sync::MutexGuard<'_, Minted> {
        self.minted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for LocalCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalCa").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Drop for LocalCa {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl Minted {
    /// Remembers one more, and forgets the oldest beyond [`LEAVES_MAX`].
    fn keep(&mut self, domain: Domain, leaf: Leaf) {
        if self.by_domain.insert(domain.clone(), leaf).is_some() {
            self.oldest.retain(|it| *it != domain);
        }
        self.oldest.push_back(domain);
        while LEAVES_MAX < self.oldest.len() {
            if let Some(oldest) = self.oldest.pop_front() {
                self.by_domain.remove(&oldest);
            }
        }
    }
}

/// A certificate, perhaps its issuer's, and its key, as rustls takes them.
fn certified(
    leaf: &CertificateDer<'static>,
    issuer: Option<&CertificateDer<'static>>,
    key: &KeyPair,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, rustls::Error> {
    let chain = [Some(leaf), issuer].into_iter().flatten().cloned().collect();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    CertifiedKey::from_der(chain, key, provider)
}

fn key(files: &Files) -> Result<KeyPair, Error> {
    let no_key = || Problem::NoKey.of(&files.key);
    let mut key = PrivateKeyDer::from_pem_slice(&read(&files.key)?).map_err(|_| no_key())?;
    let pair = KeyPair::try_from(&key).map_err(|_| no_key());
    key.zeroize();
    pair
}

fn create_key(path: &Path) -> Result<KeyPair, Error> {
    let key =
        KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|_| Problem::CannotSign.of(path))?;
    create(path, Zeroizing::new(key.serialize_pem()).as_bytes(), SECRET)?;
    Ok(key)
}

/// Whether there is a file. One that we may not look at is not absent.
fn exists(path: &Path) -> Result<bool, Error> {
    path.try_exists().map_err(|error| Problem::Unreadable(error.kind()).of(path))
}

/// Writes a file whole or not at all, under directories that are made as needed.
fn create(path: &Path, text: &[u8], mode: u32) -> Result<(), Error> {
    write(path, text, mode).map_err(|error| Problem::Unwritable(error.kind()).of(path))
}

fn write(path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        DirBuilder::new().recursive(true).mode(OPEN).create(parent)?;
    }
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    // In a container every run may have the same process id, so this may be a dead one's.
    let _ = fs::remove_file(&new);
    let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new).and_then(
        |mut file| {
            // Whatever the umask says: a key is ours alone, and the backend may read the rest.
            file.set_permissions(Permissions::from_mode(mode))?;
            file.write_all(text)?;
            file.sync_all()?;
            fs::rename(&new, path)
        },
    );
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

/// Modes of files and directories.
const SECRET: u32 = 0o600;
const READABLE: u32 = 0o644;
const OPEN: u32 = 0o755;

/// Certificates kept in memory, at about 2 KiB each; one more is made in a tenth of a
/// millisecond, so little is lost when a backend talks to more domains than that.
const LEAVES_MAX: usize = 4096;

#[cfg(test)]
mod tests;
