//! A backup job: its control connection in real NDMP (version 4), and the data connection that it announces.

use crate::{
    frame::Ends,
    ports::{CONTROL_PORT, DATA_PORTS},
    rng::Rng,
    talk::{MSS, Script, Turn},
};

/// Agents: every sixth speaks IPv6, every third has a VLAN of its own.
pub const AGENTS: u64 = 24;
const MEDIA: usize = 0;
const AGENT: usize = 1;

/// One job, by number.
pub struct Job {
    /// Ends of the control connection; the media server opens it.
    pub control: Ends,
    /// Ends of the data connection, which it opens too.
    pub data: Ends,
    /// Segments to back up.
    pub segments: u64,
    /// Microseconds that it lasts.
    pub duration: u64,
}

/// Returns the address of an agent, and that of the media server as the agent sees it.
pub fn agent(number: u64) -> Ends {
    let mut ends = Ends { v6: number % 6 == 5, protocol: 6, ..Ends::default() };
    let host = 10 + number as u8;
    if ends.v6 {
        let prefix = [0xFD, 0, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        ends.address = [5, host].map(|last| {
            let mut address = [0; 16];
            address[..15].copy_from_slice(&prefix);
            address[15] = last;
            address
        });
    } else {
        ends.address[0][..4].copy_from_slice(&[10, 20, 0, 5]);
        ends.address[1][..4].copy_from_slice(&[10, 20, 1, host]);
    }
    ends.vlan = if number % 3 == 1 { 120 } else { 0 };
    ends
}

impl Job {
    /// Returns job `number`, of about `packets` packets, at `pace` microseconds for a packet of the whole capture.
    pub fn new(number: u64, packets: u64, pace: u64) -> Self {
        let (of, turn) = (number % AGENTS, number / AGENTS);
        let both = agent(of);
        let own = 49_152 + (turn % 16_384) as u16;
        let data_port = DATA_PORTS.start + (turn % DATA_PORTS.len() as u64) as u16;
        Self {
            control: Ends { port: [own, CONTROL_PORT], ..both },
            data: Ends { port: [own, data_port], ..both },
            segments: packets * 2 / 3,
            duration: packets * pace * 2 + 5_000_000,
        }
    }
}

/// Bytes of a backup, in bursts.
pub struct Bulk {
    left: u64,
    pause: u64,
    begun: bool,
}

impl Bulk {
    /// A backup that begins two seconds into its job and is done shortly before its end.
    pub fn new(job: &Job) -> Self {
        let bursts = job.segments / 64 + 1;
        Self { left: job.segments, pause: (job.duration - 4_000_000) * 8 / 10 / bursts, begun: false }
    }
}

impl Script for Bulk {
    fn next(&mut self, _: u64, rng: &mut Rng) -> Turn {
        if self.left == 0 {
            return Turn::Close { from: AGENT, pause: 500 };
        }
        let burst = self.left.min(64);
        self.left -= burst;
        let pause = if self.begun { rng.between(self.pause / 2, self.pause * 3 / 2) } else { 2000 };
        self.begun = true;
        // The last segment is rarely full.
        let fill = MSS * burst as usize - if self.left == 0 { rng.between(1, 1400) as usize } else { 0 };
        Turn::Say { from: AGENT, head: Vec::new(), fill, pause }
    }
}

/// What is said on the control connection.
pub struct Ndmp {
    data: Ends,
    until: u64,
    poll: u64,
    step: usize,
    sequence: [u32; 2],
    asked: u32,
    polls: u64,
}

impl Ndmp {
    /// The conversation about a job that begins at a time.
    pub fn new(job: &Job, begin: u64) -> Self {
        let (until, poll) = (begin + job.duration, job.duration / 60 + 100_000);
        Self { data: job.data, until, poll, step: 0, sequence: [0; 2], asked: 0, polls: 0 }
    }

    /// Returns a message: fragment header, header (draft-skardal-ndmp4-04, 3.1), body.
    fn message(&mut self, from: usize, now: u64, code: u32, body: &Words) -> Vec<u8> {
        self.sequence[from] += 1;
        let reply = from == AGENT && code & 0xFF00 != 0x0500;
        if from == MEDIA {
            self.asked = self.sequence[MEDIA];
        }
        let mut words = Words::default();
        words.number(0x8000_0000 | (24 + body.0.len() as u32)).number(self.sequence[from]);
        words.number((now / 1_000_000) as u32).number(reply.into()).number(code);
        words.number(if reply { self.asked } else { 0 }).number(0);
        words.0.extend_from_slice(&body.0);
        words.0
    }

    fn say(&mut self, from: usize, now: u64, code: u32, pause: u64, body: &Words) -> Turn {
        Turn::Say { from, head: self.message(from, now + pause, code, body), fill: 0, pause }
    }

    /// `DATA_GET_STATE` while the job runs: asked, answered, and again.
    fn poll(&mut self, now: u64, rng: &mut Rng) -> Turn {
        self.polls += 1;
        if self.polls % 2 == 1 {
            let pause = rng.between(self.poll / 2, self.poll * 3 / 2);
            return self.say(MEDIA, now, 0x400, pause, &Words::default());
        }
        let mut body = Words::default();
        // Estimates invalid, no error, a backup, active, not halted, bytes so far, and no estimates.
        body.number(0).number(0).number(1).number(1).number(0).long(self.polls << 20).long(u64::MAX).number(u32::MAX);
        self.address(&mut body);
        body.long(0).long(0);
        self.say(AGENT, now, 0x400, 3000, &body)
    }

    /// Where the agent listens: TCP over IPv4, or `NetApp`'s type for IPv6, one address, no variables.
    fn address(&self, body: &mut Words) {
        body.number(if self.data.v6 { 0x2051_0004 } else { 1 }).number(1);
        let length = if self.data.v6 { 16 } else { 4 };
        body.0.extend_from_slice(&self.data.address[AGENT][..length]);
        body.number(self.data.port[AGENT].into()).number(0);
    }
}

/// Who says what, in order; the job runs before the agent tells that it is done (`NOTIFY_DATA_HALTED`).
const SAID: [(usize, u32); 15] = [
    (AGENT, 0x502),
    (MEDIA, 0x900),
    (AGENT, 0x900),
    (MEDIA, 0x100),
    (AGENT, 0x100),
    (MEDIA, 0x901),
    (AGENT, 0x901),
    (MEDIA, 0x409),
    (AGENT, 0x409),
    (MEDIA, 0x401),
    (AGENT, 0x401),
    (AGENT, 0x501),
    (MEDIA, 0x407),
    (AGENT, 0x407),
    (MEDIA, 0x902),
];
const DONE: usize = 11;

impl Ndmp {
    /// Returns the body of what is said at a step; most answers say that there was no error.
    fn body(&self, rng: &mut Rng) -> Words {
        let mut body = Words::default();
        match self.step {
            0 => body.number(0).number(4).text("Connected successfully"),
            1 => body.number(4),
            4 => {
                let name = format!("agent{:02}", self.data.address[AGENT][if self.data.v6 { 15 } else { 3 }]);
                body.number(0).text(&name).text("Windows").text("10.0").text(&name)
            }
            5 => body.number(2).text("backup").long(rng.any()).long(rng.any()),
            7 | DONE => body.number(1),
            8 => {
                self.address(body.number(0));
                &mut body
            }
            9 => body.text("dump").number(2).text("FILESYSTEM").text("C:\\Data").text("LEVEL").text("0"),
            2 | 6 | 10 | 13 => body.number(0),
            _ => &mut body,
        };
        body
    }
}

impl Script for Ndmp {
    fn next(&mut self, now: u64, rng: &mut Rng) -> Turn {
        if self.step == DONE && (now < self.until || self.polls % 2 == 1) {
            return self.poll(now, rng);
        }
        let Some(&(from, code)) = SAID.get(self.step) else { return Turn::Close { from: MEDIA, pause: 1000 } };
        let body = self.body(rng);
        self.step += 1;
        self.say(from, now, code, rng.between(300, 40_000), &body)
    }
}

/// Words of XDR.
#[derive(Default)]
struct Words(Vec<u8>);

impl Words {
    fn number(&mut self, value: u32) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    fn long(&mut self, value: u64) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    fn text(&mut self, value: &str) -> &mut Self {
        self.number(value.len() as u32);
        self.0.extend_from_slice(value.as_bytes());
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }
}
