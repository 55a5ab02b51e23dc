//! What a load balancer says of a connection that it hands on: where it came from (the PROXY
//! protocol, versions 1 and 2, as haproxy's `proxy-protocol.txt` has them; sections below are its).
//!
//! Nothing is taken beyond a header, however it comes in. Whoever is asked has to be trusted first:
//! a header is a claim, and nothing in it can be checked.

mod hear;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;

use super::plain;

pub use hear::{Heard, hear};

/// The load balancers that peers come through.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Relays {
    /// Where they are; nobody else's header is one.
    pub trusted: Vec<IpNet>,
    /// Whether they have to send a header.
    pub required: bool,
    /// How long one may take, from the connection to its last byte.
    pub patience: Duration,
}

impl Relays {
    /// Whether a load balancer may be at this address.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|network| network.contains(&address))
    }
}

/// A header, read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header {
    /// How it was written.
    pub version: Version,
    /// Where the connection came from. None where the load balancer speaks for itself (a health
    /// check), or does not say.
    pub source: Option<SocketAddr>,
}

/// How a header is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    /// One line of text (§2.1).
    One,
    /// Bytes (§2.2).
    Two,
}

impl Version {
    /// The version that begins with this byte. Neither a stream nor a TLS handshake does.
    fn of(first: u8) -> Option<Self> {
        match first {
            b'P' => Some(Self::One),
            b'\r' => Some(Self::Two),
            _ => None,
        }
    }
}

/// What began like a header is none: it breaks the rules, is longer than we take, or is about
/// something else than TCP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Malformed;

/// A header on its way in.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// What has come of it; no more than [`BINARY_MAX`].
    taken: Vec<u8>,
}

impl Reading {
    /// The version that it begins like, once it has begun.
    pub fn version(&self) -> Option<Version> {
        self.taken.first().copied().and_then(Version::of)
    }

    /// Takes what belongs to the header from `bytes`, which follow what was taken before: how many
    /// of them that is, and the header if it is whole.
    ///
    /// # Errors
    /// As soon as it is clear that this becomes no header.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(usize, Option<Header>), Malformed> {
        let Some(version) = self.taken.iter().chain(bytes).next().copied().map(Version::of) else {
            return Ok((0, None));
        };
        match version.ok_or(Malformed)? {
            Version::One => self.take_text(bytes),
            Version::Two => self.take_binary(bytes),
        }
    }

    fn take_text(&mut self, bytes: &[u8]) -> Result<(usize, Option<Header>), Malformed> {
        let end = bytes.iter().position(|it| *it == b'\n').map(|it| it + 1);
        let room = TEXT_MAX.saturating_sub(self.taken.len());
        let count = end.unwrap_or(bytes.len()).min(room);
        self.taken.extend(bytes.iter().take(count));
        begins_alike(&self.taken, TEXT_BEGIN)?;
        if self.taken.ends_with(b"\n") {
            let source = text(&self.taken).ok_or(Malformed)?;
            return Ok((count, Some(Header { version: Version::One, source })));
        }
        if TEXT_MAX <= self.taken.len() { Err(Malformed) } else { Ok((count, None)) }
    }

    fn take_binary(&mut self, bytes: &[u8]) -> Result<(usize, Option<Header>), Malformed> {
        let mut count = 0;
        // First the part that tells the length, then the rest.
        for _ in 0..2 {
            let missing = length(&self.taken)?.saturating_sub(self.taken.len());
            let next = bytes.iter().skip(count).take(missing);
            let before = self.taken.len();
            self.taken.extend(next);
            count += self.taken.len() - before;
            begins_alike(&self.taken, SIGNATURE)?;
        }
        if FIXED <= self.taken.len() && self.taken.len() == length(&self.taken)? {
            let source = binary(&self.taken).ok_or(Malformed)?;
            return Ok((count, Some(Header { version: Version::Two, source })));
        }
        Ok((count, None))
    }
}

/// As far as there is something of both, they are the same.
fn begins_alike(bytes: &[u8], begin: &[u8]) -> Result<(), Malformed> {
    let alike = bytes.iter().zip(begin).all(|(one, other)| one == other);
    if alike { Ok(()) } else { Err(Malformed) }
}

/// How long a header of version 2 is, as far as that is known: at least its fixed part.
fn length(taken: &[u8]) -> Result<usize, Malformed> {
    let Some(fixed) = taken.first_chunk::<FIXED>() else {
        return Ok(FIXED);
    };
    let length = FIXED + usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    if BINARY_MAX < length { Err(Malformed) } else { Ok(length) }
}

/// The source that a whole line tells (§2.1), which may be none; nothing if it breaks a rule.
fn text(line: &[u8]) -> Option<Option<SocketAddr>> {
    let line = line.strip_prefix(TEXT_BEGIN)?.strip_suffix(b"\r\n")?;
    // Whatever follows is to be ignored.
    if line == b"UNKNOWN" || line.starts_with(b"UNKNOWN ") {
        return Some(None);
    }
    let mut fields = std::str::from_utf8(line).ok()?.split(' ');
    let address: fn(&str) -> Option<IpAddr> = match fields.next()? {
        "TCP4" => |text| text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        "TCP6" => |text| text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => return None,
    };
    let (source, _destination) = (address(fields.next()?)?, address(fields.next()?)?);
    let (port, _destination_port) = (port(fields.next()?)?, port(fields.next()?)?);
    let is_all = fields.next().is_none();
    is_all.then_some(Some(plain(SocketAddr::new(source, port))))
}

/// A port as the specification writes it: digits, and no zero before others.
fn port(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|it| it.is_ascii_digit()) && !text.starts_with('0');
    if is_plain || text == "0" { text.parse().ok() } else { None }
}

/// The same for a whole header of version 2 (§2.2).
fn binary(header: &[u8]) -> Option<Option<SocketAddr>> {
    let (fixed, rest) = header.split_first_chunk::<FIXED>()?;
    match fixed[12] {
        // What a health check says besides is to be ignored, its family included.
        LOCAL => return Some(None),
        PROXY => (),
        _ => return None,
    }
    let (source, extensions) = match (fixed[13] >> 4, fixed[13] & 0x0f) {
        (INET, STREAM) => {
            let (block, rest) = rest.split_first_chunk::<12>()?;
            let ([a, b, c, d], [high, low]) = (*block.first_chunk()?, [block[8], block[9]]);
            let source = Ipv4Addr::new(a, b, c, d);
            (SocketAddr::new(source.into(), u16::from_be_bytes([high, low])), rest)
        }
        (INET6, STREAM) => {
            let (block, rest) = rest.split_first_chunk::<36>()?;
            let (source, [high, low]) = (*block.first_chunk::<16>()?, [block[32], block[33]]);
            (SocketAddr::new(source.into(), u16::from_be_bytes([high, low])), rest)
        }
        // It does not say, and whatever it says instead is to be ignored.
        (UNSPEC, UNSPEC | STREAM | DATAGRAM) | (INET | INET6 | UNIX, UNSPEC) => return Some(None),
        // UDP and UNIX sockets lead to no server of ours; what is not assigned must be refused.
        _ => return None,
    };
    is_undamaged(header, extensions)?.then_some(Some(plain(source)))
}

/// Whether a header fits the checksum among its extensions (§2.2.3), if there is one there; nothing
/// if they break a rule. All others are skipped.
fn is_undamaged(header: &[u8], extensions: &[u8]) -> Option<bool> {
    let mut rest = extensions;
    let mut told = None;
    while let Some(([kind, high, low], values)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (value, next) = values.split_at_checked(length)?;
        if *kind == CRC32C {
            let checksum = u32::from_be_bytes(value.try_into().ok()?);
            let at = header.len() - values.len();
            if told.replace((checksum, at..at + length)).is_some() {
                return None;
            }
        }
        rest = next;
    }
    let Some((checksum, place)) = told else {
        return rest.is_empty().then_some(true);
    };
    let zeroed =
        header.iter().enumerate().map(|(at, it)| if place.contains(&at) { 0 } else { *it });
    rest.is_empty().then_some(crc32c(zeroed) == checksum)
}

/// The checksum of RFC 9260, appendix A. Bit by bit: there are no more than a few hundred bytes, once
/// a connection.
fn crc32c(bytes: impl Iterator<Item = u8>) -> u32 {
    let step = |sum: u32| if sum & 1 == 1 { (sum >> 1) ^ CASTAGNOLI } else { sum >> 1 };
    !bytes.fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(byte), |sum, _| step(sum)))
}

/// What version 1 begins with.
const TEXT_BEGIN: &[u8] = b"PROXY ";

/// The longest line that there may be (§2.1): UNKNOWN with two long addresses.
const TEXT_MAX: usize = 107;

/// What version 2 begins with.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The part of version 2 that is always there: signature, command, family, length.
const FIXED: usize = 16;

/// The longest header of version 2 that we take. Its length could be 65,535, but it "is always smaller
/// than an MSS" (§2.2): thrice that is room for all that load balancers add, and little for whoever
/// else gets through one to hold.
const BINARY_MAX: usize = FIXED + 4096;

/// Version 2, and the command for a connection of the load balancer's own.
const LOCAL: u8 = 0x20;
/// Version 2, and the command for a connection that it hands on.
const PROXY: u8 = 0x21;

/// Families and protocols: not said.
const UNSPEC: u8 = 0;
/// The family of IPv4.
const INET: u8 = 1;
/// The family of IPv6.
const INET6: u8 = 2;
/// The family of sockets with paths.
const UNIX: u8 = 3;
/// The protocol that is TCP over the first two.
const STREAM: u8 = 1;
/// The protocol that is UDP over the first two.
const DATAGRAM: u8 = 2;

/// The kind of extension that holds the checksum.
const CRC32C: u8 = 0x03;

/// Its polynomial, the lowest bit first.
const CASTAGNOLI: u32 = 0x82f6_3b78;

#[cfg(test)]
mod tests;
