//! What is no capture that can be read, in words.

use super::pcap;
use crate::unpack::Packing;

/// Contents that are not read, but deserve better words than "not a capture".
const KNOWN_OTHERS: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "is a zip archive; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive; unpack it first"),
    (b"snoop\0\0\0", "is a snoop capture of a version other than 2, or cut inside its header"),
    (b"SQLite format 3\0", "is a database, not a capture"),
];

/// Says why these first bytes are those of no capture.
pub(super) fn refuse(start: &[u8]) -> String {
    if start.is_empty() {
        return "is empty".to_owned();
    }
    if let Some((_, words)) = KNOWN_OTHERS.iter().find(|(magic, _)| start.starts_with(magic)) {
        return (*words).to_owned();
    }
    if let Some(packing) = Packing::recognise(start) {
        let name = packing.name();
        return format!("is compressed twice: there is {name} inside; unpack it once and audit the result");
    }
    if let Some(header) = pcap::header_length(start) {
        return format!("is cut inside the pcap file header: it has {} bytes of {header}", start.len());
    }
    "is not a capture: it begins like neither pcap nor pcapng; if Wireshark knows it, editcap makes a pcapng of it"
        .to_owned()
}
