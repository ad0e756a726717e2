//! Files that take turns, and what may be wrong with them.

use std::fs;
use std::path::PathBuf;

use crate::assembly::Reading;
use crate::facts::Status::{Partial, Read, Unreadable};
use crate::options::Options;
use crate::reading::read;
use crate::watching::Unwatched;

/// A folder of captures, gone in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("auditor-merge-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    /// A capture of datagrams 10.0.0.1:`port` > 10.0.0.2:9, raw IP: (second, port) each; where a time is negative,
    /// bytes that are no record.
    fn put(&self, name: &str, datagrams: &[(i64, u16)]) -> PathBuf {
        let mut bytes = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x65\0\0\0".to_vec();
        for &(second, port) in datagrams {
            let Ok(second) = u32::try_from(second) else {
                bytes.extend([0xff; 40]);
                continue;
            };
            for word in [second, 0, 32, 32] {
                bytes.extend(word.to_le_bytes());
            }
            bytes.extend(*b"\x45\0\0\x20\0\0\0\0\x40\x11\0\0\x0a\0\0\x01\x0a\0\0\x02");
            bytes.extend(port.to_be_bytes());
            bytes.extend(*b"\0\x09\0\x0c\0\0abcd");
        }
        let path = self.0.join(name);
        fs::write(&path, bytes).expect("a temporary file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn reading(paths: &[PathBuf]) -> Reading {
    read(paths, &Options { hash_files: true, ..Options::default() }, &mut Unwatched).expect("nobody stops it")
}

/// Ports of the flows' originators, in order: that in which the packets were taken, where each has a port of its own.
fn order(reading: &Reading) -> &[u16] {
    &reading.flows.columns.orig_port
}

#[test]
fn a_wrong_time_and_unordered_packets_hold_nothing_up() {
    let folder = Folder::new("times");
    // One packet from the far future, and late ones.
    let one = folder.put("one", &[(10, 1), (20, 2), (4_000_000_000, 3), (30, 4), (25, 5), (50, 6)]);
    let other = folder.put("other", &[(15, 11), (24, 12), (27, 13), (40, 14), (60, 15)]);
    for paths in [[one.clone(), other.clone()], [other, one]] {
        let reading = reading(&paths);
        assert_eq!(order(&reading), [1, 11, 2, 12, 13, 3, 4, 5, 14, 6, 15]);
        assert_eq!(reading.files[0].clock.unordered, 2, "counted by file");
        assert_eq!(reading.files[1].clock.unordered, 0);
    }
}

#[test]
fn a_clock_that_is_wrong_from_some_packet_on_loses_nothing() {
    let folder = Folder::new("clock");
    let ahead = folder.put("ahead", &[(10, 1), (20, 2), (5000, 3), (5010, 4), (5020, 5)]);
    let back = folder.put("back", &[(12, 11), (22, 12), (1, 13), (2, 14), (32, 15)]);
    let reading = reading(&[ahead, back]);
    // The last packet before the clock was set back has the turn of the first behind it.
    assert_eq!(order(&reading), [1, 11, 12, 13, 14, 2, 15, 3, 4, 5]);
}

#[test]
fn damaged_and_missing_files_do_not_stop_the_others() {
    let folder = Folder::new("damaged");
    let damaged = folder.put("damaged", &[(10, 1), (20, 2), (-1, 0), (30, 3), (40, 4), (50, 5)]);
    let text = folder.0.join("text");
    fs::write(&text, "no capture at all").expect("a temporary file");
    let sound = folder.put("sound", &[(15, 11), (25, 12), (35, 13), (60, 14)]);
    let paths = [text, sound, folder.0.join("missing"), damaged, folder.put("empty", &[])];
    let reading = reading(&paths);
    assert_eq!(order(&reading), [1, 11, 2, 12, 3, 13, 4, 5, 14]);
    let statuses: Vec<_> = reading.files.iter().map(|facts| facts.status).collect();
    assert_eq!(statuses, [Unreadable, Partial, Unreadable, Read, Read]);
    assert!(reading.files.iter().all(|facts| (facts.status == Unreadable) == facts.sha256.is_none()));
}

#[test]
fn more_files_than_may_be_open_are_all_read() {
    let folder = Folder::new("many");
    let paths: Vec<_> = (0..200u16)
        .rev()
        .map(|file| folder.put(&file.to_string(), &[(i64::from(file), file + 1), (1000 + i64::from(file), file + 501)]))
        .collect();
    let reading = reading(&paths);
    assert_eq!(reading.flows.rows(), 400);
    assert!(reading.files.iter().all(|facts| facts.packets == 2));
    // The first that have room are in order.
    assert_eq!(order(&reading)[..super::MAX_OPEN], (1..=super::MAX_OPEN as u16).collect::<Vec<_>>()[..]);
}

#[test]
fn files_that_begin_at_once_are_told_by_name_however_they_were_given() {
    let folder = Folder::new("tie");
    let (a, b) = (folder.put("a", &[(10, 1), (20, 2)]), folder.put("b", &[(10, 11), (20, 12)]));
    for paths in [[a.clone(), b.clone()], [b, a]] {
        assert_eq!(order(&reading(&paths)), [1, 11, 2, 12]);
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_alone_and_in_its_place() {
    let folder = Folder::new("pipe");
    let first = folder.put("first", &[(10, 1), (40, 2)]);
    let last = folder.put("last", &[(20, 11), (30, 12)]);
    let content = fs::read(folder.put("content", &[(5, 21), (35, 22)])).expect("a capture");
    let pipe = folder.0.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|status| status.success()) {
        return; // No such program here.
    }
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::write(pipe, content)
    });
    let reading = reading(&[first, pipe, last]);
    writer.join().expect("a thread").expect("a pipe to write to");
    assert_eq!(order(&reading), [1, 2, 21, 22, 11, 12]);
}

#[test]
fn what_two_sensors_saw_counts_once_although_they_began_at_different_times() {
    let folder = Folder::new("sensors");
    let packets: Vec<(i64, u16)> = (0..20_000u16).map(|number| (i64::from(number), number)).collect();
    let paths = [folder.put("long", &packets), folder.put("late", &packets[15_000..])];
    let reading = reading(&paths);
    let duplicates: Vec<u64> = reading.files.iter().map(|facts| facts.duplicates).collect();
    assert_eq!(duplicates, [0, 5_000]);
    assert_eq!(reading.flows.columns.orig_packets.iter().sum::<u64>(), 20_000);
}
