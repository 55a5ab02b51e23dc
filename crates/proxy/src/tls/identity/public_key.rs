use std::path::Path;

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

use super::{Error, Problem, read};

/// The public half of the private key in a PEM file, as a whole SubjectPublicKeyInfo in DER: what
/// the certificate will hold that is made for it (RFC 6698 §2.1.2).
///
/// # Errors
/// When the file holds no private key that we could use.
pub fn public_key(path: &Path) -> Result<Vec<u8>, Error> {
    let pem = read(path)?;
    let no_key = || Problem::NoKey.of(path);
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| no_key())?;
    let key = crate::tls::provider().key_provider.load_private_key(key).map_err(|_| no_key())?;
    let public = key.public_key().ok_or_else(no_key)?;
    Ok(public.to_vec())
}

#[cfg(test)]
mod tests;
