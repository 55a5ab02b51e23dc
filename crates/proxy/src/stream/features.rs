use std::fmt::Write as _;

use ligase_verifier::{Domain, Prooftype};

use super::{Element, ns};

/// What the receiving entity offered us (RFC 6120 §4.3.2).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Features {
    /// STARTTLS is offered.
    pub start_tls: bool,
    /// SASL EXTERNAL is offered (XEP-0178).
    pub external: bool,
    /// Dialback is offered (XEP-0220 §2.4.2).
    pub dialback: bool,
    /// Dialback errors are understood, so a pair may fail without ending the stream (§2.5).
    pub errors: bool,
    /// Both may ask and send on one stream (XEP-0288).
    pub bidi: bool,
    /// It knows channels as we do.
    pub dna: bool,
    /// It takes streams between servers (draft-ietf-xmpp-dna-01 §5).
    pub server_names: bool,
    /// It confirms what it takes (XEP-0198).
    pub management: bool,
}

impl Features {
    /// Reads `<stream:features/>`; what we do not know, we do not need.
    pub fn read(element: &Element) -> Self {
        let dialback = element.child(ns::DIALBACK_FEATURE, "dialback");
        let mechanisms = element.child(ns::SASL, "mechanisms");
        let external = mechanisms.is_some_and(|mechanisms| {
            mechanisms.elements().any(|it| {
                it.namespace == ns::SASL && it.name == "mechanism" && it.text() == "EXTERNAL"
            })
        });
        let dna = element.child(ns::DNA, "dna");
        Self {
            start_tls: element.child(ns::TLS, "starttls").is_some(),
            external,
            dialback: dialback.is_some(),
            errors: dialback.is_some_and(|it| it.child(ns::DIALBACK_FEATURE, "errors").is_some()),
            // COMPAT: the draft writes the element's namespace where the feature's belongs.
            bidi: [ns::BIDI_FEATURE, ns::BIDI].iter().any(|it| element.child(it, "bidi").is_some()),
            dna: dna.is_some(),
            management: element.child(ns::MANAGEMENT, "sm").is_some(),
            server_names: dna.is_some_and(|it| it.child(ns::DNA, "server-names").is_some()),
        }
    }
}

/// What we offer as receiving entity.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offer<'a> {
    /// STARTTLS, and whether we insist.
    pub start_tls: Option<bool>,
    /// SASL EXTERNAL. An empty list of mechanisms is never sent (K-02).
    pub external: bool,
    /// One stream for both directions (XEP-0288).
    pub bidi: bool,
    /// Acknowledgments (XEP-0198).
    pub management: bool,
    /// What we are and know, for those who know it as well.
    pub dna: Option<Dna<'a>>,
}

/// What we tell of ourselves to those who know channels.
#[derive(Clone, Copy, Debug)]
pub struct Dna<'a> {
    /// Our own name.
    pub server: &'a Domain,
    /// Whether we take streams between servers.
    pub server_names: bool,
    /// What we believe, for people to read: nobody has to go by it.
    pub prooftypes: &'a [Prooftype],
}

impl Offer<'_> {
    /// The `<stream:features/>` element. Dialback with errors is always among them.
    pub fn to_xml(self) -> String {
        let mut xml = String::from("<stream:features>");
        match self.start_tls {
            Some(true) => xml.push_str(
                "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>",
            ),
            Some(false) => xml.push_str("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
            None => (),
        }
        if self.external {
            xml.push_str(
                "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
                 <mechanism>EXTERNAL</mechanism></mechanisms>",
            );
        }
        if self.bidi {
            let _ = write!(xml, "<bidi xmlns='{}'/>", ns::BIDI_FEATURE);
        }
        xml.push_str("<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>");
        if self.management {
            let _ = write!(xml, "<sm xmlns='{}'/>", ns::MANAGEMENT);
        }
        if let Some(Dna { server, server_names, prooftypes }) = self.dna {
            let _ = write!(xml, "<dna xmlns='{}' server='{}'>", ns::DNA, server.as_str());
            if server_names {
                xml.push_str("<server-names/>");
            }
            for prooftype in prooftypes {
                let _ = write!(xml, "<prooftype>{prooftype}</prooftype>");
            }
            xml.push_str("</dna>");
        }
        xml.push_str("</stream:features>");
        xml
    }
}

/// Makes the stream one for both directions (XEP-0288 §2.2), and tells those who know channels that
/// we know them too: the initiating entity has no features of its own to say so in.
pub(super) fn request_bidi(dna: bool) -> String {
    match dna {
        true => format!("<bidi xmlns='{}'><dna xmlns='{}'/></bidi>", ns::BIDI, ns::DNA),
        false => format!("<bidi xmlns='{}'/>", ns::BIDI),
    }
}

#[cfg(test)]
mod tests;
