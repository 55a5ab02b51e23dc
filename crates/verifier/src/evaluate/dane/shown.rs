//! What a peer showed, as TLSA records look at it. However many records there are, each certificate
//! is read and digested once, and each path to an authority is looked for once.

use std::cell::{Cell, OnceCell};
use std::time::SystemTime;

use aws_lc_rs::digest::{Digest, SHA256, SHA512, digest};
use rustls::pki_types::{CertificateDer, TrustAnchor};
use webpki::anchor_from_trusted_cert;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{CERTIFICATE, FULL, PUBLIC_KEY, SHA_256, SHA_512, Terms};
use crate::evaluate::pkix::Path;
use crate::evidence::Tlsa;
use crate::presented::{self, Presented};
use crate::{Finding, Request};

/// A chain, and what was found out about it so far.
pub(super) struct Shown<'a> {
    pub(super) presented: &'a Presented,
    pub(super) request: &'a Request,
    terms: &'a Terms,
    pub(super) leaf: Candidate<'a>,
    /// All but the leaf.
    others: OnceCell<Vec<Candidate<'a>>>,
    public: OnceCell<Result<Path, Finding>>,
    /// The authority at the end of that path.
    root: OnceCell<Option<Candidate<'a>>>,
    /// How many more paths to the domain's own authorities may be looked for.
    searches_left: Cell<usize>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(presented: &'a Presented, request: &'a Request, terms: &'a Terms) -> Self {
        Self {
            presented,
            request,
            terms,
            leaf: Candidate::new(presented.leaf(), presented.spki()),
            others: OnceCell::new(),
            public: OnceCell::new(),
            root: OnceCell::new(),
            searches_left: Cell::new(SEARCHES_MAX),
        }
    }

    /// The certificates behind the leaf, in the order in which they were sent.
    pub(super) fn others(&self) -> &[Candidate<'a>] {
        self.others.get_or_init(|| {
            let others = self.presented.chain().get(1..).unwrap_or_default();
            others.iter().map(Candidate::read).collect()
        })
    }

    /// A path to a public authority.
    pub(super) fn public(&self) -> Option<&Path> {
        let find = || self.find(self.terms.roots.anchors());
        self.public.get_or_init(find).as_ref().ok()
    }

    /// The authorities on the path to a public one, that one included.
    pub(super) fn vouching(&self, public: &Path) -> impl Iterator<Item = &Candidate<'a>> {
        let on_path = self.others().iter().filter(|it| public.authorities.contains(it.der));
        let find = || self.terms.roots.certificate(&public.anchor).map(Candidate::read);
        on_path.chain(self.root.get_or_init(find))
    }

    /// A path to an authority that was shown, and until when the authority itself is valid.
    pub(super) fn below<'b>(&self, candidate: &'b Candidate<'_>) -> Option<(&'b Path, SystemTime)> {
        let find = || self.below_certificate(candidate.der);
        if candidate.path.get().is_none() && !self.may_search() {
            return None;
        }
        candidate.path.get_or_init(find).as_ref().map(|(path, until)| (path, *until))
    }

    /// A path to an authority that only a record names, and until when that is valid.
    pub(super) fn below_certificate(&self, der: &CertificateDer<'_>) -> Option<(Path, SystemTime)> {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        let (not_before, not_after) = presented::validity(&parsed)?;
        let at = self.request.at;
        if at < not_before || not_after < at || !parsed.is_ca() {
            return None;
        }
        let anchor = anchor_from_trusted_cert(der).ok()?;
        Some((self.find(&[anchor]).ok()?, not_after))
    }

    /// A path to one of these authorities.
    pub(super) fn find(&self, anchors: &[TrustAnchor<'_>]) -> Result<Path, Finding> {
        Path::find(self.presented, anchors, self.request, &self.terms.roots)
    }

    /// Tells whether one more path to an authority of the domain's may be looked for, and counts it.
    pub(super) fn may_search(&self) -> bool {
        let left = self.searches_left.get();
        self.searches_left.set(left.saturating_sub(1));
        0 < left
    }
}

/// A certificate that records are held against.
pub(super) struct Candidate<'a> {
    der: &'a CertificateDer<'static>,
    /// The whole SubjectPublicKeyInfo, if it can be read.
    public_key: Option<&'a [u8]>,
    /// SHA-256 and SHA-512 of the certificate, then of the key.
    digests: [[OnceCell<Digest>; 2]; 2],
    path: OnceCell<Option<(Path, SystemTime)>>,
}

impl<'a> Candidate<'a> {
    fn new(der: &'a CertificateDer<'static>, public_key: Option<&'a [u8]>) -> Self {
        Self { der, public_key, digests: Default::default(), path: OnceCell::new() }
    }

    pub(super) fn read(der: &'a CertificateDer<'static>) -> Self {
        let parsed = X509Certificate::from_der(der).ok();
        Self::new(der, parsed.map(|(_, it)| it.tbs_certificate.subject_pki.raw))
    }

    /// Tells whether a record describes the certificate (RFC 6698 §2.1.2, §2.1.3).
    pub(super) fn is_match(&self, record: &Tlsa) -> bool {
        let (selected, [sha256, sha512]) = match (record.selector, self.public_key) {
            (CERTIFICATE, _) => (self.der.as_ref(), &self.digests[0]),
            (PUBLIC_KEY, Some(key)) => (key, &self.digests[1]),
            _ => return false,
        };
        let data = record.data.as_slice();
        match record.matching {
            FULL => data == selected,
            SHA_256 => data == sha256.get_or_init(|| digest(&SHA256, selected)).as_ref(),
            SHA_512 => data == sha512.get_or_init(|| digest(&SHA512, selected)).as_ref(),
            _ => false,
        }
    }
}

/// Authorities of its own to which a domain's paths are looked for. A domain has one or two; each
/// may cost us a hundred signatures, if the peer shows as many certificates as it can.
const SEARCHES_MAX: usize = 4;
