use std::net::{Ipv4Addr, Ipv6Addr};

use super::*;
use crate::testing::Random;

/// The key of the sample trace that comes with the authors' own program.
const KEY: [u8; 32] = [
    21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16, 216, 152, 143, 131, 121, 121, 101, 39, 98,
    87, 76, 45, 42, 132, 34, 2,
];

fn number(text: &str) -> u32 {
    text.parse::<Ipv4Addr>().unwrap().to_bits()
}

fn mapped(text: &str) -> String {
    let mut names = Pseudonyms::new(&KEY);
    match text.parse::<Ipv4Addr>() {
        Ok(address) => Ipv4Addr::from(names.v4(address.to_bits())).to_string(),
        Err(_) => Ipv6Addr::from(names.v6(text.parse::<Ipv6Addr>().unwrap().to_bits())).to_string(),
    }
}

#[test]
fn without_kept_blocks_it_is_crypto_pan() {
    // sample_trace_raw.dat and sample_trace_sanitized.dat of Crypto-PAn 1.0.
    let names = Pseudonyms::new(&KEY);
    for (address, expected) in [
        ("128.11.68.132", "135.242.180.132"),
        ("129.118.74.4", "134.136.186.123"),
        ("130.132.252.244", "133.68.164.234"),
        ("141.223.7.43", "141.167.8.160"),
        ("141.233.145.108", "141.129.237.235"),
        ("152.163.225.39", "151.140.114.167"),
        ("156.29.3.236", "147.225.12.42"),
        ("165.247.96.84", "162.9.99.234"),
        ("166.107.77.190", "160.132.178.185"),
        ("192.102.249.13", "252.138.62.131"),
        ("192.215.32.125", "252.43.47.189"),
        ("192.233.80.103", "252.25.108.8"),
        ("192.41.57.43", "252.222.221.184"),
    ] {
        let turned = names.turned(u128::from(number(address)) << 96, 32, &[], names.pad) >> 96;
        assert_eq!(turned as u32, number(expected), "{address}");
    }
}

#[test]
fn common_prefixes_stay_common_and_no_longer() {
    let (mut names, mut random) = (Pseudonyms::new(&KEY), Random(7));
    for _ in 0..2000 {
        let first = random.next() as u32;
        let second = first ^ (random.next() as u32 >> random.below(32));
        let (a, b) = (names.v4(first), names.v4(second));
        assert_eq!((first ^ second).leading_zeros(), (a ^ b).leading_zeros(), "{first:x} {second:x}");
        let wide = |low: u32| u128::from(low) << 64 | 0x2001_0db8 << 96;
        let (a, b) = (names.v6(wide(first)), names.v6(wide(second)));
        assert_eq!((wide(first) ^ wide(second)).leading_zeros(), (a ^ b).leading_zeros());
    }
}

#[test]
fn blocks_of_special_use_stay_what_they_are() {
    for (address, block) in [
        ("10.77.0.21", "10."),
        ("192.168.3.4", "192.168."),
        ("169.254.1.1", "169.254."),
        ("fd00::12", "fd"),
        ("fe80::1:2:3:4", "fe80::"),
    ] {
        let told = mapped(address);
        assert!(told.starts_with(block) || (block == "fd" && told.starts_with('f')), "{address} {told}");
        assert_ne!(told, address);
    }
    for same in ["0.0.0.0", "127.0.0.1", "224.0.0.251", "255.255.255.255", "::", "::1", "ff02::1", "ff02::fb"] {
        assert_eq!(mapped(same), same);
    }
    let group = mapped("ff02::1:ff00:1234");
    assert!(group.starts_with("ff02::1:ff") && group != "ff02::1:ff00:1234", "{group}");
    let inside = mapped("::ffff:10.77.0.21");
    assert_eq!(inside, format!("::ffff:{}", mapped("10.77.0.21")));
}

#[test]
fn hardware_addresses_keep_their_kind() {
    let mut names = Pseudonyms::new(&KEY);
    let one = names.mac([0x02, 0x42, 0x0a, 0x4d, 0, 0x15]);
    assert_eq!(one[0] & 3, 2);
    assert_ne!(one[1..], [0x42, 0x0a, 0x4d, 0, 0x15]);
    assert_eq!(names.mac([0x33, 0x33, 0xff, 1, 2, 3])[0] & 1, 1);
    assert_eq!(names.mac([255; 6]), [255; 6]);
}

#[test]
fn another_key_gives_other_addresses() {
    let mut other = Pseudonyms::new(&[9; 32]);
    assert_ne!(Ipv4Addr::from(other.v4(number("10.77.0.21"))).to_string(), mapped("10.77.0.21"));
}
