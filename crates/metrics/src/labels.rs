//! Every label here is a closed enum. A domain name is never a label: peers choose those, and
//! whoever chooses our labels chooses how much memory we use.

/// A closed set of label values.
pub(crate) trait Label: Copy + 'static {
    /// All of them, in the order of [`index`](Self::index).
    const EACH: &'static [Self];

    /// As it is written.
    fn value(self) -> &'static str;

    /// Which of [`EACH`](Self::EACH) it is.
    fn index(self) -> usize;
}

/// Defines enums whose variants have one fixed spelling each, both ways.
macro_rules! labels {
    ($($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
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

        impl Label for $name {
            const EACH: &'static [Self] = Self::ALL;

            fn value(self) -> &'static str {
                self.as_str()
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    )*};
}

mod auth;
mod lookup;
mod refusal;
mod standing;
mod wire;

pub use auth::{
    AuthReason, AuthResult, DialbackResult, DialbackRole, DnssecState, PolicyLevel, PoshResult,
    TlsaResult,
};
pub use lookup::{CacheResult, QueryType, Rcode, Steered};
pub use refusal::{BounceCondition, RevocationCause, ViolationReason, ViolationSide};
pub use standing::{SelfCheck, Within};
pub use wire::{Capture, Ending, HeaderKind, ProxyResult, ProxyVersion, TlsVersion, Way};

labels! {
    /// Which side of the proxy a connection is on.
    Side {
        /// Peers.
        Public = "public",
        /// Our server.
        Backend = "backend",
    }

    /// Which way something goes, seen from our server.
    Direction {
        /// Towards our server.
        Inbound = "inbound",
        /// Away from our server.
        Outbound = "outbound",
    }

    /// What carries a connection.
    Transport {
        /// TLS that was negotiated inside the stream.
        StartTls = "starttls",
        /// TLS from the first byte (XEP-0368).
        DirectTls = "direct-tls",
        /// TCP in the clear.
        Plain = "plain",
    }

    /// On whose word a peer speaks for a domain.
    Proof {
        /// TLSA records.
        Dane = "dane",
        /// A POSH document.
        Posh = "posh",
        /// A trusted authority.
        Pkix = "pkix",
        /// The domain's own server, asked by Server Dialback.
        Dialback = "dialback",
    }

    /// The kind of a stanza.
    Kind {
        /// Once, one way.
        Message = "message",
        /// To whom it may concern.
        Presence = "presence",
        /// Question and answer.
        Iq = "iq",
    }

    /// What we fell back *to*, when a better way to negotiate with a peer failed.
    Rung {
        /// Server names on the stream, our own certificate.
        ServerName = "server-name",
        /// Domain names on the stream, our own certificate.
        DomainName = "domain-name",
        /// Domain names on the stream, the sender domain's certificate.
        SenderCertificate = "sender-certificate",
        /// Server Dialback over TLS.
        Dialback = "dialback",
        /// Server Dialback in the clear.
        Plain = "plain",
    }

    /// How an attempt at something ended.
    Outcome {
        /// As it should.
        Success = "success",
        /// Otherwise.
        Failure = "failure",
    }

    /// A part of the program that must stand before it is ready.
    Component {
        /// A configuration that was understood.
        Config = "config",
        /// A certificate and its key.
        Certificates = "certificates",
        /// A resolver that answers, with the trust anchor that was asked for.
        Resolver = "resolver",
        /// Every address that is to be listened at.
        Listeners = "listeners",
    }
}
