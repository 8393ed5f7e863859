//! Mutual TLS (RFC 8446) between sidecars and collectors: either side shows a certificate that the other's
//! authority has signed. There is no other way in.

use crate::error::CollectorError;
use rustls::client::ClientConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use rustls::{ClientConnection, RootCertStore, ServerConnection, StreamOwned};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files of one side, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Its certificate, followed by those between it and the authority.
    pub certificate: PathBuf,
    /// The private key of that.
    pub key: PathBuf,
    /// The authorities that the other side's certificate may be signed by.
    pub ca: PathBuf,
}

/// A listening side.
#[derive(Clone)]
pub(crate) struct TlsServer(Arc<ServerConfig>);

/// A connecting side.
#[derive(Clone)]
pub(crate) struct TlsClient(Arc<ClientConfig>);

/// What was read of [`TlsFiles`].
struct Loaded {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    roots: RootCertStore,
}

impl Loaded {
    fn of(files: &TlsFiles) -> Result<Self, CollectorError> {
        let chain = certificates(&files.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&files.key)
            .map_err(|error| wrong(&files.key, &error, "it must hold one private key in PEM"))?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&files.ca)? {
            roots
                .add(certificate)
                .map_err(|error| wrong(&files.ca, &error, "it must hold certificates of authorities"))?;
        }
        Ok(Self { chain, key, roots })
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, CollectorError> {
    let advice = "it must hold certificates in PEM";
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .map_err(|error| wrong(path, &error, advice))?
        .collect();
    let found = found.map_err(|error| wrong(path, &error, advice))?;
    if found.is_empty() {
        return Err(wrong(path, &"there is no certificate in it", advice));
    }
    Ok(found)
}

fn wrong(path: &Path, why: &dyn std::fmt::Display, advice: &'static str) -> CollectorError {
    CollectorError::Tls {
        path: path.display().to_string(),
        why: why.to_string(),
        advice,
    }
}

impl TlsServer {
    /// Reads the files.
    pub(crate) fn load(files: &TlsFiles) -> Result<Self, CollectorError> {
        let loaded = Loaded::of(files)?;
        let provider = Arc::new(default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(loaded.roots), Arc::clone(&provider))
                .build()
                .map_err(|error| wrong(&files.ca, &error, "it must hold certificates of authorities"))?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|config| {
                config
                    .with_client_cert_verifier(verifier)
                    .with_single_cert(loaded.chain, loaded.key)
            })
            .map_err(|error| wrong(&files.key, &error, "it must be the certificate's own"))?;
        Ok(Self(Arc::new(config)))
    }

    pub(crate) fn accept(
        &self,
        stream: TcpStream,
    ) -> std::io::Result<StreamOwned<ServerConnection, TcpStream>> {
        let connection = ServerConnection::new(Arc::clone(&self.0)).map_err(std::io::Error::other)?;
        Ok(StreamOwned::new(connection, stream))
    }
}

impl TlsClient {
    /// Reads the files.
    pub(crate) fn load(files: &TlsFiles) -> Result<Self, CollectorError> {
        let loaded = Loaded::of(files)?;
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| {
                config
                    .with_root_certificates(loaded.roots)
                    .with_client_auth_cert(loaded.chain, loaded.key)
            })
            .map_err(|error| wrong(&files.key, &error, "it must be the certificate's own"))?;
        Ok(Self(Arc::new(config)))
    }

    pub(crate) fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
        let connection = ClientConnection::new(Arc::clone(&self.0), name).map_err(std::io::Error::other)?;
        Ok(StreamOwned::new(connection, stream))
    }
}
