//! Flows that are forgotten: everything that was noted of them goes.

use std::collections::HashSet;

use super::recognition::Recognition;
use super::tracker::Tracker;
use super::worth::address;

impl Tracker {
    /// Removes flows, and everything that was noted of them.
    pub(super) fn forget(&mut self, gone: &[u32]) {
        if gone.is_empty() {
            return;
        }
        let lost: HashSet<u32> = gone.iter().copied().collect();
        for &flow in gone {
            self.asides.forget(flow);
        }
        self.recognition.forget(&lost);
        self.table.remove(gone);
        if self.addresses.len() > 2 * self.table.population() + 1024 {
            let change = self.addresses.compact(self.table.living().map(|(_, record)| &record.key));
            self.table.rekey(change);
        }
        let mut known = HashSet::new();
        if self.recognition.names.is_half_full() {
            for (_, record) in self.table.living() {
                known.extend([0, 1].map(|side| address(record, side, &self.addresses)));
            }
            self.recognition.names.retain(|address| known.contains(address));
        }
    }
}

impl Recognition {
    /// Forgets all that was noted of some flows.
    fn forget(&mut self, gone: &HashSet<u32>) {
        for flow in gone {
            if let Some(stream) = self.streams.remove(flow) {
                self.held = self.held.saturating_sub(stream.memory());
            }
            self.pulse.forget(*flow);
        }
        self.hellos.retain(|flow| !gone.contains(&flow));
        if self.events.streams.flow.iter().chain(&self.events.messages.flow).any(|flow| gone.contains(flow)) {
            self.events.retain(|rows, row| !gone.contains(&rows.flow[row]), |flow| !gone.contains(&flow));
        }
        self.events.handshakes.retain(|details| !gone.contains(&details.flow));
    }
}
