//! Flow records into columns, addresses into codes. Columns are filled while the records' chunks are freed, so that
//! both are never there at once.

use std::collections::HashMap;

use crate::app::ndmp::{Events, Fields};
use crate::fill::Fill;
use crate::flow::{Addresses, Asides, Closed, Finished, Table};
use crate::shares;

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
            /// Has memory ready for rows up to `to` in all columns where those just before `from` hold something.
            pub(crate) fn map_ahead(&mut self, from: usize, to: usize) {
                $(map_ahead(&mut self.$name, from, to);)+
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

/// Where the rows before hold nothing, those after are seldom different: no memory is taken then before there is something
/// to write. A few rows are asked, since a page that is read has to be mapped for that.
fn map_ahead<T: Default + PartialEq>(column: &mut [T], from: usize, to: usize) {
    // A column may be somebody else's meanwhile.
    if !column.is_empty() && column[from.saturating_sub(64)..from].iter().any(|value| *value != T::default()) {
        auditor_ring::map_ahead(&mut column[from..to]);
    }
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
    pub(crate) histories: Vec<Closed>,
    pub(crate) spilled: HashMap<u32, Vec<u8>>,
    /// New row of each flow, where rows had to be moved.
    pub(crate) moved: Option<Vec<u32>>,
}

impl FlowTable {
    fn zeroed(rows: usize) -> Self {
        Self { columns: FlowColumns::zeroed(rows), histories: Vec::with_capacity(rows), ..Self::default() }
    }

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

/// Turns what was seen into columns, by so many threads at most (0: as are worth it); the events are left to the caller.
#[must_use]
pub fn tabulate(finished: Finished, serials: &Serials, threads: usize) -> (FlowTable, Events) {
    let Finished { table, addresses, asides, events, .. } = finished;
    let rows = table.len() as usize;
    let by_two = shares::are_worth(rows, threads);
    let mut flows = FlowTable::zeroed(rows);
    let mut fill = Fill { flows: &mut flows, addresses: &addresses, asides: &asides, serials };
    let mut row = 0;
    for chunk in table.into_chunks() {
        if by_two {
            shares::fill_by_two(&mut fill, row, &chunk);
        } else {
            shares::fill(&mut fill, row, &chunk, |fill, row, records| fill.rows(row, row, records));
        }
        row += chunk.len() as u32;
    }
    if !flows.columns.first_packet.is_sorted() {
        flows.arrange();
    }
    (flows, events)
}

/// Turns what was seen so far into columns; everything stays as it is. Flows that were removed have no row.
#[must_use]
pub fn tabulate_living(table: &Table, addresses: &Addresses, asides: &Asides, serials: &Serials) -> FlowTable {
    let rows = table.population();
    let mut flows = FlowTable::zeroed(rows);
    let mut places = vec![u32::MAX; table.len() as usize];
    let mut fill = Fill { flows: &mut flows, addresses, asides, serials };
    for (row, (flow, record)) in (0u32..).zip(table.living()) {
        places[flow as usize] = row;
        fill.rows(row, flow, std::slice::from_ref(record));
    }
    flows.arrange();
    flows.renumber(&mut places);
    flows.moved = Some(places);
    flows
}
