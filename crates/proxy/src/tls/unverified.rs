//! Accepts any certificate whose key the peer holds, and promises no more.
//!
//! This is the only room that opens what rustls calls dangerous. It leaves out the judgment of
//! chain and names, which the verifier makes with more evidence than a handshake has, and never
//! leaves out the signature over the handshake: without that one, whoever has seen a certificate
//! could present it.

use std::sync::Arc;

use ligase_verifier::Presented;
use rustls::client::ClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, ConfigBuilder, DigitallySignedStruct, DistinguishedName, Error,
    SignatureScheme, WantsVerifier,
};
use webpki::RawPublicKeyEntity;

/// A verifier for either end of a handshake that asks only for proof of the key.
#[derive(Debug)]
pub(super) struct Unverified {
    algorithms: WebPkiSupportedAlgorithms,
}

impl Unverified {
    pub(super) fn new(provider: &CryptoProvider) -> Self {
        Self { algorithms: provider.signature_verification_algorithms }
    }
}

/// A client that judges servers no further than this room does, and shows no certificate yet.
pub(super) fn client(
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    unverified: Arc<Unverified>,
) -> ClientConfig {
    builder.dangerous().with_custom_certificate_verifier(unverified).with_no_client_auth()
}

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        tls12(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        tls13(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Unverified {
    fn offer_client_auth(&self) -> bool {
        true
    }

    // Whoever has no certificate may still prove itself by dialback (C-03).
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    // No hints: a peer that is given some sends nothing unless it has what they name.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        tls12(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        tls13(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn tls13(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    match verify_tls13_signature(message, certificate, signed, algorithms) {
        Err(error) if is_unreadable(&error) => {
            let key = key(certificate)?;
            verify_tls13_signature_with_raw_key(message, &key, signed, algorithms)
        }
        known => known,
    }
}

fn tls12(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    match verify_tls12_signature(message, certificate, signed, algorithms) {
        Err(error) if is_unreadable(&error) => {
            let key = key(certificate)?;
            let entity = RawPublicKeyEntity::try_from(&key)
                .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
            // In TLS 1.2 one scheme stands for several curves, so several algorithms.
            let holds = algorithms
                .mapping
                .iter()
                .filter(|(scheme, _)| *scheme == signed.scheme)
                .flat_map(|(_, algorithms)| algorithms.iter())
                .any(|it| entity.verify_signature(*it, message, signed.signature()).is_ok());
            holds
                .then(HandshakeSignatureValid::assertion)
                .ok_or(Error::InvalidCertificate(CertificateError::BadSignature))
        }
        known => known,
    }
}

/// Whether the certificate, and not the signature, is what could not be dealt with: X.509 v1,
/// a critical extension that nobody here knows. Such a certificate has no PKIX chain, but DANE-EE,
/// POSH and dialback never needed one.
fn is_unreadable(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::Other(_)
                | CertificateError::BadEncoding
                | CertificateError::UnhandledCriticalExtension
        )
    )
}

fn key(certificate: &CertificateDer<'_>) -> Result<SubjectPublicKeyInfoDer<'static>, Error> {
    Presented::new(vec![certificate.clone().into_owned()])
        .and_then(|presented| presented.spki().map(<[u8]>::to_vec))
        .map(SubjectPublicKeyInfoDer::from)
        .ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))
}
