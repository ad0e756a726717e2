//! Packet rings on an interface that may go down, come up again, or be made anew.

use std::io;
use std::time::{Duration, Instant};

use auditor_ring::{Config, Error, Event, Ring};

use super::intake::Intake;
use crate::frame::{Frame, Ip};

/// Times between two looks at whether the interface is still the same.
const LOOK_EVERY: Duration = Duration::from_secs(1);

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
    pub fn take(&mut self, intake: &mut Intake, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut some = false;
        let now = loop {
            let mut news = false;
            for ring in &mut self.open {
                let link = ring.link();
                news |= ring.drain(|frame| {
                    let auditor_ring::Frame { time, wire_len, data } = frame;
                    intake.take(&Frame { time, link, wire_len, data, untimed: false, ip: Ip::Unasked });
                });
            }
            some |= news;
            let now = Instant::now();
            if !news || now >= until {
                break now;
            }
        };
        intake.clock.breathe();
        if now >= self.next_look {
            self.next_look = now + LOOK_EVERY;
            self.look(intake);
        }
        if let Some(error) = self.trouble.take() {
            intake.facts().error = Some(format!("the packet socket says: {error}"));
        }
        self.count(intake);
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
    fn look(&mut self, intake: &mut Intake) {
        let name = self.config.interface.clone();
        if self.open.first().is_some_and(|ring| !ring.is_current()) {
            self.count(intake);
            self.open.clear();
        }
        if self.open.is_empty()
            && let Ok(rings) = open(&self.config, self.count)
        {
            self.open = rings;
            intake.told.reopened += 1;
        }
        let up = self.open.first().is_some_and(Ring::is_up);
        if intake.told.up && !up {
            intake.told.downs += 1;
        }
        intake.told.up = up;
        let facts = intake.facts();
        facts.error = match (up, self.open.is_empty()) {
            (true, _) => None,
            (false, true) => Some(format!("there is no interface {name} at the moment; it is looked for every second")),
            (false, false) => Some(format!("the interface {name} is down at the moment")),
        };
    }

    /// Asks the kernel what it counted.
    fn count(&mut self, intake: &mut Intake) {
        for ring in &mut self.open {
            let Ok(counted) = ring.statistics() else { continue };
            intake.told.received += counted.received;
            intake.told.freezes += counted.freezes;
            let facts = intake.facts();
            facts.drops = Some(facts.drops.unwrap_or(0) + counted.dropped);
        }
    }
}
