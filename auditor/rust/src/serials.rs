//! Where files lie in the count of packets over all of them.
//!
//! A reading is a row of sections. Most have one file, whose packets follow each other. Where captures overlap in time,
//! a section has several, and for each packet a code of a few bits says whose it is: one bit where there are two.

/// Places of the packets of a reading.
#[derive(Clone, Debug, Default)]
pub struct Serials {
    sections: Vec<Section>,
    /// Files that began one after another.
    files: u32,
    /// Files after the first that are told as one with it.
    folded: u32,
}

/// Packets of the same files.
#[derive(Clone, Debug)]
struct Section {
    /// Packets of the whole reading before it.
    start: u64,
    /// Its files, and how many packets of each came before.
    files: Vec<(u32, u64)>,
    codes: Codes,
}

/// Whose packet each is, of a section with several files.
#[derive(Clone, Debug, Default)]
struct Codes {
    words: Vec<u64>,
    count: usize,
    /// Packets of each file before each block, so that no more than a block is ever looked through.
    bases: Vec<u64>,
}

/// Words of a block, for each file of the section: then the codes are smaller than nothing else that is kept.
const WORDS_PER_FILE: usize = 2;

/// Bits of a code: a power of two.
fn bits(files: usize) -> usize {
    files.max(2).next_power_of_two().ilog2().next_power_of_two() as usize
}

/// The lowest bit of each code of a word.
fn lowest(bits: usize) -> u64 {
    u64::MAX / ((1 << bits) - 1)
}

/// Codes of a word that are `code`.
fn equal(word: u64, code: u64, bits: usize) -> u64 {
    let differs = word ^ (code * lowest(bits));
    let folded = (0..bits).fold(0, |folded, shift| folded | differs >> shift) & lowest(bits);
    (64 / bits) as u64 - u64::from(folded.count_ones())
}

impl Codes {
    fn push(&mut self, code: usize, files: usize) {
        let bits = bits(files);
        let (word, place) = (self.count * bits / 64, self.count * bits % 64);
        if place == 0 {
            if word.is_multiple_of(WORDS_PER_FILE * files) {
                self.begin_block(files, bits);
            }
            self.words.push(0);
        }
        self.words[word] |= (code as u64) << place;
        self.count += 1;
    }

    fn begin_block(&mut self, files: usize, bits: usize) {
        let ended = self.words.len().saturating_sub(WORDS_PER_FILE * files);
        for code in 0..files {
            let before = self.bases.len().checked_sub(files).map_or(0, |at| self.bases[at]);
            let more: u64 = self.words[ended..].iter().map(|&word| equal(word, code as u64, bits)).sum();
            self.bases.push(before + more);
        }
    }

    /// Code of a packet, and how many had it before.
    fn rank(&self, place: usize, files: usize) -> (usize, u64) {
        let bits = bits(files);
        let word = (place * bits / 64).min(self.words.len() - 1);
        let shift = place * bits % 64;
        let code = self.words[word] >> shift & ((1 << bits) - 1);
        let block = word / (WORDS_PER_FILE * files);
        let whole: u64 =
            self.words[block * WORDS_PER_FILE * files..word].iter().map(|&word| equal(word, code, bits)).sum();
        // What is not before it is made to differ.
        let later = u64::MAX << shift;
        let part = equal(self.words[word] & !later | !(code * lowest(bits)) & later, code, bits);
        (code as usize, self.bases[block * files + code as usize] + whole + part)
    }
}

impl Serials {
    /// A file begins, the next one; `packets` of the reading came before it.
    pub fn file(&mut self, packets: u64) {
        self.section(packets, vec![(self.files, 0)]);
        self.files += 1;
    }

    /// From here on packets are of these files, of which so many each came before; `packets` of the reading did.
    pub fn section(&mut self, packets: u64, files: Vec<(u32, u64)>) {
        self.sections.push(Section { start: packets, files, codes: Codes::default() });
    }

    /// So many packets came of a file, by its place in the section; where a section has one file, nobody need say so.
    pub fn came(&mut self, place: usize, packets: u64) {
        if let Some(section) = self.sections.last_mut().filter(|section| section.files.len() > 1) {
            for _ in 0..packets {
                section.codes.push(place, section.files.len());
            }
        }
    }

    /// One file more is told as one with the first.
    pub fn fold(&mut self) {
        self.folded += 1;
        if self.sections.len() > 1 {
            self.sections.remove(1);
        }
    }

    /// Packets that follow each other in one file: number of the first over all files from 1, file as it is told, number
    /// there from 1, how many. Where several files take turns there is none: ask [`place`](Self::place). `packets` are
    /// all of the reading.
    #[must_use]
    pub fn runs(&self, packets: u64) -> Vec<(u64, u32, u64, u64)> {
        let ends = self.sections.iter().skip(1).map(|section| section.start).chain([packets]);
        let alone =
            self.sections.iter().zip(ends).filter(|(section, end)| section.files.len() == 1 && section.start < *end);
        alone
            .map(|(section, end)| {
                let (file, packet) = self.place(section.start);
                (section.start + 1, file, packet, end - section.start)
            })
            .collect()
    }

    /// Every packet is of the first file.
    #[must_use]
    pub fn is_one_file(&self) -> bool {
        self.sections.iter().all(|section| matches!(section.files[..], [] | [(0, _)]))
    }

    /// File of a packet as it is told, and its number there from 1.
    #[must_use]
    pub fn place(&self, serial: u64) -> (u32, u64) {
        let at = self.sections.partition_point(|section| section.start <= serial).saturating_sub(1);
        let Some(section) = self.sections.get(at) else { return (0, serial + 1) };
        let within = serial - section.start;
        let (place, before) = match section.files.len() {
            0 | 1 => (0, within),
            files => section.codes.rank(within as usize, files),
        };
        let (file, base) = section.files.get(place).copied().unwrap_or_default();
        (file.saturating_sub(self.folded), base + before + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    #[test]
    fn every_packet_has_its_place_however_files_take_turns() {
        for files in [2, 3, 5, 17, 64] {
            let (mut serials, mut truth) = (Serials::default(), Vec::new());
            let mut counts: Vec<u64> = (0..files).map(|file| file * 1000).collect();
            serials.file(0);
            truth.extend((1..=10).map(|packet| (0, packet)));
            serials.section(10, (0..files as u32).zip(counts.iter().copied()).collect());
            let mut random = Random(files);
            while truth.len() < 20_000 {
                let (file, run) = (random.below(files as usize), random.below(9));
                serials.came(file, run as u64);
                for _ in 0..run {
                    counts[file] += 1;
                    truth.push((file as u32, counts[file]));
                }
            }
            let told: Vec<_> = (0..truth.len() as u64).map(|serial| serials.place(serial)).collect();
            assert_eq!(told, truth, "{files} files");
        }
    }

    #[test]
    fn two_files_take_three_bits_a_packet_at_most() {
        let mut serials = Serials::default();
        serials.section(0, vec![(0, 0), (1, 0)]);
        for packet in 0..100_000 {
            serials.came(packet % 2, 1);
        }
        let codes = &serials.sections[0].codes;
        assert!((codes.words.len() + codes.bases.len()) * 64 < 300_000);
    }

    #[test]
    fn folded_files_are_one() {
        let mut serials = Serials::default();
        for packets in [0, 10, 30] {
            serials.file(packets);
        }
        assert_eq!((serials.place(9), serials.place(10), serials.place(30)), ((0, 10), (1, 1), (2, 1)));
        assert_eq!(serials.runs(31), [(1, 0, 1, 10), (11, 1, 1, 20), (31, 2, 1, 1)]);
        serials.fold();
        assert_eq!((serials.place(9), serials.place(10), serials.place(30)), ((0, 10), (0, 11), (1, 1)));
        assert_eq!(serials.runs(30), [(1, 0, 1, 30)]);
    }

    #[test]
    fn a_file_that_is_alone_again_goes_on_with_its_numbers() {
        let mut serials = Serials::default();
        serials.section(0, vec![(0, 0)]);
        serials.section(3, vec![(0, 3), (1, 0)]);
        for place in [1, 0, 1] {
            serials.came(place, 1);
        }
        serials.section(6, vec![(0, 4)]);
        assert_eq!(serials.runs(10), [(1, 0, 1, 3), (7, 0, 5, 4)]);
        let told: Vec<_> = (0..8).map(|serial| serials.place(serial)).collect();
        assert_eq!(told, [(0, 1), (0, 2), (0, 3), (1, 1), (0, 4), (1, 2), (0, 5), (0, 6)]);
    }
}
