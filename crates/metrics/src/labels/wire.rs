use super::Label;

labels! {
    /// How a connection ended.
    Ending {
        /// The far end said goodbye, or both did.
        Closed = "closed",
        /// We would not go on.
        Refused = "refused",
        /// The network failed, or the far end left without a word.
        Broken = "broken",
        /// It had carried nothing for long, or was of no more use.
        Idle = "idle",
        /// We were about to end.
        Drain = "drain",
    }

    /// Which TLS a handshake came to.
    TlsVersion {
        /// RFC 5246.
        Tls12 = "1.2",
        /// RFC 8446.
        Tls13 = "1.3",
        /// It failed.
        None = "none",
    }

    /// Which way bytes went, seen from this program.
    Way {
        /// From the far end.
        Received = "received",
        /// To the far end.
        Sent = "sent",
    }

    /// What led a connection of our own server's to us.
    Capture {
        /// It was told by DNS that the peer is here.
        Dns = "dns",
        /// The packet filter sent it here.
        Redirect = "redirect",
        /// It is set up to come here.
        Explicit = "explicit",
    }

    /// Under whose names a stream header went to a peer.
    HeaderKind {
        /// The servers'.
        ServerName = "server-name",
        /// Those of two domains.
        DomainName = "domain-name",
    }
}
