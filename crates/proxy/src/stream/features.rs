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
        Self {
            start_tls: element.child(ns::TLS, "starttls").is_some(),
            external,
            dialback: dialback.is_some(),
            errors: dialback.is_some_and(|it| it.child(ns::DIALBACK_FEATURE, "errors").is_some()),
        }
    }
}

/// What we offer as receiving entity.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Offer {
    /// STARTTLS, and whether we insist.
    pub start_tls: Option<bool>,
    /// SASL EXTERNAL. An empty list of mechanisms is never sent (K-02).
    pub external: bool,
    /// Dialback with errors.
    pub dialback: bool,
}

impl Offer {
    /// The `<stream:features/>` element.
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
        if self.dialback {
            xml.push_str("<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>");
        }
        xml.push_str("</stream:features>");
        xml
    }
}

#[cfg(test)]
mod tests;
