//! Two threads read what one reads, to the byte, and the fast paths what the general one reads: whole files, damaged ones,
//! compressed ones, frames that no buffer holds.

mod support;

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use auditor_native::reading::{Options, Reading, Unwatched, read};
use support::{Folder, captures};

fn reading(paths: &[PathBuf], threads: usize, plain: bool, (hash_files, keep_duplicates): (bool, bool)) -> Reading {
    let ports = |list: &[u16]| list.iter().copied().collect();
    let (known_ports, ndmp_ports) = (ports(&[25, 53, 443, 10000]), ports(&[10000]));
    let options =
        Options { known_ports, ndmp_ports, hash_files, keep_duplicates, threads, plain, ..Options::default() };
    read(paths, &options, &mut Unwatched).expect("nobody stops it")
}

/// Everything that a reading tells.
fn told(reading: Reading) -> Vec<String> {
    let Reading { files, mut flows, events, field_addresses, serials } = reading;
    let histories: Vec<_> = (0..flows.rows() as u32).map(|row| flows.history_text(row)).collect();
    let mut told: Vec<String> = files.iter().map(|facts| format!("{facts:?}")).collect();
    told.extend(std::mem::take(&mut flows.columns).into_list().iter().map(|column| format!("{column:?}")));
    told.push(format!("{serials:?}"));
    told.push(format!("{histories:?} {:?} {field_addresses:?}", flows.addresses.rows()));
    told.push(format!("{:?} {:?} {:?}", events.messages, events.fields, events.texts));
    told.push(format!("{:?} {:?} {:?} {:?}", events.streams, events.beats, events.names, events.handshakes));
    told
}

/// The same of the general path, of the fast one, and of two threads; gives the number of packets.
///
/// While duplicates are looked for, as in the beginning, no packet takes the fastest path: all is read without that too.
fn check(paths: &[PathBuf], hash_files: bool) -> u64 {
    check_with(paths, (hash_files, true));
    check_with(paths, (hash_files, false))
}

fn check_with(paths: &[PathBuf], options: (bool, bool)) -> u64 {
    let plain = reading(paths, 1, true, options);
    let packets = plain.files.iter().map(|facts| facts.packets).sum();
    let plain = told(plain);
    for threads in [1, 2] {
        for (told, plain) in told(reading(paths, threads, false, options)).iter().zip(&plain) {
            let [seen, wanted] = [told, plain].map(|text| text.chars().take(3000).collect::<String>());
            assert!(told == plain, "{threads} threads, {paths:?}:\n{wanted}\n{seen}");
        }
    }
    packets
}

/// A long capture out of the committed ones of Ethernet in classic pcap, each record a millisecond after the one before.
fn long(length: usize) -> Vec<u8> {
    let mut long = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x10\0\x01\0\0\0".to_vec();
    let captures: Vec<Vec<u8>> =
        captures(&["pcap", "pcapng"]).iter().map(|path| fs::read(path).expect("a capture")).collect();
    let fits = |bytes: &&Vec<u8>| bytes.starts_with(b"\xd4\xc3\xb2\xa1") && bytes[20..24] == *b"\x01\0\0\0";
    let mut number = 0u32;
    for bytes in captures.iter().filter(fits).cycle() {
        let mut at = 24;
        while let Some(head) = bytes.get(at..at + 16) {
            let end = at + 16 + u32::from_le_bytes([head[8], head[9], head[10], head[11]]) as usize;
            long.extend((1_700_000_000 + number / 1000).to_le_bytes());
            long.extend((number % 1000 * 1000).to_le_bytes());
            long.extend(&bytes[at + 8..end]);
            (number, at) = (number + 1, end);
        }
        if long.len() > length {
            return long;
        }
    }
    long
}

#[test]
fn each_committed_capture_alone_and_all_at_once() {
    for path in captures(&["pcap", "pcapng"]) {
        check(std::slice::from_ref(&path), false);
    }
    assert!(check(&captures(&["pcap", "pcapng"]), false) > 10_000);
    assert!(check(&captures(&["pcap", "pcapng"]), true) > 10_000);
}

/// Captures of other makers, where there are any: `AUDITOR_CORPUS` is their folder.
#[test]
fn each_capture_of_a_corpus() {
    let Some(folder) = std::env::var_os("AUDITOR_CORPUS") else { return };
    let mut paths = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()) {
            if path.is_dir() { folders.push(path) } else { paths.push(path) }
        }
    }
    let packets: u64 = paths.iter().map(|path| check(std::slice::from_ref(path), false)).sum();
    eprintln!("{packets} packets of {} files", paths.len());
    assert!(packets > 0);
}

#[test]
fn a_capture_of_many_buffers_whole_damaged_and_cut() {
    let folder = Folder::new("two-threads");
    let mut bytes = long(2 << 20);
    let packets = check(&[folder.put("whole", &bytes)], false);
    check(&[folder.0.join("whole")], true);
    // Garbage of more than a buffer in the middle, a record that claims gigabytes, and an end inside a record.
    let garbage: Vec<u8> = (0..700_000u32).map(|number| (number.wrapping_mul(number) >> 7) as u8).collect();
    bytes.splice(700_000..700_000, garbage);
    bytes[1_600_000..1_600_900].fill(0xff);
    bytes.truncate(bytes.len() - 7);
    let damaged = check(&[folder.put("damaged", &bytes)], false);
    assert!(damaged > packets / 2 && damaged < packets, "{damaged} of {packets}");
    // Two at once, of which one is damaged.
    check(&[folder.0.join("damaged"), folder.0.join("whole")], false);
}

/// Numbers below a limit, the same for a seed.
fn random(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |limit| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % limit
    }
}

/// A frame of one of eight connections, up to its payload: five by IPv4, of which one is in a VLAN and one of UDP, and
/// three by IPv6. `numbers` are sequence number, acknowledgement, flags and window.
fn head(flow: usize, side: usize, length: u16, (seq, ack, flags, window): (u32, u32, u8, u16)) -> Vec<u8> {
    let (ipv6, udp) = (flow >= 5, flow == 4);
    let transport = length + if udp { 8 } else { 20 };
    let mut frame = vec![0; 12];
    frame.extend(if flow == 3 { &[0x81, 0, 0x20, 7][..] } else { &[] });
    let ends = if side == 0 { [1u8, 2] } else { [2, 1] };
    if ipv6 {
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        frame.extend(transport.to_be_bytes());
        frame.extend([6, 64]);
        for end in ends {
            frame.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, end]);
        }
    } else {
        frame.extend([8, 0, 0x45, 0]);
        frame.extend((20 + transport).to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, if udp { 17 } else { 6 }, 0, 0]);
        for end in ends {
            frame.extend([10, 0, 0, end]);
        }
    }
    let own = 40_000 + flow as u16;
    for port in if side == 0 { [own, 9] } else { [9, own] } {
        frame.extend(port.to_be_bytes());
    }
    if udp {
        frame.extend(transport.to_be_bytes().into_iter().chain([0; 2]));
    } else {
        frame.extend(seq.to_be_bytes().into_iter().chain(ack.to_be_bytes()).chain([0x50, flags]));
        frame.extend(window.to_be_bytes().into_iter().chain([0; 4]));
    }
    frame
}

/// Packets of eight connections, `stay` of one in a row at most, whose numbers mostly go on; one in `rare` of each kind
/// that happens seldom: other flags, windows of zero, jumps, repetitions, acknowledgements of what was not captured, cut
/// frames.
fn chatter(seed: u64, packets: usize, (stay, rare): (u64, u64)) -> Vec<u8> {
    let mut below = random(seed);
    let mut bytes = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x10\0\x01\0\0\0".to_vec();
    let mut next = [[1000u32, 5000]; 8];
    let (mut flow, mut left) = (0, 0);
    for number in 0..packets as u32 {
        if left == 0 {
            (flow, left) = (below(8) as usize, 1 + below(stay));
        }
        left -= 1;
        let (side, kind) = (below(2) as usize, below(rare));
        let length = if below(3) == 0 { 0 } else { below(60) as u16 };
        let flags = if kind == 0 && number % 64 < 2 { below(64) as u8 } else { 0x10 | (below(2) as u8) << 3 };
        let off = |wrong: bool, right: u32, by: u32| if wrong { right.wrapping_add(by) } else { right };
        let seq = off(kind == 1, next[flow][side], (below(200) as u32).wrapping_sub(100));
        let ack = off(kind == 2, next[flow][1 - side], below(200) as u32);
        let ack = ack.wrapping_sub(if kind == 5 { below(1 << 32) as u32 } else { below(3) as u32 });
        let window: u16 = if kind == 3 { 0 } else { 1000 };
        let mut frame = head(flow, side, length, (seq, ack, flags, window));
        frame.resize(frame.len() + usize::from(length), 0x5a);
        next[flow][side] = seq.wrapping_add(u32::from(length) + u32::from(flags & 1) + u32::from(flags >> 1 & 1));
        let captured = frame.len() - if kind == 4 { below(1 + u64::from(length)) as usize } else { 0 };
        let milliseconds = number.saturating_sub(if kind == 6 { below(3) as u32 } else { 0 });
        for word in
            [1_700_000_000 + milliseconds / 1000, milliseconds % 1000 * 1000, captured as u32, frame.len() as u32]
        {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(&frame[..captured]);
    }
    bytes
}

#[test]
fn everything_that_a_segment_can_do_to_its_flow() {
    let folder = Folder::new("two-threads-chatter");
    for seed in 1..12 {
        for habits in [(1, 12), (40, 40), (300, 2000)] {
            let bytes = chatter(seed, 6000, habits);
            assert_eq!(check(&[folder.put("chatter", &bytes)], false), 6000);
        }
    }
}

/// Packets of so many connections, each from an address of its own: one packet each, a third answered, and in a tenth a
/// segment behind a hole.
fn many(connections: u16) -> Vec<u8> {
    let mut bytes = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x10\0\x01\0\0\0".to_vec();
    let mut packets = 0u32;
    for number in 0..connections {
        let flow = usize::from(number % 8);
        let ip = if flow == 3 { 18 } else { 14 };
        let sides = [(0, 1000, true), (1, 5000, number % 3 == 0), (0, 1500, number % 10 == 0)];
        for (side, seq, _) in sides.into_iter().filter(|&(.., wanted)| wanted) {
            let mut frame = head(flow, side, 10, (seq, 0, 0x10, 1000));
            // The middle of the originator's address.
            let address = if flow >= 5 { ip + 8 + 16 * side + 12 } else { ip + 12 + 4 * side + 1 };
            frame[address..address + 2].copy_from_slice(&number.to_be_bytes());
            frame.resize(frame.len() + 10, 0x5a);
            let length = frame.len() as u32;
            for word in [1_700_000_000 + packets / 1000, packets % 1000 * 1000, length, length] {
                bytes.extend(word.to_le_bytes());
            }
            bytes.extend(frame);
            packets += 1;
        }
    }
    bytes
}

/// Of 8,192 flows and more the columns are made by two threads.
#[test]
fn columns_of_many_flows() {
    let folder = Folder::new("two-threads-many");
    let path = folder.put("many", &many(20_000));
    assert_eq!(check(std::slice::from_ref(&path), false), 20_000 + 6667 + 2000);
    let flows = reading(&[path], 2, false, (false, false)).flows;
    assert_eq!(flows.rows(), 20_000);
    // The first of each side in turn, and the address that all connections of a family have in common.
    assert_eq!(flows.addresses.rows().len(), 20_000 + 2);
}

#[test]
fn frames_that_are_longer_than_the_room_before_a_buffer() {
    let folder = Folder::new("two-threads-long");
    let mut bytes = long(1 << 20);
    for number in 0..12u32 {
        let length = 1 + number * 90_000;
        for word in [1_800_000_000 + number, 0, length, length] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.resize(bytes.len() + length as usize, 0x45);
    }
    bytes.extend(&long(1 << 20)[24..]);
    let path = folder.put("frames", &bytes);
    check(std::slice::from_ref(&path), false);
    let file = fs::File::create(folder.0.join("frames.gz")).expect("a temporary file");
    let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    packer.write_all(&bytes).expect("room");
    packer.finish().expect("room");
    check(&[folder.0.join("frames.gz")], false);
    check(&[path, folder.0.join("frames.gz")], true);
}
