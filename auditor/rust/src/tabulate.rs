//! Flow records into the table that their users get. Columns are filled while the records' chunks are freed, so that both
//! are never there at once; a chunk's memory is that of the columns' next rows.

use auditor_ring::Spare;

use crate::app::ndmp::Events;
use crate::columns::FlowTable;
use crate::fill::Fill;
use crate::flow::{Addresses, Asides, Finished, Table};
use crate::serials::Serials;
use crate::shares;

/// Turns what was seen into columns, by so many threads at most (0: as are worth it); the events are left to the caller.
#[must_use]
pub fn tabulate(finished: Finished, serials: &Serials, threads: usize) -> (FlowTable, Events) {
    let Finished { table, addresses, asides, events, .. } = finished;
    let rows = table.len() as usize;
    let by_two = shares::are_worth(rows, threads);
    let mut flows = FlowTable::zeroed(rows);
    let mut fill = Fill { flows: &mut flows, addresses: &addresses, asides: &asides, serials };
    let mut row = 0;
    let mut spare = Spare::new(Vec::new());
    for chunk in table.into_chunks() {
        fill.flows.columns.make_ready(row as usize, row as usize + chunk.len(), &mut spare);
        if by_two {
            shares::fill_by_two(&mut fill, row, &chunk);
        } else {
            shares::fill(&mut fill, row, &chunk, |fill, row, records| fill.rows(row, row, records));
        }
        row += chunk.len() as u32;
        spare = Spare::new(chunk);
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
