//! Whole records: decoding, refusing, withholding.

use super::{VECTORS, record};
use crate::app::ndmp::{
    Status, Value, decode_records,
    samples::{fragmented, hex},
};

#[test]
fn every_vector_decodes_by_its_version_and_by_layout_alone() {
    for vector in VECTORS {
        let known = decode_records(&vector.bytes(), vector.version).expect(vector.id);
        let blind = decode_records(&vector.bytes(), 0).expect(vector.id);
        assert_eq!(known.len(), 1, "{}", vector.id);
        assert_eq!(known[0].status, Status::Decoded, "{}", vector.id);
        // Fields that exist in one version only may stay away when the version is unknown; none may differ.
        for field in &blind[0].fields {
            assert!(known[0].fields.contains(field), "{}: {field:?}", vector.id);
        }
    }
}

/// A state reply without an address has one layout in versions 3 and 4 but for the name of its first word.
#[test]
fn what_the_layouts_of_all_versions_read_alike_is_kept() {
    let reply = "800000540000000966a3c0de000000010000040000000008000000000000000000000000000000010000000100000000\
                 00000000000030000000000000000000000000000000000000000000000000000000000000000000";
    let [known] = &decode_records(&hex(reply), 4).expect("a record")[..] else { panic!("one record") };
    let [blind] = &decode_records(&hex(reply), 0).expect("a record")[..] else { panic!("one record") };
    assert_eq!((known.status, blind.status), (Status::Decoded, Status::Opaque));
    assert!(blind.fields.contains(&("bytes_processed", 0x3000_u64.into())));
    assert_eq!(blind.fields.len() + 1, known.fields.len(), "all but the bitmap");
}

#[test]
fn fragments_are_joined() {
    let decoded = decode_records(&fragmented(), 3).expect("a record");
    let [record] = decoded.as_slice() else { panic!("one record") };
    assert_eq!((record.fragments[0], record.fragments.len(), record.length), (3996, 2, record.fragments.iter().sum()));
    let Some((_, Value::List(env))) = record.fields.iter().find(|(name, _)| *name == "env") else { panic!("env") };
    assert_eq!((record.status, env.len()), (Status::Decoded, 100));
}

#[test]
fn what_is_no_ndmp_is_refused_with_its_rule() {
    let refusals = [
        ("8000001c0000000166a3c0de0000000200000900000000000000000000000003", "type"),
        ("800000170000000166a3c0de00000000000009000000000000000000", "shorter than a header"),
        ("8000001c0000000166a3c0de0000000000000900000000070000000000000003", "reply sequence"),
        ("8000001d0000000166a3c0de000000000000090000000000000000000000000300", "multiple of four"),
        ("80000028000000010000000000000002000186a3000000030000000000000000000000000000000000000000", "type"),
        ("800000185f3759df0000000100000000000000000000000000000000", "message code"),
        ("00000000", "shorter"),
        ("8000", "marker"),
    ];
    for (text, rule) in refusals {
        let error = decode_records(&hex(text), 0).expect_err(text);
        assert!(error.rule.contains(rule), "{text}: {}", error.rule);
    }
    for text in [
        "800000240000000166a3c0de00000000000005020000000000000000000000000000000300000010",
        "800000340000000266a3c0de0000000100000a0100000001000000000000000000000001ffffffffc00002140000c00100000000",
    ] {
        for version in [0, 2, 3, 4] {
            let decoded = decode_records(&hex(text), version).expect("a header");
            assert_eq!((decoded[0].status, decoded[0].fields.len()), (Status::Malformed, 0), "version {version}");
        }
    }
}

#[test]
fn secrets_never_come_out() {
    for (id, kind, secret) in [("V05", "password", "s3cret"), ("V06", "digest", "70a332cc")] {
        let decoded = decode_records(&record(id), 0).expect("a record");
        assert!(decoded[0].fields.contains(&("auth_secret", kind.into())));
        assert!(!format!("{decoded:?}").contains(secret));
    }
    let body =
        hex("0000000a66a3c0de00000000000004010000000000000000000000046475 6d7000000001".replace(' ', "").as_str());
    let mut message = body;
    message.extend(hex("0000000850415353574f5244000000076875 6e74657232 00".replace(' ', "").as_str()));
    let mut bytes = (0x8000_0000 | u32::try_from(message.len()).expect("short")).to_be_bytes().to_vec();
    bytes.extend(message);
    let text = format!("{:?}", decode_records(&bytes, 3).expect("a record"));
    assert!(text.contains("PASSWORD") && !text.contains("hunter2"), "{text}");
}
