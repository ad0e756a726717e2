//! Names of message and error codes.

use std::borrow::Cow;

use super::message;

/// Name of a message code as `version` calls it; 0, or a version that lacks it: the newest name. A code of no table
/// gets its number.
#[must_use]
pub fn message_name(code: u32, version: u8) -> Cow<'static, str> {
    let Some(entry) = message::entry(code) else {
        return Cow::Owned(format!("0x{code:x}"));
    };
    let [two, three, four] = entry.names;
    let own = match version {
        2 => two,
        3 => three,
        _ => four,
    };
    Cow::Borrowed([own, four, three, two].into_iter().find(|name| !name.is_empty()).unwrap_or_default())
}

const ERRORS: [&str; 31] = [
    "NO_ERR",
    "NOT_SUPPORTED",
    "DEVICE_BUSY",
    "DEVICE_OPENED",
    "NOT_AUTHORIZED",
    "PERMISSION",
    "DEV_NOT_OPEN",
    "IO",
    "TIMEOUT",
    "ILLEGAL_ARGS",
    "NO_TAPE_LOADED",
    "WRITE_PROTECT",
    "EOF",
    "EOM",
    "FILE_NOT_FOUND",
    "BAD_FILE",
    "NO_DEVICE",
    "NO_BUS",
    "XDR_DECODE",
    "ILLEGAL_STATE",
    "UNDEFINED",
    "XDR_ENCODE",
    "NO_MEM",
    "CONNECT",
    "SEQUENCE_NUM",
    "READ_IN_PROGRESS",
    "PRECONDITION",
    "CLASS_NOT_SUPPORTED",
    "VERSION_NOT_SUPPORTED",
    "EXT_DUPL_CLASSES",
    "EXT_DANDN_ILLEGAL",
];

/// Name of an error code; of an extension's error, and of an unknown one, its number.
#[must_use]
pub fn error_name(code: u32) -> Cow<'static, str> {
    match ERRORS.get(code as usize) {
        Some(name) => Cow::Borrowed(name),
        None => Cow::Owned(format!("0x{code:x}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_version() {
        assert_eq!(message_name(0x502, 3), "NOTIFY_CONNECTED");
        assert_eq!(message_name(0x502, 4), "NOTIFY_CONNECTION_STATUS");
        assert_eq!(message_name(0x102, 2), "CONFIG_GET_MOVER_TYPE");
        assert_eq!(message_name(0x700, 4), "FH_ADD_UNIX_PATH");
        assert_eq!(message_name(0xf999, 3), "0xf999");
    }

    #[test]
    fn errors() {
        assert_eq!(error_name(4), "NOT_AUTHORIZED");
        assert_eq!(error_name(23), "CONNECT");
        assert_eq!(error_name(30), "EXT_DANDN_ILLEGAL");
        assert_eq!(error_name(0x2052_0001), "0x20520001");
    }
}
