//! Fingerprints of a `ClientHello`.
//!
//! JA3: the five lists of <https://github.com/salesforce/ja3>, as MD5. JA4: the algorithm of
//! <https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md>, TLS over TCP; of the JA4+ family it alone is
//! under a BSD licence, and it alone is here.

use std::fmt::Write as _;

use md5::{Digest, Md5};
use sha2::Sha256;

use super::hello::ClientHello;

const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;

/// Values that mean nothing and keep the other end tolerant (RFC 8701): `0a0a`, `1a1a` to `fafa`.
#[must_use]
pub fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

/// The JA3 string before it is hashed.
#[must_use]
pub fn ja3_text(hello: &ClientHello) -> String {
    let formats: Vec<u16> = hello.formats.iter().map(|&format| format.into()).collect();
    let lists = [&hello.ciphers, &hello.extensions, &hello.groups, &formats].map(|values| {
        let numbers: Vec<String> = without_grease(values).iter().map(u16::to_string).collect();
        numbers.join("-")
    });
    format!("{},{}", hello.version, lists.join(","))
}

/// The JA3 hash: 32 hexadecimal digits.
#[must_use]
pub fn ja3(hello: &ClientHello) -> String {
    hexadecimal(&Md5::digest(ja3_text(hello)))
}

/// The three parts of JA4 before the last two are hashed.
#[must_use]
pub fn ja4_text(hello: &ClientHello) -> [String; 3] {
    let mut ciphers = without_grease(&hello.ciphers);
    let all = without_grease(&hello.extensions);
    let head = format!(
        "t{}{}{:02}{:02}{}",
        version(hello),
        if all.contains(&SERVER_NAME) { 'd' } else { 'i' },
        ciphers.len().min(99),
        all.len().min(99),
        protocol(hello.protocols.first().map_or(&[], Vec::as_slice)),
    );
    let mut extensions: Vec<u16> = all.into_iter().filter(|&kind| kind != SERVER_NAME && kind != ALPN).collect();
    ciphers.sort_unstable();
    extensions.sort_unstable();
    let mut tail = listed(&extensions);
    let signatures = without_grease(&hello.signatures);
    if !extensions.is_empty() && !signatures.is_empty() {
        tail = format!("{tail}_{}", listed(&signatures));
    }
    [head, listed(&ciphers), tail]
}

/// JA4: 36 characters.
#[must_use]
pub fn ja4(hello: &ClientHello) -> String {
    let [head, ciphers, extensions] = ja4_text(hello);
    format!("{head}_{}_{}", short_hash(&ciphers), short_hash(&extensions))
}

fn without_grease(values: &[u16]) -> Vec<u16> {
    values.iter().copied().filter(|&value| !is_grease(value)).collect()
}

fn listed(values: &[u16]) -> String {
    let words: Vec<String> = values.iter().map(|value| format!("{value:04x}")).collect();
    words.join(",")
}

/// Twelve digits of SHA-256; zeros for an empty list.
fn short_hash(text: &str) -> String {
    if text.is_empty() { "0".repeat(12) } else { hexadecimal(&Sha256::digest(text)[..6]) }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn version(hello: &ClientHello) -> &'static str {
    match without_grease(&hello.versions).into_iter().max().unwrap_or(hello.version) {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    }
}

/// First and last character of the first protocol offered; of its hexadecimal form where either is no letter or digit.
fn protocol(name: &[u8]) -> String {
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else { return "00".to_owned() };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [char::from(first), char::from(last)].iter().collect();
    }
    let digits = hexadecimal(&[first, last]);
    [&digits[..1], &digits[3..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the JA4 description, with GREASE where browsers put it; its hashes are the published ones.
    #[test]
    fn ja4_of_the_published_example() {
        let hello = ClientHello {
            version: 0x0303,
            ciphers: vec![
                0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
                0x009d, 0x002f, 0x0035,
            ],
            extensions: vec![
                0x1a1a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b,
                0xff01, 0x000b, 0x000a, 0x0015, 0xfafa,
            ],
            signatures: vec![0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
            versions: vec![0x2a2a, 0x0304, 0x0303],
            protocols: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            ..ClientHello::default()
        };
        assert_eq!(ja4(&hello), "t13d1516h2_8daaf6152771_e5627efa2ab1");
        let [_, ciphers, extensions] = ja4_text(&hello);
        assert_eq!(ciphers, "002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9");
        assert_eq!(
            extensions,
            "0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_0403,0804,0401,0503,0805,0501,0806,0601"
        );
    }

    /// The strings of JA3's own description, and the hashes that it gives for them.
    #[test]
    fn ja3_of_the_published_examples() {
        let hello = ClientHello {
            version: 769,
            ciphers: vec![47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
            extensions: vec![0, 10, 11],
            groups: vec![23, 24, 25],
            formats: vec![0],
            ..ClientHello::default()
        };
        assert_eq!(ja3_text(&hello), "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
        assert_eq!(ja3(&hello), "ada70206e40642a3e4461f35503241d5");
        let bare = ClientHello {
            version: 769,
            ciphers: vec![4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99],
            ..ClientHello::default()
        };
        assert_eq!(ja3_text(&bare), "769,4-5-10-9-100-98-3-6-19-18-99,,,");
        assert_eq!(ja3(&bare), "de350869b8c85de67a350c8d186f11e6");
    }

    /// The examples of the JA4 description for protocols that are no text.
    #[test]
    fn protocols_that_are_no_text() {
        let cases: [(&[u8], &str); 8] = [
            (b"h2", "h2"),
            (b"http/1.1", "h1"),
            (&[0xab], "ab"),
            (&[0xab, 0xcd], "ad"),
            (&[0x30, 0xab], "3b"),
            (&[0x30, 0x31, 0xab, 0xcd], "3d"),
            (&[0x30, 0xab, 0xcd, 0x31], "01"),
            (&[], "00"),
        ];
        for (name, expected) in cases {
            assert_eq!(protocol(name), expected, "{name:x?}");
        }
    }

    #[test]
    fn a_hello_without_anything_has_zeros() {
        let hello = ClientHello { version: 0x0301, ciphers: vec![0x2f], ..ClientHello::default() };
        // sha256 of "002f", from sha256sum.
        assert_eq!(ja4(&hello), "t10i010000_ba72b8082249_000000000000");
        assert!(is_grease(0x0a0a) && is_grease(0xfafa) && !is_grease(0x0a1a) && !is_grease(0x0b0b));
    }
}
