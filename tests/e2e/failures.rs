//! Twelve failures, each staged with real parts: what an operator is told of each is its true cause,
//! and what he is told to do mends it.

mod cures;
mod page;
mod scene;
mod told;

use std::thread;

use self::scene::Scene;
use self::told::Told;
use crate::verona::Rows;

/// A failure.
struct Failure {
    /// What is wrong, as the document has it.
    name: &'static str,
    /// The domain of ours, and the peer.
    local: &'static str,
    remote: &'static str,
    /// Whether it is our user who gets no message out; else theirs gets none in.
    is_outbound: bool,
    /// What the sender's client is told, in the words of its own server around ours.
    heard: &'static str,
    /// The reason as logs name it.
    label: &'static str,
    /// What the advice has to name.
    advice: &'static [&'static str],
    /// What is done about it, in the document's words.
    done: &'static str,
    /// Does that.
    cure: fn(&Scene, &Told),
}

const OUT: Failure = Failure {
    name: "",
    local: "montague.lab",
    remote: "",
    is_outbound: true,
    heard: "",
    label: "",
    advice: &[],
    done: "",
    cure: cures::nothing,
};

/// What can be staged side by side.
const TOGETHER: [Failure; 11] = [
    Failure {
        name: "The zone's signature is broken",
        remote: "forged.lab",
        heard: "The domain's DNS records fail their signatures (dns.bogus)",
        label: "dns.bogus",
        advice: &["`ligase check forged.lab", "sign the zone"],
        done: "`ligase check forged.lab --config FILE` names the record; its operator signs the zone anew, and the next message arrives.",
        cure: cures::sign_the_zone,
        ..OUT
    },
    Failure {
        name: "The TLSA record is that of another key",
        remote: "pinned.lab",
        heard: "matches none of the domain's TLSA records (dane.mismatch)",
        label: "dane.mismatch",
        advice: &["publish the TLSA record", "`ligase check pinned.lab"],
        done: "`ligase check pinned.lab --config FILE` prints the record; its operator publishes it in place of the old one, and the next message arrives.",
        cure: cures::publish_the_tlsa_record,
        ..OUT
    },
    Failure {
        name: "The certificate is expired",
        remote: "expired.lab",
        heard: "expired or not yet valid (cert.expired)",
        label: "cert.expired",
        advice: &["renew the certificate"],
        done: "Its operator renews the certificate and has the server load it, and the next message arrives.",
        cure: cures::show_a_good_certificate,
        ..OUT
    },
    Failure {
        name: "The certificate names somebody else",
        remote: "misnamed.lab",
        heard: "the certificate does not name the domain (cert.name)",
        label: "cert.name",
        advice: &["certificate that names misnamed.lab"],
        done: "Its operator has the server show a certificate that names the domain, and the next message arrives.",
        cure: cures::show_a_good_certificate,
        ..OUT
    },
    Failure {
        name: "The POSH document cannot be fetched",
        remote: "posh.lab",
        heard: "no POSH document could be fetched (posh.http)",
        label: "posh.http",
        advice: &["https://posh.lab/.well-known/posh/xmpp-server.json"],
        done: "Its operator lets port 443 of the web server through, and the next message arrives.",
        cure: cures::let_the_web_through,
        ..OUT
    },
    Failure {
        name: "The peer wants a certificate for clients",
        remote: "strict.lab",
        heard: "does not accept our certificate, which is for TLS servers alone",
        label: "sasl.eku",
        advice: &["clientAuth"],
        done: "This peer is a Debian ejabberd 23.01 without `mod_s2s_dialback`, and our certificate is one for servers alone, such as public authorities sign today. We show one that is for both, from the same authority; ligase reads it when it changes, and the next message arrives.",
        cure: cures::show_a_certificate_for_clients,
        ..OUT
    },
    Failure {
        name: "The peer does not believe our dialback key",
        local: "tenant.lab",
        remote: "capulet.lab",
        heard: "says that our dialback key is invalid",
        label: "dialback.invalid",
        advice: &["SRV records of tenant.lab", "`ligase records", "older server"],
        done: "The tenant has moved to us, and its records still lead to the server where it was, which knows nothing of our keys. We publish what `ligase records --config FILE tenant.lab` prints and end the old server, with which the peer has a connection still; and the next message arrives.",
        cure: cures::publish_our_records,
        ..OUT
    },
    Failure {
        name: "The peer's server does not run",
        remote: "asleep.lab",
        heard: "Nothing listens at the server's port",
        label: "connect.refused",
        advice: &["start"],
        done: "Its operator starts the server, and the next message arrives.",
        cure: cures::start_the_peer,
        ..OUT
    },
    Failure {
        name: "A packet filter drops what we send",
        remote: "walled.lab",
        heard: "Nothing answers at the server's address",
        label: "connect.timeout",
        advice: &["packet filter"],
        done: "Its operator takes the rule away that drops what comes to port 5270, and the next message arrives.",
        cure: cures::let_the_peer_through,
        ..OUT
    },
    Failure {
        name: "The server does not host the domain",
        remote: "moved.lab",
        heard: "does not host the domain (host-unknown)",
        label: "host_unknown",
        advice: &["SRV records of moved.lab"],
        done: "Its operator has the SRV records lead to the server to which the domain has moved, and the next message arrives.",
        cure: cures::point_at_the_right_server,
        ..OUT
    },
    Failure {
        name: "Policy asks for more than the peer shows",
        remote: "modest.lab",
        heard: "no trusted authority vouches for the certificate (cert.chain)",
        label: "cert.chain",
        advice: &["policy.peers", "modest.lab: encrypted"],
        done: "We write `policy.peers: {modest.lab: encrypted}`, ligase reads it when it changes, and the next message arrives.",
        cure: cures::make_an_exception,
        ..OUT
    },
];

/// What everybody would notice.
const ALONE: Failure = Failure {
    name: "Our own server does not run",
    local: "montague.lab",
    remote: "capulet.lab",
    is_outbound: false,
    // Others are not told what is wrong here.
    heard: "resource-constraint",
    label: "connect.refused",
    advice: &["backend.address"],
    done: "We start our server, and the peer's next message arrives.",
    cure: cures::start_our_server,
};

#[test]
fn each_failure_is_told_by_its_cause_and_mended_by_what_is_told() {
    let scene = Scene::new();
    let rows = Rows::default();
    let stage = |failure: &'static Failure| {
        let mut told = None;
        rows.run(failure.name, || told = Some(scene.stage(failure)));
        told
    };
    let together: Vec<_> = thread::scope(|scope| {
        let staged: Vec<_> =
            TOGETHER.iter().map(|failure| scope.spawn(move || stage(failure))).collect();
        staged.into_iter().map(|it| it.join().ok().flatten()).collect()
    });
    scene.stop_our_server();
    let told: Vec<_> = together.into_iter().chain([stage(&ALONE)]).collect();
    rows.finish();
    page::compare(&told);
}
