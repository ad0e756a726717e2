//! Whole files through the loop.

use std::fs;
use std::path::PathBuf;

use super::{Options, Status, Stopped, Unwatched, Watch, read};
use crate::testing::hex;

/// Two frames of one UDP flow, 10.0.0.1:1024 > 10.0.0.2:53 and back, raw IP, at 1 s and 2 s.
const CAPTURE: &str = "
    d4c3b2a1 0200 0400 00000000 00000000 ffff0000 65000000
    01000000 00000000 20000000 20000000
    45000020 00000000 40 11 0000 0a000001 0a000002  0400 0035 000c 0000 deadbeef
    02000000 00000000 1e000000 1e000000
    4500001e 00000000 40 11 0000 0a000002 0a000001  0035 0400 000a 0000 abcd";

/// A file in the system's folder for such, gone at the end.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("auditor-{}-{name}", std::process::id()));
        fs::write(&path, bytes).expect("a temporary file");
        Self(path)
    }
    fn path(&self) -> PathBuf {
        self.0.clone()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok();
    }
}

#[test]
fn a_capture_becomes_facts_and_flows() {
    let file = Temporary::new("whole", &hex(CAPTURE));
    let options = Options { hash_files: true, ..Options::default() };
    let reading = read(&[file.path()], &options, &mut Unwatched).expect("nobody stops it");
    let facts = &reading.files[0];
    assert_eq!((facts.status, facts.format.as_str(), facts.packets), (Status::Read, "pcap", 2));
    assert_eq!((facts.bytes, facts.captured_bytes, facts.snaplen), (62, 62, Some(65535)));
    assert_eq!((facts.first, facts.last), (Some(1_000_000_000), Some(2_000_000_000)));
    assert_eq!(facts.link_names(), [("RAW".to_owned(), 2)]);
    let columns = &reading.flows.columns;
    assert_eq!((columns.orig_port[0], columns.resp_port[0], columns.transport[0]), (1024, 53, 17));
    assert_eq!((columns.orig_payload[0], columns.resp_payload[0]), (4, 2));
    assert_eq!((columns.first_packet[0], columns.last_packet[0]), (1, 2));
}

#[test]
fn the_digest_covers_the_whole_file() {
    // FIPS 180-2: SHA-256 of "abc" and of nothing, through the same reader that captures go through.
    for (text, digest) in [
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ] {
        let (mut reader, handle) = crate::source::Digesting::new(Box::new(text.as_bytes()));
        std::io::copy(&mut reader, &mut std::io::sink()).expect("memory can be read");
        assert_eq!(handle.hex().as_deref(), Some(digest));
    }
    // Damage in the middle does not end the digest.
    let mut damaged = hex(CAPTURE);
    damaged[32..36].fill(0xff);
    damaged.resize(3 << 20, 0x55);
    let file = Temporary::new("damaged", &damaged);
    let options = Options { hash_files: true, ..Options::default() };
    let reading = read(&[file.path()], &options, &mut Unwatched).expect("nobody stops it");
    let (mut reader, handle) = crate::source::Digesting::new(Box::new(std::io::Cursor::new(damaged)));
    std::io::copy(&mut reader, &mut std::io::sink()).expect("memory can be read");
    assert_eq!(reading.files[0].status, Status::Partial);
    assert!(reading.files[0].sha256.is_some());
    assert_eq!(reading.files[0].sha256, handle.hex());
}

#[test]
fn files_that_cannot_be_read_do_not_stop_the_others() {
    let text = Temporary::new("text", b"not a capture at all, just text");
    let whole = Temporary::new("second", &hex(CAPTURE));
    let folder = std::env::temp_dir();
    let missing = whole.path().with_extension("missing");
    let paths = [text.path(), folder, missing, whole.path(), whole.path()];
    let reading = read(&paths, &Options::default(), &mut Unwatched).expect("nobody stops it");
    let statuses: Vec<_> = reading.files.iter().map(|facts| facts.status).collect();
    assert_eq!(statuses[..3], [Status::Unreadable; 3]);
    assert_eq!(statuses[3..], [Status::Read; 2]);
    assert!(reading.files.iter().zip(&statuses).all(|(f, s)| f.error.is_some() == (*s == Status::Unreadable)));
    // The same file twice, taken in turns: its packets count once, whatever file they are in, and have numbers all the same.
    let columns = &reading.flows.columns;
    assert_eq!((reading.flows.rows(), columns.orig_packets[0], columns.resp_packets[0]), (1, 1, 1));
    assert_eq!((columns.first_file[0], columns.last_file[0], columns.last_packet[0]), (3, 3, 3));
    let duplicates: Vec<u64> = reading.files.iter().map(|facts| facts.duplicates).collect();
    assert_eq!(duplicates, [0, 0, 0, 0, 2]);
    // Unless they are to be kept.
    let options = Options { keep_duplicates: true, ..Options::default() };
    let reading = read(&paths, &options, &mut Unwatched).expect("nobody stops it");
    let columns = &reading.flows.columns;
    assert_eq!((reading.flows.rows(), columns.orig_packets[0]), (1, 2));
    assert_eq!((columns.first_file[0], columns.last_file[0], columns.last_packet[0]), (3, 4, 4));
    assert_eq!(reading.serials.place(columns.last_packet[0] - 1), (4, 2));
}

#[test]
fn a_cut_file_counts_up_to_the_cut() {
    let mut bytes = hex(CAPTURE);
    bytes.truncate(bytes.len() - 1);
    let file = Temporary::new("cut", &bytes);
    let reading = read(&[file.path()], &Options::default(), &mut Unwatched).expect("nobody stops it");
    let facts = &reading.files[0];
    assert_eq!((facts.status, facts.packets), (Status::Partial, 1));
    assert_eq!(facts.problems.iter().collect::<Vec<_>>(), [("cut-record", 1)]);
    assert!(facts.error.as_deref().is_some_and(|error| error.starts_with("offset 72: ")), "{:?}", facts.error);
}

#[test]
fn the_watcher_can_stop_the_reading() {
    struct Impatient(Vec<(u64, u64)>);
    impl Watch for Impatient {
        fn progress(&mut self, read: u64, total: u64) -> bool {
            self.0.push((read, total));
            self.0.len() < 2
        }
        fn interrupted(&mut self) -> bool {
            true
        }
    }
    let mut bytes = hex("d4c3b2a1 0200 0400 00000000 00000000 00001000 65000000");
    for _ in 0..50 {
        bytes.extend(hex("00000000 00000000 00001000 00001000"));
        bytes.resize(bytes.len() + (1 << 20), 0);
    }
    let file = Temporary::new("large", &bytes);
    for threads in [1, 2] {
        let mut watch = Impatient(Vec::new());
        let options = Options { threads, ..Options::default() };
        assert!(matches!(read(&[file.path()], &options, &mut watch), Err(Stopped)));
        assert_eq!(watch.0.len(), 2);
        assert!(watch.0.iter().all(|&(read, total)| read >= 16 << 20 && total == bytes.len() as u64));
    }
}

#[test]
fn captures_are_read_in_order_of_their_packets() {
    let (head, frames) = (&hex(CAPTURE)[..24], &hex(CAPTURE)[24..]);
    let request = Temporary::new("order-b", &[head, &frames[..48]].concat());
    let answer = Temporary::new("order-a", &[head, &frames[48..]].concat());
    let empty = Temporary::new("order-empty", head);
    let paths = [answer.path(), empty.path(), request.path()];
    let reading = read(&paths, &Options::default(), &mut Unwatched).expect("nobody stops it");
    let read: Vec<_> = reading.files.iter().map(|facts| PathBuf::from(&facts.path)).collect();
    assert_eq!(read, [request.path(), empty.path(), answer.path()]);
    let columns = &reading.flows.columns;
    assert_eq!((columns.orig_port[0], columns.first_file[0], columns.last_file[0]), (1024, 0, 2));
}

#[cfg(unix)]
#[test]
fn a_name_need_not_be_unicode() {
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::OsStr::from_bytes(b"auditor-\xff\x1b.pcap");
    let path = std::env::temp_dir().join(std::process::id().to_string()).with_extension(name);
    if fs::write(&path, hex(CAPTURE)).is_err() {
        return; // This file system knows Unicode only.
    }
    let file = Temporary(path);
    let reading = read(&[file.path()], &Options::default(), &mut Unwatched).expect("nobody stops it");
    assert_eq!((reading.files[0].packets, &*reading.files[0].path), (2, file.path().as_os_str()));
}

#[test]
fn link_types_are_counted_by_name_up_to_a_limit() {
    let mut facts = super::FileFacts::default();
    for link in 1000..2000 {
        let data: &[u8] = &[];
        facts.count(&crate::frame::Frame {
            time: 0,
            link,
            wire_len: 0,
            data,
            untimed: false,
            ip: crate::frame::Ip::Unasked,
        });
    }
    let names = facts.link_names();
    assert_eq!((names.len(), names.last().map(|(name, _)| name.as_str())), (65, Some("others")));
    assert_eq!(names.iter().map(|(_, count)| count).sum::<u64>(), 1000);
}
