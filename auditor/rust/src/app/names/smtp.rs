//! SMTP (RFC 5321): the domain in a server's greeting, and what a client calls itself.

use super::{Found, NameKind};

/// Gives the name of the sender.
pub fn names(payload: &[u8], found: &mut impl Found) {
    let line = payload.split(|&byte| byte == b'\r' || byte == b'\n').next().unwrap_or_default();
    let mut words = line.split(|&byte| byte == b' ' || byte == b'-' && line.starts_with(b"220-"));
    let (Some(first), Some(name)) = (words.next(), words.next()) else { return };
    let known = first == b"220" || [&b"EHLO"[..], b"HELO", b"LHLO"].iter().any(|verb| first.eq_ignore_ascii_case(verb));
    // A literal address in brackets is no name.
    let sane = name.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(byte));
    if known && sane && name.first().is_some_and(u8::is_ascii_alphanumeric) {
        found(None, NameKind::Smtp, 0, &|| Some(String::from_utf8_lossy(name).into_owned()));
    }
}
