//! Protocol recognition from the first payload bytes of one direction, without state.

use super::kind::App;
use super::names;

/// IP protocol number of TCP.
const TCP: u8 = 6;
/// IP protocol number of UDP.
const UDP: u8 = 17;

/// Recognises the protocol of `payload`, the first bytes of one direction; `transport` is the IP protocol number.
///
/// Every test asks for several fixed values, so that random bytes practically never pass: a wrong answer is worse
/// than none. What is cut by the snaplen is recognised as far as the tests can see.
#[must_use]
pub fn recognise(payload: &[u8], transport: u8) -> App {
    match transport {
        TCP => recognise_tcp(payload),
        UDP => recognise_udp(payload),
        _ => App::Unknown,
    }
}

/// A test of the first payload bytes.
type Test = fn(&[u8]) -> bool;

fn recognise_tcp(payload: &[u8]) -> App {
    const TESTS: [(Test, App); 13] = [
        (is_tls, App::Tls),
        (is_http, App::Http),
        (is_smb, App::Smb),
        (is_netbios_session, App::NetbiosSession),
        (is_dcerpc, App::DceRpc),
        (is_ssh, App::Ssh),
        (is_smtp, App::Smtp),
        (is_tds, App::Tds),
        (is_mtf, App::Mtf),
        (is_kerberos_tcp, App::Kerberos),
        (is_snmp, App::Snmp),
        (names::is_announcement, App::AgentAnnouncement),
        (names::is_dns_tcp, App::Dns),
    ];
    TESTS.iter().find(|(test, _)| test(payload)).map_or(App::Unknown, |(_, app)| *app)
}

fn recognise_udp(payload: &[u8]) -> App {
    const TESTS: [(Test, App); 6] = [
        (is_snmp, App::Snmp),
        (is_kerberos, App::Kerberos),
        (is_sql_browser, App::SqlBrowser),
        (names::is_nbns, App::NetbiosName),
        (names::is_dhcp, App::Dhcp),
        (names::is_dns, App::Dns),
    ];
    TESTS.iter().find(|(test, _)| test(payload)).map_or(App::Unknown, |(_, app)| *app)
}

fn u16_at(payload: &[u8], at: usize) -> Option<usize> {
    let bytes = payload.get(at..at + 2)?.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*bytes).into())
}

fn starts_with_any(payload: &[u8], starts: &[&str]) -> bool {
    starts.iter().any(|start| payload.starts_with(start.as_bytes()))
}

/// A handshake record with a hello of client or server in it, or an alert record.
fn is_tls(payload: &[u8]) -> bool {
    let Some((&[kind, 3, minor, high, low, first], rest)) = payload.split_first_chunk::<6>() else { return false };
    let length = u16::from_be_bytes([high, low]);
    match kind {
        // The hello's own length is at most the record's unless it spans records; its first byte is then 0 or 1.
        22 => {
            minor <= 4
                && (4..=16_384).contains(&length)
                && matches!(first, 1 | 2)
                && rest.first().is_none_or(|&b| b <= 1)
        }
        21 => minor <= 4 && length == 2 && matches!(first, 1 | 2),
        _ => false,
    }
}

fn is_http(payload: &[u8]) -> bool {
    const METHODS: [&str; 9] =
        ["GET ", "POST ", "HEAD ", "PUT ", "DELETE ", "OPTIONS ", "CONNECT ", "TRACE ", "PATCH "];
    if starts_with_any(payload, &["HTTP/1.0 ", "HTTP/1.1 ", "PRI * HTTP/2.0\r\n"]) {
        return true;
    }
    let Some(method) = METHODS.iter().find(|method| payload.starts_with(method.as_bytes())) else { return false };
    // A target is a path, a URL, a host or a star: printable in any case.
    payload.get(method.len()).is_some_and(u8::is_ascii_graphic)
}

fn is_ssh(payload: &[u8]) -> bool {
    starts_with_any(payload, &["SSH-2.0-", "SSH-1.99-", "SSH-1.5-"])
}

/// A greeting that names mail, or the command that opens a session.
fn is_smtp(payload: &[u8]) -> bool {
    let line = payload.split(|&byte| byte == b'\r' || byte == b'\n').next().unwrap_or_default();
    if line.len() > 512 || !line.iter().all(|&byte| byte == b'\t' || (b' '..=b'~').contains(&byte) || byte >= 0x80) {
        return false;
    }
    let upper = line.to_ascii_uppercase();
    if starts_with_any(&upper, &["220 ", "220-"]) {
        // FTP greets with 220 too. An SMTP server that names neither protocol is left unrecognised until EHLO.
        return [&b"SMTP"[..], b"LMTP", b"POSTFIX", b"SENDMAIL"].iter().any(|word| contains(&upper, word));
    }
    starts_with_any(&upper, &["EHLO ", "HELO ", "LHLO "])
        || upper == b"EHLO"
        || starts_with_any(&upper, &["MAIL FROM:<"])
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

/// SMB 1, 2, or an encrypted or compressed SMB 3 message, behind its 4-byte session header.
fn is_smb(payload: &[u8]) -> bool {
    const MARKS: [[u8; 4]; 4] =
        [[0xff, b'S', b'M', b'B'], [0xfe, b'S', b'M', b'B'], [0xfd, b'S', b'M', b'B'], [0xfc, b'S', b'M', b'B']];
    payload.first() == Some(&0) && payload.get(4..8).is_some_and(|mark| MARKS.iter().any(|known| mark == known))
}

/// A `NetBIOS` session request with two encoded names, or one of its answers.
fn is_netbios_session(payload: &[u8]) -> bool {
    match payload {
        [0x81, 0, 0, 68, 0x20, name @ ..] => name.iter().take(32).all(|byte| (b'A'..=b'P').contains(byte)),
        [0x82, 0, 0, 0] | [0x83, 0, 0, 1, 0x80 | 0x81 | 0x82 | 0x83 | 0x8f] => true,
        _ => false,
    }
}

/// A connection-oriented PDU: version 5.0 or 5.1, first fragment, sane lengths.
fn is_dcerpc(payload: &[u8]) -> bool {
    let Some(&[5, minor, kind, flags, order, float, 0, 0, one, two]) = payload.first_chunk::<10>() else {
        return false;
    };
    let length = if order & 0x10 == 0 { u16::from_be_bytes([one, two]) } else { u16::from_le_bytes([one, two]) };
    minor <= 1 && kind <= 20 && flags & 1 == 1 && matches!(order, 0 | 0x10) && float <= 3 && length >= 16
}

/// A pre-login packet, or an answer to one: its first option is the version.
fn is_tds(payload: &[u8]) -> bool {
    let Some(&[kind @ (4 | 0x12), 1, _, _, 0, 0, _, 0, rest @ ..]) = payload.first_chunk::<14>() else { return false };
    let [option, _, offset, high, low, _] = rest;
    let length = u16_at(payload, 2).unwrap_or_default();
    (8..=4096).contains(&length) && option == 0 && offset > 0 && [high, low] == [0, 6] && matches!(kind, 4 | 0x12)
}

/// SQL Server browser: a request for one instance, or the list of instances. The request for all is a single byte, and
/// the name of an instance may be as short: what random bytes say as well is not recognised before the answer comes.
fn is_sql_browser(payload: &[u8]) -> bool {
    match payload {
        [4, name @ .., 0] => (8..=32).contains(&name.len()) && name.iter().all(u8::is_ascii_graphic),
        [5, _, _, list @ ..] => list.starts_with(b"ServerName;"),
        _ => false,
    }
}

/// The start of a BER value with this tag: how many bytes its header takes, and its length.
fn ber(payload: &[u8], tag: u8) -> Option<(usize, usize)> {
    let (&first, rest) = payload.split_first()?;
    if first != tag {
        return None;
    }
    match *rest {
        [length @ ..=0x7f, ..] => Some((2, length.into())),
        [0x81, length, ..] => Some((3, length.into())),
        [0x82, high, low, ..] => Some((4, u16::from_be_bytes([high, low]).into())),
        _ => None,
    }
}

/// A message of version 1, 2c or 3: a sequence that begins with the version and, for 1 and 2c, a printable community.
fn is_snmp(payload: &[u8]) -> bool {
    let Some((header, length)) = ber(payload, 0x30) else { return false };
    let Some(&[2, 1, version, next, ref rest @ ..]) = payload.get(header..) else { return false };
    if length < 10 || payload.len() > header + length {
        return false;
    }
    match (version, next) {
        (0 | 1, 4) => {
            let Some((&size, rest)) = rest.split_first() else { return false };
            let size = usize::from(size);
            let community = rest.get(..size.min(rest.len())).unwrap_or_default();
            // Behind the community comes the PDU: one of the tags a0 to a8.
            let pdu = rest.get(size).is_none_or(|tag| (0xa0..=0xa8).contains(tag));
            size < 128 && pdu && community.iter().all(|byte| (b' '..=b'~').contains(byte))
        }
        (3, 0x30) => true,
        _ => false,
    }
}

/// A Kerberos 5 message: an application tag, a sequence, and version 5 as its first member (in requests the second
/// tag).
fn is_kerberos(payload: &[u8]) -> bool {
    let Some((&tag, _)) = payload.split_first() else { return false };
    let Some((outer, _)) = ber(payload, tag) else { return false };
    let Some((inner, _)) = payload.get(outer..).and_then(|rest| ber(rest, 0x30)) else { return false };
    let version = payload.get(outer + inner..).unwrap_or_default();
    match tag {
        // AS-REQ, TGS-REQ: [1] 5, [2] message type.
        0x6a | 0x6c => version.starts_with(&[0xa1, 3, 2, 1, 5, 0xa2, 3, 2, 1]),
        // AS-REP, TGS-REP, AP-REQ, AP-REP, KRB-ERROR: [0] 5, [1] message type.
        0x6b | 0x6d | 0x6e | 0x6f | 0x7e => version.starts_with(&[0xa0, 3, 2, 1, 5, 0xa1, 3, 2, 1]),
        _ => false,
    }
}

/// Kerberos over TCP has its length before it.
fn is_kerberos_tcp(payload: &[u8]) -> bool {
    payload.split_first_chunk::<4>().is_some_and(|(length, message)| {
        u32::from_be_bytes(*length) as usize >= message.len().min(32) && is_kerberos(message)
    })
}

/// A block of the Microsoft Tape Format: its name, and the checksum of its 52-byte common header where it is there.
fn is_mtf(payload: &[u8]) -> bool {
    const NAMES: [&str; 10] = ["TAPE", "SSET", "VOLB", "DIRB", "FILE", "CFIL", "ESPB", "ESET", "EOTM", "SFMB"];
    if !starts_with_any(payload, &NAMES) {
        return false;
    }
    let Some(header) = payload.first_chunk::<52>() else { return false };
    let mut words = header.chunks_exact(2).map(|word| u16::from(word[0]) | u16::from(word[1]) << 8);
    // The last of the 26 words is the exclusive or of those before it.
    words.by_ref().take(25).fold(0, |sum, word| sum ^ word) == words.next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
