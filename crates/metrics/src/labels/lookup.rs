use super::Label;

labels! {
    /// The type of the records that a DNS query asks for.
    QueryType {
        /// IPv4 addresses.
        A = "a",
        /// IPv6 addresses.
        Aaaa = "aaaa",
        /// Where a service is.
        Srv = "srv",
        /// What a TLS server may present.
        Tlsa = "tlsa",
        /// The keys of a zone.
        Dnskey = "dnskey",
        /// Which of those the zone above vouches for.
        Ds = "ds",
        /// Anything else.
        Other = "other",
    }

    /// What a DNS server answered.
    Rcode {
        /// The name exists; the records perhaps not.
        NoError = "noerror",
        /// There is no such name.
        NxDomain = "nxdomain",
        /// It could not find out, or the signatures do not hold.
        ServFail = "servfail",
        /// It does not answer us.
        Refused = "refused",
        /// Nothing, while we waited.
        Timeout = "timeout",
        /// Something else, or nothing because it could not be reached.
        Other = "other",
    }

    /// Whether a question was answered from memory.
    CacheResult {
        /// It was, or joined another that was being asked already.
        Hit = "hit",
        /// It had to be asked.
        Miss = "miss",
    }

    /// What became of a DNS query of our own server's.
    Steered {
        /// It asked where a peer is, and heard that the peer is here.
        Srv = "srv",
        /// It asked for something else about that place, and heard that there is nothing.
        Denied = "denied",
        /// It was none of ours, and passed on.
        Passed = "passed",
    }
}
