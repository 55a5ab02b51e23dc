//! What leads from one rung to the next, and what does not (M-02 to M-04).

use ligase_tests::Deed::{
    Alert, Babble, End, Error, Fail, FailAndEnd, HangUp, Invalid, NoOffer, Pretend, Refuse, Silence,
};
use ligase_tests::Moment::{Authenticating, Claiming, Greeted, Secured, Securing};
use ligase_tests::Script;
use ligase_tests::Whom::{Anybody, Servers, Strangers};

use super::{
    Climb, DOMAIN_NAME, Fault, LAX, NOTHING, Place, Row, SENDER_CERTIFICATE, SERVER_NAME, SIGNED,
    UNKNOWN, UNSIGNED,
};

/// From streams between servers to streams between domains.
pub(super) const OF_SERVERS: &[Row] = &[
    Row {
        name: "host-unknown",
        place: SIGNED,
        climbs: &[to_domain(&[(Greeted, Servers, Error("host-unknown"))], &[UNKNOWN, DOMAIN_NAME])],
    },
    Row {
        name: "improper-addressing",
        place: SIGNED,
        climbs: &[to_domain(
            &[(Greeted, Servers, Error("improper-addressing"))],
            &[UNKNOWN, DOMAIN_NAME],
        )],
    },
    Row {
        name: "invalid-from",
        place: SIGNED,
        climbs: &[to_domain(&[(Secured, Servers, Error("invalid-from"))], &[SHOWN, DOMAIN_NAME])],
    },
    Row {
        name: "not-authorized",
        place: SIGNED,
        climbs: &[to_domain(&[(Secured, Servers, Error("not-authorized"))], &[SHOWN, DOMAIN_NAME])],
    },
    Row {
        name: "undefined-condition",
        place: SIGNED,
        climbs: &[to_domain(
            &[(Secured, Servers, Error("undefined-condition"))],
            &[SHOWN, DOMAIN_NAME],
        )],
    },
    Row {
        name: "policy-violation",
        place: SIGNED,
        climbs: &[to_domain(
            &[(Authenticating, Servers, Error("policy-violation"))],
            &[ASKED, DOMAIN_NAME],
        )],
    },
    Row {
        name: "the end of the stream",
        place: SIGNED,
        climbs: &[to_domain(&[(Secured, Servers, End)], &[SHOWN, DOMAIN_NAME])],
    },
    Row {
        name: "the end of the connection",
        place: SIGNED,
        climbs: &[to_domain(&[(Greeted, Servers, HangUp)], &[UNKNOWN, DOMAIN_NAME])],
    },
    Row {
        name: "nothing, before TLS",
        place: SIGNED,
        climbs: &[to_domain(&[(Greeted, Servers, Silence)], &[UNKNOWN, DOMAIN_NAME])],
    },
    Row {
        name: "nothing, after TLS",
        place: SIGNED,
        climbs: &[to_domain(&[(Secured, Servers, Silence)], &[SHOWN, DOMAIN_NAME])],
    },
    Row {
        name: "unrecognized_name",
        place: SIGNED,
        climbs: &[to_domain(
            &[(Securing, Servers, Alert(112))],
            &["house > server / clear / hello", DOMAIN_NAME],
        )],
    },
    Row {
        name: "the end of the connection, in the handshake",
        place: SIGNED,
        climbs: &[to_domain(
            &[(Securing, Servers, HangUp)],
            &["house > server / clear / hello", DOMAIN_NAME],
        )],
    },
    Row {
        name: "nothing, in the handshake",
        place: SIGNED,
        climbs: &[to_domain(
            &[(Securing, Servers, Silence)],
            &["house > server / clear / hello", DOMAIN_NAME],
        )],
    },
    Row {
        name: "item-not-found",
        place: SIGNED,
        climbs: &[beside_servers(&[(Claiming, Servers, Refuse("item-not-found"))])],
    },
    Row {
        name: "not-allowed",
        place: SIGNED,
        climbs: &[beside_servers(&[(Claiming, Servers, Refuse("not-allowed"))])],
    },
    // E-06.
    Row {
        name: "not-authorized, of the pair",
        place: SIGNED,
        climbs: &[beside_servers(&[(Claiming, Servers, Refuse("not-authorized"))])],
    },
    Row {
        name: "failed SASL and the end",
        place: SIGNED,
        climbs: &[to_domain(&[(Authenticating, Servers, FailAndEnd)], &[ASKED, DOMAIN_NAME])],
    },
    // Not a trigger: what is wrong here is no name.
    Row {
        name: "host-gone",
        place: SIGNED,
        climbs: &[refused(&[(Greeted, Servers, Error("host-gone"))], &[UNKNOWN])],
    },
    Row {
        name: "handshake_failure",
        place: SIGNED,
        climbs: &[refused(&[(Securing, Servers, Alert(40))], &["house > server / clear / hello"])],
    },
];

/// From our own server's certificate to the sender domain's.
pub(super) const OF_CERTIFICATES: &[Row] = &[
    Row {
        name: "failed SASL and the end",
        place: UNSIGNED,
        climbs: &[to_sender(
            &[(Authenticating, Strangers, FailAndEnd)],
            &[DENIED, SENDER_CERTIFICATE],
        )],
    },
    Row {
        name: "not-authorized, of the pair",
        place: UNSIGNED,
        climbs: &[to_sender(
            &[(Authenticating, Strangers, Fail), (Claiming, Strangers, Refuse("not-authorized"))],
            &[DENIED_TWICE, SENDER_CERTIFICATE],
        )],
    },
    Row {
        name: "not-acceptable, of the pair",
        place: UNSIGNED,
        climbs: &[to_sender(
            &[(Authenticating, Strangers, Fail), (Claiming, Strangers, Refuse("not-acceptable"))],
            &[DENIED_TWICE, SENDER_CERTIFICATE],
        )],
    },
    Row {
        name: "an invalid key",
        place: UNSIGNED,
        climbs: &[to_sender(
            &[(Authenticating, Strangers, Fail), (Claiming, Strangers, Invalid)],
            &[DENIED_TWICE, SENDER_CERTIFICATE],
        )],
    },
    Row {
        name: "not-authorized, of the stream",
        place: UNSIGNED,
        climbs: &[to_sender(
            &[(Secured, Strangers, Error("not-authorized"))],
            &[MET, SENDER_CERTIFICATE],
        )],
    },
    Row {
        name: "policy-violation, of the stream",
        place: UNSIGNED,
        climbs: &[to_sender(
            &[(Secured, Strangers, Error("policy-violation"))],
            &[MET, SENDER_CERTIFICATE],
        )],
    },
    // Not a trigger: no certificate would help.
    Row {
        name: "host-unknown",
        place: UNSIGNED,
        climbs: &[refused(&[(Secured, Strangers, Error("host-unknown"))], &[MET])],
    },
    // There is no other certificate, so nothing is left to try.
    Row {
        name: "not-authorized, for a domain without a certificate",
        place: UNSIGNED,
        climbs: &[Climb {
            certified: false,
            ..refused(
                &[(Authenticating, Anybody, Fail), (Claiming, Anybody, Refuse("not-authorized"))],
                &[DENIED_TWICE],
            )
        }],
    },
    Row {
        name: "EXTERNAL is not offered, and the pair refused",
        place: UNSIGNED,
        climbs: &[Climb {
            certified: false,
            ..refused(
                &[(Secured, Anybody, NoOffer), (Claiming, Anybody, Refuse("not-authorized"))],
                &["tenant > peer / peer by house / claim tenant"],
            )
        }],
    },
];

/// No rung is tried after these, though policy would take any.
pub(super) const OF_NOTHING: &[Row] = &[
    Row {
        name: "a forged delegation",
        place: Place { fault: Some(Fault::ForgedDelegation), ..LAX },
        climbs: &[refused(&[], &[])],
    },
    Row {
        name: "a forged pin",
        place: Place { fault: Some(Fault::ForgedPin), ..LAX },
        climbs: &[refused(&[], &[])],
    },
    Row {
        name: "another key than is pinned",
        place: Place { fault: Some(Fault::OtherPin), ..LAX },
        climbs: &[refused(&[], &["house > server / server by house / "])],
    },
    // Who publishes a pin has TLS, whatever becomes of it on the way (RFC 7673 §4).
    Row {
        name: "no TLS where a key is pinned",
        place: Place { fault: Some(Fault::OtherPin), ..LAX },
        climbs: &[refused(&[(Securing, Anybody, Fail)], &[UNKNOWN])],
    },
    Row {
        name: "no offer of TLS where a key is pinned",
        place: Place { fault: Some(Fault::OtherPin), ..LAX },
        climbs: &[refused(&[(Greeted, Anybody, NoOffer), (Securing, Anybody, Fail)], &[UNKNOWN])],
    },
    Row {
        name: "a certificate that nobody vouches for",
        place: Place { level: "dna", fault: Some(Fault::SelfSigned), ..LAX },
        climbs: &[refused(&[], &["house > server / server by house / "])],
    },
    Row {
        name: "what is not XML, before TLS",
        place: LAX,
        climbs: &[refused(&[(Greeted, Anybody, Babble)], &[UNKNOWN])],
    },
    Row {
        name: "what is not XML, after TLS",
        place: LAX,
        climbs: &[refused(&[(Secured, Anybody, Babble)], &[SHOWN])],
    },
    Row {
        name: "what is not XML, in answer to SASL",
        place: LAX,
        climbs: &[refused(&[(Authenticating, Anybody, Babble)], &[ASKED])],
    },
    Row {
        name: "what is not XML, in answer to a claim",
        place: LAX,
        climbs: &[refused(&[(Claiming, Anybody, Babble)], &[CLAIMED])],
    },
    Row {
        name: "another domain's answer",
        place: LAX,
        climbs: &[refused(&[(Greeted, Anybody, Pretend)], &[UNKNOWN])],
    },
    Row {
        name: "another domain's answer, after TLS",
        place: LAX,
        climbs: &[refused(&[(Secured, Anybody, Pretend)], &[SHOWN])],
    },
    // The same peers, were they as they should be.
    Row {
        name: "nothing is wrong",
        place: LAX,
        climbs: &[Climb { visits: &[SERVER_NAME], modes: &["server-name"], ..NOTHING }],
    },
];

const fn to_domain(script: Script, visits: &'static [&'static str]) -> Climb {
    Climb { script, visits, falls: &["domain-name"], modes: &["domain-name"], ..NOTHING }
}

/// The stream between servers stands, for whom it may be of use.
const fn beside_servers(script: Script) -> Climb {
    let modes = &["server-name", "domain-name"];
    Climb { modes, ..to_domain(script, &[CLAIMED, DOMAIN_NAME]) }
}

const fn to_sender(script: Script, visits: &'static [&'static str]) -> Climb {
    Climb { script, visits, falls: &["sender-certificate"], modes: &["domain-name"], ..NOTHING }
}

const fn refused(script: Script, visits: &'static [&'static str]) -> Climb {
    Climb { script, visits, ..NOTHING }
}

/// How far those get who are turned away from a server: with TLS, with their certificate, and with
/// their claim.
const SHOWN: &str = "house > server / server by house / ";
const ASKED: &str = "house > server / server by house / external";
const CLAIMED: &str = "house > server / server by house / external, claim tenant";

/// The same, from a domain; the last with a key after the certificate.
const MET: &str = "tenant > peer / peer by house / ";
const DENIED: &str = "tenant > peer / peer by house / external";
const DENIED_TWICE: &str = "tenant > peer / peer by house / external, claim tenant";
