use std::fmt::Write as _;

/// Why a stream had to end, in words its peer understands.
///
/// This is the only error in [`stream`](crate::stream): whatever goes wrong on a stream is
/// something we owe the peer an answer about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StreamError {
    /// What the peer is told.
    pub condition: Condition,
    /// Which rule the peer broke, if it broke one; what the metrics count.
    pub violation: Option<Violation>,
    /// What the log is told besides. It is never what a peer said.
    pub because: &'static str,
    /// Told to the peer as the error's text, when it is our own server and its users should hear
    /// the cause (both servers that we know show it to them).
    pub text: Option<String>,
}

impl StreamError {
    /// The same, blamed on a broken rule.
    #[must_use]
    pub fn blame(mut self, violation: Violation) -> Self {
        self.violation = Some(violation);
        self
    }

    /// The same, with words for the people behind our own server.
    #[must_use]
    pub fn saying(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// The `<stream:error/>` element (RFC 6120 §4.9.2), without the closing tag of the stream.
    pub fn to_xml(&self) -> String {
        let mut xml = String::with_capacity(160);
        let _ = write!(xml, "<stream:error><{} xmlns='{NAMESPACE}'/>", self.condition.as_str());
        if let Some(text) = &self.text {
            let text = quick_xml::escape::escape(text.as_str());
            let _ = write!(xml, "<text xmlns='{NAMESPACE}' xml:lang='en'>{text}</text>");
        }
        xml.push_str("</stream:error>");
        xml
    }
}

const NAMESPACE: &str = "urn:ietf:params:xml:ns:xmpp-streams";

/// Defines an enum whose variants have one fixed spelling each, both ways.
macro_rules! spelled {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum $name { $($(#[$doc])* #[doc = concat!("`", $text, "`")] $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As it is written.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// Reads what [`as_str`](Self::as_str) writes.
            pub fn read(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.as_str() == text)
            }
        }
    };
}

spelled! {
    /// A stream error condition (RFC 6120 §4.9.3).
    Condition {
        BadFormat = "bad-format",
        BadNamespacePrefix = "bad-namespace-prefix",
        Conflict = "conflict",
        ConnectionTimeout = "connection-timeout",
        HostGone = "host-gone",
        HostUnknown = "host-unknown",
        ImproperAddressing = "improper-addressing",
        InternalServerError = "internal-server-error",
        InvalidFrom = "invalid-from",
        InvalidNamespace = "invalid-namespace",
        InvalidXml = "invalid-xml",
        NotAuthorized = "not-authorized",
        NotWellFormed = "not-well-formed",
        PolicyViolation = "policy-violation",
        RemoteConnectionFailed = "remote-connection-failed",
        Reset = "reset",
        ResourceConstraint = "resource-constraint",
        RestrictedXml = "restricted-xml",
        SeeOtherHost = "see-other-host",
        SystemShutdown = "system-shutdown",
        UndefinedCondition = "undefined-condition",
        UnsupportedEncoding = "unsupported-encoding",
        UnsupportedFeature = "unsupported-feature",
        UnsupportedStanzaType = "unsupported-stanza-type",
        UnsupportedVersion = "unsupported-version",
    }
}

impl StreamError {
    /// What ought to be impossible, and is a mistake of ours if it happens all the same.
    pub(super) fn bug() -> Self {
        Condition::InternalServerError.because(BUG)
    }

    /// What its driver may not ask of a stream as it stands, which is a mistake of ours, too.
    pub(super) fn misdriven() -> Self {
        Condition::InternalServerError.because("driver out of turn; a bug of ours")
    }

    /// An element that belongs elsewhere in a stream, if anywhere.
    pub(super) fn out_of_turn() -> Self {
        Condition::UnsupportedStanzaType
            .because("an element out of turn")
            .blame(Violation::StreamOrder)
    }
}

/// What the log is told of a mistake of ours.
pub(crate) const BUG: &str = "a bug of ours";

impl Condition {
    /// The error that ends a stream with this condition.
    pub fn because(self, because: &'static str) -> StreamError {
        StreamError { condition: self, violation: None, because, text: None }
    }
}

spelled! {
    /// A rule that somebody broke: the closed list that metrics and logs know.
    Violation {
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
