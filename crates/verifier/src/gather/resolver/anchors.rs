use super::*;
use hickory_resolver::proto::dnssec::TrustAnchors;

pub(super) fn load(path: Option<&Path>) -> Result<TrustAnchors, SetupError> {
    let Some(path) = path else {
        return Ok(TrustAnchors::default());
    };
    let text =
        std::fs::read_to_string(path).map_err(|_| SetupError::TrustAnchor(path.to_owned()))?;
    TrustAnchors::from_str(&text).map_err(|_| SetupError::TrustAnchor(path.to_owned()))
}
