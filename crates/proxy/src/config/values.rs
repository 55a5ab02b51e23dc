//! The values that a key may have, each read from its text.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use ipnet::IpNet;
use ligase_verifier::Domain;
use zeroize::Zeroizing;

use super::DialbackSecret;
use super::file::one_of;
use crate::binding::{Home, Host, Level};

/// A domain name.
pub(super) fn domain(text: &str) -> Result<Domain, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is not a domain name: write one like montague.example"))
}

/// A level of the policy.
pub(super) fn level(text: &str) -> Result<Level, String> {
    const ALL: [Level; 4] = [Level::Dna, Level::Pkix, Level::Encrypted, Level::Any];
    one_of(text, &ALL, Level::as_str)
}

/// An address and a port.
pub(super) fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is not an IP:PORT: write one like 127.0.0.1:5269"))
}

/// A host, by its address or its name, and a port.
pub(super) fn home(text: &str) -> Result<Home, String> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(address.into());
    }
    let wrong =
        || format!("{text:?} is no IP:PORT and no NAME:PORT: write one like 127.0.0.1:5269");
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let name = host.parse().map_err(|_| wrong())?;
    let port = port.parse().ok().filter(|it| *it != 0).ok_or_else(wrong)?;
    Ok(Home { host: Host::Name(name), port })
}

/// A network, or one address. Addresses are compared as IPv4 where IPv6 carries them (RFC 4291
/// §2.5.5.2), so a network of such would have nobody in it.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let one = text.parse::<IpAddr>().map(IpNet::from);
    let network = one.or_else(|_| text.parse()).map(|it: IpNet| it.trunc());
    let problem = match network {
        Ok(IpNet::V6(v6)) if v6.addr().to_ipv4_mapped().is_some() => "is IPv4 written as IPv6",
        Ok(network) => return Ok(network),
        Err(_) => "is no network",
    };
    Err(format!("{text:?} {problem}: write one like 10.0.0.0/8"))
}

/// Text that says something.
pub(super) fn non_empty(text: &str) -> Result<&str, String> {
    if text.is_empty() {
        return Err("must not be empty: write a path, or leave the key out".to_owned());
    }
    Ok(text)
}

/// A text file of bounded size: a path that was mistyped may lead to a device or a log.
pub(super) fn read_text(path: &Path, bytes_max: u64) -> Result<String, String> {
    let told = |error: io::Error| error.to_string();
    let file = File::open(path).map_err(told)?;
    // With room for all of it nothing is copied on the way: it may be a secret.
    let size = file.metadata().map_or(0, |it| it.len()).min(bytes_max);
    let mut text = String::with_capacity(usize::try_from(size).unwrap_or_default() + 1);
    let mut file = file.take(bytes_max + 1);
    file.read_to_string(&mut text).map_err(told)?;
    if text.len() as u64 > bytes_max {
        return Err(format!("is larger than {bytes_max} bytes"));
    }
    Ok(text)
}

/// The current secret and perhaps the previous one, a line each.
pub(super) fn secret_at(path: &Path) -> Result<DialbackSecret, String> {
    let text = read_text(path, SECRET_BYTES_MAX).map_err(|problem| format!("{problem}: {MADE}"))?;
    let text = Zeroizing::new(text);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let current = lines.next().ok_or_else(|| format!("is empty: {MADE}"))?;
    let previous = lines.next();
    if lines.next().is_some() {
        return Err(
            "holds more than the current and the previous secret: leave two lines".to_owned()
        );
    }
    for secret in [Some(current), previous].into_iter().flatten() {
        if secret.len() < SECRET_BYTES_MIN {
            return Err(format!("a secret has at least {SECRET_BYTES_MIN} characters: {MADE}"));
        }
    }
    Ok(DialbackSecret {
        file: path.to_owned(),
        current: Zeroizing::new(current.into()),
        previous: previous.map(|it| Zeroizing::new(it.into())),
    })
}

/// Where a secret comes from.
const MADE: &str = "write what `openssl rand -hex 32` prints into it";

/// Two long lines.
const SECRET_BYTES_MAX: u64 = 4_096;

/// 128 bits, if written in hexadecimal digits (XEP-0185 asks for a secret that is hard to guess).
const SECRET_BYTES_MIN: usize = 32;
