//! Time to read captures into flows: `cargo bench --bench read -- FILE...`. Prints the best of seven for each file.
//! Without files there is nothing to measure.

use std::time::{Duration, Instant};

use auditor_native::reading::{Options, Unwatched, read};

fn main() {
    let files = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    for file in files {
        let mut best = Duration::MAX;
        let mut told = String::new();
        for _ in 0..7 {
            let start = Instant::now();
            if let Ok(reading) = read(&[file.clone().into()], &Options::default(), &mut Unwatched) {
                best = best.min(start.elapsed());
                told = format!("{} packets, {} flows", reading.files[0].packets, reading.flows.rows());
            }
        }
        println!("{file}: {:.4} s, {told}", best.as_secs_f64());
    }
}
