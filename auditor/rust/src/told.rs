//! Names of hosts and TLS handshakes as their users get them: lists of columns, and one handshake at a time.

use crate::app::names::Name;
use crate::app::tls::Details;
use crate::columns::{AddressTable, FlowTable};
use crate::tables::Columns;

/// `NAME_COLUMNS` of `auditor/traffic_names.py`, and the texts that `text` indexes into. Names of addresses that are no end of
/// any flow are left out.
#[must_use]
pub fn names(names: Vec<Name>, addresses: &AddressTable) -> (Columns, Vec<String>) {
    let (mut codes, mut kinds, mut ports) = (Vec::new(), Vec::new(), Vec::new());
    let (mut packets, mut files, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        let Some(code) = addresses.known(name.address) else { continue };
        codes.push(code);
        kinds.push(name.kind as u8);
        ports.push(name.port);
        packets.push(name.packet);
        files.push(name.file);
        texts.push(name.text);
    }
    let columns = vec![
        ("address", codes.into()),
        ("kind", kinds.into()),
        ("port", ports.into()),
        ("packet", packets.into()),
        ("file", files.into()),
    ];
    (columns, texts)
}

/// Puts handshakes in the order of their flows, by the rows that the flows have in the table.
pub fn arrange(handshakes: &mut [Details], flows: &FlowTable) {
    let mut rows = handshake_flows(handshakes);
    flows.renumber(&mut rows);
    for (details, row) in handshakes.iter_mut().zip(rows) {
        details.flow = row;
    }
    handshakes.sort_by_key(|details| (details.flow, details.number));
}

/// Flows of the handshakes, in order.
#[must_use]
pub fn handshake_flows(handshakes: &[Details]) -> Vec<u32> {
    handshakes.iter().map(|details| details.flow).collect()
}
