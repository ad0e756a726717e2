//! Each capture of `captures/` cut at every length and with every byte flipped, one at a time: a reading or a clear error.
//!
//! `AUDITOR_DAMAGE=all` tries every place of the files up to [`WHOLE`] bytes and [`SAMPLE`] of the larger ones (`make
//! damage`); without it a sample of each, so that it takes seconds.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use auditor_native::reading::{FileFacts, Options, Status, Unwatched, read};

/// Files up to this length are tried at every place when all is asked for: time grows with the square of the length.
const WHOLE: usize = 100_000;
const SAMPLE: usize = 2_000;
const QUICK: usize = 40;

fn captures() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captures")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "pcap" || end == "pcapng") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn facts(path: &PathBuf) -> FileFacts {
    let reading = read(std::slice::from_ref(path), &Options::default(), &mut Unwatched).expect("nobody stops it");
    let tracked: u64 = reading.flows.columns.orig_packets.iter().chain(&reading.flows.columns.resp_packets).sum();
    let facts = reading.files.into_iter().next().expect("facts of the one file");
    assert!(tracked <= facts.packets);
    facts
}

fn check(facts: &FileFacts, what: &str) {
    let error = facts.error.as_deref().unwrap_or_default();
    assert!(!error.contains("internal error"), "{what}: {error}");
    assert_eq!(facts.status == Status::Read, error.is_empty(), "{what}: {error}");
}

/// Places in a file of `length` bytes: all, or so many of them evenly.
fn places(length: usize, all: bool) -> impl DoubleEndedIterator<Item = usize> {
    let wanted = match (all, length <= WHOLE) {
        (true, true) => length,
        (true, false) => SAMPLE,
        (false, _) => QUICK,
    };
    (0..wanted.min(length)).map(move |place| place * length / wanted.min(length))
}

#[test]
fn cut_and_flipped_anywhere() {
    let all = std::env::var("AUDITOR_DAMAGE").is_ok_and(|value| value == "all");
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let spoiled = folder.join(format!("auditor-damaged-{}", std::process::id()));
    let (mut cuts, mut flips, mut unnoticed) = (0u64, 0u64, 0u64);
    for path in captures() {
        let sound = fs::read(&path).expect("a capture");
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let whole = facts(&path);
        fs::write(&spoiled, &sound).expect("room for a copy");
        let file: File = OpenOptions::new().write(true).open(&spoiled).expect("the copy");
        for at in places(sound.len(), all) {
            file.write_all_at(&[sound[at] ^ 0xff], at as u64).expect("room");
            let facts = facts(&spoiled);
            check(&facts, &format!("{name}, byte {at} flipped"));
            unnoticed += u64::from(facts.status == Status::Read);
            file.write_all_at(&sound[at..=at], at as u64).expect("room");
            flips += 1;
        }
        for at in places(sound.len(), all).rev() {
            file.set_len(at as u64).expect("a shorter file");
            let facts = facts(&spoiled);
            check(&facts, &format!("{name}, cut at {at}"));
            assert!(facts.packets < whole.packets || at == sound.len(), "{name}, cut at {at}");
            cuts += 1;
        }
    }
    fs::remove_file(&spoiled).expect("the copy");
    assert!(cuts > 0, "no captures beside the crate");
    println!("{cuts} cuts, {flips} flips ({unnoticed} leave a file that reads to its end)");
}
