//! How our own server comes to us, and where we listen.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::file::Section;
use super::values::socket_address;
use super::{Capture, Listen};

/// How our own server comes to us.
pub(super) fn capture(file: &mut Section<'_>) -> Capture {
    const WORDS: [&str; 3] = ["dns", "redirect", "explicit"];
    let word = file.word("capture", &WORDS, |it| it, "dns");
    let mut redirect = file.section("redirect");
    let mut user = |key| {
        let is_there = redirect.has(key);
        let number = redirect.number(key, 0, 0..=u64::from(u32::MAX - 1));
        u32::try_from(number).ok().filter(|_| is_there)
    };
    let (uid, resolver_uid) = (user("uid"), user("resolver_uid"));
    if word == "redirect" && uid.is_none() {
        redirect.problem(
            "uid",
            "is missing: write the number of the user that ligase runs as (`id -u ligase`)",
        );
    }
    redirect.finish();
    match word {
        "redirect" => Capture::Redirect { uid: uid.unwrap_or(u32::MAX), resolver_uid },
        "explicit" => Capture::Explicit,
        _ => Capture::Dns,
    }
}

/// Where we listen, which depends on who is brought there.
pub(super) fn listen(mut section: Section<'_>, capture: Capture) -> Listen {
    let mut addresses = |key, default: Vec<SocketAddr>| {
        // `null` closes a door that would otherwise be open.
        let closed = section.is_null(key);
        let written = section.texts(key, socket_address);
        written.unwrap_or(if closed { Vec::new() } else { default })
    };
    // What the packet filter turns to us comes by both families.
    let both = matches!(capture, Capture::Redirect { .. });
    let inside = |port| {
        let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let v6 = both.then(|| SocketAddr::from((Ipv6Addr::LOCALHOST, port)));
        [Some(v4), v6].into_iter().flatten().collect::<Vec<_>>()
    };
    let everywhere: IpAddr =
        if both { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let listen = Listen {
        federation: addresses("federation", vec![(everywhere, 7269).into()]),
        backend: addresses("backend", inside(7270)),
        dns: addresses("dns", if capture == Capture::Explicit { vec![] } else { inside(7253) }),
        posh: addresses("posh", Vec::new()),
        admin: addresses("admin", vec![(Ipv4Addr::LOCALHOST, 7290).into()]),
    };
    section.finish();
    listen
}
