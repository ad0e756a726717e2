//! pcapng: sections in either byte order, interfaces with their own clocks, packet and statistics blocks.

use super::blocks::{Clock, Order};
use super::look::Look;
use super::names::Names;
use super::search::{Search, search};
use super::{ContainerFacts, Fault, Window};
use crate::frame::{Frame, Ip, MAX_FRAME};
use crate::problem::Problem;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const NAMES: u32 = 4;
const STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;

/// Types that blocks are known to have: those above, journal, decryption secrets, custom ones.
const KNOWN: &[u32] =
    &[SECTION_HEADER, INTERFACE, PACKET, SIMPLE_PACKET, NAMES, STATISTICS, ENHANCED_PACKET, 9, 10, 0xbad, 0x4000_0bad];

/// Blocks with a frame are never longer.
const MAX_BLOCK: u32 = MAX_FRAME + (1 << 16);
/// Nor are others, by far: names, secrets, custom blocks. Each is buffered whole, so that its length is checked.
const MAX_OTHER: u32 = 16 << 20;

const OPTION_RESOLUTION: u16 = 9;
const OPTION_OFFSET: u16 = 14;
const OPTION_INTERFACE_DROPS: u16 = 5;
const OPTION_SYSTEM_DROPS: u16 = 7;

#[derive(Clone, Copy, Default)]
struct Interface {
    link: u16,
    snaplen: u32,
    clock: Clock,
    /// As the interface's last statistics block says: counts since the start, not since the block before.
    drops: Option<u64>,
}

/// Where the packet is in a block's body, and whose it is.
struct Place {
    interface: usize,
    units: Option<u64>,
    captured: u32,
    wire_len: u32,
    data: usize,
}

/// State of a pcapng file: the current section and its interfaces.
#[derive(Default)]
pub struct PcapNg {
    order: Order,
    interfaces: Vec<Interface>,
    last_time: i64,
    snaplen: Option<u32>,
    /// Of finished sections, and of obsolete packet blocks.
    earlier_drops: Option<u64>,
    /// Length of the block ahead, when its two lengths agree and only its content is wrong.
    pass_over: Option<usize>,
    /// What the section says about the names of addresses.
    pub names: Names,
}

impl PcapNg {
    /// Whether a file begins with a section header.
    pub fn recognise(start: &[u8]) -> bool {
        start.starts_with(&SECTION_HEADER.to_be_bytes())
    }

    /// The next frame.
    pub fn next_frame<'w>(&mut self, window: &'w mut Window) -> Result<Option<Frame<'w>>, Fault> {
        let (length, place) = loop {
            let Some((kind, length)) = self.next_block(window)? else { return Ok(None) };
            let body = &window.bytes()[8..length - 4];
            let place = match kind {
                ENHANCED_PACKET => self.enhanced_packet(body),
                SIMPLE_PACKET => self.simple_packet(body),
                PACKET => self.obsolete_packet(body),
                _ => self.other_block(kind, body).map(|()| None),
            };
            match place {
                Ok(None) => _ = window.take(length),
                Ok(Some(place)) => break (length, place),
                Err(what) => {
                    self.pass_over = Some(length);
                    return Err(Fault::damage(Problem::BadBlock, window.position(), what));
                }
            }
        };
        let interface = self.interfaces[place.interface];
        let time = place.units.map_or(self.last_time, |units| interface.clock.nanos(units));
        self.last_time = time;
        let data = &window.take(length)[8 + place.data..][..place.captured as usize];
        Ok(Some(Frame {
            time,
            link: interface.link,
            wire_len: place.wire_len,
            data,
            untimed: place.units.is_none(),
            ip: Ip::Unasked,
        }))
    }

    /// What the blocks so far say.
    pub fn facts(&self) -> ContainerFacts {
        ContainerFacts { snaplen: self.snaplen, drops: self.drops() }
    }

    fn drops(&self) -> Option<u64> {
        self.interfaces.iter().filter_map(|i| i.drops).chain(self.earlier_drops).reduce(u64::saturating_add)
    }

    /// Buffers the next block whole: its type and length. None at the end of the file.
    fn next_block(&mut self, window: &mut Window) -> Result<Option<(u32, usize)>, Fault> {
        if !window.need(12)? {
            return if window.bytes().is_empty() { Ok(None) } else { Err(Fault::cut(window)) };
        }
        let head = window.bytes();
        let kind = self.order.u32(head, 0);
        // The type of a section header reads the same in both orders.
        if kind == SECTION_HEADER {
            self.order = section_order(head).ok_or_else(|| {
                let what = "a section without byte-order mark".to_owned();
                Fault::damage(Problem::BadBlock, window.position(), what)
            })?;
        }
        let length = self.order.u32(head, 4);
        if length < 12 || !length.is_multiple_of(4) {
            let what = format!("a block of type {kind:#x} claims the length {length}");
            return Err(Fault::damage(Problem::BadBlockLength, window.position(), what));
        }
        let carries_frame = matches!(kind, PACKET | SIMPLE_PACKET | ENHANCED_PACKET);
        if length > if carries_frame { MAX_BLOCK } else { MAX_OTHER } {
            let what = format!("a block of type {kind:#x} claims {length} bytes, more than any has");
            return Err(Fault::damage(Problem::OversizedRecord, window.position(), what));
        }
        self.whole_block(window, kind, length).map(Some)
    }

    fn whole_block(&self, window: &mut Window, kind: u32, length: u32) -> Result<(u32, usize), Fault> {
        let size = length as usize;
        if !window.need(size)? {
            return Err(self.cut(window, kind, length));
        }
        let trailer = self.order.u32(window.bytes(), size - 4);
        if trailer != length {
            let what =
                format!("a block of type {kind:#x} has the length {length} at its head and {trailer} at its end");
            return Err(Fault::damage(Problem::BadBlockLength, window.position(), what));
        }
        Ok((kind, size))
    }

    /// The file ends, or the block's length lies: what follows one that cannot be right is worth a look.
    #[cold]
    fn cut(&self, window: &Window, kind: u32, length: u32) -> Fault {
        let captured =
            (window.bytes().len() >= 24 && kind == ENHANCED_PACKET).then(|| self.order.u32(window.bytes(), 20));
        let sound = match captured {
            Some(captured) => (length - 32).wrapping_sub(captured) < 1 << 16,
            None => length < 1 << 16 && KNOWN.contains(&kind),
        };
        match Fault::cut(window) {
            Fault::Damage { problem, offset, what, .. } => Fault::Damage { problem, offset, what, last: sound },
            fault @ Fault::Io(_) => fault,
        }
    }

    /// Whether the block ahead is wrong in its content alone.
    pub fn passes_over(&self) -> bool {
        self.pass_over.is_some()
    }

    /// Goes on after damage, which has been told.
    pub fn search(&mut self, window: &mut Window) -> std::io::Result<Search> {
        if let Some(length) = self.pass_over.take() {
            window.take(length);
            return Ok(Search::Found(0));
        }
        let order = self.order;
        search(window, None, |bytes| look_at(bytes, order))
    }

    fn other_block(&mut self, kind: u32, body: &[u8]) -> Result<(), String> {
        match kind {
            SECTION_HEADER => {
                self.earlier_drops = self.drops();
                self.interfaces.clear();
            }
            INTERFACE => {
                let interface = self.interface(body);
                // It keeps its number, or later ones would be taken for others.
                self.interfaces.push(interface.unwrap_or(Interface { link: u16::MAX, ..Interface::default() }));
                interface.ok_or("an interface block too short for its fields")?;
            }
            NAMES => self.names.take(self.order, body),
            STATISTICS => self.statistics(body),
            _ => {}
        }
        Ok(())
    }

    fn interface(&mut self, body: &[u8]) -> Option<Interface> {
        let options = body.get(8..)?;
        let mut interface =
            Interface { link: self.order.u16(body, 0), snaplen: self.order.u32(body, 4), ..Interface::default() };
        for (code, value) in self.order.options(options) {
            match (code, value) {
                (OPTION_RESOLUTION, &[resolution]) => interface.clock.set_resolution(resolution),
                (OPTION_OFFSET, value) => {
                    interface.clock.set_offset(self.order.u64(value).map_or(0, u64::cast_signed));
                }
                _ => {}
            }
        }
        if interface.snaplen != 0 {
            self.snaplen = Some(self.snaplen.map_or(interface.snaplen, |least| least.min(interface.snaplen)));
        }
        Some(interface)
    }

    fn statistics(&mut self, body: &[u8]) {
        let Some(options) = body.get(12..) else { return };
        let drops = self
            .order
            .options(options)
            .filter(|&(code, _)| matches!(code, OPTION_INTERFACE_DROPS | OPTION_SYSTEM_DROPS))
            .filter_map(|(_, value)| self.order.u64(value))
            .reduce(u64::saturating_add);
        let index = self.order.u32(body, 0) as usize;
        if let (Some(interface), Some(drops)) = (self.interfaces.get_mut(index), drops) {
            interface.drops = Some(drops);
        }
    }

    fn enhanced_packet(&self, body: &[u8]) -> Result<Option<Place>, String> {
        if body.len() < 20 {
            return Err("a packet block too short for its fields".to_owned());
        }
        let word = |at| self.order.u32(body, at);
        let units = Some(u64::from(word(4)) << 32 | u64::from(word(8)));
        let place = Place { interface: word(0) as usize, units, captured: word(12), wire_len: word(16), data: 20 };
        self.checked(place, body)
    }

    fn simple_packet(&self, body: &[u8]) -> Result<Option<Place>, String> {
        if body.len() < 4 {
            return Err("a packet block too short for its fields".to_owned());
        }
        let wire_len = self.order.u32(body, 0);
        let snaplen = self.interfaces.first().map_or(0, |interface| interface.snaplen);
        let limit = if snaplen == 0 { u32::MAX } else { snaplen };
        let captured = wire_len.min(limit).min((body.len() - 4) as u32);
        self.checked(Place { interface: 0, units: None, captured, wire_len, data: 4 }, body)
    }

    fn obsolete_packet(&mut self, body: &[u8]) -> Result<Option<Place>, String> {
        if body.len() < 20 {
            return Err("a packet block too short for its fields".to_owned());
        }
        let drops = self.order.u16(body, 2);
        if drops != u16::MAX {
            self.earlier_drops = Some(self.earlier_drops.unwrap_or(0) + u64::from(drops));
        }
        let word = |at| self.order.u32(body, at);
        let units = Some(u64::from(word(4)) << 32 | u64::from(word(8)));
        let interface = usize::from(self.order.u16(body, 0));
        self.checked(Place { interface, units, captured: word(12), wire_len: word(16), data: 20 }, body)
    }

    fn checked(&self, place: Place, body: &[u8]) -> Result<Option<Place>, String> {
        if place.interface >= self.interfaces.len() {
            return Err(format!("a packet of interface {}, which no block describes", place.interface));
        }
        if place.captured as usize > body.len() - place.data {
            return Err(format!("a packet claims {} captured bytes, more than its block has", place.captured));
        }
        Ok(Some(place))
    }
}

fn section_order(head: &[u8]) -> Option<Order> {
    match head[8..12] {
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(Order::Little),
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(Order::Big),
        _ => None,
    }
}

/// Whether a block of a known type begins here, with one length at both ends.
fn look_at(bytes: &[u8], order: Order) -> Look {
    if bytes.len() < 12 {
        return Look::Short;
    }
    let kind = order.u32(bytes, 0);
    if !KNOWN.contains(&kind) {
        return Look::No;
    }
    let order = if kind == SECTION_HEADER { section_order(bytes) } else { Some(order) };
    let Some(order) = order else { return Look::No };
    let length = order.u32(bytes, 4);
    if length < 12 || !length.is_multiple_of(4) || length > MAX_BLOCK {
        return Look::No;
    }
    let size = length as usize;
    if bytes.len() < size {
        return Look::Short;
    }
    if order.u32(bytes, size - 4) == length { Look::Sound(size, None) } else { Look::No }
}
