use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ligase_verifier::Domain;

use super::Violation;

/// An `<auth/>` as it came (RFC 6120 §6.4.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authorization {
    /// Which mechanism it wants.
    pub mechanism: String,
    /// The initial response, still encoded; empty where there was none.
    pub response: String,
}

/// Why SASL failed (RFC 6120 §6.5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SaslError {
    /// The condition to send.
    pub condition: &'static str,
    /// The rule that was broken, if one was.
    pub violation: Option<Violation>,
}

impl Authorization {
    /// Asks to be authorized as `domain`.
    ///
    /// COMPAT: the identity is spelled out although the stream's `from` says the same, because not
    /// every server derives it (XEP-0178 §3, step 10).
    pub fn request(domain: &Domain) -> String {
        let identity = BASE64_STANDARD.encode(domain.as_str());
        format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>{identity}</auth>"
        )
    }

    /// Checks that this asks for nothing but to be `offered`, the name that the peer's
    /// certificate was found good for (K-04).
    ///
    /// # Errors
    /// What to answer instead of success.
    pub fn check(&self, offered: Option<&Domain>) -> Result<(), SaslError> {
        let refuse =
            |condition, violation| Err(SaslError { condition, violation: Some(violation) });
        if self.mechanism != "EXTERNAL" {
            return refuse("invalid-mechanism", Violation::SaslMechanism);
        }
        let Some(offered) = offered else {
            return refuse("not-authorized", Violation::SaslOrder);
        };
        if self.response.is_empty() {
            return refuse("malformed-request", Violation::SaslEncoding);
        }
        if self.response == "=" {
            return Ok(());
        }
        let Ok(identity) = BASE64_STANDARD.decode(&self.response) else {
            return refuse("incorrect-encoding", Violation::SaslEncoding);
        };
        let identity = String::from_utf8(identity).ok();
        let identity = identity.and_then(|text| text.parse::<Domain>().ok());
        match identity {
            Some(domain) if domain == *offered => Ok(()),
            _ => refuse("invalid-authzid", Violation::SaslAuthzid),
        }
    }
}

impl SaslError {
    /// The `<failure/>` element.
    pub fn to_xml(self) -> String {
        format!("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><{}/></failure>", self.condition)
    }
}

/// The `<success/>` element.
pub(super) const SUCCESS: &str = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";

#[cfg(test)]
mod tests;
