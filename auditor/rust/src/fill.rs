//! Flow records into rows of the columns: a column at a time, over so many records as the innermost cache holds. A record at
//! a time takes a third more instructions, to find out for each of 32 columns that it has that row.

use crate::columns::{FLAG_CUT, FLAG_FRAGMENTS, FlowColumns, FlowTable};
use crate::decode::protocol;
use crate::flow::{Addresses, Aside, Asides, ConnState, Record, mark, repeated, tcp_state, udp_state};
use crate::serials::Serials;

/// Records of a block: 16 KiB.
pub const BLOCK: usize = 128;

/// What rows are filled from, and the table that they are filled into.
pub struct Fill<'a> {
    pub flows: &'a mut FlowTable,
    pub addresses: &'a Addresses,
    pub asides: &'a Asides,
    pub serials: &'a Serials,
}

impl Fill<'_> {
    /// Fills the rows of flows that follow each other: row and number of the first, and their records. The table's rows
    /// are zeros before, and are filled in order.
    pub fn rows(&mut self, row: u32, flow: u32, records: &[Record]) {
        self.in_order(row, records);
        self.in_any_order(row, flow, records);
    }

    /// Of that what has to be done in the order of rows: codes of addresses, and histories.
    pub fn in_order(&mut self, row: u32, records: &[Record]) {
        self.ends(row as usize, records);
        let closed = records.iter().map(|record| record.history.close(record.originator(), is_turned(record)));
        self.flows.histories.extend(closed);
    }

    /// Of that all else.
    pub fn in_any_order(&mut self, row: u32, flow: u32, records: &[Record]) {
        let from = row as usize;
        identity(&mut self.flows.columns, from, records);
        places(&mut self.flows.columns, from, records, self.serials);
        counters(&mut self.flows.columns, from, records);
        for (place, record) in (0u32..).zip(records) {
            if let Some(aside) = self.asides.get(flow + place, record) {
                rare(self.flows, row + place, record, aside);
            }
        }
    }

    /// Codes of both ends' addresses, the originator's first: codes are given in the order of rows.
    fn ends(&mut self, from: usize, records: &[Record]) {
        let FlowTable { addresses, columns, .. } = &mut *self.flows;
        let mut code = |record: &Record, side| {
            let (address, _) = record.key.end(side);
            if record.key.is_ipv6() {
                addresses.code(self.addresses.address(address).to_be_bytes())
            } else {
                addresses.code_of_ipv4(address)
            }
        };
        let pairs = columns.orig_addr[from..].iter_mut().zip(&mut columns.resp_addr[from..]);
        for ((orig_addr, resp_addr), record) in pairs.zip(records) {
            let orig = record.originator();
            *orig_addr = code(record, orig);
            *resp_addr = code(record, 1 - orig);
        }
    }
}

/// Writes the rows of a column.
#[inline]
fn put<T>(column: &mut [T], from: usize, records: &[Record], value: impl Fn(&Record) -> T) {
    for (row, record) in column[from..].iter_mut().zip(records) {
        *row = value(record);
    }
}

/// Writes what is 0 for most flows only where it is not: pages that hold nothing but zeros are never touched, which
/// spares a sixth of the columns' memory.
#[inline]
fn note<T: Default + PartialEq>(column: &mut [T], from: usize, records: &[Record], value: impl Fn(&Record) -> T) {
    for (row, record) in column[from..].iter_mut().zip(records) {
        let value = value(record);
        if value != T::default() {
            *row = value;
        }
    }
}

/// Notes what the originator and what the responder has, in the columns of both.
#[inline]
fn sides<V: Copy + Default + PartialEq, T: From<V>>(
    [orig, resp]: [&mut [T]; 2],
    from: usize,
    records: &[Record],
    values: impl Fn(&Record) -> [V; 2],
) {
    for ((orig, resp), record) in orig[from..].iter_mut().zip(&mut resp[from..]).zip(records) {
        let [low, high] = values(record);
        let (ours, theirs) = if record.originator() == 0 { (low, high) } else { (high, low) };
        if ours != V::default() {
            *orig = ours.into();
        }
        if theirs != V::default() {
            *resp = theirs.into();
        }
    }
}

fn identity(columns: &mut FlowColumns, from: usize, records: &[Record]) {
    put(&mut columns.transport, from, records, |record| record.key.protocol());
    sides([&mut columns.orig_port, &mut columns.resp_port], from, records, |record| {
        [record.key.end(0).1, record.key.end(1).1]
    });
    put(&mut columns.originator_by, from, records, |record| record.originator_by() as u8);
    put(&mut columns.state, from, records, |record| state(record) as u8);
    note(&mut columns.vlan, from, records, Record::vlan);
    note(&mut columns.tunnel, from, records, Record::tunnel);
    note(&mut columns.app, from, records, |record| record.app);
    note(&mut columns.flags, from, records, flags);
}

fn places(columns: &mut FlowColumns, from: usize, records: &[Record], serials: &Serials) {
    put(&mut columns.first_time, from, records, |record| record.first_time);
    put(&mut columns.last_time, from, records, |record| record.last_time);
    put(&mut columns.first_packet, from, records, |record| record.first + 1);
    put(&mut columns.last_packet, from, records, |record| record.last + 1);
    if serials.is_one_file() {
        return;
    }
    note(&mut columns.first_file, from, records, |record| serials.place(record.first).0);
    note(&mut columns.last_file, from, records, |record| serials.place(record.last).0);
}

fn counters(columns: &mut FlowColumns, from: usize, records: &[Record]) {
    let FlowColumns { orig_packets, resp_packets, orig_bytes, resp_bytes, orig_payload, resp_payload, .. } = columns;
    sides([orig_packets, resp_packets], from, records, |record| record.packets);
    sides([orig_bytes, resp_bytes], from, records, |record| record.bytes);
    sides([orig_payload, resp_payload], from, records, |record| record.payload);
    sides([&mut columns.orig_flags, &mut columns.resp_flags], from, records, |record| record.flags);
    sides([&mut columns.orig_repeated, &mut columns.resp_repeated], from, records, |record| {
        [repeated(record, 0, 0), repeated(record, 1, 0)]
    });
    note(&mut columns.syn_packets, from, records, |record| u32::from(record.syns));
    note(&mut columns.refusal, from, records, Record::refusal);
    note(&mut columns.refusal_packet, from, records, refusal_packet);
}

/// Writes what the row aside says of a flow, over what its record alone said.
#[cold]
fn rare(flows: &mut FlowTable, flow: u32, record: &Record, aside: &Aside) {
    let (row, orig) = (flow as usize, record.originator());
    let resp = 1 - orig;
    let columns = &mut flows.columns;
    columns.orig_packets[row] += aside.more_packets[orig];
    columns.resp_packets[row] += aside.more_packets[resp];
    columns.orig_missed[row] = aside.missed(orig);
    columns.resp_missed[row] = aside.missed(resp);
    columns.orig_repeated[row] = repeated(record, orig, aside.missed(orig));
    columns.resp_repeated[row] = repeated(record, resp, aside.missed(resp));
    columns.syn_packets[row] = u32::try_from(u64::from(record.syns) + aside.more_syns).unwrap_or(u32::MAX);
    if !aside.spilled.is_empty() {
        flows.spilled.insert(flow, aside.spilled.clone());
    }
}

fn flags(record: &Record) -> u8 {
    let cut = if record.is(mark::CUT) { FLAG_CUT } else { 0 };
    cut | if record.is(mark::FRAGMENTS) { FLAG_FRAGMENTS } else { 0 }
}

fn refusal_packet(record: &Record) -> u64 {
    if record.refusal() == 0 { 0 } else { record.first + u64::from(record.refused_after) + 1 }
}

/// Whether the originator is not the end that sent the first packet.
fn is_turned(record: &Record) -> bool {
    record.originator() != record.first_sender() && matches!(record.key.protocol(), protocol::TCP | protocol::UDP)
}

fn state(record: &Record) -> ConnState {
    let orig = record.originator();
    match record.key.protocol() {
        protocol::TCP => tcp_state(record.ends, orig, record.payload == [0, 0]),
        protocol::UDP => udp_state(record.packets[orig] > 0, record.packets[1 - orig] > 0),
        _ => ConnState::Oth,
    }
}
