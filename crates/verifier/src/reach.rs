//! Which addresses peers may send us to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::settings::Reach;

impl Reach {
    /// Tells whether an XMPP server may be at an address.
    pub(crate) fn allows(&self, address: IpAddr) -> bool {
        !inner(address).into_iter().any(|it| {
            self.own.iter().any(|own| own.to_canonical() == it)
                || is_nobodys(it)
                || !self.loopback && is_close(it)
        })
    }

    /// Tells whether a web server may be at an address.
    pub(crate) fn allows_web(&self, address: IpAddr) -> bool {
        let is_private = |it| !self.private_web && is_private(it);
        self.allows(address) && !inner(address).into_iter().any(is_private)
    }
}

/// The address, and those that a gateway would make of it: mapped, compatible, NAT64 (also by a
/// prefix of one's own, RFC 8215), 6to4 and Teredo.
fn inner(address: IpAddr) -> Vec<IpAddr> {
    let mut all = vec![address.to_canonical()];
    if let IpAddr::V6(v6) = address {
        let segments = v6.segments();
        let v4 = |high: u16, low: u16| {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        };
        match segments {
            [0, 0, 0, 0, 0, 0, high, low] if 1 < v6.to_bits() => all.push(v4(high, low)),
            [0x64, 0xff9b, 1, ..] => all.extend(translated(v6)),
            [0x64, 0xff9b, .., high, low] => all.push(v4(high, low)),
            [0x2002, high, low, ..] => all.push(v4(high, low)),
            // The server, and the client, which is written upside down (RFC 4380 §4).
            [0x2001, 0, high, low, .., x, y] => all.extend([v4(high, low), v4(!x, !y)]),
            _ => (),
        }
    }
    all
}

/// What a translator with the prefix of one's own network may read in an address of it: how long the
/// prefix is, only that network knows (RFC 8215, RFC 6052 §2.2).
fn translated(address: Ipv6Addr) -> Vec<IpAddr> {
    let octets = address.octets();
    let read = |at: [usize; 4]| IpAddr::from(at.map(|it| octets[it]));
    let shorter = [[6, 7, 9, 10], [7, 9, 10, 11], [9, 10, 11, 12]].map(read);
    // A longer prefix fills those places with zeros, which say nothing.
    let mut all: Vec<_> = shorter.into_iter().filter(|it| !is_nothing(*it)).collect();
    all.push(read([12, 13, 14, 15]));
    all
}

/// Whether an address is of 0.0.0.0/8.
fn is_nothing(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(it) if it.octets()[0] == 0)
}

/// Unspecified, multicast, broadcast and reserved addresses.
fn is_nobodys(address: IpAddr) -> bool {
    match address {
        // 0.0.0.0/8 is this network; many systems take it for this machine.
        // 192.0.0.0/24 is for protocols between a host and its own network (RFC 6890).
        IpAddr::V4(it) => {
            let octets = it.octets();
            octets[0] == 0 || 224 <= octets[0] || octets.starts_with(&[192, 0, 0])
        }
        IpAddr::V6(it) => it.is_unspecified() || it.is_multicast(),
    }
}

/// Loopback and link-local addresses.
fn is_close(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => it.is_loopback() || it.is_link_local(),
        IpAddr::V6(it) => it.is_loopback() || it.is_unicast_link_local() || is_site_local(it),
    }
}

/// Site-local addresses, deprecated but still routed by some (RFC 3879).
fn is_site_local(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfec0
}

/// Private networks: RFC 1918, RFC 6598 and RFC 4193.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => {
            let [a, b, ..] = it.octets();
            it.is_private() || a == 100 && b & 0xc0 == 64
        }
        IpAddr::V6(it) => it.is_unique_local(),
    }
}

#[cfg(test)]
mod tests;
