use super::*;
use crate::mint::{domain, now};

#[test]
fn an_association_says_who_was_proven_how_and_until_when() {
    for (prooftype, word) in
        [(Prooftype::Dane, "dane"), (Prooftype::Posh, "posh"), (Prooftype::Pkix, "pkix")]
    {
        let proof = Association::witness(domain("v.test"), prooftype, now());
        assert_eq!(*proof.domain(), domain("v.test"));
        assert_eq!(proof.prooftype(), prooftype);
        assert_eq!(proof.expires(), now());
        // As configuration, metrics and logs write it.
        assert_eq!(prooftype.to_string(), word);
        assert_eq!(prooftype.as_str(), word);
    }
}
