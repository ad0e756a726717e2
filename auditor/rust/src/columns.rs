//! Flow records into columns, addresses into codes. Columns are filled while the records' chunks are freed, so that
//! both are never there at once.

use std::collections::HashMap;

use crate::app::ndmp::{Events, Fields};
use crate::decode::protocol;
use crate::flow::{
    Addresses, Aside, Asides, Closed, ConnState, Finished, Record, Side, Table, mark, repeated, tcp_state, udp_state,
};

pub use crate::addresses::AddressTable;
pub use crate::serials::Serials;

/// One column, of the type that its users see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// Truth values.
    Bool(Vec<bool>),
    /// Codes and bits.
    U8(Vec<u8>),
    /// Ports and VLANs.
    U16(Vec<u16>),
    /// Codes and rows.
    U32(Vec<u32>),
    /// Counters.
    U64(Vec<u64>),
    /// Rows or -1.
    I32(Vec<i32>),
    /// Times.
    I64(Vec<i64>),
}

macro_rules! from_vec {
    ($($variant:ident($kind:ty)),+) => {
        $(impl From<Vec<$kind>> for Column { fn from(values: Vec<$kind>) -> Self { Self::$variant(values) } })+
    };
}
from_vec!(Bool(bool), U8(u8), U16(u16), U32(u32), U64(u64), I32(i32), I64(i64));

macro_rules! flow_columns {
    ($($name:ident: $kind:ty,)+) => {
        /// The flow table in columns; see `COLUMNS` in `auditor/flows.py`.
        #[derive(Clone, Debug, Default)]
        #[allow(missing_docs, reason = "the columns are described where their users look, in auditor/flows.py")]
        pub struct FlowColumns { $(pub $name: Vec<$kind>,)+ }

        impl FlowColumns {
            /// Fresh zeros come from the system and take no memory before they are written.
            fn zeroed(rows: usize) -> Self {
                Self { $($name: vec![0; rows],)+ }
            }
            fn arrange(&mut self, order: &[u32]) {
                $(self.$name = order.iter().map(|&row| self.$name[row as usize]).collect();)+
            }
            /// Names and columns, in order.
            #[must_use]
            pub fn into_list(self) -> Vec<(&'static str, Column)> {
                vec![$((stringify!($name), self.$name.into()),)+]
            }
        }
    };
}

flow_columns! {
    transport: u8,
    orig_addr: u32,
    resp_addr: u32,
    orig_port: u16,
    resp_port: u16,
    originator_by: u8,
    state: u8,
    vlan: u16,
    tunnel: u8,
    first_time: i64,
    last_time: i64,
    first_packet: u64,
    last_packet: u64,
    first_file: u32,
    last_file: u32,
    orig_packets: u64,
    resp_packets: u64,
    orig_bytes: u64,
    resp_bytes: u64,
    orig_payload: u64,
    resp_payload: u64,
    orig_missed: u64,
    resp_missed: u64,
    orig_repeated: u64,
    resp_repeated: u64,
    syn_packets: u32,
    refusal: u8,
    refusal_packet: u64,
    app: u8,
    flags: u8,
    orig_flags: u8,
    resp_flags: u8,
}

/// Bit of column `flags`: payload was not captured.
pub const FLAG_CUT: u8 = 1;
/// Bit of column `flags`: IP fragments belong to the flow.
pub const FLAG_FRAGMENTS: u8 = 2;

/// Code that stands for no address.
pub const NO_ADDRESS: u32 = u32::MAX;

/// Codes of the addresses in the fields of messages.
#[must_use]
pub fn field_addresses(fields: &Fields, addresses: &mut AddressTable) -> Vec<u32> {
    let pairs = fields.has_address.iter().zip(&fields.address);
    pairs.map(|(&there, &address)| if there { addresses.code(address) } else { NO_ADDRESS }).collect()
}

/// The flow table as its users get it.
#[derive(Debug, Default)]
pub struct FlowTable {
    /// Columns, in order of each flow's first packet.
    pub columns: FlowColumns,
    /// What the address columns index into.
    pub addresses: AddressTable,
    histories: Vec<Closed>,
    spilled: HashMap<u32, Vec<u8>>,
    /// New row of each flow, where rows had to be moved.
    moved: Option<Vec<u32>>,
}

impl FlowTable {
    /// Number of flows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.histories.len()
    }

    /// Replaces numbers that flows had while packets came by their rows; false when they are the same.
    pub fn renumber(&self, flows: &mut [u32]) -> bool {
        let Some(moved) = &self.moved else { return false };
        for flow in flows {
            *flow = moved.get(*flow as usize).copied().unwrap_or(u32::MAX);
        }
        true
    }

    /// Zeek's history letters of a row: capitals for the originator; `^` first when the originator is not the one whose
    /// packet came first.
    #[must_use]
    pub fn history_text(&self, row: u32) -> Option<String> {
        let history = self.histories.get(row as usize)?;
        let spilled = self.spilled.get(&row).map_or(&[][..], Vec::as_slice);
        Some(history.text(spilled))
    }

    /// Sorts rows by first packet, if fragments that had to wait made that necessary.
    fn arrange(&mut self) {
        let mut order: Vec<u32> = (0..self.rows() as u32).collect();
        let columns = &self.columns;
        order.sort_by_key(|&row| columns.first_packet[row as usize]);
        let mut moved = vec![0; order.len()];
        for (new, &old) in order.iter().enumerate() {
            moved[old as usize] = new as u32;
        }
        self.columns.arrange(&order);
        self.histories = order.iter().map(|&row| self.histories[row as usize]).collect();
        self.spilled = self.spilled.drain().map(|(row, codes)| (moved[row as usize], codes)).collect();
        self.moved = Some(moved);
    }
}

/// Turns what was seen into columns; the events are left to the caller.
#[must_use]
pub fn tabulate(finished: Finished, serials: &Serials) -> (FlowTable, Events) {
    let Finished { table, addresses, asides, events, .. } = finished;
    let rows = table.len() as usize;
    let mut flows =
        FlowTable { columns: FlowColumns::zeroed(rows), histories: Vec::with_capacity(rows), ..FlowTable::default() };
    let (mut sorted, mut before) = (true, 0);
    let mut flow = 0;
    for chunk in table.into_chunks() {
        for record in &chunk {
            sorted &= before <= record.first;
            before = record.first;
            put(&mut flows, flow, record, &addresses, asides.get(flow, record), serials);
            flow += 1;
        }
    }
    if !sorted {
        flows.arrange();
    }
    (flows, events)
}

/// Turns what was seen so far into columns; everything stays as it is. Flows that were removed have no row.
#[must_use]
pub fn tabulate_living(table: &Table, addresses: &Addresses, asides: &Asides, serials: &Serials) -> FlowTable {
    let rows = table.population();
    let mut flows =
        FlowTable { columns: FlowColumns::zeroed(rows), histories: Vec::with_capacity(rows), ..FlowTable::default() };
    let mut places = vec![u32::MAX; table.len() as usize];
    for (row, (flow, record)) in (0u32..).zip(table.living()) {
        places[flow as usize] = row;
        put(&mut flows, row, record, addresses, asides.get(flow, record), serials);
    }
    flows.arrange();
    flows.renumber(&mut places);
    flows.moved = Some(places);
    flows
}

/// Writes a flow's row.
fn put(flows: &mut FlowTable, flow: u32, record: &Record, v6: &Addresses, aside: Option<&Aside>, serials: &Serials) {
    let row = flow as usize;
    let orig = record.originator();
    put_identity(flows, row, record, orig, v6);
    put_places(&mut flows.columns, row, record, serials);
    put_counters(&mut flows.columns, row, record, orig, aside);
    let turned = orig != record.first_sender() && matches!(record.key.protocol(), protocol::TCP | protocol::UDP);
    flows.histories.push(record.history.close(orig, turned));
    if let Some(aside) = aside.filter(|aside| !aside.spilled.is_empty()) {
        flows.spilled.insert(flow, aside.spilled.clone());
    }
}

/// Writes what is 0 for most flows only where it is not: pages that hold nothing but zeros are never touched, which
/// spares a sixth of the columns' memory.
#[inline]
fn note<T: Default + PartialEq>(column: &mut [T], row: usize, value: T) {
    if value != T::default() {
        column[row] = value;
    }
}

fn put_identity(flows: &mut FlowTable, row: usize, record: &Record, orig: Side, v6: &Addresses) {
    let addresses = &mut flows.addresses;
    let mut end = |side| {
        let (address, port) = record.key.end(side);
        let ipv6 = record.key.is_ipv6();
        (if ipv6 { addresses.code(v6.address(address).to_be_bytes()) } else { addresses.code_of_ipv4(address) }, port)
    };
    let ((orig_addr, orig_port), (resp_addr, resp_port)) = (end(orig), end(1 - orig));
    let cut = if record.is(mark::CUT) { FLAG_CUT } else { 0 };
    let fragments = if record.is(mark::FRAGMENTS) { FLAG_FRAGMENTS } else { 0 };

    let columns = &mut flows.columns;
    columns.transport[row] = record.key.protocol();
    columns.orig_addr[row] = orig_addr;
    columns.resp_addr[row] = resp_addr;
    columns.orig_port[row] = orig_port;
    columns.resp_port[row] = resp_port;
    columns.originator_by[row] = record.originator_by() as u8;
    columns.state[row] = state(record) as u8;
    note(&mut columns.vlan, row, record.vlan());
    note(&mut columns.tunnel, row, record.tunnel());
    note(&mut columns.app, row, record.app);
    note(&mut columns.flags, row, cut | fragments);
}

fn put_places(columns: &mut FlowColumns, row: usize, record: &Record, serials: &Serials) {
    let (first_file, _) = serials.place(record.first);
    let (last_file, _) = serials.place(record.last);
    columns.first_time[row] = record.first_time;
    columns.last_time[row] = record.last_time;
    columns.first_packet[row] = record.first + 1;
    columns.last_packet[row] = record.last + 1;
    note(&mut columns.first_file, row, first_file);
    note(&mut columns.last_file, row, last_file);
    if record.refusal() != 0 {
        columns.refusal[row] = record.refusal();
        columns.refusal_packet[row] = record.first + u64::from(record.refused_after) + 1;
    }
}

fn put_counters(columns: &mut FlowColumns, row: usize, record: &Record, orig: Side, aside: Option<&Aside>) {
    let resp = 1 - orig;
    let packets = |side: Side| u64::from(record.packets[side]) + aside.map_or(0, |aside| aside.more_packets[side]);
    let missed = |side: Side| aside.map_or(0, |aside| aside.missed(side));
    let syns = u64::from(record.syns) + aside.map_or(0, |aside| aside.more_syns);
    columns.orig_packets[row] = packets(orig);
    note(&mut columns.resp_packets, row, packets(resp));
    columns.orig_bytes[row] = record.bytes[orig];
    note(&mut columns.resp_bytes, row, record.bytes[resp]);
    note(&mut columns.orig_payload, row, record.payload[orig]);
    note(&mut columns.resp_payload, row, record.payload[resp]);
    note(&mut columns.orig_missed, row, missed(orig));
    note(&mut columns.resp_missed, row, missed(resp));
    note(&mut columns.orig_repeated, row, repeated(record, orig, missed(orig)));
    note(&mut columns.resp_repeated, row, repeated(record, resp, missed(resp)));
    columns.syn_packets[row] = u32::try_from(syns).unwrap_or(u32::MAX);
    columns.orig_flags[row] = record.flags[orig];
    columns.resp_flags[row] = record.flags[resp];
}

fn state(record: &Record) -> ConnState {
    let orig = record.originator();
    match record.key.protocol() {
        protocol::TCP => tcp_state(record.ends, orig, record.payload == [0, 0]),
        protocol::UDP => udp_state(record.packets[orig] > 0, record.packets[1 - orig] > 0),
        _ => ConnState::Oth,
    }
}
