//! Events of a reading that goes on: some are dropped, and places told anew.

use super::events::{Events, Messages};

impl Events {
    /// Finds the files of all packets, which are told by their numbers over all files.
    pub fn places(&mut self, file_of: impl Fn(u64) -> u32) {
        let put = |file: &mut u32, packet: u64| {
            // There is no packet 0.
            if let Some(serial) = packet.checked_sub(1) {
                *file = file_of(serial);
            }
        };
        for (file, &packet) in self.messages.file.iter_mut().zip(&self.messages.packet) {
            put(file, packet);
        }
        for details in &mut self.handshakes {
            put(&mut details.file, details.packet);
        }
        for name in &mut self.names {
            put(&mut name.file, name.packet);
        }
    }

    /// Keeps the messages that are wanted (by row) and what belongs to their streams where the stream is wanted (by
    /// flow); texts that nobody refers to any longer are freed.
    pub fn retain(&mut self, message: impl Fn(&Messages, usize) -> bool, stream: impl Fn(u32) -> bool) {
        let kept: Vec<usize> = (0..self.messages.len()).filter(|&row| message(&self.messages, row)).collect();
        let mut place = vec![u32::MAX; self.messages.len()];
        for (new, &old) in kept.iter().enumerate() {
            place[old] = u32::try_from(new).unwrap_or(u32::MAX);
        }
        self.messages.permute(&kept);
        let fields: Vec<usize> =
            (0..self.fields.len()).filter(|&row| place[self.fields.message[row] as usize] != u32::MAX).collect();
        self.fields.permute(&fields);
        for message in &mut self.fields.message {
            *message = place[*message as usize];
        }
        let texts = std::mem::take(&mut self.texts);
        self.known_texts.clear();
        for row in 0..self.fields.len() {
            let text = usize::try_from(self.fields.text[row]).ok().and_then(|text| texts.get(text));
            self.fields.text[row] = text.map_or(-1, |text| self.intern(text));
        }
        let rows: Vec<usize> = (0..self.streams.flow.len()).filter(|&row| stream(self.streams.flow[row])).collect();
        self.streams.permute(&rows);
        self.handshakes.retain(|details| stream(details.flow));
        self.flipped.retain(|&flow| stream(flow));
    }
}
