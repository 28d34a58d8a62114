//! Which certificates are trusted: those of a file that is named, else the system's, else those that come with the program.

use crate::fault::Fault;
use std::path::Path;
use ureq::tls::{PemItem, RootCerts, parse_pem};

/// Where systems keep what they trust, the common ones first (the list is that of Go's `crypto/x509`).
const SYSTEM: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The certificates that end a chain; an authority of a company's own is among the system's, as for git and curl.
///
/// `named` is a file, and then it alone counts.
pub(super) fn roots(named: Option<&str>) -> Result<RootCerts, Fault> {
    let Some(path) = named else {
        let found = SYSTEM.iter().find_map(|path| read(Path::new(path)).ok().flatten());
        return Ok(found.unwrap_or(RootCerts::WebPki));
    };
    let found = read(Path::new(path));
    let found = found.map_err(|error| Fault::broken(format!("SSL_CERT_FILE: {path}: {error}")))?;
    found.ok_or_else(|| Fault::broken(format!("SSL_CERT_FILE: {path} holds no certificate")))
}

fn read(path: &Path) -> std::io::Result<Option<RootCerts>> {
    let bytes = std::fs::read(path)?;
    let found = parse_pem(&bytes).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let found: Vec<_> = found.collect();
    Ok((!found.is_empty()).then(|| RootCerts::new_with_certs(&found)))
}
