//! More flows than a chunk of records holds: the columns' memory is that of records before.

use super::{Scene, bare};

/// Flows: two chunks, and part of a third.
const FLOWS: u32 = 600_000;

/// Flow `number` is a datagram, of as many bytes as its number's last digit; each third one is answered with a byte, in a
/// second round, and flows of the second half have a VLAN, which none of the first has.
fn scene() -> Scene {
    let mut scene = Scene::new();
    let (client, server) = (|number: u32| (0x0a00_0000 + number / 60_000, (number % 60_000 + 1) as u16), (7, 53));
    for number in 0..FLOWS {
        let vlan = if number < FLOWS / 2 { 0 } else { 100 };
        let mut packet = bare(17, client(number), server);
        (packet.payload_len, packet.vlan, packet.cut) = (number % 10, vlan, number % 10 > 0);
        scene.packet(&packet);
    }
    for number in (0..FLOWS).step_by(3) {
        let mut packet = bare(17, server, client(number));
        (packet.payload_len, packet.cut) = (1, true);
        scene.packet(&packet);
    }
    scene
}

#[test]
fn every_row_of_many_flows_holds_what_its_flow_did() {
    let flows = scene().table();
    let columns = &flows.columns;
    assert_eq!(flows.rows(), FLOWS as usize);
    for (row, number) in (0_u64..).take(flows.rows()).enumerate() {
        let answered = u64::from(number.is_multiple_of(3));
        let last = if answered == 1 { u64::from(FLOWS) + number / 3 } else { number };
        let counted = (columns.orig_packets[row], columns.orig_bytes[row], columns.orig_payload[row]);
        assert_eq!(counted, (1, 54 + number % 10, number % 10), "flow {number}");
        let answers = (columns.resp_packets[row], columns.resp_bytes[row], columns.resp_payload[row]);
        assert_eq!(answers, (answered, 55 * answered, answered), "flow {number}");
        assert_eq!((columns.first_packet[row], columns.last_packet[row]), (number + 1, last + 1), "flow {number}");
        let times = [columns.first_time[row], columns.last_time[row]].map(i64::cast_unsigned);
        assert_eq!(times, [1000 + number, 1000 + last], "flow {number}");
        assert_eq!(u64::from(columns.orig_port[row]), number % 60_000 + 1, "flow {number}");
        assert_eq!((columns.resp_port[row], columns.transport[row]), (53, 17), "flow {number}");
        assert_eq!(columns.vlan[row], if number < u64::from(FLOWS / 2) { 0 } else { 100 }, "flow {number}");
        let never = (columns.syn_packets[row], columns.refusal_packet[row], columns.orig_missed[row]);
        assert_eq!(never, (0, 0, 0), "flow {number}");
    }
}
