//! What a TLS handshake shows before it goes dark: versions, names, certificates, fingerprints. Only first bytes are read.
//!
//! [`Handshake`] takes both directions in order; [`Hellos`] puts connections that are TLS from their first byte in order
//! for it; [`Repeated`] is for TLS inside a control connection, which may begin it more than once.

mod bytes;
mod certificate;
mod fingerprint;
mod flight;
mod hello;
mod hellos;
#[cfg(test)]
mod tests;

pub use certificate::Certificate;
pub use hellos::{Hellos, Segment};

use bytes::Bytes;
use flight::Flight;
use hello::{ClientHello, ServerHello};

use crate::app::ndmp::Stamp;

/// Cipher suites and the like of a version that hides its certificates.
const TLS13: u16 = 0x0304;

/// Types of handshake messages.
mod message {
    pub const CLIENT_HELLO: u8 = 1;
    pub const SERVER_HELLO: u8 = 2;
    pub const CERTIFICATE: u8 = 11;
    pub const SERVER_HELLO_DONE: u8 = 14;
    pub const CLIENT_KEY_EXCHANGE: u8 = 16;
}

/// What one handshake showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Flow; a row of the flow table once that is made.
    pub flow: u32,
    /// Which handshake of the connection, from 1.
    pub number: u32,
    /// Packet in which it began, its file, and its time in ns.
    pub packet: u64,
    /// See `packet`.
    pub file: u32,
    /// See `packet`.
    pub time: i64,
    /// Version chosen, 0 where no answer was read.
    pub version: u16,
    /// Highest version offered, 0 where no `ClientHello` was read.
    pub offered: u16,
    /// Cipher suite chosen, 0 where no answer was read.
    pub cipher: u16,
    /// Name of the server that the client asked for.
    pub server_name: String,
    /// Protocol that the server chose.
    pub protocol: String,
    /// Protocols that the client offered.
    pub protocols: Vec<String>,
    /// Fingerprints of the `ClientHello`, empty where none was read.
    pub ja3: String,
    /// See `ja3`.
    pub ja4: String,
    /// First certificate of the server.
    pub server: Option<Certificate>,
    /// First certificate of the client.
    pub client: Option<Certificate>,
    /// Certificates in the server's chain.
    pub chain: u32,
}

impl Details {
    /// Bytes held, about.
    fn memory(&self) -> usize {
        size_of::<Self>() + 1024 * (usize::from(self.server.is_some()) + usize::from(self.client.is_some()))
    }
}

/// A handshake under way.
#[derive(Clone, Debug)]
pub struct Handshake {
    details: Details,
    flights: [Flight; 2],
    /// Direction of the client.
    client: Option<usize>,
    /// A message was read.
    read: bool,
}

impl Handshake {
    /// The handshake `number` of a connection, which begins here.
    #[must_use]
    pub fn new(flow: u32, number: u32, stamp: Stamp) -> Self {
        let Stamp { packet, file, time } = stamp;
        let details = Details { flow, number, packet, file, time, ..Details::default() };
        Self { details, flights: Default::default(), client: None, read: false }
    }

    /// Takes bytes of direction `side` (0 or 1), in order; gives the name of the server once that was read.
    pub fn take(&mut self, side: usize, bytes: &[u8]) -> Option<&str> {
        let Self { details, flights, client, read } = self;
        let unnamed = details.server_name.is_empty();
        let mut over = false;
        flights[side & 1].take(bytes, &mut |kind, body| {
            *read = true;
            if kind == message::CLIENT_HELLO {
                *client = Some(side & 1);
            }
            over |= details.message(kind, body, *client == Some(side & 1));
        });
        if over {
            flights[side & 1].close();
        }
        Some(details.server_name.as_str()).filter(|name| unnamed && !name.is_empty())
    }

    /// Bytes of direction `side` are missing: what follows cannot be told apart.
    pub fn miss(&mut self, side: usize) {
        self.flights[side & 1].close();
    }

    /// Both directions have shown what they will.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.flights.iter().all(Flight::is_done)
    }

    /// Bytes held, about.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.details.memory() + self.flights.iter().map(Flight::memory).sum::<usize>()
    }

    /// What was shown; `None` where no message could be read.
    #[must_use]
    pub fn finish(self) -> Option<Details> {
        self.read.then_some(self.details)
    }
}

impl Details {
    /// Takes a message; true where its direction says nothing more in clear.
    fn message(&mut self, kind: u8, body: &[u8], from_client: bool) -> bool {
        match kind {
            message::CLIENT_HELLO if self.ja3.is_empty() => self.client_hello(body),
            message::SERVER_HELLO => {
                let Some(hello) = ServerHello::read(body) else { return true };
                (self.version, self.cipher, self.protocol) = (hello.version, hello.cipher, hello.protocol);
                return hello.version >= TLS13 && !hello.retry;
            }
            message::CERTIFICATE => self.certificates(body, from_client),
            message::SERVER_HELLO_DONE | message::CLIENT_KEY_EXCHANGE => return true,
            _ => {}
        }
        false
    }

    fn client_hello(&mut self, body: &[u8]) {
        let Some(hello) = ClientHello::read(body) else { return };
        let versions = hello.versions.iter().copied().filter(|&version| !fingerprint::is_grease(version));
        self.offered = versions.max().unwrap_or(hello.version);
        self.ja3 = fingerprint::ja3(&hello);
        self.ja4 = fingerprint::ja4(&hello);
        self.protocols = hello.protocols.iter().map(|name| hello::text(name)).collect();
        self.server_name = hello.server_name;
    }

    fn certificates(&mut self, body: &[u8], from_client: bool) {
        let Some(mut chain) = Bytes(body).vector24() else { return };
        let (mut first, mut count) = (None, 0);
        while let Some(der) = chain.vector24() {
            if count == 0 {
                first = Certificate::from_der(der.0);
            }
            count += 1;
        }
        if from_client {
            self.client = first;
        } else {
            (self.server, self.chain) = (first, count);
        }
    }
}

/// Handshakes of one control connection that are kept; more than one is odd enough.
const MAX_REPEATED: usize = 8;

/// The handshakes of one control connection, one after another.
#[derive(Clone, Debug, Default)]
pub struct Repeated {
    all: Vec<Handshake>,
    count: u32,
    /// Directions that are out of the latest one, bit by bit.
    ended: u8,
}

impl Repeated {
    /// A direction goes over to TLS: to a new handshake, unless the other direction began it.
    pub fn begin(&mut self, flow: u32, stamp: Stamp) {
        if self.count > 0 && self.ended == 0 {
            return;
        }
        (self.ended, self.count) = (0, self.count.saturating_add(1));
        if self.all.len() < MAX_REPEATED {
            self.all.push(Handshake::new(flow, self.count, stamp));
        }
    }

    /// Bytes of a direction.
    pub fn take(&mut self, side: usize, bytes: &[u8]) {
        if let Some(handshake) = self.latest() {
            handshake.take(side, bytes);
        }
    }

    /// Bytes of a direction are missing.
    pub fn miss(&mut self, side: usize) {
        if let Some(handshake) = self.latest() {
            handshake.miss(side);
        }
    }

    /// A direction left TLS.
    pub fn end(&mut self, side: usize) {
        self.ended |= 1 << (side & 1);
        self.miss(side);
    }

    /// Bytes held, about.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.all.iter().map(Handshake::memory).sum()
    }

    /// What was shown.
    #[must_use]
    pub fn finish(self) -> Vec<Details> {
        self.all.into_iter().filter_map(Handshake::finish).collect()
    }

    /// The latest, unless it is beyond those that are kept.
    fn latest(&mut self) -> Option<&mut Handshake> {
        self.all.last_mut().filter(|_| self.count as usize <= MAX_REPEATED)
    }
}

/// Handshakes of connections that are TLS from their first byte; those inside control connections are not counted in.
pub const MAX_DETAILS: usize = 1 << 16;
