//! Captures of nothing but small flows. Each is computed from its number, so that ten million need no memory.

use std::io;

use crate::{
    capture::Capture,
    frame::{ACK, Ends, RST, SYN, Segment},
    mix::BEGIN,
    office::dns,
};

/// Flows that are open at the same time: the answer of each comes so many questions later.
const OPEN: u64 = 512;
/// Microseconds from one flow to the next.
const PACE: u64 = 3600;

/// Writes flows of two packets each: seven of ten are a question to a name server and its answer, three a refused SYN.
pub fn many(capture: &mut Capture, flows: u64) -> io::Result<()> {
    let mut numbers = vec![0; OPEN as usize];
    for turn in 0..flows + OPEN {
        let place = (turn % OPEN) as usize;
        if turn >= OPEN {
            answer(capture, turn - OPEN, flows, numbers[place])?;
        }
        if turn < flows {
            let ends = ends(turn, flows);
            numbers[place] = capture.truth.flow(&ends);
            if ends.protocol == 17 {
                capture.frame.udp(&ends, 0, &dns(turn as u16, false));
            } else {
                capture.frame.tcp(&ends, 0, &Segment { seq: turn as u32, flags: SYN, ..Segment::default() });
            }
            capture.write(BEGIN + turn * PACE, numbers[place], &ends, 0)?;
        }
    }
    Ok(())
}

fn answer(capture: &mut Capture, number: u64, flows: u64, flow: usize) -> io::Result<()> {
    let ends = ends(number, flows);
    if ends.protocol == 17 {
        capture.frame.udp(&ends, 1, &dns(number as u16, true));
    } else {
        let ack = (number as u32).wrapping_add(1);
        capture.frame.tcp(&ends, 1, &Segment { ack, flags: RST | ACK, ..Segment::default() });
    }
    capture.write(BEGIN + (number + OPEN) * PACE - 1, flow, &ends, 1)
}

/// Returns the ends of flow `number` of so many: 64 ports of each host, one host of sixteen by IPv6, one of eight in a VLAN.
fn ends(number: u64, flows: u64) -> Ends {
    // Neighbours in time are strangers in address: a prime factor scatters, and no two flows meet.
    let scattered = number * 2_654_435_761 % flows;
    let (host, kind) = (scattered >> 6, number % 10);
    let mut ends = Ends { v6: host % 16 == 3, vlan: if host % 8 == 5 { 130 } else { 0 }, ..Ends::default() };
    ends.protocol = if kind < 7 { 17 } else { 6 };
    // 26 bits of host, 6 of port: no two flows share both.
    let own = 1024 + (scattered % 64) * 997;
    let [_, high, middle, low] = (host as u32).to_be_bytes();
    if ends.v6 {
        ends.address[0][..4].copy_from_slice(&[0xFD, 0, 0, 0x30]);
        ends.address[0][12..].copy_from_slice(&(host as u32).to_be_bytes());
        ends.address[1][..4].copy_from_slice(&[0xFD, 0, 0, 0x40]);
    } else {
        ends.address[0][..4].copy_from_slice(&[100 + (host >> 24) as u8, high, middle, low]);
        ends.address[1][..4].copy_from_slice(&[10, 200, (number >> 7) as u8, 0]);
    }
    ends.address[1][if ends.v6 { 15 } else { 3 }] = 1 + (host % 200) as u8;
    ends.port = [own as u16, if kind < 7 { 53 } else { 1 + (number % 1000) as u16 }];
    ends
}

/// Writes a scan: one host sends a SYN to every port of one agent after the other, from one port; half are refused.
pub fn scan(capture: &mut Capture, flows: u64) -> io::Result<()> {
    for number in 0..flows {
        let (host, port) = (number / 65_535, 1 + number % 65_535);
        let mut ends = Ends { protocol: 6, port: [41_000, port as u16], ..Ends::default() };
        ends.address[0][..4].copy_from_slice(&[192, 0, 2, 66]);
        ends.address[1][..4].copy_from_slice(&[10, 20, 1 + (host / 200) as u8, 10 + (host % 200) as u8]);
        let (flow, time) = (capture.truth.flow(&ends), BEGIN + number * 200);
        capture.frame.tcp(&ends, 0, &Segment { seq: number as u32, flags: SYN, ..Segment::default() });
        capture.write(time, flow, &ends, 0)?;
        if port % 2 == 0 {
            let ack = (number as u32).wrapping_add(1);
            capture.frame.tcp(&ends, 1, &Segment { ack, flags: RST | ACK, ..Segment::default() });
            capture.write(time + 90, flow, &ends, 1)?;
        }
    }
    Ok(())
}
