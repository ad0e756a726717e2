//! The rows of many flows, by two threads: one gives addresses their codes, in the order of rows, the other fills the
//! columns that need no order. Both read the same records.

use std::mem::take;
use std::thread;

use auditor_ring::Spare;

use crate::columns::{FlowColumns, FlowTable};
use crate::fill::{BLOCK, Fill};
use crate::flow::Record;
use crate::threads;

/// Rows whose memory is got ready at once: 64 KiB of a column of counters, and about as much as the cache holds of all.
const STRIDE: usize = 1 << 13;
/// Flows from which on a second thread is worth its start, 0.1 ms or so: 1 ms of work for one.
const MANY: usize = 1 << 13;

/// Whether two threads are to fill so many rows, where so many threads are wanted, 0 for as many as are worth it.
pub fn are_worth(rows: usize, threads: usize) -> bool {
    match threads {
        _ if rows < MANY => false,
        0 => thread::available_parallelism().is_ok_and(|count| count.get() > 1),
        wanted => wanted > 1,
    }
}

/// Fills the rows of records that follow each other from a row on, a block at a time. Memory for those of the first chunk is
/// made ready stride by stride, as nothing says before which columns will hold something.
pub fn fill<'a>(
    fill: &mut Fill<'a>,
    row: u32,
    records: &[Record],
    mut block: impl FnMut(&mut Fill<'a>, u32, &[Record]),
) {
    let (first, end) = (row == 0, row as usize + records.len());
    for (row, records) in (row..).step_by(BLOCK).zip(records.chunks(BLOCK)) {
        let from = row as usize;
        if first && from.is_multiple_of(STRIDE) {
            fill.flows.columns.make_ready(from, end.min(from + STRIDE), &mut Spare::new(Vec::new()));
        }
        block(fill, row, records);
    }
}

/// The same by two threads; by one after the other where no second can be started.
pub fn fill_by_two(whole: &mut Fill<'_>, row: u32, records: &[Record]) {
    // What has to be in order is a table of its own meanwhile.
    let flows = &mut *whole.flows;
    let columns = FlowColumns {
        orig_addr: take(&mut flows.columns.orig_addr),
        resp_addr: take(&mut flows.columns.resp_addr),
        ..FlowColumns::default()
    };
    let mut ordered = FlowTable {
        columns,
        addresses: take(&mut flows.addresses),
        histories: take(&mut flows.histories),
        ..FlowTable::default()
    };
    let Fill { addresses, asides, serials, .. } = *whole;
    let in_order = |flows: &mut FlowTable| {
        let mut own = Fill { flows, addresses, asides, serials };
        fill(&mut own, row, records, Fill::in_order);
    };
    let started = thread::scope(|scope| {
        let started = threads::spawn_scoped(scope, "addresses", || in_order(&mut ordered)).is_ok();
        fill(whole, row, records, |fill, row, records| fill.in_any_order(row, row, records));
        started
    });
    if !started {
        in_order(&mut ordered);
    }
    let FlowTable { columns, addresses, histories, .. } = ordered;
    (whole.flows.columns.orig_addr, whole.flows.columns.resp_addr) = (columns.orig_addr, columns.resp_addr);
    (whole.flows.addresses, whole.flows.histories) = (addresses, histories);
}
