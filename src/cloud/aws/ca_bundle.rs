//! Certificates of one's own to trust: `AWS_CA_BUNDLE` and the like, which the SDK for Rust does not read.

use super::super::{CloudError, ErrorKind, MOST_TEXT, Result, read_bounded};
use super::errors::configuration;
use aws_smithy_http_client::tls::TrustStore;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::path::Path;

/// What the AWS CLI and the other SDKs take the file from.
pub(super) const VARIABLE: &str = "AWS_CA_BUNDLE";

/// The certificates of a PEM file, and no others. Bundles of systems carry certificates that rustls does not
/// know how to use: those are left out, as long as one remains.
///
/// # Errors
/// When the file cannot be read, is no PEM, or holds no certificate that can be used. (Given such a file, the
/// SDK's own client would stop the program.)
pub(super) fn trust(path: &Path) -> Result<TrustStore> {
    let bytes = read_bounded(path, MOST_TEXT).map_err(|error| refused(path, &error.to_string()))?;
    let mut trusted = TrustStore::empty();
    let mut usable = 0;
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|error| refused(path, &error.to_string()))?;
        if RootCertStore::empty().add(certificate.clone()).is_ok() {
            trusted.add_pem_certificate(pem(&certificate));
            usable += 1;
        }
    }
    if usable == 0 { Err(refused(path, "it holds no certificate that can be used")) } else { Ok(trusted) }
}

fn pem(certificate: &[u8]) -> String {
    let body = aws_smithy_types::base64::encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

fn refused(path: &Path, why: &str) -> CloudError {
    configuration(ErrorKind::Invalid, format!("failed to read CA certificates from `{}`: {why}", path.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<TrustStore> {
        let file = std::env::temp_dir().join(format!("hpcctl-ca-{}.pem", super::super::values::nonce()));
        std::fs::write(&file, text).unwrap();
        let found = trust(&file);
        std::fs::remove_file(&file).unwrap();
        found
    }

    #[test]
    fn what_is_no_certificate_is_an_error_and_no_panic() {
        assert!(of("").unwrap_err().message.contains("no certificate"));
        assert!(of("not PEM").is_err());
        assert!(of("-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n").is_err());
        assert!(of("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").is_err());
        assert!(trust(Path::new("/nonexistent/ca.pem")).unwrap_err().message.contains("/nonexistent/ca.pem"));
    }
}
