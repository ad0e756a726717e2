//! The packets of one capture spread over several files that overlap in time: the same reading as of the one file, whatever
//! order they are named in.

mod support;

use std::fs;
use std::path::PathBuf;

use auditor_native::reading::{Options, Reading, Status, Unwatched, read};
use support::{Folder, captures};

/// A classic pcap file of one byte order: its header, and its records with their times.
struct Records {
    header: Vec<u8>,
    records: Vec<(u64, Vec<u8>)>,
}

fn records(bytes: &[u8]) -> Option<Records> {
    let word = |at: usize| bytes.get(at..at + 4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    if !matches!(word(0), Some(0xa1b2_c3d4 | 0xa1b2_3c4d)) {
        return None;
    }
    let (mut records, mut at) = (Vec::new(), 24);
    while let (Some(seconds), Some(fraction), Some(captured)) = (word(at), word(at + 4), word(at + 8)) {
        let end = at + 16 + captured as usize;
        records.push((u64::from(seconds) << 32 | u64::from(fraction), bytes.get(at..end)?.to_vec()));
        at = end;
    }
    Some(Records { header: bytes[..24].to_vec(), records })
}

/// Which file each record goes to. What is not later than all before it stays with the record before it: of two files'
/// packets at the same time nobody knows which came first.
fn spread(records: &[(u64, Vec<u8>)], files: usize, mut choose: impl FnMut(usize) -> usize) -> Vec<usize> {
    let (mut latest, mut file) = (0, 0);
    let mut chosen = Vec::new();
    for (number, &(time, _)) in records.iter().enumerate() {
        if time > latest {
            (latest, file) = (time, choose(number) % files);
        }
        chosen.push(file);
    }
    chosen
}

fn options() -> Options {
    let ports = |list: &[u16]| list.iter().copied().collect();
    Options { known_ports: ports(&[25, 53, 443, 10000]), ndmp_ports: ports(&[10000]), ..Options::default() }
}

/// Names the files of the packets of a reading of one file; their numbers stay, since they count over all files.
fn moved(mut reading: Reading, places: &[(u32, u64)]) -> Reading {
    let columns = &mut reading.flows.columns;
    for (file, &packet) in columns.first_file.iter_mut().zip(&columns.first_packet) {
        *file = places[packet as usize - 1].0;
    }
    for (file, &packet) in columns.last_file.iter_mut().zip(&columns.last_packet) {
        *file = places[packet as usize - 1].0;
    }
    reading.events.places(|serial| places[serial as usize].0);
    reading
}

/// All that is told of flows and messages.
fn told(reading: Reading) -> Vec<String> {
    let Reading { mut flows, events, field_addresses, .. } = reading;
    let histories: Vec<_> = (0..flows.rows() as u32).map(|row| flows.history_text(row)).collect();
    let columns = std::mem::take(&mut flows.columns).into_list();
    let mut told: Vec<String> = columns.iter().map(|column| format!("{column:?}")).collect();
    told.push(format!("{histories:?} {:?} {field_addresses:?}", flows.addresses.rows()));
    told.push(format!("{:?}", events.messages));
    told.push(format!("{:?} {:?}", events.fields, events.texts));
    told.push(format!("{:?} {:?}", events.streams, events.beats));
    told.push(format!("{:?} {:?}", events.names, events.handshakes));
    told
}

fn check(folder: &Folder, path: &PathBuf, whole: &Records, chosen: &[usize], files: usize) {
    let mut bytes = vec![whole.header.clone(); files];
    // Files are told in the order of their first packets.
    let mut order: Vec<usize> = Vec::new();
    let mut counts = vec![0; files];
    let mut places = Vec::new();
    for (&file, (_, record)) in chosen.iter().zip(&whole.records) {
        bytes[file].extend(record);
        if !order.contains(&file) {
            order.push(file);
        }
        counts[file] += 1;
        places.push((order.iter().position(|&known| known == file).unwrap_or(0) as u32, counts[file]));
    }
    let mut paths: Vec<PathBuf> = order.iter().map(|&file| folder.put(&format!("{file}.pcap"), &bytes[file])).collect();
    let expected = read(std::slice::from_ref(path), &options(), &mut Unwatched).expect("nobody stops it");
    let expected = told(moved(expected, &places));
    for _ in 0..2 {
        let reading = read(&paths, &options(), &mut Unwatched).expect("nobody stops it");
        for (facts, &file) in reading.files.iter().zip(&order) {
            assert_eq!((facts.status, facts.packets), (Status::Read, counts[file]), "{}", path.display());
        }
        let found: Vec<_> = (0..places.len() as u64).map(|serial| reading.serials.place(serial)).collect();
        assert_eq!(found, places, "{}", path.display());
        for (told, expected) in told(reading).iter().zip(&expected) {
            assert_eq!(told, expected, "{} in {files} files", path.display());
        }
        paths.reverse();
    }
}

#[test]
fn packets_of_one_capture_in_several_files_give_its_flows_and_messages() {
    let folder = Folder::new("overlap");
    let mut tried = 0;
    for path in captures(&["pcap"]) {
        let Some(whole) = records(&fs::read(&path).expect("a capture")) else { continue };
        tried += 1;
        // Odd and even packets; runs of many lengths in three files; and rotated, with nothing that overlaps.
        check(&folder, &path, &whole, &spread(&whole.records, 2, |number| number), 2);
        check(&folder, &path, &whole, &spread(&whole.records, 3, |number| number * number / 7), 3);
        let half = whole.records.len() / 2;
        check(&folder, &path, &whole, &spread(&whole.records, 2, |number| usize::from(number >= half)), 2);
    }
    assert!(tried > 20, "{tried} captures");
}
