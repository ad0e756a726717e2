//! What a certificate says of itself. Nothing is verified: no signature, no chain, no revocation.

use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::{Decode, DecodePem};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::hello::text;

/// Alternative names kept.
const MAX_NAMES: usize = 16;
/// Longest certificate that is looked at.
const MAX_LENGTH: usize = 16 << 10;

/// Names and validity of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Subject, as RFC 4514 writes it.
    pub subject: String,
    /// Issuer.
    pub issuer: String,
    /// Subject and issuer are the same name.
    pub self_issued: bool,
    /// Names and addresses of the extension for them.
    pub names: Vec<String>,
    /// First second of validity, since the epoch.
    pub not_before: i64,
    /// Last second of validity.
    pub not_after: i64,
}

impl Certificate {
    /// Reads DER; `None` for what is no certificate.
    #[must_use]
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let der = Some(der).filter(|der| der.len() <= MAX_LENGTH)?;
        CertificateInner::<Raw>::from_der(der).ok().map(|certificate| Self::of(&certificate))
    }

    /// Reads the first certificate of PEM; `None` where there is none.
    #[must_use]
    pub fn from_pem(pem: &str) -> Option<Self> {
        let pem = pem.trim_matches(['\0', '\r', '\n', ' ']);
        let pem = Some(pem).filter(|pem| pem.len() <= 2 * MAX_LENGTH)?;
        CertificateInner::<Raw>::from_pem(pem).ok().map(|certificate| Self::of(&certificate))
    }

    fn of(certificate: &CertificateInner<Raw>) -> Self {
        let body = certificate.tbs_certificate();
        let validity = body.validity();
        let second = |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
        let alternative = body.get_extension::<SubjectAltName>().ok().flatten();
        let names = alternative.map(|(_, names)| names.0).unwrap_or_default();
        Self {
            subject: text(body.subject().to_string().as_bytes()),
            issuer: text(body.issuer().to_string().as_bytes()),
            self_issued: body.subject() == body.issuer(),
            names: names.iter().filter_map(name).take(MAX_NAMES).collect(),
            not_before: second(validity.not_before),
            not_after: second(validity.not_after),
        }
    }
}

fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(text(name.as_bytes())),
        GeneralName::IpAddress(address) => {
            let bytes = address.as_bytes();
            let four = <[u8; 4]>::try_from(bytes).map(|bytes| std::net::IpAddr::from(bytes).to_string());
            four.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| std::net::IpAddr::from(bytes).to_string())).ok()
        }
        _ => None,
    }
}
