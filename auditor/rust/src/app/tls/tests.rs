//! Handshakes written out by hand after RFC 5246 and RFC 8446, in every split and cut.

use super::*;
use crate::testing::{Random, hex};

/// A `ClientHello` of TLS 1.2: one suite, server name `a.example`, ALPN `h2`, two versions on offer.
const CLIENT: &str = "
    16 0301 0061                                   # record
    01 00005d 0303                                 # ClientHello
    0000000000000000000000000000000000000000000000000000000000000000 00
    0004 0a0a 002f 01 00                           # GREASE and one suite, no compression
    0030
    0000 000e 000c 00 0009 612e6578616d706c65      # server name
    0010 0005 0003 02 6832                         # ALPN
    002b 0005 04 0303 0302                         # versions
    000d 0004 0002 0403                            # signature algorithms
    0017 0000";
/// Its answer: TLS 1.2, suite 002f, ALPN `h2`; then the message that ends the server's part.
const SERVER: &str = "
    16 0303 0035 02 000031 0303
    0000000000000000000000000000000000000000000000000000000000000000 00
    002f 00 0009 0010 0005 0003 02 6832
    16 0303 0004 0e 000000
    16 0303 0001 00";

const STAMP: Stamp = Stamp { packet: 7, file: 1, time: 5 };

fn shown(pieces: &[(usize, &[u8])]) -> Option<Details> {
    let mut handshake = Handshake::new(3, 1, STAMP);
    for &(side, bytes) in pieces {
        handshake.take(side, bytes);
    }
    handshake.finish()
}

#[test]
fn hellos_are_read_in_any_split() {
    let (client, server) = (hex(CLIENT), hex(SERVER));
    for size in 1..=client.len() {
        let mut pieces: Vec<(usize, &[u8])> = client.chunks(size).map(|piece| (1, piece)).collect();
        pieces.extend(server.chunks(size).map(|piece| (0, piece)));
        let details = shown(&pieces).expect("read");
        assert_eq!((details.version, details.cipher, details.offered), (0x0303, 0x2f, 0x0303), "pieces of {size}");
        assert_eq!((details.server_name.as_str(), details.protocol.as_str()), ("a.example", "h2"));
        assert_eq!((details.flow, details.packet, details.file), (3, 7, 1));
        assert_eq!(details.protocols, ["h2"]);
        assert_eq!(&details.ja4[..11], "t12d0105h2_", "one suite and five extensions without GREASE");
    }
}

#[test]
fn a_hello_cut_anywhere_is_no_hello_and_no_panic() {
    let client = hex(CLIENT);
    for end in 0..client.len() {
        assert_eq!(shown(&[(0, &client[..end])]), None, "cut at {end}");
    }
}

#[test]
fn damage_never_panics_and_memory_stays_bounded() {
    let whole = [hex(CLIENT), hex(SERVER)].concat();
    let mut random = Random(11);
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        random.mutate(&mut bytes);
        let mut handshake = Handshake::new(0, 1, STAMP);
        handshake.take(random.below(2), &bytes);
        handshake.take(random.below(2), &bytes);
        assert!(handshake.memory() < 200_000);
    }
    // A message that claims 16 MiB, and records without end.
    let mut handshake = Handshake::new(0, 1, STAMP);
    let mut record = hex("16 0303 4000 0b ffffff");
    record.resize(5 + 0x4000, 0);
    for _ in 0..100 {
        handshake.take(0, &record);
        assert!(handshake.memory() < 200_000);
    }
    assert!(handshake.flights[0].is_done());
}

fn segment(side: usize, seq: u32, payload: &[u8]) -> Segment<'_> {
    Segment { side, seq, first: 1000, payload, whole: true, stamp: STAMP }
}

#[test]
fn segments_out_of_order_and_again_are_put_in_order() {
    let (client, server) = (hex(CLIENT), hex(SERVER));
    let mut hellos = Hellos::default();
    assert!(hellos.open(9, STAMP));
    assert_eq!(hellos.take(9, &segment(0, 1050, &client[50..])), (None, true));
    assert_eq!(hellos.take(9, &segment(0, 1020, &client[20..60])), (None, true));
    assert_eq!(hellos.take(9, &segment(0, 1000, &client[..30])), (Some("a.example".to_owned()), true));
    assert_eq!(hellos.take(9, &segment(1, 1000, &server)), (None, true));
    assert!(hellos.holds(9) && !hellos.holds(8));
    let done = hex("14 0303 0001 01");
    assert_eq!(hellos.take(9, &segment(0, 1102, &done)), (None, false), "the client's part is over too");
    assert_eq!(hellos.finish().iter().map(|details| details.cipher).collect::<Vec<_>>(), [0x2f]);
}

#[test]
fn a_segment_cut_by_the_snaplen_ends_its_direction() {
    let client = hex(CLIENT);
    let mut hellos = Hellos::default();
    hellos.open(9, STAMP);
    hellos.take(9, &Segment { whole: false, ..segment(0, 1000, &client[..60]) });
    hellos.take(9, &segment(0, 1060, &client[60..]));
    assert_eq!(hellos.finish(), [], "what was not captured is not guessed at");
}

#[test]
fn more_connections_than_there_is_room_for_give_way_oldest_first() {
    let client = hex(CLIENT);
    let mut hellos = Hellos::default();
    for flow in 0..5000 {
        hellos.open(flow, STAMP);
        hellos.take(flow, &segment(0, 1000, &client));
        assert!(hellos.holds(flow));
    }
    assert!(!hellos.holds(0));
    assert_eq!(hellos.finish().len(), 5000, "what they had shown is kept");
}

#[test]
fn a_connection_may_begin_tls_twice() {
    let (client, server) = (hex(CLIENT), hex(SERVER));
    let mut repeated = Repeated::default();
    for _ in 0..2 {
        for (side, bytes) in [(0, &client), (1, &server)] {
            repeated.begin(4, STAMP);
            repeated.take(side, bytes);
        }
        repeated.end(0);
        repeated.end(1);
    }
    assert_eq!(repeated.finish().iter().map(|details| details.number).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_server_that_asks_again_is_not_the_answer_yet() {
    let mut body = vec![3, 3];
    body.extend(hex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"));
    body.extend(hex("00 1301 00 0006 002b 0002 0304"));
    let hello = ServerHello::read(&body).expect("read");
    assert!(hello.retry);
    assert_eq!((hello.version, hello.cipher), (0x0304, 0x1301));
    let mut details = Details::default();
    assert!(!details.message(message::SERVER_HELLO, &body, false), "the next one counts");
}
