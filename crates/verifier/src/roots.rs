use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, TrustAnchor};
use webpki::{CertRevocationList, OwnedCertRevocationList, anchor_from_trusted_cert};

use crate::settings::{RootSource, SetupError};

/// The certificate authorities that count, and what they have revoked. Cloning copies nothing.
#[derive(Clone)]
pub(crate) struct Roots(Arc<Store>);

struct Store {
    anchors: Vec<TrustAnchor<'static>>,
    certificates: Vec<CertificateDer<'static>>,
    revocations: Vec<CertRevocationList<'static>>,
}

impl Roots {
    /// Reads the authorities from where the operator says, and the lists of what they revoked.
    pub(crate) fn load(
        source: &RootSource,
        revocations: Option<&Path>,
    ) -> Result<Self, SetupError> {
        let certificates = match source {
            RootSource::System => rustls_native_certs::load_native_certs().certs,
            RootSource::File(path) => CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect)
                .map_err(|_| SetupError::Roots(path.clone()))?,
        };
        let roots = Self::new(certificates);
        if let (RootSource::File(path), true) = (source, roots.0.anchors.is_empty()) {
            return Err(SetupError::Roots(path.clone()));
        }
        match revocations {
            None => Ok(roots),
            Some(path) => roots.revoking(path),
        }
    }

    /// Counts these authorities, and no others. What cannot be read is left out.
    pub(crate) fn new(certificates: Vec<CertificateDer<'static>>) -> Self {
        let anchor = |it: &CertificateDer<'_>| Some(anchor_from_trusted_cert(it).ok()?.to_owned());
        let both = certificates.into_iter().filter_map(|it| anchor(&it).map(|anchor| (anchor, it)));
        let (anchors, certificates) = both.unzip();
        Self(Arc::new(Store { anchors, certificates, revocations: Vec::new() }))
    }

    /// The same authorities, with what they have revoked by the lists in a PEM file.
    pub(crate) fn revoking(&self, path: &Path) -> Result<Self, SetupError> {
        let wrong = || SetupError::Revocations(path.to_owned());
        let lists: Vec<CertificateRevocationListDer<'_>> =
            CertificateRevocationListDer::pem_file_iter(path)
                .and_then(Iterator::collect)
                .map_err(|_| wrong())?;
        // Who names a file wants something to be revoked.
        if lists.is_empty() {
            return Err(wrong());
        }
        let revocations = lists
            .iter()
            .map(|it| OwnedCertRevocationList::from_der(it).map(CertRevocationList::from))
            .collect::<Result<_, _>>()
            .map_err(|_| wrong())?;
        Ok(Self(Arc::new(Store {
            anchors: self.0.anchors.clone(),
            certificates: self.0.certificates.clone(),
            revocations,
        })))
    }

    /// The authorities, as paths end in them.
    pub(crate) fn anchors(&self) -> &[TrustAnchor<'static>] {
        &self.0.anchors
    }

    /// The certificate of one of the authorities.
    pub(crate) fn certificate(&self, anchor: &TrustAnchor<'_>) -> Option<&CertificateDer<'static>> {
        let same = |it: &TrustAnchor<'_>| {
            it.subject == anchor.subject
                && it.subject_public_key_info == anchor.subject_public_key_info
        };
        let index = self.0.anchors.iter().position(same)?;
        self.0.certificates.get(index)
    }

    /// What the authorities have revoked.
    pub(crate) fn revocations(&self) -> &[CertRevocationList<'static>] {
        &self.0.revocations
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roots").field("anchors", &self.0.anchors.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
