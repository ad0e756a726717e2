//! Flows and what was said in them, put together.

use crate::app::ndmp::Events;
use crate::columns::{FlowTable, Serials, field_addresses};
use crate::facts::FileFacts;
use crate::told;

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Reading {
    /// The files, as they were given.
    pub files: Vec<FileFacts>,
    /// Their flows.
    pub flows: FlowTable,
    /// What control streams said, arranged; flows are rows of the table.
    pub events: Events,
    /// Where packets lie: all numbers of packets count over all files.
    pub serials: Serials,
    /// Codes of the addresses in the fields of messages, [`NO_ADDRESS`](crate::columns::NO_ADDRESS) for none.
    pub field_addresses: Vec<u32>,
}

/// Puts flows and events together: rows of the one are named in the other.
pub(crate) fn assemble(files: Vec<FileFacts>, mut flows: FlowTable, mut events: Events, serials: Serials) -> Reading {
    events.arrange();
    flows.renumber(&mut events.beats.flow);
    if flows.renumber(&mut events.messages.flow) | flows.renumber(&mut events.streams.flow) {
        events.arrange();
    }
    told::arrange(&mut events.handshakes, &flows);
    events.places(|serial| serials.place(serial).0);
    let field_addresses = field_addresses(&events.fields, &mut flows.addresses);
    Reading { files, flows, events, serials, field_addresses }
}
