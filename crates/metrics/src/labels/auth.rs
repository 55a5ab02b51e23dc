use super::{Label, Proof};

labels! {
    /// How an attempt to prove a peer ended.
    AuthResult {
        /// It speaks for the domain.
        Proven = "proven",
        /// Nothing vouches for it.
        Unproven = "unproven",
        /// What the domain publishes contradicts it.
        Refuted = "refuted",
        /// We could not find out.
        Undetermined = "undetermined",
    }

    /// Why an attempt to prove a peer did not succeed.
    AuthReason {
        /// It did.
        None = "none",
        /// No certificate was presented.
        CertificateMissing = "cert.none",
        /// No path leads to a trusted root.
        CertificateChain = "cert.chain",
        /// Outside its validity dates.
        CertificateExpired = "cert.expired",
        /// It names somebody else.
        CertificateName = "cert.name",
        /// It is for another purpose.
        CertificateUsage = "cert.eku",
        /// It cannot be read.
        CertificateMalformed = "cert.malformed",
        /// Its authority may not vouch for this name.
        CertificateConstraint = "cert.constraint",
        /// It was revoked.
        CertificateRevoked = "cert.revoked",
        /// TLSA records allow other certificates only.
        DaneMismatch = "dane.mismatch",
        /// There is no secure and usable TLSA record.
        DaneNone = "dane.none",
        /// DNS data failed its signature.
        DnsBogus = "dns.bogus",
        /// DNS could not be asked.
        DnsFailure = "dns.failure",
        /// DNS took too much time or work.
        DnsLimit = "dns.limit",
        /// DNS points where peers may not send us.
        DnsForbiddenTarget = "dns.forbidden_target",
        /// The document could not be fetched.
        PoshHttp = "posh.http",
        /// The web server's certificate is not its host's.
        PoshTls = "posh.tls",
        /// The web server redirects to where we do not follow.
        PoshRedirect = "posh.redirect",
        /// The document is none.
        PoshJson = "posh.json",
        /// The document is too large.
        PoshSize = "posh.size",
        /// The document's lifetime is over.
        PoshExpired = "posh.expired",
        /// The web server is where we do not connect to.
        PoshSsrf = "posh.ssrf",
        /// The document names other certificates.
        PoshMismatch = "posh.mismatch",
        /// The key was not the domain's.
        DialbackKey = "db.key",
        /// The domain's server did not answer, or with an error.
        DialbackError = "db.error",
        /// The level that applies to the peer rules dialback out.
        Policy = "policy",
        /// Anything else.
        Other = "other",
    }

    /// What the operator asks of a peer. `any` is not among them, since nobody shows less.
    PolicyLevel {
        /// TLS.
        Encrypted = "encrypted",
        /// A certificate of a trusted authority, or better.
        Pkix = "pkix",
        /// A domain name association.
        Dna = "dna",
    }

    /// How far signed DNS data can be trusted (RFC 4035 §4.3).
    DnssecState {
        /// Signed, and the signatures hold.
        Secure = "secure",
        /// Proven to be unsigned.
        Insecure = "insecure",
        /// Signed, and the signatures do not hold.
        Bogus = "bogus",
        /// Not to be found out.
        Indeterminate = "indeterminate",
    }

    /// How a certificate compares with TLSA records.
    TlsaResult {
        /// A record allows it.
        Match = "match",
        /// Records exist, and none allows it.
        Mismatch = "mismatch",
        /// There are no records, provably.
        Absent = "absent",
        /// There may be records, but not signed ones.
        Insecure = "insecure",
        /// There are records of kinds that prove nothing.
        Unusable = "unusable",
        /// The look-up failed.
        Failed = "failed",
    }

    /// How fetching a POSH document ended.
    PoshResult {
        /// It was fetched and read.
        Fetched = "fetched",
        /// There is none.
        Absent = "absent",
        /// The web server could not be asked.
        Http = "http",
        /// Its certificate is not its host's.
        Tls = "tls",
        /// It redirects to where we do not follow.
        Redirect = "redirect",
        /// What it serves is no POSH document.
        Json = "json",
        /// What it serves is too large.
        Size = "size",
        /// It is where we do not connect to.
        Ssrf = "ssrf",
    }

    /// Our part in an exchange of Server Dialback (XEP-0220 §1.3).
    DialbackRole {
        /// We sent the key.
        Initiating = "initiating",
        /// We were sent the key.
        Receiving = "receiving",
        /// We were asked about the key.
        Authoritative = "authoritative",
    }

    /// How an exchange of Server Dialback ended.
    DialbackResult {
        /// The key is right.
        Valid = "valid",
        /// The key is wrong.
        Invalid = "invalid",
        /// It could not be checked.
        Error = "error",
        /// Nobody answered.
        Timeout = "timeout",
    }
}

impl AuthReason {
    /// Whether an attempt at `proof` can fail for this reason. One that cannot is counted as
    /// [`Other`](Self::Other), so that the number of series is known beforehand.
    pub fn applies_to(self, proof: Proof) -> bool {
        let (family, _) = self.as_str().split_once('.').unwrap_or((self.as_str(), ""));
        match family {
            "none" | "other" | "dns" => true,
            "cert" => proof != Proof::Dialback,
            "dane" => proof == Proof::Dane,
            "posh" => proof == Proof::Posh,
            _ => proof == Proof::Dialback,
        }
    }
}
