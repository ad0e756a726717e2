//! Names that hosts go by in what was captured: who was called what, by which protocol, in which packet.
//!
//! Anyone on the network can write such a name: it is told beside an address and decides nothing. Memory is bounded in
//! names per address and in all, and each name in length.

mod announcement;
mod dhcp;
mod dns;
mod nbns;
mod smtp;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::kind::App;
use crate::decode::{Ends, Tuple, protocol};
use crate::hash::Seed;

pub use announcement::is_announcement;
pub use dhcp::is_dhcp;
pub use dns::{is_dns, is_dns_tcp};
pub use nbns::is_nbns;

/// Names of one address, and of all.
const MAX_PER_ADDRESS: usize = 8;
const MAX_NAMES: usize = 1 << 16;
/// Bytes of a name.
const MAX_TEXT: usize = 255;

/// Where a name stood. The discriminant indexes [`NAME_KINDS`].
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// Answer of a DNS server.
    Dns,
    /// Answer by multicast DNS.
    Mdns,
    /// Answer by link-local multicast name resolution.
    Llmnr,
    /// Registration or answer of the `NetBIOS` name service.
    Netbios,
    /// Host name of a DHCP client.
    Dhcp,
    /// Greeting of an SMTP server, or what its client calls itself.
    Smtp,
    /// Name that a TLS client asked for.
    TlsServerName,
    /// Agent that announces itself to a media server.
    Announcement,
}

/// Names of [`NameKind`].
pub const NAME_KINDS: &[&str] =
    &["dns", "mdns", "llmnr", "netbios", "dhcp", "smtp", "tls-server-name", "agent-announcement"];

/// Address as the flow table has it: IPv4 mapped into IPv6.
pub type Address = [u8; 16];

/// A name of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Who is called so.
    pub address: Address,
    /// Where the name stood.
    pub kind: NameKind,
    /// The name.
    pub text: String,
    /// NDMP port that an announcement gives, else 0.
    pub port: u16,
    /// First packet that had it.
    pub packet: u64,
    /// File of that packet.
    pub file: u32,
}

/// A payload that may hold names.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    /// What it was recognised as.
    pub app: App,
    /// Ends of the packet.
    pub tuple: &'a Tuple,
    /// Captured payload.
    pub payload: &'a [u8],
    /// Number of the packet.
    pub packet: u64,
    /// Its file.
    pub file: u32,
}

/// What a parser finds: address as one number (the sender's where `None`), kind, port, and the name, which is made only where there is
/// room for it: in a flood of answers there seldom is.
trait Found: FnMut(Option<u128>, NameKind, u16, &dyn Fn() -> Option<String>) {}

impl<F: FnMut(Option<u128>, NameKind, u16, &dyn Fn() -> Option<String>)> Found for F {}

/// Names by address.
#[derive(Clone, Debug)]
pub struct Names {
    rows: Vec<Name>,
    /// The row of the same address before each row, where there is one.
    before: Vec<u32>,
    /// What is known of an address, which is one number here: bytes one by one take longer to hash than an answer to read.
    by_address: HashMap<u128, Known, Seed>,
}

/// The rows of an address.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    count: usize,
    last: u32,
}

impl Default for Names {
    fn default() -> Self {
        Self { rows: Vec::new(), before: Vec::new(), by_address: HashMap::with_hasher(Seed::random()) }
    }
}

/// Whether payloads of this protocol may hold names, in every datagram of a flow.
#[inline]
#[must_use]
pub fn tells(app: u8) -> bool {
    app >= App::Dns as u8 || app == App::Smtp as u8
}

/// The application of a code that [`tells`].
#[must_use]
pub fn app(code: u8) -> App {
    [App::Dns, App::NetbiosName, App::Dhcp, App::AgentAnnouncement, App::Smtp]
        .into_iter()
        .find(|&app| app as u8 == code)
        .unwrap_or_default()
}

impl Names {
    /// Takes the names out of a payload.
    #[inline]
    pub fn read(&mut self, telling: &Telling<'_>) {
        let asks = || telling.tuple.protocol == protocol::UDP && !dns::is_answer(telling.payload);
        // A flood of answers costs no more than it may leave behind.
        if self.rows.len() < MAX_NAMES && !(telling.app == App::Dns && asks()) {
            self.read_all(telling);
        }
    }

    fn read_all(&mut self, telling: &Telling<'_>) {
        let Telling { app, tuple, payload, packet, file } = *telling;
        let mut found = |address: Option<u128>, kind, port, text: &dyn Fn() -> Option<String>| {
            let address = address.unwrap_or_else(|| source(tuple));
            if self.has_room(address)
                && let Some(text) = text()
            {
                self.add(Name { address: address.to_be_bytes(), kind, text, port, packet, file });
            }
        };
        match app {
            App::Dns if tuple.protocol == protocol::TCP => {
                dns::names(payload.get(2..).unwrap_or_default(), NameKind::Dns, &mut found);
            }
            App::Dns => dns::names(payload, dns::kind(tuple), &mut found),
            App::NetbiosName => nbns::names(payload, &mut found),
            App::Dhcp => dhcp::names(payload, &mut found),
            App::Smtp => smtp::names(payload, &mut found),
            App::AgentAnnouncement => announcement::names(payload, &mut found),
            _ => {}
        }
    }

    fn has_room(&self, address: u128) -> bool {
        let of_address = || self.by_address.get(&address).is_none_or(|known| known.count < MAX_PER_ADDRESS);
        self.rows.len() < MAX_NAMES && of_address()
    }

    /// Adds a name, unless the address has it already or there is no room.
    pub fn add(&mut self, mut name: Name) {
        name.text.truncate(name.text.trim_end_matches('.').len());
        let sound = !name.text.is_empty() && name.text.len() <= MAX_TEXT && !is_nobody(&name.address);
        if !sound || self.rows.len() >= MAX_NAMES {
            return;
        }
        let known = self.by_address.entry(u128::from_be_bytes(name.address)).or_default();
        let mut row = known.last as usize;
        for _ in 0..known.count {
            let other = &self.rows[row];
            if other.kind == name.kind && other.text.eq_ignore_ascii_case(&name.text) {
                return;
            }
            row = self.before[row] as usize;
        }
        if known.count < MAX_PER_ADDRESS {
            self.before.push(known.add(self.rows.len()));
            self.rows.push(name);
        }
    }

    /// Half of the room is taken.
    #[must_use]
    pub fn is_half_full(&self) -> bool {
        self.rows.len() >= MAX_NAMES / 2
    }

    /// Forgets names of addresses that are not wanted.
    pub fn retain(&mut self, wanted: impl Fn(&Address) -> bool) {
        self.rows.retain(|name| wanted(&name.address));
        self.before.clear();
        self.by_address.clear();
        for (row, name) in self.rows.iter().enumerate() {
            let known = self.by_address.entry(u128::from_be_bytes(name.address)).or_default();
            self.before.push(known.add(row));
        }
    }

    /// The names, in the order of their packets.
    #[must_use]
    pub fn finish(self) -> Vec<Name> {
        self.rows
    }
}

impl Known {
    /// Adds a row; gives the one before it.
    fn add(&mut self, row: usize) -> u32 {
        self.count += 1;
        std::mem::replace(&mut self.last, row as u32)
    }
}

/// Address of the sender.
fn source(tuple: &Tuple) -> u128 {
    match tuple.ends {
        Ends::V4 { source, .. } => mapped(source),
        Ends::V6 { source, .. } => source,
    }
}

/// Address of the receiver.
#[must_use]
pub fn destination(tuple: &Tuple) -> Address {
    match tuple.ends {
        Ends::V4 { destination, .. } => mapped(destination),
        Ends::V6 { destination, .. } => destination,
    }
    .to_be_bytes()
}

/// An IPv4 address mapped into IPv6.
fn mapped(address: u32) -> u128 {
    Ipv4Addr::from_bits(address).to_ipv6_mapped().to_bits()
}

/// An address that stands for no host.
fn is_nobody(address: &Address) -> bool {
    let address = Ipv6Addr::from(*address);
    match address.to_ipv4_mapped() {
        Some(four) => four.is_unspecified() || four.is_multicast() || four.is_broadcast(),
        None => address.is_unspecified() || address.is_multicast(),
    }
}

/// Bytes as text: what is no printable ASCII, as `\ddd`, the way of zone files (RFC 1035, 5.1).
fn readable(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(bytes.len());
    append_readable(&mut text, bytes);
    String::from_utf8(text).unwrap_or_default()
}

/// Appends them so; what is appended is ASCII.
fn append_readable(text: &mut Vec<u8>, bytes: &[u8]) {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    // As nearly all names are throughout; letter by letter takes five times as long.
    if bytes.iter().all(|&byte| is_plain(byte)) {
        text.extend_from_slice(bytes);
        return;
    }
    for &byte in bytes {
        if is_plain(byte) {
            text.push(byte);
        } else {
            // Memory takes all that is written.
            let _ = write!(text, "\\{byte:03}");
        }
    }
}
