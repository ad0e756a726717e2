//! Decoded fields and their values.

use std::net::IpAddr;

/// Value of a field of a message body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Any number of the protocol; enumerations included.
    Int(u64),
    /// Text, lossy UTF-8, at most [`MAX_CHARS`] characters.
    Text(String),
    /// An address; its port is a field of its own.
    Ip(IpAddr),
    /// A list.
    List(Vec<Value>),
    /// Named parts, in order.
    Map(Vec<(&'static str, Value)>),
}

/// Longest text kept, in characters. Texts are written by whoever sent the packets.
pub const MAX_CHARS: usize = 256;

/// Fields of a body in wire order.
pub type Body = Vec<(&'static str, Value)>;

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Int(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Int(number as u64)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u32>> for Value {
    fn from(numbers: Vec<u32>) -> Self {
        Self::List(numbers.into_iter().map(Self::from).collect())
    }
}
