//! Ports that jobs use, and by which their flows are counted.

use std::ops::Range;

/// Port on which agents listen for control connections.
pub const CONTROL_PORT: u16 = 10_000;
/// Ports that agents are given for data; nothing else is asked for there.
pub const DATA_PORTS: Range<u16> = 50_100..50_300;
