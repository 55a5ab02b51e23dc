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

    /// How a load balancer writes whom a connection is from.
    ProxyVersion {
        /// In a line of text.
        One = "1",
        /// In bytes.
        Two = "2",
        /// Not at all.
        None = "none",
    }

    /// What became of that.
    ProxyResult {
        /// The connection is from whom it says, or from the load balancer where nothing is said and
        /// nothing has to be.
        Accepted = "accepted",
        /// The connection is the load balancer's own.
        Local = "local",
        /// The connection was closed.
        Refused = "refused",
    }

    /// Under whose names a stream header went to a peer.
    HeaderKind {
        /// The servers'.
        ServerName = "server-name",
        /// Those of two domains.
        DomainName = "domain-name",
    }
}
