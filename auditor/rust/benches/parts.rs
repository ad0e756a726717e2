//! Time of the core's parts, by criterion: `cargo bench --features parts --bench parts`. The captures are made here, in memory's reach.

use std::{fs, hint::black_box, path::PathBuf, process::Command, slice::from_ref};

use auditor_native::reading::{Options, Unwatched, read};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Returns a capture of the generator's, which is plain Rust beside this: compiled once, without the crate.
fn made(name: &str, arguments: &[&str]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (program, capture) = (folder.join("workload"), folder.join(format!("{name}.pcap")));
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/workload/main.rs");
    if !program.is_file() {
        let flags = ["--edition", "2024", "-C", "opt-level=3", "-o"];
        let built = Command::new("rustc").args(flags).arg(&program).arg(source).status();
        assert!(built.is_ok_and(|status| status.success()));
    }
    let run = Command::new(&program).args(arguments).arg("--output").arg(&capture).status();
    assert!(run.is_ok_and(|status| status.success()));
    capture
}

/// Reading into flows, by what the capture is full of; the throughput is that of packets.
fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    let cases: [(&str, u64, &[&str]); 4] = [
        ("jobs in full frames", 100_000, &["mix", "--packets", "100000"]),
        ("jobs, frames cut at 96", 100_000, &["mix", "--packets", "100000", "--snaplen", "96"]),
        ("questions and answers", 200_000, &["many", "--flows", "100000"]),
        ("a scan", 149_999, &["scan", "--flows", "100000"]),
    ];
    for (name, packets, arguments) in cases {
        let capture = made(&name.replace([' ', ','], "-"), arguments);
        let bytes = fs::metadata(&capture).map_or(0, |facts| facts.len());
        group.throughput(Throughput::Elements(packets));
        group.bench_function(format!("{name}, {} MB", bytes / 1_000_000), |bencher| {
            bencher.iter(|| black_box(read(from_ref(&capture), &Options::default(), &mut Unwatched)));
        });
    }
    group.finish();
}

criterion_group! {
    name = parts;
    config = Criterion::default().sample_size(20);
    targets = reading
}
criterion_main!(parts);
