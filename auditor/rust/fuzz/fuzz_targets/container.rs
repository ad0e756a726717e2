//! A file of any content: recognised or refused, read to its end or to its damage.
#![no_main]

use auditor_fuzz::{check, read_as_file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| check(&read_as_file(data)));
