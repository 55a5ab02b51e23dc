//! What a peer took is begun with the next time (B-04), and what an attacker breaks is not made up
//! for by less (M-06).

use ligase_tests::Deed::{Error, Fail, HangUp, NoOffer, Old, Refuse};
use ligase_tests::Moment::{Authenticating, Claiming, Greeted, Secured, Securing};
use ligase_tests::Whom::{Anybody, Servers, Strangers};

use super::{
    Climb, DOMAIN_NAME, LAX, LAX_UNSIGNED, NOTHING, PLAIN, Row, SENDER_CERTIFICATE, SERVER_NAME,
    SIGNED, UNKNOWN, UNSIGNED,
};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "who knows no streams between servers is not asked again",
        place: SIGNED,
        climbs: &[
            Climb {
                script: &[(Greeted, Servers, Error("host-unknown"))],
                visits: &[UNKNOWN, DOMAIN_NAME],
                falls: &["domain-name"],
                modes: &["domain-name"],
                ..NOTHING
            },
            Climb {
                script: &[(Greeted, Servers, Error("host-unknown"))],
                visits: &[DOMAIN_NAME],
                modes: &["domain-name"],
                ..NOTHING
            },
            // Nor for another domain of ours.
            Climb {
                certified: false,
                script: &[(Greeted, Servers, Error("host-unknown"))],
                visits: &[DOMAIN_NAME],
                modes: &["domain-name"],
                ..NOTHING
            },
        ],
    },
    Row {
        name: "who wants the sender's certificate gets it",
        place: UNSIGNED,
        climbs: &[
            Climb {
                script: &[(Secured, Strangers, Error("not-authorized"))],
                visits: &["tenant > peer / peer by house / ", SENDER_CERTIFICATE],
                falls: &["sender-certificate"],
                modes: &["domain-name"],
                ..NOTHING
            },
            Climb { visits: &[SENDER_CERTIFICATE], modes: &["domain-name"], ..NOTHING },
            // Who has none shows our server's.
            Climb { certified: false, visits: &[DOMAIN_NAME], modes: &["domain-name"], ..NOTHING },
        ],
    },
    Row {
        name: "a server that is reset is still a server",
        place: LAX,
        climbs: &[TAKEN, RESET, RESET, RESET, BELIEVED],
    },
    Row {
        name: "who had TLS has it still",
        place: LAX,
        climbs: &[
            TAKEN,
            STRIPPED,
            STRIPPED,
            STRIPPED,
            // It has gone on for so long that it is believed.
            Climb {
                visits: &["house > server / clear / claim tenant, message"],
                modes: &["server-name"],
                ..STRIPPED
            },
        ],
    },
    Row {
        name: "who said that TLS fails had it before",
        place: LAX,
        climbs: &[
            TAKEN,
            FAILED,
            FAILED,
            FAILED,
            Climb {
                visits: &[UNKNOWN, PLAIN],
                falls: &["plain"],
                modes: &["domain-name"],
                ..FAILED
            },
        ],
    },
    Row {
        name: "who spoke 1.0 does so still",
        place: LAX,
        climbs: &[
            TAKEN,
            Climb { script: &[(Greeted, Anybody, Old)], visits: &[UNKNOWN], ..NOTHING },
        ],
    },
    Row {
        name: "who had TLS has it still, without a secure delegation",
        place: LAX_UNSIGNED,
        climbs: &[
            Climb { visits: &[DOMAIN_NAME], modes: &["domain-name"], ..NOTHING },
            Climb {
                script: &[(Greeted, Anybody, NoOffer), (Securing, Anybody, Fail)],
                visits: &["tenant > peer / clear / "],
                ..NOTHING
            },
        ],
    },
    // Nobody else can have said it.
    Row {
        name: "a server that says so itself is believed",
        place: LAX,
        climbs: &[
            TAKEN,
            Climb {
                script: &[(Claiming, Servers, Refuse("item-not-found"))],
                visits: &["house > server / server by house / external, claim tenant", DOMAIN_NAME],
                falls: &["domain-name"],
                modes: &["server-name", "domain-name"],
                ..NOTHING
            },
        ],
    },
    // Nothing better was ever seen of it, so nothing is missed.
    Row {
        name: "who never had TLS is met without again",
        place: LAX_UNSIGNED,
        climbs: &[IN_THE_CLEAR, IN_THE_CLEAR],
    },
    Row {
        name: "who has learned TLS is met with it",
        place: LAX,
        climbs: &[
            Climb {
                script: &[(Securing, Anybody, Fail)],
                visits: &[UNKNOWN, PLAIN],
                falls: &["plain"],
                modes: &["domain-name"],
                ..NOTHING
            },
            TAKEN,
        ],
    },
    Row {
        name: "who failed to believe certificates once is shown them again",
        place: UNSIGNED,
        climbs: &[
            Climb {
                certified: false,
                script: &[(Authenticating, Anybody, HangUp)],
                visits: &[
                    "tenant > peer / peer by house / external",
                    "tenant > peer / peer by house / claim tenant, message",
                ],
                falls: &["dialback"],
                modes: &["domain-name"],
            },
            Climb { certified: false, visits: &[DOMAIN_NAME], modes: &["domain-name"], ..NOTHING },
        ],
    },
];

/// All is well.
const TAKEN: Climb = Climb { visits: &[SERVER_NAME], modes: &["server-name"], ..NOTHING };

/// An attacker breaks what is well.
const RESET: Climb = Climb { script: &[(Greeted, Servers, HangUp)], visits: &[UNKNOWN], ..NOTHING };

/// It has gone on for so long that it is believed.
const BELIEVED: Climb = Climb {
    script: &[(Greeted, Servers, HangUp)],
    visits: &[UNKNOWN, DOMAIN_NAME],
    falls: &["domain-name"],
    modes: &["domain-name"],
    ..NOTHING
};

/// An attacker takes the offer of TLS out, and has it fail.
const STRIPPED: Climb = Climb {
    script: &[(Greeted, Anybody, NoOffer), (Securing, Anybody, Fail)],
    visits: &[UNKNOWN],
    ..NOTHING
};

/// An attacker has TLS fail.
const FAILED: Climb = Climb { script: &[(Securing, Anybody, Fail)], visits: &[UNKNOWN], ..NOTHING };

/// A peer that does without TLS.
const IN_THE_CLEAR: Climb = Climb {
    script: &[(Greeted, Anybody, NoOffer)],
    visits: &[PLAIN],
    modes: &["domain-name"],
    ..NOTHING
};
