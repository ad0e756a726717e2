//! Makes captures to measure with: Backup-Exec-like, deterministic, with exact truth.
//!
//!     workload mix  --packets N [--snaplen N]        backup jobs over NDMP among what else a network says
//!     workload many --flows N [--snaplen N]          flows of two packets each: questions to name servers, refused SYNs
//!     workload scan --flows N                        one host tries ports of many, each once
//!
//! All take `--output FILE` (standard output without it), `--truth FILE` (a line for each flow) and `--seed N`. What was
//! made is told as JSON on standard error. The same arguments give the same bytes; `--snaplen` only cuts them.

mod capture;
mod flood;
mod frame;
mod job;
mod mix;
mod office;
mod ports;
mod rng;
mod talk;
mod tls;
mod truth;

use std::{
    env,
    error::Error,
    fs::File,
    io::{self, Write},
};

use capture::Capture;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let shape = arguments.next().ok_or("name a shape: mix, many or scan")?;
    let (mut packets, mut flows, mut snaplen, mut seed) = (10_000_u64, 1000_u64, 65_535_usize, 1_u64);
    let (mut output, mut truth) = (None, None);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--packets" => packets = value.parse()?,
            "--flows" => flows = value.parse()?,
            "--snaplen" => snaplen = value.parse()?,
            "--seed" => seed = value.parse()?,
            "--output" => output = Some(value),
            "--truth" => truth = Some(value),
            _ => return Err(format!("there is no {name}").into()),
        }
    }
    let sink: Box<dyn Write> = match &output {
        Some(path) => Box::new(File::create(path)?),
        None => Box::new(io::stdout()),
    };
    let mut capture = Capture::begin(sink, snaplen, truth.is_some());
    match shape.as_str() {
        "mix" => mix::run(&mut capture, packets, seed)?,
        "many" => flood::many(&mut capture, flows)?,
        "scan" => flood::scan(&mut capture, flows)?,
        _ => return Err(format!("there is no shape {shape}").into()),
    }
    let told = capture.finish()?;
    if let Some(path) = truth {
        told.save(&path)?;
    }
    writeln!(io::stderr(), "{}", told.summary())?;
    Ok(())
}
