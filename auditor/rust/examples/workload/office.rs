//! What a network says beside backups: names, files, mail, pages, traps, echoes, refusals.

use crate::{
    rng::Rng,
    talk::{Script, Turn},
    tls,
};

/// What a conversation is about.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    /// DNS: a question and its answer.
    Dns,
    /// SMB 2: negotiation, then reads and writes.
    Smb,
    /// A page over TLS.
    Https,
    /// SMTP: one mail.
    Mail,
    /// SNMP: a trap, which nobody answers.
    Trap,
    /// ICMP echo.
    Echo,
}

impl Kind {
    /// Returns the protocol number and the port of the one who is asked.
    pub fn service(self) -> (u8, u16) {
        match self {
            Self::Dns => (17, 53),
            Self::Smb => (6, 445),
            Self::Https => (6, 443),
            Self::Mail => (6, 25),
            Self::Trap => (17, 162),
            Self::Echo => (1, 0),
        }
    }
}

const MAIL: [(usize, &str); 12] = [
    (1, "220 relay.corp.example ESMTP\r\n"),
    (0, "EHLO host.corp.example\r\n"),
    (1, "250-relay.corp.example\r\n250 SIZE 10240000\r\n"),
    (0, "MAIL FROM:<backup@corp.example>\r\n"),
    (1, "250 2.1.0 Ok\r\n"),
    (0, "RCPT TO:<operator@corp.example>\r\n"),
    (1, "250 2.1.5 Ok\r\n"),
    (0, "DATA\r\n"),
    (1, "354 End data with <CR><LF>.<CR><LF>\r\n"),
    (0, "Subject: Job completed\r\n\r\nThe job completed successfully.\r\n.\r\n"),
    (1, "250 2.0.0 Ok: queued\r\n"),
    (0, "QUIT\r\n"),
];

/// One conversation of a kind.
pub struct Office {
    kind: Kind,
    rounds: u64,
    step: u64,
    id: u64,
}

impl Office {
    /// A conversation of chance length.
    pub fn new(kind: Kind, rng: &mut Rng) -> Self {
        let turns = match kind {
            Kind::Dns => 2 * rng.between(1, 2),
            Kind::Smb => 2 * rng.between(6, 60),
            Kind::Https => 2 * rng.between(2, 8),
            Kind::Mail => MAIL.len() as u64,
            Kind::Trap => 1,
            Kind::Echo => 2 * rng.between(1, 5),
        };
        Self { kind, rounds: turns, step: 0, id: rng.any() }
    }

    fn said(&self, from: usize, rng: &mut Rng) -> (Vec<u8>, usize) {
        let round = self.step / 2;
        match self.kind {
            Kind::Dns => (dns(self.id.wrapping_add(round) as u16, from == 1), 0),
            Kind::Trap => (trap(self.id as u32), 0),
            Kind::Echo => ((self.id as u16).to_be_bytes().to_vec(), 0),
            Kind::Mail => (MAIL[self.step as usize].1.as_bytes().to_vec(), 0),
            Kind::Https if round == 0 && from == 0 => (tls::client_hello(self.id, "www.corp.example"), 0),
            Kind::Https if round == 0 => (tls::server_hello(self.id), 0),
            Kind::Https => {
                let length = if from == 0 { rng.between(80, 900) } else { rng.between(200, 14_000) } as usize;
                (tls::application_data(length), length)
            }
            Kind::Smb => {
                let contents = if rng.chance(300) { rng.between(4000, 60_000) } else { rng.between(16, 180) };
                let fill = if from == 0 || round == 0 { 0 } else { contents as usize };
                (smb(round, from == 1, fill), fill)
            }
        }
    }
}

impl Script for Office {
    fn next(&mut self, _: u64, rng: &mut Rng) -> Turn {
        if self.step == self.rounds {
            return if rng.chance(60) {
                Turn::Break
            } else {
                Turn::Close { from: 0, pause: rng.between(100, 100_000) }
            };
        }
        let from = if self.kind == Kind::Mail { MAIL[self.step as usize].0 } else { (self.step % 2) as usize };
        let (head, fill) = self.said(from, rng);
        self.step += 1;
        Turn::Say { from, head, fill, pause: rng.between(200, 60_000) }
    }
}

/// Returns a question for the address of a host, or its answer (RFC 1035).
pub fn dns(id: u16, answer: bool) -> Vec<u8> {
    let mut said = id.to_be_bytes().to_vec();
    said.extend_from_slice(if answer {
        &[0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]
    } else {
        &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    });
    let host = format!("host{id:05}");
    for label in [host.as_str(), "corp", "example", ""] {
        said.push(label.len() as u8);
        said.extend_from_slice(label.as_bytes());
    }
    said.extend_from_slice(&[0, 1, 0, 1]);
    if answer {
        said.extend_from_slice(&[0xC0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 10, 40]);
        said.extend_from_slice(&id.to_be_bytes());
    }
    said
}

/// Returns an SNMP trap (version 2) of a cold start (RFC 3416): up time, and which trap it is.
fn trap(id: u32) -> Vec<u8> {
    let mut said = vec![0x30, 0x44, 2, 1, 1, 4, 6];
    said.extend_from_slice(b"public");
    said.extend_from_slice(&[0xA7, 0x37, 2, 4, 0x10]);
    said.extend_from_slice(&id.to_be_bytes()[1..]);
    said.extend_from_slice(&[2, 1, 0, 2, 1, 0, 0x30, 0x29]);
    said.extend_from_slice(&[0x30, 14, 6, 8, 0x2B, 6, 1, 2, 1, 1, 3, 0, 0x43, 2, 0x12, 0x34]);
    said.extend_from_slice(&[0x30, 23, 6, 10, 0x2B, 6, 1, 6, 3, 1, 1, 4, 1, 0, 6, 9, 0x2B, 6, 1, 6, 3, 1, 1, 5, 1]);
    said
}

/// Returns the head of an SMB 2 message ([MS-SMB2] 2.2.1): an echo first, then reads of files.
fn smb(round: u64, answer: bool, fill: usize) -> Vec<u8> {
    let command = if round == 0 { 13 } else { 8 };
    let body: Vec<u8> = match (round, answer) {
        (0, _) => vec![4, 0, 0, 0],
        // READ: structure size, padding, length, offset, file, least, channel and so on: 48 bytes, one of buffer.
        (_, false) => [&[49, 0, 80, 0, 0, 0, 1, 0][..], &[0; 8], &[7; 16], &[0; 17]].concat(),
        // Its answer: structure size, where the data are, how many, none left.
        _ => [&[17, 0, 80, 0][..], &(fill as u32).to_le_bytes(), &[0; 8]].concat(),
    };
    let mut said = ((64 + body.len() + fill) as u32).to_be_bytes().to_vec();
    said.extend_from_slice(b"\xFESMB\x40\0\0\0\0\0\0\0");
    said.extend_from_slice(&[command, 0, 1, 0, u8::from(answer), 0, 0, 0, 0, 0, 0, 0]);
    said.extend_from_slice(&round.to_le_bytes());
    said.resize(68, 0);
    said.extend_from_slice(&body);
    said
}
