//! A backup network: three quarters of the packets are backups, the rest is what else is said, all at once.

use std::{cmp::Reverse, collections::BinaryHeap, io};

use crate::{
    capture::Capture,
    frame::{ACK, Ends, RST, SYN, Segment},
    job::{Bulk, Job, Ndmp, agent},
    office::{Kind, Office},
    rng::Rng,
    talk::{Datagrams, Talk, Tcp},
};

/// 2026-03-14 22:00 UTC, in microseconds.
pub const BEGIN: u64 = 1_773_525_600_000_000;
/// Microseconds for a packet: a million of them take an hour.
const PACE: u64 = 3600;
/// A conversation that is no backup begins for so many packets, on average: a hundredth of the packets are flows.
const PER_OTHER: u64 = 72;

/// What goes on at the same time, by the moment of its next packet.
#[derive(Default)]
struct Stage {
    talks: Vec<Option<Box<dyn Talk>>>,
    free: Vec<usize>,
    due: BinaryHeap<Reverse<(u64, usize)>>,
}

impl Stage {
    fn enter(&mut self, time: u64, talk: Box<dyn Talk>) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.talks.push(None);
            self.talks.len() - 1
        });
        self.talks[place] = Some(talk);
        self.due.push(Reverse((time, place)));
    }

    /// When the next packet is due.
    fn next(&self) -> u64 {
        self.due.peek().map_or(u64::MAX, |&Reverse((time, _))| time)
    }

    fn step(&mut self, capture: &mut Capture, rng: &mut Rng) -> io::Result<()> {
        let Some(Reverse((time, place))) = self.due.pop() else { return Ok(()) };
        let Some(talk) = &mut self.talks[place] else { return Ok(()) };
        if let Some(pause) = talk.step(time, capture, rng)? {
            self.due.push(Reverse((time + pause, place)));
        } else {
            self.talks[place] = None;
            self.free.push(place);
        }
        Ok(())
    }
}

/// Writes so many packets.
pub fn run(capture: &mut Capture, packets: u64, seed: u64) -> io::Result<()> {
    let mut rng = Rng::new(seed);
    let mut stage = Stage::default();
    let size = (packets / 40).clamp(400, 60_000);
    let jobs = packets * 3 / 4 / size + 1;
    let between_jobs = packets * PACE / jobs;
    let (mut next_job, mut next_other, mut jobs_begun, mut others) = (BEGIN + 1000, BEGIN, 0, 0);
    while capture.truth.packets < packets {
        let due = stage.next();
        if next_other <= due && next_other <= next_job {
            stage.enter(next_other, other(others, &mut rng));
            others += 1;
            next_other += rng.between(1, 2 * PER_OTHER * PACE);
        } else if next_job <= due {
            let job = Job::new(jobs_begun, rng.between(size / 2, size * 3 / 2), PACE);
            stage.enter(next_job, Box::new(Tcp::new(job.control, Ndmp::new(&job, next_job), &mut rng)));
            stage.enter(next_job + 2_000_000, Box::new(Tcp::new(job.data, Bulk::new(&job), &mut rng)));
            jobs_begun += 1;
            next_job += rng.between(between_jobs / 2, between_jobs * 3 / 2);
        } else {
            stage.step(capture, &mut rng)?;
        }
    }
    Ok(())
}

/// Returns conversation `number` of those that are no backup.
fn other(number: u64, rng: &mut Rng) -> Box<dyn Talk> {
    let kind = match rng.between(0, 99) {
        0..50 => Kind::Dns,
        50..68 => Kind::Https,
        68..76 => Kind::Smb,
        76..80 => Kind::Mail,
        80..88 => Kind::Trap,
        88..92 => Kind::Echo,
        92..98 => return Box::new(Refused::new(between(number, (6, 8443), rng))),
        _ => return Box::new(Arp { asker: rng.between(10, 30) as u8, asked: rng.between(31, 60) as u8, said: false }),
    };
    let ends = between(number, kind.service(), rng);
    let script = Office::new(kind, rng);
    if ends.protocol == 6 { Box::new(Tcp::new(ends, script, rng)) } else { Box::new(Datagrams::new(ends, script)) }
}

/// Returns ends that no other conversation has: a workstation, or one time in five a host of the backup, and a server.
fn between(number: u64, (protocol, port): (u8, u16), rng: &mut Rng) -> Ends {
    let v6 = rng.chance(80);
    let mut ends = Ends { v6, protocol, vlan: if rng.chance(150) { 130 } else { 0 }, ..Ends::default() };
    let echo = protocol == 1;
    // Echoes have no ports: there, each pair of hosts comes once.
    let (host, own) = if echo { (number, 0) } else { (number % 4093, 32_768 + number / 4093 % 28_000) };
    let server = 1 + (rng.between(0, 13) * rng.between(0, 13)) as u8;
    if v6 {
        ends.address[0][..4].copy_from_slice(&[0xFD, 0, 0, 0x30]);
        ends.address[0][8..].copy_from_slice(&host.to_be_bytes());
        ends.address[1][..4].copy_from_slice(&[0xFD, 0, 0, 0x40]);
        ends.address[1][15] = server;
        ends.protocol = if echo { 58 } else { protocol };
    } else {
        ends.address[0][..4].copy_from_slice(&(0x0A1E_0000 + host as u32).to_be_bytes());
        ends.address[1][..4].copy_from_slice(&[10, 40, 0, server]);
        if number.is_multiple_of(5) && !echo {
            // Four hosts take turns, each from one port to the next.
            ends.address[0] = agent(number / 5 % 4 * 6).address[1];
            ends.port[0] = 1024 + (number / 20 % 49_000) as u16;
        }
    }
    if ends.port[0] == 0 {
        ends.port[0] = own as u16;
    }
    ends.port[1] = port;
    ends
}

/// A connection that is refused.
struct Refused {
    ends: Ends,
    flow: Option<usize>,
}

impl Refused {
    fn new(ends: Ends) -> Self {
        Self { ends, flow: None }
    }
}

impl Talk for Refused {
    fn step(&mut self, now: u64, capture: &mut Capture, _: &mut Rng) -> io::Result<Option<u64>> {
        let begun = self.flow.is_some();
        let flow = *self.flow.get_or_insert_with(|| capture.truth.flow(&self.ends));
        let (from, segment) = if begun {
            (1, Segment { ack: 8, flags: RST | ACK, ..Segment::default() })
        } else {
            (0, Segment { seq: 7, flags: SYN, ..Segment::default() })
        };
        capture.frame.tcp(&self.ends, from, &segment);
        capture.write(now, flow, &self.ends, from)?;
        Ok((!begun).then_some(300))
    }
}

/// Somebody asks who has an address, and is told.
struct Arp {
    asker: u8,
    asked: u8,
    said: bool,
}

impl Talk for Arp {
    fn step(&mut self, now: u64, capture: &mut Capture, _: &mut Rng) -> io::Result<Option<u64>> {
        capture.frame.arp(self.asker, self.asked, self.said);
        capture.write_other(now)?;
        let asked = std::mem::replace(&mut self.said, true);
        Ok((!asked).then_some(400))
    }
}
