//! Records for the tests: computed from the published XDR, addresses of the documentation ranges.

/// A record and what is known of it beforehand.
pub struct Vector {
    /// Its name.
    pub id: &'static str,
    /// Version in force.
    pub version: u8,
    /// Sent by the server.
    pub from_server: bool,
    /// The record, markers included.
    pub hex: &'static str,
}

impl Vector {
    /// The record's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        hex(self.hex)
    }
}

/// Bytes of a hexadecimal text.
pub fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

/// A deterministic stream of numbers (xorshift64*).
pub struct Noise(pub u64);

impl Noise {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// The next number below a limit.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("below")
    }
}

/// A long backup start in two fragments of a 4000-byte send buffer.
pub fn fragmented() -> Vec<u8> {
    let mut body = hex("0000000a66a3c0de0000000000000401000000000000000000000004 64756d70".replace(' ', "").as_str());
    body.extend(100_u32.to_be_bytes());
    for number in 0..100 {
        body.extend(7_u32.to_be_bytes());
        body.extend(format!("VAR_{number:03}\0").bytes());
        body.extend(32_u32.to_be_bytes());
        body.extend([b'x'; 32]);
    }
    let (first, second) = body.split_at(3996);
    let mut record = 3996_u32.to_be_bytes().to_vec();
    record.extend(first);
    record.extend((0x8000_0000 | u32::try_from(second.len()).expect("short")).to_be_bytes());
    record.extend(second);
    record
}

/// The records.
pub const VECTORS: &[Vector] = &[
    Vector {
        id: "V01-notify-connected-be-v3",
        version: 3,
        from_server: true,
        hex: "800000240000000166a3c0de00000000000005020000000000000000000000000000000300000000",
    },
    Vector {
        id: "V02-connect-open-v3-req",
        version: 3,
        from_server: false,
        hex: "8000001c0000000166a3c0de0000000000000900000000000000000000000003",
    },
    Vector {
        id: "V03-connect-open-v3-rep",
        version: 3,
        from_server: true,
        hex: "8000001c0000000266a3c0de0000000100000900000000010000000000000000",
    },
    Vector {
        id: "V04-config-get-server-info-be-rep",
        version: 3,
        from_server: true,
        hex: "800000640000000366a3c0de0000000100000108000000020000000000000000000000175645524954415320536f6674776172652c20436f72702e000000001352656d6f7465204167656e7420666f72204e540000000003392e340000000002000000be00000004",
    },
    Vector {
        id: "V05-connect-client-auth-text-req",
        version: 3,
        from_server: false,
        hex: "800000340000000466a3c0de0000000000000901000000000000000000000001000000066261636b75700000000000067333637265740000",
    },
    Vector {
        id: "V06-connect-client-auth-md5-req",
        version: 4,
        from_server: false,
        hex: "800000340000000466a3c0de0000000000000901000000000000000000000002000000046e646d7070a332cc22e42742ea3fe70e383273c9",
    },
    Vector {
        id: "V07-mover-listen-v2-rep",
        version: 2,
        from_server: true,
        hex: "800000280000000666a3c0de0000000100000a0100000005000000000000000000000001c00002140000c001",
    },
    Vector {
        id: "V08-data-start-backup-v2-req",
        version: 2,
        from_server: false,
        hex: "800000500000000766a3c0de0000000000000401000000000000000000000001c00002140000c0010000000464756d70000000010000000a46494c4553595354454d0000000000092f766f6c2f766f6c30000000",
    },
    Vector {
        id: "V09-data-listen-v3-req",
        version: 3,
        from_server: false,
        hex: "8000001c0000000866a3c0de0000000000000409000000000000000000000001",
    },
    Vector {
        id: "V10-data-listen-v3-rep",
        version: 3,
        from_server: true,
        hex: "800000280000000966a3c0de000000010000040900000008000000000000000000000001c00002140000c3cb",
    },
    Vector {
        id: "V11-data-connect-v3-req",
        version: 3,
        from_server: false,
        hex: "800000240000000966a3c0de000000000000040a000000000000000000000001c000020a0000c3cc",
    },
    Vector {
        id: "V12-mover-listen-v4-rep-2addr",
        version: 4,
        from_server: true,
        hex: "8000004c0000000b66a3c0de0000000100000a010000000a00000000000000000000000100000002c63364050000ea610000000100000004505245460000000131000000cb0071070000ea6100000000",
    },
    Vector {
        id: "V13-data-connect-v4-req",
        version: 4,
        from_server: false,
        hex: "8000002c0000000c66a3c0de000000000000040a00000000000000000000000100000001c63364050000ea6100000000",
    },
    Vector {
        id: "V14-data-listen-v4-ipv6-rep",
        version: 4,
        from_server: true,
        hex: "8000003c0000000d66a3c0de00000001000004090000000c0000000000000000205100040000000120010db80000000000000000000000200000c3cd00000000",
    },
    Vector {
        id: "V15-notify-data-halted-v3",
        version: 3,
        from_server: true,
        hex: "800000240000001466a3c0de000000000000050100000000000000000000000100000004646f6e65",
    },
    Vector {
        id: "V16-notify-data-halted-v4",
        version: 4,
        from_server: true,
        hex: "8000001c0000001466a3c0de0000000000000501000000000000000000000001",
    },
    Vector {
        id: "V17-notify-mover-halted-v4",
        version: 4,
        from_server: true,
        hex: "8000001c0000001566a3c0de0000000000000503000000000000000000000005",
    },
    Vector {
        id: "V18-log-message-v4",
        version: 4,
        from_server: true,
        hex: "800000380000001666a3c0de00000000000006030000000000000000000000030000000700000009736c6f77206469736b0000000000000100000014",
    },
    Vector {
        id: "V19-data-get-state-v3-rep",
        version: 3,
        from_server: true,
        hex: "8000005c0000001866a3c0de000000010000040000000017000000000000000300000000000000010000000100000000000000010000001000000000000000000000000000000001c000020a0000c7380000000000000000ffffffffffffffff",
    },
    Vector {
        id: "V20-data-get-state-v2-rep",
        version: 2,
        from_server: true,
        hex: "800000580000001866a3c0de0000000100000400000000170000000000000000000000010000000100000000000000000000100000000000000000000000000000000001c00002140000c00100000000000000000000000000000000",
    },
    Vector {
        id: "V21-header-error-no-body",
        version: 3,
        from_server: true,
        hex: "800000180000000366a3c0de00000001000001000000000200000004",
    },
    Vector {
        id: "V22-v4-precondition-err",
        version: 4,
        from_server: true,
        hex: "800000180000000566a3c0de0000000100000a01000000040000001a",
    },
    Vector {
        id: "V23-be-ssl-handshake-start-req",
        version: 3,
        from_server: false,
        hex: "800000700000000566a3c0de000000000000f383000000000000000000000004000000074d45444941303100000000146d6564696130312e6578616d706c652e746573740000000a3139322e302e322e313000001122334411223344000000000000000000000000000000000000000000000000",
    },
    Vector {
        id: "V24-be-ssl-handshake-start-rep",
        version: 3,
        from_server: true,
        hex: "800000280000000666a3c0de000000010000f383000000050000000000000000000000000000000000000000",
    },
    Vector {
        id: "V25-be-version-rep",
        version: 3,
        from_server: true,
        hex: "8000003c0000000362fb3b2d000000010000f31b0000000000000000000000000000000100000004000000000000000e00000001000006fa0000045f00000000",
    },
    Vector {
        id: "V27-connect-close",
        version: 3,
        from_server: false,
        hex: "800000180000001e66a3c0de00000000000009020000000000000000",
    },
];
