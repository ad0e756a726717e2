//! CONNECT messages: version and authentication. Passwords, digests and challenges are read past, never kept.

use super::error;
use crate::app::ndmp::{
    value::Body,
    xdr::{Read, Reader},
};

/// No authentication.
const NONE: u32 = 0;
/// Account and password in clear.
const TEXT: u32 = 1;
/// MD5 over a challenge.
const MD5: u32 = 2;
/// Backup Exec's SHA over a challenge.
const SHA: u32 = 5;
/// Digest that tools for CVE-2005-2611 send for `root`, published with them: the holes accept it whatever the challenge.
/// It is no one's secret; of any other digest not a bit is kept.
const KNOWN_DIGEST: [u8; 16] =
    [0xb4, 0xb8, 0x0f, 0x26, 0x20, 0x5c, 0x42, 0x34, 0x03, 0xfc, 0xae, 0xee, 0x8f, 0x91, 0x3d, 0x6f];
/// Bytes of a challenge.
const CHALLENGE: usize = 64;

/// Request of `CONNECT_OPEN`.
pub fn open(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("protocol_version", reader.u16()?.into()));
    Ok(())
}

/// Request of `CONNECT_CLIENT_AUTH`.
pub fn client_auth(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    let kind = reader.u32()?;
    out.push(("auth_type", kind.into()));
    match kind {
        NONE => return Ok(()),
        TEXT | MD5 | SHA => out.push(("auth_id", reader.text()?)),
        // BEWS, SSPI, BEWS2: no published layout, and any part of it may be a secret.
        _ => {
            out.push(("auth_secret", "other".into()));
            reader.give_up();
            return Ok(());
        }
    }
    let secret = match kind {
        TEXT => reader.bytes().map(|_| "password")?,
        MD5 => {
            if reader.fixed()? == KNOWN_DIGEST {
                out.push(("auth_known_digest", 1u32.into()));
            }
            "digest"
        }
        _ => reader.fixed::<32>().map(|_| "hash")?,
    };
    out.push(("auth_secret", secret.into()));
    Ok(())
}

/// Request of `CONNECT_SERVER_AUTH`.
pub fn server_auth_request(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    let kind = reader.u32()?;
    out.push(("auth_type", kind.into()));
    challenge(reader, kind)
}

/// Reply of `CONNECT_SERVER_AUTH`.
pub fn server_auth_reply(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    if error(reader, out)? {
        return Ok(());
    }
    client_auth(reader, out)
}

/// Request of `CONFIG_GET_AUTH_ATTR`.
pub fn auth_attr_request(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("auth_type", reader.u32()?.into()));
    Ok(())
}

/// Reply of `CONFIG_GET_AUTH_ATTR`.
pub fn auth_attr_reply(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    if error(reader, out)? {
        return Ok(());
    }
    let kind = reader.u32()?;
    out.push(("auth_type", kind.into()));
    challenge(reader, kind)
}

/// Reads past the challenge of an authentication type.
fn challenge(reader: &mut Reader<'_>, kind: u32) -> Read<()> {
    match kind {
        NONE | TEXT => {}
        MD5 | SHA => drop(reader.fixed::<CHALLENGE>()?),
        _ if reader.remaining() > 0 => reader.give_up(),
        _ => {}
    }
    Ok(())
}
