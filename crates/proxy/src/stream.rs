//! What a stream is made of, and the machines that negotiate one.

mod bounce;
mod denial;
mod dialback;
mod element;
mod error;
mod features;
mod frame;
mod framer;
mod header;
mod ids;
mod initiating;
mod input;
mod management;
mod open;
mod receiving;
mod sasl;
mod setback;
mod stanza;

pub use bounce::StanzaError;
pub use denial::Denial;
pub use dialback::{Dialback, DialbackError, Keys, Part, Role, Word};
pub use element::{Element, Node};
#[cfg(test)]
pub(crate) use error::BUG;
pub use error::{Condition, StreamError, Violation};
pub use features::{Dna, Features, Offer};
pub use frame::{Frame, Reader};
pub use framer::{Framer, Limits, Piece, Raw};
pub use header::Header;
pub use ids::Ids;
pub use initiating::{Attempt, Errand, Initiating, Rung};
pub use input::{Action, Answer, Bounds, Channels, Input, Loss, Terms, Tidings, Unsecured};
pub use management::Management;
pub use open::Way;
pub use receiving::Receiving;
pub use sasl::{Authorization, SaslError};
pub use setback::Setback;
pub use stanza::{Kind, Stanza};

/// The namespaces of a stream, all exact (RFC 6120, XEP-0220).
pub mod ns {
    /// The stream itself (RFC 6120 §4.8.1).
    pub const STREAM: &str = "http://etherx.jabber.org/streams";
    /// Everything on a server-to-server stream that says nothing else (RFC 6120 §4.8.3).
    pub const SERVER: &str = "jabber:server";
    /// Server Dialback (XEP-0220 §2.4.1).
    pub const DIALBACK: &str = "jabber:server:dialback";
    /// The dialback feature (XEP-0220 §2.4.2).
    pub const DIALBACK_FEATURE: &str = "urn:xmpp:features:dialback";
    /// STARTTLS (RFC 6120 §5).
    pub const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
    /// SASL (RFC 6120 §6).
    pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
    /// Stream error conditions (RFC 6120 §4.9).
    pub const STREAM_ERROR: &str = "urn:ietf:params:xml:ns:xmpp-streams";
    /// Stanza error conditions (RFC 6120 §8.3).
    pub const STANZA_ERROR: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
    /// The feature of streams for both directions (XEP-0288 §2.1).
    pub const BIDI_FEATURE: &str = "urn:xmpp:features:bidi";
    /// The element that asks for it (XEP-0288 §2.2).
    pub const BIDI: &str = "urn:xmpp:bidi";
    /// Acknowledgments (XEP-0198).
    pub const MANAGEMENT: &str = "urn:xmpp:sm:3";
    /// What only those know who know channels: a feature, and a stanza error.
    pub const DNA: &str = "urn:x-ligase:dna:0";
}
