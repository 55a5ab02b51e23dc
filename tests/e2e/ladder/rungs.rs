//! Peers that take one rung and no other (M-01).

use ligase_tests::{Deed, Moment, Whom};

use super::{
    Climb, DIALBACK, DOMAIN_NAME, LAX, LAX_UNSIGNED, NOTHING, PLAIN, Row, SENDER_CERTIFICATE,
    SERVER_NAME, SIGNED, UNKNOWN, UNSIGNED,
};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "streams between servers",
        place: SIGNED,
        climbs: &[Climb {
            script: &[(Moment::Greeted, Whom::Domains, Deed::Error("host-unknown"))],
            visits: &[SERVER_NAME],
            modes: &["server-name"],
            ..NOTHING
        }],
    },
    Row {
        name: "streams between domains",
        place: SIGNED,
        climbs: &[Climb {
            script: SERVERS_UNKNOWN,
            visits: &[UNKNOWN, DOMAIN_NAME],
            falls: &["domain-name"],
            modes: &["domain-name"],
            ..NOTHING
        }],
    },
    Row {
        name: "streams between domains, where no others can be",
        place: UNSIGNED,
        climbs: &[Climb {
            script: SERVERS_UNKNOWN,
            visits: &[DOMAIN_NAME],
            modes: &["domain-name"],
            ..NOTHING
        }],
    },
    Row {
        name: "the sender's certificate",
        place: SIGNED,
        climbs: &[Climb {
            script: &[
                (Moment::Greeted, Whom::Servers, Deed::Error("host-unknown")),
                (Moment::Authenticating, Whom::Strangers, Deed::Error("not-authorized")),
            ],
            visits: &[UNKNOWN, "tenant > peer / peer by house / external", SENDER_CERTIFICATE],
            falls: &["domain-name", "sender-certificate"],
            modes: &["domain-name"],
            ..NOTHING
        }],
    },
    Row {
        name: "the sender's certificate, where EXTERNAL is offered to no other",
        place: UNSIGNED,
        climbs: &[Climb {
            script: &[(Moment::Secured, Whom::Strangers, Deed::NoOffer)],
            visits: &["tenant > peer / peer by house / ", SENDER_CERTIFICATE],
            falls: &["sender-certificate"],
            modes: &["domain-name"],
            ..NOTHING
        }],
    },
    Row {
        name: "dialback, where EXTERNAL ends the stream",
        place: SIGNED,
        climbs: &[Climb {
            script: &[
                (Moment::Greeted, Whom::Servers, Deed::Error("host-unknown")),
                (Moment::Authenticating, Whom::Anybody, Deed::End),
            ],
            visits: &[
                UNKNOWN,
                "tenant > peer / peer by house / external",
                "tenant > peer / peer by tenant / external",
                DIALBACK,
            ],
            falls: &["domain-name", "sender-certificate", "dialback"],
            modes: &["domain-name"],
            ..NOTHING
        }],
    },
    Row {
        name: "dialback, where EXTERNAL fails and ends the stream",
        place: UNSIGNED,
        climbs: &[Climb {
            script: &[(Moment::Authenticating, Whom::Anybody, Deed::FailAndEnd)],
            visits: &[
                "tenant > peer / peer by house / external",
                "tenant > peer / peer by tenant / external",
                DIALBACK,
            ],
            falls: &["sender-certificate", "dialback"],
            modes: &["domain-name"],
            ..NOTHING
        }],
    },
    Row {
        name: "dialback, for a domain without a certificate",
        place: UNSIGNED,
        climbs: &[Climb {
            certified: false,
            script: &[(Moment::Authenticating, Whom::Anybody, Deed::End)],
            visits: &[
                "tenant > peer / peer by house / external",
                "tenant > peer / peer by house / claim tenant, message",
            ],
            falls: &["dialback"],
            modes: &["domain-name"],
        }],
    },
    // What failed has left the stream as it was, so it goes on (M-05, XEP-0178 §3).
    Row {
        name: "dialback, where EXTERNAL fails and the stream goes on",
        place: UNSIGNED,
        climbs: &[Climb {
            script: &[(Moment::Authenticating, Whom::Anybody, Deed::Fail)],
            visits: &["tenant > peer / peer by house / external, claim tenant, message"],
            modes: &["domain-name"],
            ..NOTHING
        }],
    },
    Row {
        name: "dialback, where nothing else is offered",
        place: UNSIGNED,
        climbs: &[Climb {
            certified: false,
            script: &[(Moment::Secured, Whom::Anybody, Deed::NoOffer)],
            visits: &["tenant > peer / peer by house / claim tenant, message"],
            modes: &["domain-name"],
            ..NOTHING
        }],
    },
    Row {
        name: "no TLS, and says so",
        place: LAX,
        climbs: &[Climb {
            script: &[(Moment::Securing, Whom::Anybody, Deed::Fail)],
            visits: &["house > server / clear / ", PLAIN],
            falls: &["plain"],
            modes: &["domain-name"],
            ..NOTHING
        }],
    },
    Row {
        name: "no TLS that works",
        place: LAX_UNSIGNED,
        climbs: &[Climb {
            // handshake_failure
            script: &[(Moment::Securing, Whom::Anybody, Deed::Alert(40))],
            visits: &["tenant > peer / clear / hello", PLAIN],
            falls: &["plain"],
            modes: &["domain-name"],
            ..NOTHING
        }],
    },
    // Nothing has failed, and the stream is as good as another (M-05).
    Row {
        name: "no TLS, and offers none",
        place: LAX_UNSIGNED,
        climbs: &[Climb {
            script: &[(Moment::Greeted, Whom::Anybody, Deed::NoOffer)],
            visits: &[PLAIN],
            modes: &["domain-name"],
            ..NOTHING
        }],
    },
    Row {
        name: "no TLS, where policy insists",
        place: SIGNED,
        climbs: &[Climb {
            script: &[
                (Moment::Greeted, Whom::Anybody, Deed::NoOffer),
                (Moment::Securing, Whom::Anybody, Deed::Fail),
            ],
            visits: &["house > server / clear / "],
            ..NOTHING
        }],
    },
    Row {
        name: "no version",
        place: LAX_UNSIGNED,
        climbs: &[Climb {
            script: &[(Moment::Greeted, Whom::Anybody, Deed::Old)],
            visits: &[PLAIN],
            modes: &["legacy"],
            ..NOTHING
        }],
    },
    Row {
        name: "no version, and a secure delegation",
        place: LAX,
        climbs: &[Climb {
            script: &[(Moment::Greeted, Whom::Anybody, Deed::Old)],
            visits: &["house > server / clear / claim tenant, message"],
            modes: &["legacy"],
            ..NOTHING
        }],
    },
    Row {
        name: "no version, and no other host than its domain",
        place: LAX,
        climbs: &[Climb {
            script: &[
                (Moment::Greeted, Whom::Servers, Deed::Error("host-unknown")),
                (Moment::Greeted, Whom::Anybody, Deed::Old),
            ],
            visits: &[UNKNOWN, PLAIN],
            falls: &["domain-name"],
            modes: &["legacy"],
            ..NOTHING
        }],
    },
    Row {
        name: "no version, where policy insists",
        place: UNSIGNED,
        climbs: &[Climb {
            script: &[(Moment::Greeted, Whom::Anybody, Deed::Old)],
            visits: &["tenant > peer / clear / "],
            ..NOTHING
        }],
    },
];

const SERVERS_UNKNOWN: ligase_tests::Script =
    &[(Moment::Greeted, Whom::Servers, Deed::Error("host-unknown"))];
