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

/// The address, and those that a gateway would make of it: mapped, compatible, NAT64 and 6to4.
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
            [0x64, 0xff9b, .., high, low] => all.push(v4(high, low)),
            [0x2002, high, low, ..] => all.push(v4(high, low)),
            _ => (),
        }
    }
    all
}

/// Unspecified, multicast, broadcast and reserved addresses.
fn is_nobodys(address: IpAddr) -> bool {
    match address {
        // 0.0.0.0/8 is this network; many systems take it for this machine.
        IpAddr::V4(it) => it.octets()[0] == 0 || 224 <= it.octets()[0],
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
