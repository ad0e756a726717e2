//! Where files lie in the count of packets over all of them.

/// Where files begin in the count of packets over all of them.
#[derive(Clone, Debug, Default)]
pub struct Serials {
    starts: Vec<u64>,
    /// Files after the first that are told as one with it.
    folded: u32,
}

impl Serials {
    /// A file begins; `packets` came before it.
    pub fn file(&mut self, packets: u64) {
        self.starts.push(packets);
    }

    /// One file more is told as one with the first.
    pub fn fold(&mut self) {
        self.folded += 1;
    }

    /// File of a packet, and its number there from 1.
    #[must_use]
    pub fn place(&self, serial: u64) -> (u32, u64) {
        let file = self.starts.partition_point(|&first| first <= serial).saturating_sub(1);
        self.told(file as u32, serial - self.starts.get(file).copied().unwrap_or(0) + 1)
    }

    /// File and number of a packet, as they are told: by what they were when it came.
    #[must_use]
    pub fn told(&self, file: u32, packet: u64) -> (u32, u64) {
        if self.folded == 0 || file > self.folded {
            return (file - self.folded, packet);
        }
        (0, packet + self.starts.get(file as usize).copied().unwrap_or(0))
    }
}
