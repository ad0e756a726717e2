//! Link types, as pcap and pcapng number them.

/// Number and name of the link types that a capture of ours may show; names as tcpdump lists them, without `DLT_`.
const NAMES: &[(u16, &str)] = &[
    (0, "NULL"),
    (1, "EN10MB"),
    (6, "IEEE802"),
    (8, "SLIP"),
    (9, "PPP"),
    (10, "FDDI"),
    (12, "RAW"),
    (14, "RAW"),
    (50, "PPP_SERIAL"),
    (51, "PPP_ETHER"),
    (101, "RAW"),
    (104, "C_HDLC"),
    (105, "IEEE802_11"),
    (107, "FRELAY"),
    (108, "LOOP"),
    (113, "LINUX_SLL"),
    (117, "PFLOG"),
    (119, "PRISM_HEADER"),
    (127, "IEEE802_11_RADIO"),
    (147, "USER0"),
    (189, "USB_LINUX"),
    (192, "PPI"),
    (195, "IEEE802_15_4"),
    (220, "USB_LINUX_MMAPPED"),
    (228, "IPV4"),
    (229, "IPV6"),
    (239, "NFLOG"),
    (249, "USBPCAP"),
    (252, "WIRESHARK_UPPER_PDU"),
    (276, "LINUX_SLL2"),
];

/// Name of a link type; those that we do not know keep their number.
#[must_use]
pub fn link_name(link: u16) -> String {
    NAMES
        .iter()
        .find(|&&(number, _)| number == link)
        .map_or_else(|| format!("link-type-{link}"), |&(_, n)| n.to_owned())
}
