//! Packet rings on an interface that may go down, come up again, or be made anew.

use std::io;
use std::time::{Duration, Instant};

use auditor_ring::{Config, Error, Event, Ring};

use super::Live;
use crate::frame::{Frame, Ip};

/// Times between two looks at whether the interface is still the same.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the kernel counted, and what became of the interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Frames that passed the filter, dropped ones among them.
    pub received: u64,
    /// Times that a ring was full.
    pub freezes: u64,
    /// Frames that came and could not be taken.
    pub own_drops: u64,
    /// Times that the interface went down or away.
    pub downs: u64,
    /// Times that it was opened anew.
    pub reopened: u64,
    /// It is up.
    pub up: bool,
}

/// The rings of one interface, which share its frames.
pub struct Rings {
    /// None while there is no such interface.
    open: Vec<Ring>,
    config: Config,
    count: u16,
    next_look: Instant,
    /// What the socket told while nobody could be told.
    trouble: Option<io::Error>,
}

fn open(config: &Config, count: u16) -> Result<Vec<Ring>, Error> {
    let mut config = config.clone();
    if count > 1 {
        config.fanout = Some(std::process::id() as u16);
    }
    (0..count.max(1)).map(|_| Ring::open(&config)).collect()
}

impl Rings {
    /// Opens them.
    pub fn open(config: &Config, count: u16) -> Result<Self, Error> {
        let open = open(config, count)?;
        Ok(Self { open, config: config.clone(), count, next_look: Instant::now(), trouble: None })
    }

    /// Takes what is there, for so long at most; whether there was anything.
    pub fn take(&mut self, live: &mut Live, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut some = false;
        let now = loop {
            let mut news = false;
            for ring in &mut self.open {
                let link = ring.link();
                news |= ring.drain(|frame| {
                    let auditor_ring::Frame { time, wire_len, data } = frame;
                    live.take(&Frame { time, link, wire_len, data, untimed: false, ip: Ip::Unasked });
                });
            }
            some |= news;
            let now = Instant::now();
            if !news || now >= until {
                break now;
            }
        };
        live.clock.breathe();
        if now >= self.next_look {
            self.next_look = now + LOOK_EVERY;
            self.look(live);
        }
        if let Some(error) = self.trouble.take() {
            live.facts().error = Some(format!("the packet socket says: {error}"));
        }
        self.count(live);
        some
    }

    /// Waits for frames, for so long at most.
    pub fn wait(&mut self, time: Duration) {
        match Ring::wait(&self.open, time) {
            Ok(Event::Ready | Event::Quiet) => {}
            Ok(Event::Down) => self.next_look = Instant::now(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                self.trouble = Some(error);
                std::thread::sleep(time);
            }
        }
    }

    /// Looks after the interface: whether it is up, and still the one that was opened.
    fn look(&mut self, live: &mut Live) {
        let name = self.config.interface.clone();
        if self.open.first().is_some_and(|ring| !ring.is_current()) {
            self.count(live);
            self.open.clear();
        }
        if self.open.is_empty()
            && let Ok(rings) = open(&self.config, self.count)
        {
            self.open = rings;
            live.told.reopened += 1;
        }
        let up = self.open.first().is_some_and(Ring::is_up);
        if live.told.up && !up {
            live.told.downs += 1;
        }
        live.told.up = up;
        let facts = live.facts();
        facts.error = match (up, self.open.is_empty()) {
            (true, _) => None,
            (false, true) => Some(format!("there is no interface {name} at the moment; it is looked for every second")),
            (false, false) => Some(format!("the interface {name} is down at the moment")),
        };
    }

    /// Asks the kernel what it counted.
    fn count(&mut self, live: &mut Live) {
        for ring in &mut self.open {
            let Ok(counted) = ring.statistics() else { continue };
            live.told.received += counted.received;
            live.told.freezes += counted.freezes;
            let facts = live.facts();
            facts.drops = Some(facts.drops.unwrap_or(0) + counted.dropped);
        }
    }
}
