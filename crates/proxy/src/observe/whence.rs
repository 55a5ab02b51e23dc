use ligase_metrics::ViolationSide;

use crate::binding::Side;
use crate::stream::Violation;

/// Where a violation came from: from whoever is on that side of us, or from what DNS or a web server
/// says of them.
pub(super) fn whence(violation: Violation, side: Side) -> ViolationSide {
    let reason = violation.as_str();
    if reason.starts_with("dns.") {
        ViolationSide::Dns
    } else if reason.starts_with("posh.") {
        ViolationSide::Posh
    } else {
        match side {
            Side::Public => ViolationSide::Public,
            Side::Backend => ViolationSide::Backend,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_told_from_what_is_said() {
        for (violation, whence_it_came) in [
            (Violation::DnsBogus, ViolationSide::Dns),
            (Violation::PoshTls, ViolationSide::Posh),
            (Violation::CertName, ViolationSide::Public),
            (Violation::LoopSelf, ViolationSide::Public),
        ] {
            assert_eq!(whence(violation, Side::Public), whence_it_came);
        }
        assert_eq!(whence(Violation::DialbackKey, Side::Backend), ViolationSide::Backend);
    }
}
