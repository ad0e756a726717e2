//! A frame of any content and link type: a packet or a named problem; the quick path says what the plain one says.
#![no_main]

use auditor_native::frame::{Frame, Ip};
use auditor_native::decode::{decode, quick};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [high, low, longer, data @ ..] = data else { return };
    let wire_len = data.len() as u32 + u32::from(*longer) * 7;
    let frame = Frame { time: 1, link: u16::from_be_bytes([*high, *low]), wire_len, data, untimed: false, ip: Ip::Unasked };
    let plain = decode(&frame);
    if let Ok(decoded) = &plain {
        assert!(decoded.bytes.len() <= data.len() && decoded.packet.payload.len() <= data.len());
    }
    if let Some(headers) = quick(&frame) {
        assert_eq!(Ok(&headers.packet(data)), plain.as_ref().map(|decoded| &decoded.packet));
    }
});
