use super::{Condition, Element, StreamError, Violation, ns};

/// An element of stream management (XEP-0198), as far as we need it: acknowledgments, hop by hop,
/// and no resumption.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Management {
    /// Please confirm what you take (§3).
    Enable,
    /// That will be done.
    Enabled,
    /// It will not.
    Failed,
    /// How much have you taken? (§4)
    Request,
    /// So much, counted from when it was agreed on; it wraps around.
    Answer(u32),
}

impl Management {
    /// Reads an element in the namespace of stream management; `None` where it is none that we know.
    ///
    /// # Errors
    /// `bad-format` where an answer bears no number.
    pub fn read(element: &Element) -> Result<Option<Self>, StreamError> {
        Ok(Some(match element.name.as_str() {
            "enable" => Self::Enable,
            "enabled" => Self::Enabled,
            "failed" => Self::Failed,
            "r" => Self::Request,
            "a" => {
                let count = element.attribute("h").and_then(|text| text.parse().ok());
                Self::Answer(count.ok_or_else(|| {
                    Condition::BadFormat
                        .because("an acknowledgment without a number")
                        .blame(Violation::StreamManagementProtocol)
                })?)
            }
            _ => return Ok(None),
        }))
    }

    /// The element as bytes of a stream.
    pub fn to_xml(self) -> String {
        let sm = ns::MANAGEMENT;
        match self {
            Self::Enable => format!("<enable xmlns='{sm}'/>"),
            Self::Enabled => format!("<enabled xmlns='{sm}'/>"),
            Self::Failed => {
                let condition = format!("<unexpected-request xmlns='{}'/>", ns::STANZA_ERROR);
                format!("<failed xmlns='{sm}'>{condition}</failed>")
            }
            Self::Request => format!("<r xmlns='{sm}'/>"),
            Self::Answer(count) => format!("<a xmlns='{sm}' h='{count}'/>"),
        }
    }
}

#[cfg(test)]
mod tests;
