//! Time to read captures into flows: `cargo bench --bench read -- [--threads=2] [--rounds=7] FILE...`. Prints the best of
//! the rounds for each file; one round is for those who measure the process from outside. Without files there is nothing
//! to measure.

use std::time::{Duration, Instant};

use auditor_native::reading::{Options, Unwatched, read};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let wanted = arguments.iter().find_map(|argument| argument.strip_prefix(name));
        wanted.and_then(|count| count.parse::<usize>().ok())
    };
    let (threads, rounds) = (number("--threads=").unwrap_or(1), number("--rounds=").unwrap_or(7));
    let options = Options { threads, ..Options::default() };
    for file in arguments.iter().filter(|argument| !argument.starts_with("--")) {
        let mut best = Duration::MAX;
        let mut told = String::new();
        for _ in 0..rounds {
            let start = Instant::now();
            if let Ok(reading) = read(&[file.into()], &options, &mut Unwatched) {
                best = best.min(start.elapsed());
                told = format!("{} packets, {} flows", reading.files[0].packets, reading.flows.rows());
            }
        }
        println!("{file}: {:.4} s, {told}", best.as_secs_f64());
    }
}
