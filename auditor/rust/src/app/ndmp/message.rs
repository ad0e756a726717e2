//! The table of message codes.

/// Who sends the request or post of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The NDMP client (DMA).
    Client,
    /// The NDMP server; all of these are posts, without reply.
    Server,
}

/// A row of the table: code, sender, and names in versions 2, 3 and 4 ("" where the version lacks it).
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Message code.
    pub code: u32,
    /// Sender of the request or post.
    pub sender: Sender,
    /// Names in versions 2, 3, 4.
    pub names: [&'static str; 3],
}

const fn same(code: u32, name: &'static str) -> Entry {
    Entry { code, sender: Sender::Client, names: [name, name, name] }
}

const fn since3(code: u32, name: &'static str) -> Entry {
    Entry { code, sender: Sender::Client, names: ["", name, name] }
}

const fn client(code: u32, names: [&'static str; 3]) -> Entry {
    Entry { code, sender: Sender::Client, names }
}

const fn post(code: u32, names: [&'static str; 3]) -> Entry {
    Entry { code, sender: Sender::Server, names }
}

const fn same_post(code: u32, name: &'static str) -> Entry {
    post(code, [name, name, name])
}

/// First code of the vendor range of version 3, kept in use by Backup Exec.
pub const VENDOR: u32 = 0xf000;
/// Request of `NetApp`'s Cluster Aware Backup: a backup start that may have an extra word before it.
pub const CAB_DATA_CONN_PREPARE: u32 = 0x2052_0001;
/// Post that opens every control connection.
pub const NOTIFY_CONNECTED: u32 = 0x502;
/// Request that settles the version.
pub const CONNECT_OPEN: u32 = 0x900;

/// All codes of versions 2 to 4 and those known of vendors, in order.
pub const TABLE: &[Entry] = &[
    same(0x100, "CONFIG_GET_HOST_INFO"),
    client(0x101, ["CONFIG_GET_BUTYPE_ATTR", "", ""]),
    client(0x102, ["CONFIG_GET_MOVER_TYPE", "CONFIG_GET_CONNECTION_TYPE", "CONFIG_GET_CONNECTION_TYPE"]),
    same(0x103, "CONFIG_GET_AUTH_ATTR"),
    since3(0x104, "CONFIG_GET_BUTYPE_INFO"),
    since3(0x105, "CONFIG_GET_FS_INFO"),
    since3(0x106, "CONFIG_GET_TAPE_INFO"),
    since3(0x107, "CONFIG_GET_SCSI_INFO"),
    since3(0x108, "CONFIG_GET_SERVER_INFO"),
    client(0x109, ["", "", "CONFIG_SET_EXT_LIST"]),
    client(0x10a, ["", "", "CONFIG_GET_EXT_LIST"]),
    same(0x200, "SCSI_OPEN"),
    same(0x201, "SCSI_CLOSE"),
    same(0x202, "SCSI_GET_STATE"),
    same(0x203, "SCSI_SET_TARGET"),
    same(0x204, "SCSI_RESET_DEVICE"),
    same(0x205, "SCSI_RESET_BUS"),
    same(0x206, "SCSI_EXECUTE_CDB"),
    same(0x300, "TAPE_OPEN"),
    same(0x301, "TAPE_CLOSE"),
    same(0x302, "TAPE_GET_STATE"),
    same(0x303, "TAPE_MTIO"),
    same(0x304, "TAPE_WRITE"),
    same(0x305, "TAPE_READ"),
    client(0x306, ["TAPE_SET_RECORD_SIZE", "", ""]),
    same(0x307, "TAPE_EXECUTE_CDB"),
    same(0x400, "DATA_GET_STATE"),
    same(0x401, "DATA_START_BACKUP"),
    same(0x402, "DATA_START_RECOVER"),
    same(0x403, "DATA_ABORT"),
    same(0x404, "DATA_GET_ENV"),
    same(0x407, "DATA_STOP"),
    client(0x408, ["DATA_CONTINUE", "", ""]),
    since3(0x409, "DATA_LISTEN"),
    since3(0x40a, "DATA_CONNECT"),
    same(0x40b, "DATA_START_RECOVER_FILEHIST"),
    same_post(0x501, "NOTIFY_DATA_HALTED"),
    post(0x502, ["NOTIFY_CONNECTED", "NOTIFY_CONNECTED", "NOTIFY_CONNECTION_STATUS"]),
    same_post(0x503, "NOTIFY_MOVER_HALTED"),
    same_post(0x504, "NOTIFY_MOVER_PAUSED"),
    same_post(0x505, "NOTIFY_DATA_READ"),
    post(0x600, ["LOG_LOG", "", ""]),
    post(0x601, ["LOG_DEBUG", "", ""]),
    same_post(0x602, "LOG_FILE"),
    post(0x603, ["", "LOG_MESSAGE", "LOG_MESSAGE"]),
    post(0x700, ["FH_ADD_UNIX_PATH", "", ""]),
    post(0x701, ["FH_ADD_UNIX_DIR", "", ""]),
    post(0x702, ["FH_ADD_UNIX_NODE", "", ""]),
    post(0x703, ["", "FH_ADD_FILE", "FH_ADD_FILE"]),
    post(0x704, ["", "FH_ADD_DIR", "FH_ADD_DIR"]),
    post(0x705, ["", "FH_ADD_NODE", "FH_ADD_NODE"]),
    same(0x900, "CONNECT_OPEN"),
    same(0x901, "CONNECT_CLIENT_AUTH"),
    same(0x902, "CONNECT_CLOSE"),
    same(0x903, "CONNECT_SERVER_AUTH"),
    same(0xa00, "MOVER_GET_STATE"),
    same(0xa01, "MOVER_LISTEN"),
    same(0xa02, "MOVER_CONTINUE"),
    same(0xa03, "MOVER_ABORT"),
    same(0xa04, "MOVER_STOP"),
    same(0xa05, "MOVER_SET_WINDOW"),
    same(0xa06, "MOVER_READ"),
    same(0xa07, "MOVER_CLOSE"),
    same(0xa08, "MOVER_SET_RECORD_SIZE"),
    since3(0xa09, "MOVER_CONNECT"),
    same(0xf270, "BE_JOB_ENVIRONMENT"),
    same(0xf306, "BE_FILE_CLOSE"),
    same(0xf308, "BE_FILE_OPEN"),
    same(0xf309, "BE_FILE_WRITE"),
    same(0xf30f, "BE_EXECUTE_COMMAND"),
    same(0xf31b, "BE_GET_VERSION"),
    same(0xf33b, "BE_AFTER_AUTHENTICATION"),
    same(0xf383, "BE_SSL_HANDSHAKE"),
    same(CAB_DATA_CONN_PREPARE, "CAB_DATA_CONN_PREPARE"),
];

/// The row of a code.
#[must_use]
pub fn entry(code: u32) -> Option<&'static Entry> {
    TABLE.binary_search_by_key(&code, |entry| entry.code).ok().and_then(|row| TABLE.get(row))
}

/// Its body is long and of no interest beyond its first words: file history, device data.
#[must_use]
pub fn is_bulk(code: u32) -> bool {
    matches!(code, 0x206 | 0x304 | 0x305 | 0x307 | 0x700..=0x705)
}

/// The code may stand in a header: in the table, in the vendor range, or of a legal extension class.
#[must_use]
pub fn is_legal(code: u32) -> bool {
    match code >> 16 {
        0 => code >= VENDOR || entry(code).is_some(),
        1..=7 | 0x2000..=0x7fef | 0x7ff0..=0x7ffe => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
    }

    #[test]
    fn legal_codes() {
        for code in [0x100, 0x502, 0xa09, 0xf000, 0xffff, 0x1_0000, 0x2052_0001, 0x7ffe_0000] {
            assert!(is_legal(code), "{code:#x}");
        }
        for code in [0, 2, 0x405, 0x406, 0x4004, 0xb00, 0x8_0000, 0x7fff_0000, 0x8000_0000, 0xfe53_4d42] {
            assert!(!is_legal(code), "{code:#x}");
        }
    }
}
