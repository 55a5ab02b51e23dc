use super::Label;

labels! {
    /// A stanza error condition (RFC 6120 §8.3.3).
    BounceCondition {
        BadRequest = "bad-request",
        Conflict = "conflict",
        FeatureNotImplemented = "feature-not-implemented",
        Forbidden = "forbidden",
        Gone = "gone",
        InternalServerError = "internal-server-error",
        ItemNotFound = "item-not-found",
        JidMalformed = "jid-malformed",
        NotAcceptable = "not-acceptable",
        NotAllowed = "not-allowed",
        NotAuthorized = "not-authorized",
        PolicyViolation = "policy-violation",
        RecipientUnavailable = "recipient-unavailable",
        Redirect = "redirect",
        RegistrationRequired = "registration-required",
        RemoteServerNotFound = "remote-server-not-found",
        RemoteServerTimeout = "remote-server-timeout",
        ResourceConstraint = "resource-constraint",
        ServiceUnavailable = "service-unavailable",
        SubscriptionRequired = "subscription-required",
        UndefinedCondition = "undefined-condition",
        UnexpectedRequest = "unexpected-request",
    }

    /// Why a right was taken back.
    RevocationCause {
        /// The proof was not renewed in time.
        ProofExpired = "proof-expired",
        /// The proof, asked for again, did not hold.
        ProofFailed = "proof-failed",
        /// The domain is no longer hosted here.
        HostRemoved = "host-removed",
        /// The peer is no longer allowed.
        PeerBlocked = "peer-blocked",
        /// Our server refused the pair for good.
        BackendRefused = "backend-refused",
        /// The peer took it back.
        PeerRevoked = "peer-revoked",
    }

    /// Where a rejected input came in.
    ViolationSide {
        /// From a peer.
        Public = "public",
        /// From our server, or whoever claims to be it.
        Backend = "backend",
        /// At the DNS listener.
        Dns = "dns",
        /// At the POSH listener.
        Posh = "posh",
        /// At the admin port.
        Admin = "admin",
    }

    /// A rule that somebody broke, and was turned away for: a closed list, the same in the log.
    ViolationReason {
        XmlNotWellFormed = "xml.not_wf",
        XmlRestricted = "xml.restricted",
        XmlEncoding = "xml.encoding",
        XmlNamespace = "xml.namespace",
        XmlTooBig = "xml.too_big",
        XmlDepth = "xml.depth",
        XmlAttributes = "xml.attrs",
        XmlBackendUnsafe = "xml.backend_unsafe",
        StreamHostUnknown = "stream.host_unknown",
        StreamAddressing = "stream.addressing",
        StreamVersion = "stream.version",
        StreamOrder = "stream.order",
        StreamPreauthStanza = "stream.preauth_stanza",
        StreamElement = "stream.element",
        StreamText = "stream.text",
        StreamPlaintextAfterStartTls = "stream.plaintext_after_starttls",
        StreamTlsRequired = "stream.tls_required",
        StreamIdentityChange = "stream.identity_change",
        StreamRedirect = "stream.redirect",
        DomainMalformed = "domain.malformed",
        DomainAmbiguous = "domain.ambiguous",
        TlsVersion = "tls.version",
        TlsAlpn = "tls.alpn",
        TlsHandshake = "tls.handshake",
        TlsTimeout = "tls.timeout",
        TlsFlood = "tls.flood",
        CertNone = "cert.none",
        CertChain = "cert.chain",
        CertExpired = "cert.expired",
        CertName = "cert.name",
        CertEku = "cert.eku",
        CertMalformed = "cert.malformed",
        CertConstraint = "cert.constraint",
        CertRevoked = "cert.revoked",
        CertProofOfPossession = "cert.proof_of_possession",
        DaneMismatch = "dane.mismatch",
        DnsBogus = "dns.bogus",
        DnsFailure = "dns.failure",
        DnsLimit = "dns.limit",
        DnsForbiddenTarget = "dns.forbidden_target",
        PoshHttp = "posh.http",
        PoshTls = "posh.tls",
        PoshRedirect = "posh.redirect",
        PoshJson = "posh.json",
        PoshSize = "posh.size",
        PoshExpired = "posh.expired",
        PoshSsrf = "posh.ssrf",
        PoshMismatch = "posh.mismatch",
        SaslAuthzid = "sasl.authzid",
        SaslMechanism = "sasl.mechanism",
        SaslEncoding = "sasl.encoding",
        SaslOrder = "sasl.order",
        DialbackUnsolicited = "db.unsolicited",
        DialbackKey = "db.key",
        DialbackNoPending = "db.no_pending",
        DialbackAddressing = "db.addressing",
        DialbackType = "db.type",
        DialbackFromHosted = "db.from_hosted",
        DialbackNotHosted = "db.not_hosted",
        DialbackLimit = "db.limit",
        DialbackDirection = "db.direction",
        PairUnauthorized = "pair.unauthorised",
        PairWrongConnection = "pair.wrong_connection",
        PairInverse = "pair.inverse",
        PairRevoked = "pair.revoked",
        PairLimit = "pair.limit",
        LoopSelf = "loop.self",
        LoopOriginalDestination = "loop.origdst",
        BackendAcl = "backend.acl",
        BackendFrom = "backend.from",
        BackendTo = "backend.to",
        BackendKey = "backend.key",
        BackendProtocol = "backend.proto",
        LimitConnections = "limit.conn",
        LimitPreauth = "limit.preauth",
        LimitRate = "limit.rate",
        LimitQueue = "limit.queue",
        LimitMemory = "limit.memory",
        StreamManagementProtocol = "sm.protocol",
        ProxyHeader = "proxy.header",
        AdminDenied = "admin.denied",
        AdminRequest = "admin.request",
    }
}
