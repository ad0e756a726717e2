//! What the two hellos of a handshake say: RFC 5246 7.4.1 and RFC 8446 4.1, with the extensions that matter here.

use super::bytes::Bytes;

/// Extension types.
mod extension {
    pub const SERVER_NAME: u16 = 0;
    pub const GROUPS: u16 = 10;
    pub const POINT_FORMATS: u16 = 11;
    pub const SIGNATURES: u16 = 13;
    pub const ALPN: u16 = 16;
    pub const VERSIONS: u16 = 43;
}

/// Protocols offered by ALPN that are kept.
const MAX_PROTOCOLS: usize = 8;

/// The random of a `ServerHello` that asks for another `ClientHello` (RFC 8446, 4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// A `ClientHello`. Values are as sent, GREASE included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// The version field, which TLS 1.3 leaves at 1.2.
    pub version: u16,
    /// Cipher suites.
    pub ciphers: Vec<u16>,
    /// Extension types.
    pub extensions: Vec<u16>,
    /// Groups (once: elliptic curves).
    pub groups: Vec<u16>,
    /// Point formats.
    pub formats: Vec<u8>,
    /// Signature algorithms.
    pub signatures: Vec<u16>,
    /// Versions of the extension that replaces the field.
    pub versions: Vec<u16>,
    /// First name of type host.
    pub server_name: String,
    /// Protocols offered.
    pub protocols: Vec<Vec<u8>>,
}

impl ClientHello {
    /// Reads the body of the message; `None` when it breaks the layout.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(body);
        let mut hello = Self { version: bytes.u16()?, ..Self::default() };
        bytes.take(32)?;
        bytes.vector8()?;
        hello.ciphers = bytes.vector16()?.u16s();
        bytes.vector8()?;
        if bytes.0.is_empty() {
            return Some(hello);
        }
        let mut extensions = bytes.vector16()?;
        while !extensions.0.is_empty() {
            let kind = extensions.u16()?;
            let content = extensions.vector16()?;
            hello.extensions.push(kind);
            // A broken extension says nothing, and leaves the others as they are.
            let _ = hello.extension(kind, content);
        }
        Some(hello)
    }

    fn extension(&mut self, kind: u16, mut content: Bytes<'_>) -> Option<()> {
        match kind {
            extension::SERVER_NAME => {
                let mut names = content.vector16()?;
                while names.u8()? != 0 {
                    names.vector16()?;
                }
                self.server_name = text(names.vector16()?.0);
            }
            extension::GROUPS => self.groups = content.vector16()?.u16s(),
            extension::POINT_FORMATS => self.formats = content.vector8()?.0.to_vec(),
            extension::SIGNATURES => self.signatures = content.vector16()?.u16s(),
            extension::VERSIONS => self.versions = content.vector8()?.u16s(),
            extension::ALPN => {
                let mut names = content.vector16()?;
                while let Some(name) = names.vector8().filter(|_| self.protocols.len() < MAX_PROTOCOLS) {
                    self.protocols.push(name.0.to_vec());
                }
            }
            _ => {}
        }
        Some(())
    }
}

/// A `ServerHello`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerHello {
    /// Version chosen.
    pub version: u16,
    /// Cipher suite chosen.
    pub cipher: u16,
    /// Protocol chosen by ALPN; TLS 1.3 hides it.
    pub protocol: String,
    /// It only asks for another `ClientHello`.
    pub retry: bool,
}

impl ServerHello {
    /// Reads the body of the message; `None` when it breaks the layout.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(body);
        let version = bytes.u16()?;
        let retry = bytes.take(32)? == RETRY;
        bytes.vector8()?;
        let mut hello = Self { version, cipher: bytes.u16()?, retry, ..Self::default() };
        bytes.u8()?;
        let mut extensions = bytes.vector16().unwrap_or(Bytes(&[]));
        while let Some(kind) = extensions.u16() {
            let Some(mut content) = extensions.vector16() else { break };
            match kind {
                extension::VERSIONS => hello.version = content.u16().unwrap_or(version),
                extension::ALPN => {
                    let first = content.vector16().and_then(|mut names| names.vector8());
                    hello.protocol = first.map(|name| text(name.0)).unwrap_or_default();
                }
                _ => {}
            }
        }
        Some(hello)
    }
}

/// Bytes that ought to be ASCII, as text of bounded length.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..255).unwrap_or(bytes)).into_owned()
}
